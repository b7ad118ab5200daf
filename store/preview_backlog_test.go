package store_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// paysAsPreviewed previews a token whose days wait for approval, through the open day; then they are paid, and must be
// what was previewed.
func paysAsPreviewed(t *testing.T, db *store.DB, clock *testkit.Clock, token string, day int) {
	t.Helper()
	p := openOf(t, db, token)
	if p.Day != day1+staking.Day(day)-1 || p.Owed == 0 || p.Total == 0 || p.Partial {
		t.Errorf("the open day is %+v", p)
	}
	ok(t, db.SetLimit(t.Context(), staking.Limit{Asset: token}))
	clock.Set(day+1, "00:10")
	if r := settle(t, db, clock); len(r.Waiting) > 0 {
		t.Fatalf("%v waits", r.Waiting)
	}
	var owed, total ledger.Amount
	for _, d := range testkit.Must(reports.New(db.Reader()).DayTotals(t.Context(), p.First, p.Day))(t) {
		switch {
		case d.Asset != token:
		case d.Day < p.Day:
			owed += d.Total
		default:
			total = d.Total
		}
	}
	if owed != p.Owed || total != p.Total {
		t.Errorf("of %s to %s %d was paid, and on the last day %d; previewed were %d and %d", p.First, p.Day, owed, total,
			p.Owed, p.Total)
	}
	audited(t, db)
}

// TestACampaignThatWaitsIsPreviewedOnce: the token in which a campaign pays waits from the first day that pays to the
// last. Each day's budget is of what those before have left, so the pool is in the preview once.
func TestACampaignThatWaitsIsPreviewedOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		testkit.Must(db.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
		c := spring()
		c.Pool = 1_000_003
		c.Parts = staking.EqualParts(c.Pool, []string{bnb})
		testkit.Must(db.PostCampaign(t.Context(), c))(t)
		label(t, db, "bob", "vip", day1+1, day1+100)
		for i, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 3*int64(i)+1, bnb, noon)
		}
		settleThrough(t, db, clock, 1, 2, false)
		ok(t, db.SetLimit(t.Context(), staking.Limit{Asset: sol, MaxTotal: 1}))
		for day := 3; day <= 4; day++ {
			clock.Set(day, "12:00")
			if day == 4 { // what it weighs stays in the pool
				off(t, db, "carol")
				testkit.Must(db.SweepAccount(t.Context(), "carol", "alice"))(t)
			}
			clock.Set(day+1, "00:10")
			settle(t, db, clock)
		}
		clock.Set(5, "12:00")
		p := openOf(t, db, sol)
		if p.First != day1+2 || p.Owed+p.Total > c.Pool || p.Owed+p.Total < c.Pool-10 {
			t.Errorf("of a pool of %d the preview has %d and %d since %s", c.Pool, p.Owed, p.Total, p.First)
		}
		paysAsPreviewed(t, db, clock, sol, 5)
	})
}

// TestIncomeThatWaitsIsPreviewedOnce: a loss is made up for by the next income once, and what a period has left is
// divided once, though neither is declared.
func TestIncomeThatWaitsIsPreviewedOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shareMode(t, db)
		fund(t, db, bnb, 1) // of which a loss is taken
		for i, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 3*int64(i)+1, bnb, noon)
		}
		settleThrough(t, db, clock, 1, 3, false)
		ok(t, db.SetLimit(t.Context(), staking.Limit{Asset: bnb, MaxTotal: 1}))
		for i, gross := range []ledger.Amount{1_000_003, -200_000, 500_001} {
			clock.Set(4+i, "12:00")
			enter(t, db, string(rune('a'+i)), 2, 3, gross)
			if i < 2 {
				clock.Set(5+i, "00:10")
				settle(t, db, clock)
			}
		}
		paysAsPreviewed(t, db, clock, bnb, 6)
	})
}
