// Package nats sends messages to a subject of a stream of NATS JetStream. It knows no books.
package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/softstake/softstake/join/address"
	source "github.com/softstake/softstake/join/nats"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/topic"
)

// The limits of what is sent.
const (
	sendWithin   = 30 * time.Second // in which a server acknowledges a message
	mostInFlight = 2 * 10_000       // messages of a Send that are not acknowledged
)

// subject is what messages can be sent to: tokens between dots, without wildcards.
var subject = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// Subject is a subject of a stream.
type Subject struct {
	address, servers, subject string
	options                   []nats.Option
}

// Parse reads the address of a subject, such as nats://host,host/softstake.payouts. The errors are those of
// address.Parse.
func Parse(text string, c source.Credentials, insecure bool) (*Subject, error) {
	a, err := address.Parse(text, "nats", "4222", insecure)
	if err != nil {
		return nil, err
	}
	if !subject.MatchString(a.Name) {
		return nil, ledger.ErrInvalid.In("", "the subject is not like softstake.payouts, of A-Z a-z 0-9 _ and - between dots")
	}
	t := &Subject{address: text, subject: a.Name}
	t.servers, t.options = source.Connection(a, c)
	t.options = append(t.options, nats.Name("softstake deliver"))
	return t, a.Unknown()
}

// Address is the address of the subject.
func (t *Subject) Address() string { return t.address }

// session is a connection.
type session struct {
	*Subject
	conn   *nats.Conn
	closed <-chan struct{} // the connection is
	js     jetstream.JetStream
}

// Open connects.
func (t *Subject) Open(context.Context) (topic.Session, error) {
	closed := make(chan struct{})
	conn, err := nats.Connect(t.servers, append(slices.Clone(t.options),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))...)
	if err != nil {
		return nil, failed(err)
	}
	s := &session{Subject: t, conn: conn, closed: closed}
	if s.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(mostInFlight),
		jetstream.WithPublishAsyncTimeout(sendWithin)); err != nil {
		conn.Close()
		return nil, failed(err)
	}
	return s, nil
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("NATS: %w", err)
}

// Close ends the connection.
func (s *session) Close() error {
	s.conn.Close()
	return nil
}

// Send publishes messages, of whose IDs the stream keeps one for some time (its duplicate window), and waits until the
// server has acknowledged all of them. One server takes them in the order of the connection, which ends where one is
// lost. In a cluster a leader may be lost with a message while its follower takes the next: there those of one key wait
// for each other.
func (s *session) Send(ctx context.Context, messages []topic.Message) error {
	ctx, cancel := context.WithTimeoutCause(ctx, sendWithin, errSilent)
	defer cancel()
	if s.conn.ConnectedClusterName() == "" {
		return failed(s.publish(ctx, messages))
	}
	for _, wave := range topic.Waves(messages) {
		if err := s.publish(ctx, wave); err != nil {
			return failed(err)
		}
	}
	return nil
}

var errSilent = errors.New("the server does not acknowledge")

func (s *session) publish(ctx context.Context, messages []topic.Message) (err error) {
	futures := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		if futures[i], err = s.js.PublishMsgAsync(&nats.Msg{Subject: s.subject, Data: m.Text,
			Header: nats.Header{jetstream.MsgIDHeader: {m.ID}}}); err != nil {
			return err
		}
	}
	for _, f := range futures {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			return err
		case <-s.closed: // who waits for an answer does not hear of it
			return cmp.Or(s.conn.LastError(), nats.ErrConnectionClosed)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
