package events

import (
	"context"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// subscription is one subscriber at work.
type subscription struct {
	hub     *Hub
	account ledger.Account
	send    func(Event) error
	beat    <-chan time.Time
	queue   *queue
	replay  *tail // what it was told from the books and not from the queue; nil: nothing
}

// run brings the subscriber up to date, and then tells it what the poller hands out.
func (s *subscription) run(ctx context.Context, after string) error {
	known, err := s.begin(ctx, after)
	if err != nil {
		return err
	}
	// Most is told before there is a queue: it would run full meanwhile.
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
	case s.replay != nil: // what the poller handed out before the queue was there
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		here = s.replay.here
	case !known:
		reason := "events after this ID are not known any more: read everything anew, and go on from here"
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

// begin finds the place to begin at, and says whether all that came after it is
// still known.
func (s *subscription) begin(ctx context.Context, after string) (known bool, err error) {
	if after == "" {
		return true, nil
	}
	books := s.hub.books
	p, ok := parsePlace(after)
	if now := books.Now(); !ok || p.base.Before(now.Add(-store.NewsKept)) || p.At.After(now.Add(store.NewsLag)) {
		return false, nil
	}
	if p.Nonce != "" { // of these very books?
		news, err := books.News(ctx, []store.NewsKey{p.NewsKey})
		if err != nil || len(news) == 0 {
			return false, err
		}
	}
	s.replay, err = tailAfter(ctx, books, p)
	return true, err
}

// catchUp tells what has become visible in the books since the last time.
func (s *subscription) catchUp(ctx context.Context) error {
	emit := func(_ ledger.Account, e Event) error { return s.send(e) }
	return s.replay.read(ctx, func(p place, n store.News) error {
		select {
		case <-s.beat: // there may be nothing to tell for long
			if err := s.send(Event{}); err != nil {
				return err
			}
		default:
		}
		t := telling{books: s.hub.books, to: audience{s.account: nil}, emit: emit, at: p}
		return t.tell(ctx, n)
	})
}

// await waits for the poller's beginning, with signs of life.
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

// follow tells what is put into the queue.
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
			s.replay = nil // the queue has come past what was told from the books
		}
		if !beat {
			continue
		}
		if err := s.send(Event{ID: here.String()}); err != nil {
			return err
		}
	}
}

// empty tells what waits in the queue, but for what was told from the books.
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
