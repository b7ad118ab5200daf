package events

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
)

// poller looks for outbox events again and again, and publishes them to all subscribers
// of this process.
type poller struct {
	books *store.DB
	log   *slog.Logger
	every time.Duration

	stop  context.CancelFunc
	begun chan struct{} // closed when it knows what there was before it
	ended chan struct{}

	audience atomic.Pointer[audience]
	here     atomic.Pointer[cursor] // all that is before it is in the queues, or was
}

// startPoller begins to look. It ends when it is stopped.
func startPoller(books *store.DB, log *slog.Logger, every time.Duration) *poller {
	p := &poller{books: books, log: log, every: every, begun: make(chan struct{}), ended: make(chan struct{})}
	p.audience.Store(&audience{})
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.run(ctx)
	return p
}

// run looks for outbox events until the context ends. Where the books fail it looks again,
// from the same cursor on.
func (p *poller) run(ctx context.Context) {
	defer close(p.ended)
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	t := tailFrom(p.books, p.books.Now())
	look, failing := func() error { return t.skip(ctx) }, false
	for {
		err := look()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			p.log.Error("reading the outbox failed; it is retried, and no event is missed", "error", err)
		case err == nil && failing:
			p.log.Info("the outbox can be read again")
		}
		if failing = err != nil; !failing {
			here := t.here
			if p.here.Swap(&here) == nil {
				close(p.begun)
				look = func() error {
					return t.read(ctx, func(at cursor, e outbox.Event) error { return p.publish(ctx, at, e) })
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// publish puts the events of an outbox event into the queues of those who want them.
func (p *poller) publish(ctx context.Context, at cursor, from outbox.Event) error {
	to := *p.audience.Load()
	emit := func(owner ledger.Account, e Event) error {
		takers := [][]*queue{to[""], to[owner]}
		if owner == "" {
			takers = slices.Collect(maps.Values(to))
		}
		for _, queues := range takers {
			for _, q := range queues {
				q.put(queued{e, from.Key})
			}
		}
		return nil
	}
	return (&publication{books: p.books, to: to, emit: emit, at: at}).publish(ctx, from)
}

// join adds a queue for an account's events. It and leave are called one after the
// other; the audience is never changed, only replaced, and so is read without a lock.
func (p *poller) join(id ledger.Account, q *queue) {
	next := maps.Clone(*p.audience.Load())
	next[id] = append(slices.Clone(next[id]), q)
	p.audience.Store(&next)
}

// leave takes a queue away, and reports whether it was the last.
func (p *poller) leave(id ledger.Account, q *queue) (last bool) {
	next := maps.Clone(*p.audience.Load())
	next[id] = slices.DeleteFunc(slices.Clone(next[id]), func(other *queue) bool { return other == q })
	if len(next[id]) == 0 {
		delete(next, id)
	}
	p.audience.Store(&next)
	return len(next) == 0
}

// ErrSlow says that a subscriber does not keep up. One that subscribes again, after the
// last event it has seen, gets from the outbox what it has not.
var ErrSlow = errors.New("the subscriber is too slow; subscribe again after the last event that was seen")

// queueLimit is how many events wait for a subscriber at most.
const queueLimit = 1 << 16

// queued is an event, and the outbox event that it comes from.
type queued struct {
	Event
	of outbox.Key
}

// queue is what waits for one subscriber. Who puts into it never waits.
type queue struct {
	more  chan struct{} // there is something to take, or it has overflowed
	limit int           // of what waits

	mu         sync.Mutex
	waiting    []queued
	overflowed bool
}

func newQueue(limit int) *queue { return &queue{more: make(chan struct{}, 1), limit: limit} }

// put adds an event. A full queue overflows, and what waits in it is lost to its
// subscriber, so that no event is sent after a gap.
func (q *queue) put(e queued) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.overflowed = q.overflowed || len(q.waiting) == q.limit; q.overflowed {
		q.waiting = nil
	} else {
		q.waiting = append(q.waiting, e)
	}
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take is all that waits, or ErrSlow.
func (q *queue) take() ([]queued, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.overflowed {
		return nil, ErrSlow
	}
	taken := q.waiting
	q.waiting = nil
	return taken, nil
}
