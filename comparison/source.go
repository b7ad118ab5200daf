package comparison

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/join/kafka"
	"github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reconcile/topic"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Reach is how the figures of a source are read that are no file.
type Reach struct {
	Token    string            // the bearer token for an endpoint; "": none
	Kafka    kafka.Credentials // who reads a topic
	NATS     nats.Credentials  // who reads a stream
	Insecure bool              // connections may be read on their way
}

// Open is how the figures of a source are read, and its name (store.FromLedger …). ledger.ErrInvalid, db.ErrInsecure or
// address.ErrInsecure where its addresses cannot be.
func (h Reach) Open(s store.ComparisonSource) (read Theirs, name string, err error) {
	if s.Topic != "" {
		read, err := h.topic(s.Topic)
		return read, store.FromTopic, annotate(err, "the address of the topic")
	}
	if s.Endpoint != "" {
		e, err := reconcile.ParseEndpoint(s.Endpoint, h.Token, h.Insecure)
		return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error) {
			return e.Read(ctx, day.Start(), assets)
		}, store.FromEndpoint, annotate(err, "the endpoint")
	}
	q, err := reconcile.ParseQuery(s.Ledger, s.Balances, s.Payouts, h.Insecure)
	return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error) {
		return q.Read(ctx, (day + 1).Start(), (day - 1).Start(), assets)
	}, store.FromLedger, annotate(err, "the address of the other ledger")
}

// topic is how figures are read from a topic of Kafka or from streams of NATS.
func (h Reach) topic(address string) (Theirs, error) {
	if _, _, err := h.broker(address); err != nil {
		return nil, err
	}
	return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (f reconcile.Figures, err error) {
		source, done, err := h.broker(address)
		if err != nil {
			return f, err
		}
		defer func() { err = errors.Join(err, done()) }()
		return topic.Read(ctx, source, day.Start(), assets)
	}, nil
}

// broker is a topic or some streams, from what they still have. Its caller calls done when it has read.
func (h Reach) broker(address string) (source topic.Source, done func() error, err error) {
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "kafka":
		source, err := kafka.Parse(address, h.Kafka, h.Insecure)
		if err != nil {
			return nil, nil, err
		}
		source.DryRun()
		return source, source.Close, nil
	case "nats":
		source, err := nats.Parse(address, h.NATS, h.Insecure)
		if err != nil {
			return nil, nil, err
		}
		source.DryRun()
		return source, func() error { return nil }, nil
	}
	return nil, nil, ledger.ErrInvalid.In("", "it is not like kafka://HOST,HOST/TOPIC or nats://HOST,HOST/STREAM")
}

// tryWithin is how long a source may take to answer when it is tried.
const tryWithin = time.Minute

// Try looks whether a source answers, and writes nothing: a database is asked its queries for no row, so that their
// columns and parameters are known to be right; an endpoint is asked for a day, whose figures are read and not
// compared; a topic is opened, and not read. Its errors are those of Open, of the network and of the source.
func (h Reach) Try(ctx context.Context, s store.ComparisonSource, day staking.Day,
	assets map[string]ledger.Asset) (err error) {
	read, _, err := h.Open(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	switch s.Kind() {
	case store.FromTopic:
		source, done, err := h.broker(s.Topic)
		if err != nil {
			return err
		}
		return errors.Join(topic.Try(ctx, source), done())
	case store.FromLedger:
		q, err := reconcile.ParseQuery(s.Ledger, s.Balances, s.Payouts, h.Insecure)
		if err != nil {
			return err
		}
		return q.Try(ctx)
	}
	_, err = read(ctx, day, assets)
	return err
}

func annotate(err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
