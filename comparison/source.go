package comparison

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "kafka":
		source, err := kafka.Parse(address, h.Kafka, h.Insecure)
		if err != nil {
			return nil, err
		}
		source.DryRun() // from what the topic still has
		return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (f reconcile.Figures, err error) {
			defer func() { err = errors.Join(err, source.Close()) }()
			return topic.Read(ctx, source, day.Start(), assets)
		}, nil
	case "nats":
		source, err := nats.Parse(address, h.NATS, h.Insecure)
		if err != nil {
			return nil, err
		}
		source.DryRun()
		return func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error) {
			return topic.Read(ctx, source, day.Start(), assets)
		}, nil
	}
	return nil, ledger.ErrInvalid.In("", "it is not like kafka://HOST,HOST/TOPIC or nats://HOST,HOST/STREAM")
}

func annotate(err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
