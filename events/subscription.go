package events

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
)

// subscription is one subscriber while it is served.
type subscription struct {
	hub     *Hub
	account ledger.Account
	send    func(Event) error
	beat    <-chan time.Time
	queue   *queue
	sent    int64 // everything up to this number was sent
}

// run brings the subscriber up to date, and then sends it what the poller publishes.
func (s *subscription) run(ctx context.Context, after string) error {
	known, err := s.begin(ctx, after)
	if err != nil {
		return err
	}
	p := s.hub.join(s.account, s.queue)
	defer s.hub.leave(s.account, s.queue)
	if err := s.await(ctx, p.begun); err != nil {
		return err
	}
	// What the poller published before the queue was there has a number by now. All that has none is in the
	// queue once it has.
	if known {
		err = s.catchUp(ctx)
	} else {
		s.sent, err = s.hub.books.Outbox().Newest(ctx)
	}
	if err != nil {
		return err
	}
	if !known && after != "" {
		reason := "events after this ID are not known any more: read everything again, and continue from here"
		if err := s.send(Event{idOf(s.sent), "reset", Reset{reason}}); err != nil {
			return err
		}
	}
	// With a body: many clients keep the ID only of an event that has one.
	if err := s.send(Event{idOf(s.sent), "ready", Ready{}}); err != nil {
		return err
	}
	return s.follow(ctx, p)
}

// begin sends what came after an ID, and reports whether all of it is still kept. Most is sent so, before there is a
// queue, which would overflow at the same time.
func (s *subscription) begin(ctx context.Context, after string) (known bool, err error) {
	number, ok := parseID(after)
	if !ok {
		return false, nil
	}
	s.sent = number
	err = s.catchUp(ctx)
	if errors.Is(err, outbox.ErrNotKept) && s.sent == number { // nothing was sent
		return false, nil
	}
	return err == nil, err
}

// catchUp sends what has a number in the outbox now.
func (s *subscription) catchUp(ctx context.Context) error {
	emit := func(_ ledger.Account, e Event) error { return s.send(e) }
	for {
		events, err := s.hub.books.Outbox().After(ctx, s.sent, readAtOnce)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			select {
			case <-s.beat: // there may be nothing to send for long
				if err := s.send(Event{ID: idOf(s.sent)}); err != nil {
					return err
				}
			default:
			}
			to := publication{books: s.hub.books, to: audience{s.account: nil}, emit: emit}
			if err := to.publish(ctx, e); err != nil {
				return err
			}
			s.sent = e.Number
		}
	}
}

// await waits until the poller has begun, with heartbeats.
func (s *subscription) await(ctx context.Context, begun <-chan struct{}) error {
	for {
		select {
		case <-begun:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-s.beat:
			if err := s.send(Event{}); err != nil {
				return err
			}
		}
	}
}

// follow sends what is put into the queue.
func (s *subscription) follow(ctx context.Context, p *poller) error {
	for {
		beat := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.queue.more:
		case <-s.beat:
			beat = true
		}
		published := p.sent.Load() // before the queue is emptied: all up to here is in it, or was
		if err := s.empty(ctx); err != nil {
			return err
		}
		s.sent = max(s.sent, published)
		if !beat {
			continue
		}
		if err := s.send(Event{ID: idOf(s.sent)}); err != nil {
			return err
		}
	}
}

// empty sends what waits in the queue, but for what was sent from the outbox.
func (s *subscription) empty(ctx context.Context) error {
	waiting, err := s.queue.take()
	if err != nil {
		return err
	}
	for _, e := range waiting {
		if e.of <= s.sent {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.send(e.Event); err != nil {
			return err
		}
	}
	return nil
}
