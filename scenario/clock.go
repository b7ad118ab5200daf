package scenario

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that a test moves. It never goes back.
type Clock struct{ millis atomic.Int64 }

// NewClock is a clock that stands at a moment.
func NewClock(at time.Time) *Clock {
	c := &Clock{}
	c.millis.Store(at.UnixMilli())
	return c
}

// Now is what the books are told.
func (c *Clock) Now() time.Time { return time.UnixMilli(c.millis.Load()).UTC() }

// Forward moves the clock to a moment, if it has not passed it.
func (c *Clock) Forward(to time.Time) {
	for {
		now := c.millis.Load()
		if now >= to.UnixMilli() || c.millis.CompareAndSwap(now, to.UnixMilli()) {
			return
		}
	}
}
