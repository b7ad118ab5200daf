package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Play is a clock that visitors may move, of books that are made up.
type Play interface {
	// Move begins to move the clock on by an hour, a day or a week, and returns at
	// once: what happens until then happens, and days settle. While it is moving, it
	// goes on to where it was told first.
	Move(by time.Duration) error
	// Progress is the progress of the move.
	Progress() Progress
	// Visitors are those whose shoes one may put on.
	Visitors() []Visitor
}

// Progress is how far the clock has come that was moved last.
type Progress struct {
	Moving   bool
	From, To time.Time
	Done, Of int   // days settled
	Err      error // what stopped it, or nil
}

// Visitor is a made-up holder whom one may log in as.
type Visitor struct {
	Name, Email, Password string
	Story                 string // key of the catalogue: who that is
}

// ClockPath is where the demo's clock is moved.
const ClockPath = "/demo/clock"

// The steps by which the clock is moved, by the names that forms give them.
var steps = map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}

const (
	// clockWait is how long a visitor without scripts waits for the clock at most,
	// who then sees how far it is.
	clockWait = 20 * time.Second
	// clockLook is how often it is checked until then.
	clockLook = 20 * time.Millisecond
	// clockDone tells the page that its parts may have changed.
	clockDone = `{"again":{"target":"body"}}`
)

// clockPage is the page of the clock.
type clockPage struct {
	*view
	Ahead bool // it was to be moved beyond where it may go
	Back  string
}

// clock shows the clock. Whoever watches it move asks for it again and again, and is
// told when it has come to its end.
func (v *visit) clock() error {
	if v.value("moving") != "" && !v.Play.Progress().Moving {
		v.w.Header().Set("HX-Trigger", clockDone)
	}
	return v.show("clock", clockPage{v.view("clock.title"), v.value("ahead") != "", v.clockBack()})
}

// moveClock moves the clock. A script watches it move; others wait for it, and are
// back where they were.
func (s *submission) moveClock() error {
	by, known := steps[s.value("by")]
	back := url.Values{"back": {s.clockBack()}}
	if !known {
		return s.see(ClockPath, back)
	}
	switch err := s.play.Move(by); {
	case errors.Is(err, ledger.ErrInvalid):
		back.Set("ahead", "1")
		return s.see(ClockPath, back)
	case err != nil:
		return err
	case s.fromHTMX():
		back.Set("moving", "1")
		return s.see(ClockPath, back)
	}
	if !s.waitForClock(s.context()) {
		return s.see(ClockPath, back)
	}
	http.Redirect(s.w, s.r, s.clockBack(), http.StatusSeeOther)
	return nil
}

// waitForClock waits until the clock does not move, for a while, and reports whether it stands.
func (s *site) waitForClock(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, clockWait)
	defer cancel()
	look := time.NewTicker(clockLook)
	defer look.Stop()
	for s.Play.Progress().Moving {
		select {
		case <-ctx.Done():
			return false
		case <-look.C:
		}
	}
	return s.Play.Progress().Err == nil
}

// clockBack is the page that one comes back to from the clock.
func (v *visit) clockBack() string {
	if back := v.value("back"); ours(back) {
		return back
	}
	return "/"
}

// clockBar is the clock on top of each page.
type clockBar struct {
	Progress
	Now   time.Time
	Back  string
	Watch string // where a script looks how far it is
}

// Clock is the demo's clock.
func (p *view) Clock() clockBar {
	c := clockBar{Progress: p.Play().Progress(), Now: p.visit.Books.Now()}
	if c.Back = p.visit.comeBack(); p.Path() == ClockPath {
		c.Back = p.visit.clockBack()
	}
	query := url.Values{"back": {c.Back}}
	if c.Moving {
		query.Set("moving", "1")
	}
	c.Watch = ClockPath + "?" + query.Encode()
	return c
}

// UTC is a time of the product's clock, in UTC alone.
func (p *view) UTC(t time.Time) template.HTML {
	return p.stamp(t, p.locale.time(t.UTC())+" UTC", "")
}

// Steps are the clock's, the shortest first.
func (c clockBar) Steps() []string { return []string{"hour", "day", "week"} }
