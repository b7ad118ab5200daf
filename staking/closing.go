package staking

import (
	"cmp"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Closing is how long after their end, 24:00 UTC, the days from From on take late entries.
// It is a property of the books: no process closes a day earlier.
type Closing struct {
	From  Day
	After time.Duration // at least 0, less than a day, in whole milliseconds
}

// UsualCloseAfter is how long days take late entries unless an operator sets it.
const UsualCloseAfter = 5 * time.Minute

// CheckCloseAfter returns ErrInvalid unless after is from 0 to below a day, in whole
// milliseconds: with a day or more, the next day's rewards would be due before.
func CheckCloseAfter(after time.Duration) error {
	if after < 0 || after >= 24*time.Hour || after%time.Millisecond != 0 {
		return ledger.ErrInvalid.In("", "%s does not lie between 0 and a day, in whole milliseconds", after)
	}
	return nil
}

// Closings are those of the books, each from a different day on, in any order.
type Closings []Closing

// After is how long after its end a day takes late entries.
func (c Closings) After(d Day) time.Duration {
	var holds Closing
	byDay := func(a, b Closing) int { return cmp.Compare(a.From, b.From) }
	for _, closing := range slices.SortedFunc(slices.Values(c), byDay) {
		if closing.From <= d {
			holds = closing
		}
	}
	return holds.After
}

// ClosesAt is the earliest moment at which a day closes and its rewards are credited.
func (c Closings) ClosesAt(d Day) time.Time { return (d + 1).Start().Add(c.After(d)) }

// PaidBy is by when the rewards of a day are usually credited: 08:00 UTC [guide], or an
// hour after the day closes if that is later (ours).
func (c Closings) PaidBy(d Day) time.Time {
	usual, late := (d + 1).Start().Add(8*time.Hour), c.ClosesAt(d).Add(time.Hour)
	if late.After(usual) {
		return late
	}
	return usual
}

// LastOver is the last day that may be closed at a moment. All days before it may be
// closed too, since no day takes late entries for a day or longer.
func (c Closings) LastOver(now time.Time) Day {
	if yesterday := DayOf(now) - 1; now.Before(c.ClosesAt(yesterday)) {
		return yesterday - 1
	} else {
		return yesterday
	}
}
