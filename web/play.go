package web

import "time"

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
