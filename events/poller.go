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

// readAtOnce is how many outbox events are read at once at most.
const readAtOnce = 500

// poller reads outbox events as they get their numbers, and publishes them to all subscribers of this process.
type poller struct {
	books *store.DB
	log   *slog.Logger
	every time.Duration

	stop  context.CancelFunc
	begun chan struct{} // closed when it knows where it begins
	ended chan struct{}

	audience atomic.Pointer[audience]
	sent     atomic.Int64 // all events up to this number are in the queues, or were
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

// run reads outbox events until the context ends: at once what this process numbers, and every so often what
// others do. Where the books fail it looks again, from the same number on.
func (p *poller) run(ctx context.Context) {
	defer close(p.ended)
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	look, failing := p.begin, false
	for {
		numbered := p.books.Outbox().Wait()
		err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			p.log.Error("reading the outbox failed; it is retried, and no event is missed", "error", err)
		case err == nil && failing:
			p.log.Info("the outbox can be read again")
		}
		if failing = err != nil; !failing {
			look = p.read
		}
		select {
		case <-ctx.Done():
			return
		case <-numbered:
		case <-tick.C:
		}
	}
}

// begin finds where it begins: after what has a number now.
func (p *poller) begin(ctx context.Context) error {
	newest, err := p.books.Outbox().Newest(ctx)
	if err == nil {
		p.sent.Store(newest)
		close(p.begun)
	}
	return err
}

// read publishes what has a number now, in order. Where it fails, what was published of one outbox event may
// be published again, and nothing is passed over.
func (p *poller) read(ctx context.Context) error {
	for {
		events, err := p.books.Outbox().After(ctx, p.sent.Load(), readAtOnce)
		if errors.Is(err, outbox.ErrNotKept) {
			return errors.Join(err, p.skip(ctx))
		}
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if err := p.publish(ctx, e); err != nil {
				return err
			}
			p.sent.Store(e.Number)
		}
	}
}

// skip goes on after what has a number now. All subscribers are cut off: they come again after the last
// event that they have seen, and get a reset.
func (p *poller) skip(ctx context.Context) error {
	newest, err := p.books.Outbox().Newest(ctx)
	if err != nil {
		return err
	}
	for _, queues := range *p.audience.Load() {
		for _, q := range queues {
			q.overflow()
		}
	}
	p.sent.Store(newest)
	return nil
}

// publish puts the events of an outbox event into the queues of those who want them.
func (p *poller) publish(ctx context.Context, from outbox.Event) error {
	to := *p.audience.Load()
	emit := func(owner ledger.Account, e Event) error {
		takers := [][]*queue{to[""], to[owner]}
		if owner == "" {
			takers = slices.Collect(maps.Values(to))
		}
		for _, queues := range takers {
			for _, q := range queues {
				q.put(queued{e, from.Number})
			}
		}
		return nil
	}
	return (&publication{books: p.books, to: to, emit: emit}).publish(ctx, from)
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

// queued is an event, and the number of the outbox event that it comes from.
type queued struct {
	Event
	of int64
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

// overflow has the subscriber cut off, as if it were too slow.
func (q *queue) overflow() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.overflowed, q.waiting = true, nil
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
