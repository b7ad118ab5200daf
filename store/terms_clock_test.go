package store_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestTermsOfAClosedDayStay: by a clock that was set back a day that is paid is tomorrow, and its terms stay.
func TestTermsOfAClosedDayStay(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice")
		settleThrough(t, db, clock, 4, 6, false)
		clock.Set(3, "12:00")
		terms := onDay(t, db, day1+3)
		terms.From, terms.Fee = day1+3, terms.Fee+1
		wants(t, db.SetTerms(t.Context(), terms), ledger.ErrDayClosed)
		terms.From = day1 + 7
		ok(t, db.SetTerms(t.Context(), terms))
	})
}
