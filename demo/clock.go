package demo

import (
	"sync"
	"time"
)

// Clock is the town's time. It stands and is moved from event to event, until it is
// let go: then it goes on as another clock does. It is never set back. Its methods
// may be called at once.
type Clock struct {
	mu    sync.Mutex
	at    time.Time        // where it was last seen
	with  func() time.Time // the clock that it goes with; nil: it stands
	since time.Time        // what that one said then
}

// Now is the books' time, cut to milliseconds.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.with != nil {
		now := c.with()
		if passed := now.Sub(c.since).Truncate(time.Millisecond); passed > 0 {
			c.at, c.since = c.at.Add(passed), c.since.Add(passed)
		}
	}
	return c.at
}

// Set moves the clock on to a moment, unless it is past it.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t = t.UTC().Truncate(time.Millisecond); t.After(c.now()) {
		c.at = t
	}
}

// Go lets the clock go on as another one does.
func (c *Clock) Go(with func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.with, c.since = with, with()
}

// stand lets the clock stand where it is, until it goes on as it did.
func (c *Clock) stand() (goOn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now()
	with := c.with
	if with == nil {
		return func() {}
	}
	c.with = nil
	return func() { c.Go(with) }
}
