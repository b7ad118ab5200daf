package store_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestLimitOfShares: neither a day with a distribution nor the one after it needs approval, nor income that comes in
// parts, of a longer period or of more holders; one that gives ten times as much does.
func TestLimitOfShares(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice", "bob")
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxChange: 20_00}))
		day := func(d int, waits bool, incomes ...staking.Income) {
			t.Helper()
			clock.Set(d, "12:00")
			for _, i := range incomes {
				testkit.Must(db.PostIncome(ctx, i))(t)
			}
			clock.Set(d+1, "00:10")
			if r := settle(t, db, clock); (len(r.Waiting) > 0) != waits {
				t.Errorf("on Day %d there waits %v", d, r.Waiting)
			}
		}
		const usual ledger.Amount = 1_000_000_000
		day(4, false, incomeOf("a", 2, 2, usual))
		day(5, false)
		day(6, false, incomeOf("b", 3, 5, 3*usual)) // three days
		day(7, false, incomeOf("c1", 6, 6, usual/2))
		day(8, false, incomeOf("c2", 6, 6, usual/2), incomeOf("d", 7, 7, usual*11/10))
		day(9, true, incomeOf("e", 8, 8, 10*usual))
		day(10, true) // behind it
		ok(t, db.Approve(ctx, day1+8, bnb))
		settleThrough(t, db, clock, 9, 10, true)
		day(11, false, incomeOf("f", 9, 9, usual))
		audited(t, db)
	})
}

// TestLimitAfterTheMode: the first day with a rate is not compared with shares.
func TestLimitAfterTheMode(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice")
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxChange: 20_00}))
		testkit.Must(db.Fund(ctx, "f", bnb, coins(10), false))(t)
		clock.Set(4, "12:00")
		terms := onDay(t, db, day1+3)
		terms.From, terms.Mode, terms.APR = day1+4, staking.Fixed, 3_650_000
		ok(t, db.SetTerms(ctx, terms))
		enter(t, db, "e1", 2, 3, 1_000_000)
		settleThrough(t, db, clock, 4, 4, false)
		clock.Set(5, "12:00")
		enter(t, db, "e2", 4, 4, 500_000) // divided on a day with a rate
		settleThrough(t, db, clock, 5, 6, false)
		if got := paidTo(t, db, "alice"); got[5] <= 350_000 {
			t.Errorf("alice has %v", got)
		}
		audited(t, db)
	})
}
