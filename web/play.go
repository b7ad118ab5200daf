package web

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/ledger"
)

// Play is the clock of a demo, which visitors may move.
type Play interface {
	// Move begins to move the clock on by an hour, a day or a week, and returns
	// immediately: days settle in between. While the clock is moving, Move has no effect.
	Move(by time.Duration) error
	// Progress is the progress of the latest move.
	Progress() Progress
	// Visitors are the holders whom a visitor may log in as.
	Visitors() []Visitor
}

// Progress is how far the latest move of the clock has come.
type Progress struct {
	Moving   bool
	From, To time.Time
	Done, Of int   // days settled
	Err      error // what stopped it, or nil
}

// Visitor is a holder of a demo whom one may log in as.
type Visitor struct {
	Name, Email, Password string
	Story                 string // key of the catalogue: who that is
}

// ClockPath is where the demo's clock is moved.
const ClockPath = "/demo/clock"

// steps are those by which the clock is moved, by the names that forms give them.
var steps = map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}

const (
	// clockWait is how long a browser without scripts waits for the clock, before its
	// page shows the progress.
	clockWait = 20 * time.Second
	// clockPoll is how often the clock is checked until then.
	clockPoll = 20 * time.Millisecond
	// clockDone is the event on which a page reads its parts again.
	clockDone = `{"again":{"target":"body"}}`
)

// clockPage is the page of the clock.
type clockPage struct {
	*view
	Ahead bool // a move was refused: it goes too far
	Back  string
}

// clock shows the clock. A script that watches it move asks for it repeatedly; a header
// ends that when the clock has arrived.
func (v *visit) clock() error {
	if v.value("moving") != "" && !v.Play.Progress().Moving {
		v.w.Header().Set("HX-Trigger", clockDone)
	}
	return v.show("clock", clockPage{v.view("clock.title"), v.value("ahead") != "", v.clockBack()})
}

// moveClock moves the clock. A script watches it move; a browser without scripts waits
// for it, and is led back to its page.
func (s *submission) moveClock() error {
	by, known := steps[s.value("by")]
	back := s.clockBack()
	if !known {
		return s.see(ClockPath, "back", back)
	}
	switch err := s.play.Move(by); {
	case errors.Is(err, ledger.ErrInvalid):
		return s.see(ClockPath, "back", back, "ahead", "1")
	case err != nil:
		return err
	case s.fromHTMX():
		return s.see(ClockPath, "back", back, "moving", "1")
	case !s.waitForClock():
		return s.see(ClockPath, "back", back)
	}
	return s.see(back)
}

// waitForClock waits for the clock, and reports whether it has arrived in time.
func (s *submission) waitForClock() bool {
	ctx, cancel := context.WithTimeout(s.context(), clockWait)
	defer cancel()
	poll := time.NewTicker(clockPoll)
	defer poll.Stop()
	for s.Play.Progress().Moving {
		select {
		case <-ctx.Done():
			return false
		case <-poll.C:
		}
	}
	return s.Play.Progress().Err == nil
}

// clockBack is the page that the clock leads back to.
func (v *visit) clockBack() string { return v.ownPath("back", "/") }

// clockBar is the clock on top of each page.
type clockBar struct {
	Progress
	Now   time.Time
	Back  string
	Watch string // where a script watches it move
}

// Clock is the demo's clock.
func (p *view) Clock() clockBar {
	c := clockBar{Progress: p.Play().Progress(), Now: p.visit.Books.Now(), Back: p.visit.comeBack()}
	if p.Path() == ClockPath {
		c.Back = p.visit.clockBack()
	}
	moving := ""
	if c.Moving {
		moving = "1"
	}
	c.Watch = ui.Address(ClockPath, "back", c.Back, "moving", moving)
	return c
}

// Steps are the clock's, the shortest first.
func (c clockBar) Steps() []string { return []string{"hour", "day", "week"} }
