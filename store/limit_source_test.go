package store_test

import (
	"testing"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestLimitWithSourcesAtDifferentTimes: neither a small source that reports early, nor one that reports late, nor
// periods of different length that are entered together need approval; and what is ten times as much does, also while
// a small source is late.
func TestLimitWithSourcesAtDifferentTimes(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shared(t, db)
		ok(t, db.SetLimit(t.Context(), staking.Limit{Asset: bnb, MaxChange: 20_00}))
		settleThrough(t, db, clock, 1, 3, false)
		day := func(d int, waits bool, enter func()) {
			t.Helper()
			clock.Set(d, "12:00")
			enter()
			clock.Set(d+1, "00:10")
			if r := settle(t, db, clock); (len(r.Waiting) > 0) != waits {
				t.Errorf("on Day %d there waits %v", d, r.Waiting)
			}
		}
		const large, small = 990_000, 10_000
		day(4, false, func() {
			report(t, db, "a", 2, 2, large)
			report(t, db, "b", 2, 2, small)
		})
		day(5, false, func() { report(t, db, "b", 3, 3, small) })
		day(6, false, func() { report(t, db, "b", 4, 4, 2*small) }) // early, and twice as much
		day(7, false, func() { report(t, db, "a", 4, 4, large) })   // before its Day 3
		day(8, false, func() { report(t, db, "a", 3, 3, large) })   // late
		day(9, false, func() {                                      // together
			report(t, db, "a", 5, 8, 4*large)
			report(t, db, "b", 8, 8, small)
		})
		day(10, true, func() { report(t, db, "a", 9, 9, 10*large) }) // b is late
	})
}
