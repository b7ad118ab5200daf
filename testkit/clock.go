// Package testkit is what the tests of many packages share: a clock that they move, and the end of a test at an error.
// It knows nothing of this project.
package testkit

import (
	"sync"
	"time"
)

// Noon is when most tests begin: 12:00 UTC of their Day 1, 2 March 2026.
var Noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// Moment is a time of a day such as "15:04" or "15:04:05" UTC, Day 1 being that of Noon.
// It panics at another form.
func Moment(day int, hour string) time.Time {
	if len(hour) == len("15:04") {
		hour += ":00"
	}
	at, err := time.Parse(time.TimeOnly, hour)
	if err != nil {
		panic(err)
	}
	return at.AddDate(Noon.Year(), int(Noon.Month())-1, Noon.Day()-1+day-1)
}

// Clock is a clock that a test moves. Several goroutines may use it at the same time.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock is a clock that stands at a moment.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set puts the clock to a Moment, be it an earlier one.
func (c *Clock) Set(day int, hour string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = Moment(day, hour)
}

// Advance moves the clock on, or back by a time below zero.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// Forward moves the clock to a moment, if it has not passed it.
func (c *Clock) Forward(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.After(c.now) {
		c.now = to
	}
}
