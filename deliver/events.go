package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/topic"
	"github.com/softstake/softstake/webhook"
)

// outboxAtOnce is how many events of the outbox are read at once at most.
const outboxAtOnce = 500

// Events delivers events of some kinds, with commas between them, to a topic as they get their numbers: a message for
// each, with the body that a message of a webhook has. The first one is the next, or the one that From names. It may
// need approval: then nothing is delivered. An error of the topic or of the database is kept with the target, logged
// and retried or, until the end, returned. Another address or other kinds without From are returned at once, and so are
// numbers that are not kept. Of several processes one delivers, and the others wait.
func Events(ctx context.Context, c Config, to topic.Topic, kinds string) (Result, error) {
	e := &eventFeed{delivery: &delivery{Config: c}, to: to, kinds: kinds}
	return e.run(ctx, e)
}

// eventFeed is a run that delivers events.
type eventFeed struct {
	*delivery
	to    topic.Topic
	kinds string
}

func (e *eventFeed) target() store.NewTarget {
	return store.NewTarget{Stream: store.EventStream, Address: e.to.Address(), Kinds: e.kinds}
}

func (e *eventFeed) alone() bool { return true }

func (e *eventFeed) resend(ctx context.Context, n store.NewTarget) error {
	return e.Books.ResendTarget(ctx, n)
}

func (e *eventFeed) number(ctx context.Context) error {
	_, err := e.Books.Outbox().Number(ctx)
	return err
}

func (e *eventFeed) open(ctx context.Context) (session, error) {
	s, err := e.to.Open(ctx)
	if err != nil {
		return nil, err
	}
	return &eventSession{eventFeed: e, Session: s}, nil
}

// eventSession is a connection to the topic.
type eventSession struct {
	*eventFeed
	topic.Session
	wanted  []string
	waiting []topic.Message // that are made, and not sent
	has     int64           // events up to this number the topic has, by the books
	made    int64           // of events up to this number all messages are made
}

func (s *eventSession) position(ctx context.Context) (int64, error) {
	target, err := s.Books.Target(ctx, s.stream, s.Name)
	s.has, s.made, s.wanted = target.Number, target.Number, strings.Split(target.Kinds, ",")
	return target.Number, err
}

// next sends the messages of some of the next events. Where one event has very many it sends them bit by bit.
func (s *eventSession) next(ctx context.Context, after int64) (int64, error) {
	all, err := s.Books.Outbox().After(ctx, after, outboxAtOnce)
	if errors.Is(err, outbox.ErrNotKept) {
		return after, fmt.Errorf("the events after %d are not kept any more, or the books were restored: read what is "+
			"missing in another way, and deliver from a number that is kept: %w", after, err)
	}
	for _, of := range all {
		if err == nil {
			err = s.make(ctx, of)
		}
	}
	if err == nil && len(all) > 0 {
		err = s.send(ctx)
	}
	if err != nil {
		return after, err
	}
	return s.has, nil
}

// make makes the messages of an event of the outbox, and sends some where many wait.
func (s *eventSession) make(ctx context.Context, of outbox.Event) error {
	key := webhook.Key{Stream: webhook.Events, Number: of.Number}
	err := events.Of(ctx, s.Books, of, func(e events.Event) error {
		if key.Part++; !slices.Contains(s.wanted, e.Type) {
			return nil
		}
		text, err := webhook.Body(e.Type, of.At, webhook.EventData{Events: []any{e.Body}})
		if err != nil {
			return err
		}
		s.waiting = append(s.waiting, topic.Message{ID: key.ID(), Key: e.Subject(), Text: text})
		if len(s.waiting) < s.Batch {
			return nil
		}
		return s.send(ctx)
	})
	if err == nil {
		s.made = of.Number
	}
	return err
}

// send sends what waits, and keeps through which event the topic has all.
func (s *eventSession) send(ctx context.Context) error {
	for _, some := range inParts(s.waiting) {
		if err := s.hand(ctx, func(ctx context.Context) error { return s.Send(ctx, some) }); err != nil {
			return err
		}
		s.result.Sent += len(some)
	}
	s.waiting = s.waiting[:0]
	if s.made == s.has {
		return nil
	}
	if err := s.move(ctx, s.has, s.made); err != nil {
		return err
	}
	s.has = s.made
	return nil
}

// mostOfKey is how many messages of one key are sent at once: a broker may have to acknowledge each before the next.
const mostOfKey = 100

// inParts divides messages, in their order, into parts in which no key has too many.
func inParts(messages []topic.Message) (parts [][]topic.Message) {
	begin, count := 0, map[string]int{}
	for i, m := range messages {
		if count[m.Key] == mostOfKey {
			parts = append(parts, messages[begin:i])
			begin = i
			clear(count)
		}
		count[m.Key]++
	}
	if begin < len(messages) {
		parts = append(parts, messages[begin:])
	}
	return parts
}

// answer has nothing to read: nobody answers events.
func (s *eventSession) answer(context.Context) (int, error) { return 0, nil }
