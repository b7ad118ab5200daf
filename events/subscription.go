package events

import (
	"context"
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
	replay  *tail // of what it was sent from the outbox and not from the queue; nil: nothing
}

// run brings the subscriber up to date, and then sends it what the poller publishes.
func (s *subscription) run(ctx context.Context, after string) error {
	known, err := s.begin(ctx, after)
	if err != nil {
		return err
	}
	// Most is sent before there is a queue, which would overflow at the same time.
	if s.replay != nil {
		if err := s.catchUp(ctx); err != nil {
			return err
		}
	}
	p := s.hub.join(s.account, s.queue)
	defer s.hub.leave(s.account, s.queue)
	if err := s.await(ctx, p.begun); err != nil {
		return err
	}
	here := *p.here.Load()
	switch {
	case s.replay != nil: // what the poller published before the queue was there
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		here = s.replay.here
	case !known:
		reason := "events after this ID are not known any more: read everything again, and continue from here"
		if err := s.send(Event{here.String(), "reset", Reset{reason}}); err != nil {
			return err
		}
	}
	// With a body: many clients keep the ID only of an event that has one.
	if err := s.send(Event{here.String(), "ready", Ready{}}); err != nil {
		return err
	}
	return s.follow(ctx, p)
}

// begin finds the cursor to begin at, and reports whether all that came after it is still
// known.
func (s *subscription) begin(ctx context.Context, after string) (known bool, err error) {
	if after == "" {
		return true, nil
	}
	books := s.hub.books
	p, ok := parseCursor(after)
	if now := books.Now(); !ok || p.base.Before(now.Add(-outbox.Kept)) || p.At.After(now.Add(outbox.Lag)) {
		return false, nil
	}
	if p.Nonce != "" { // of these very books?
		is, err := books.Outbox().Events(ctx, []outbox.Key{p.Key})
		if err != nil || len(is) == 0 {
			return false, err
		}
	}
	s.replay, err = tailAfter(ctx, books, p)
	return true, err
}

// catchUp sends what has become visible in the outbox since the last time.
func (s *subscription) catchUp(ctx context.Context) error {
	emit := func(_ ledger.Account, e Event) error { return s.send(e) }
	return s.replay.read(ctx, func(p cursor, from outbox.Event) error {
		select {
		case <-s.beat: // there may be nothing to send for long
			if err := s.send(Event{}); err != nil {
				return err
			}
		default:
		}
		return (&publication{books: s.hub.books, to: audience{s.account: nil}, emit: emit, at: p}).publish(ctx, from)
	})
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
		here := *p.here.Load() // before the queue is emptied: all up to here is in it, or was
		if err := s.empty(ctx); err != nil {
			return err
		}
		if s.replay != nil && here.At.After(s.replay.here.At) {
			s.replay = nil // the queue has come past what was sent from the outbox
		}
		if !beat {
			continue
		}
		if err := s.send(Event{ID: here.String()}); err != nil {
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
		if s.replay != nil && s.replay.saw(e.of) {
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
