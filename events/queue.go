package events

import (
	"errors"
	"sync"

	"github.com/softstake/softstake/outbox"
)

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
