package store_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestLossesComeFirst: a loss that is entered on the day of an income is taken from it before it is divided, whatever
// the periods, and the day does not wait.
func TestLossesComeFirst(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 2, 1000)
		enter(t, db, "slashing", 3, 3, -500) // of a later period
		settleThrough(t, db, clock, 4, 4, false)
		for _, id := range []ledger.Account{"alice", "bob"} {
			if diff := cmp.Diff(map[int]ledger.Amount{4: 175}, paidTo(t, db, id)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
		// Nothing is left to take a loss from. What an income before it brought is not.
		wants(t, failure(db.PostIncome(t.Context(), incomeOf("more", 3, 3, -500))), ledger.ErrInsufficient)
		clock.Set(5, "12:00")
		enter(t, db, "e2", 4, 4, 1000)
		clock.Set(6, "00:05") // before the run of Day 5
		refused := failure(db.PostIncome(t.Context(), incomeOf("more", 3, 3, -500)))
		wants(t, refused, ledger.ErrInsufficient)
		if !strings.Contains(refused.Error(), "reserved for income and campaigns that are not distributed yet") {
			t.Errorf("got %v", refused)
		}
		testkit.Must(db.Fund(t.Context(), "f", bnb, 350, false))(t)
		enter(t, db, "more", 3, 3, -500)
		settleThrough(t, db, clock, 5, 5, false)
		// The next income makes up for the loss first.
		clock.Set(6, "12:00")
		enter(t, db, "e3", 5, 5, 1000)
		settleThrough(t, db, clock, 6, 6, false)
		if got := paidTo(t, db, "alice"); got[5] != 350 || got[6] != 175 {
			t.Errorf("alice has %v", got)
		}
		audited(t, db)
	})
}

// TestIncomeIsReserved: the operator takes out what he has put in, and not what is to be distributed.
func TestIncomeIsReserved(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		testkit.Must(db.Fund(ctx, "f", bnb, 100, false))(t)
		testkit.Must(db.Fund(ctx, "all", bnb, 100, true))(t) // nothing is reserved
		testkit.Must(db.Fund(ctx, "f2", bnb, 100, false))(t)
		enter(t, db, "e1", 2, 3, 1001)
		reserved := func() ledger.Amount {
			t.Helper()
			for _, s := range testkit.Must(reports.New(db.Reader()).TokenStatus(ctx))(t) {
				if s.Asset == bnb {
					return s.Reserved
				}
			}
			return -1
		}
		if got := reserved(); got != 701 {
			t.Errorf("%d are reserved", got)
		}
		err := failure(db.Fund(ctx, "out", bnb, 101, true))
		wants(t, err, ledger.ErrInsufficient)
		if !strings.Contains(err.Error(), "0.00000701 that is reserved") {
			t.Errorf("got %v", err)
		}
		testkit.Must(db.Fund(ctx, "out", bnb, 100, true))(t)
		settleThrough(t, db, clock, 4, 4, false)
		if got := reserved(); got != 1 { // half a unit is carried by each, and lies in the pool
			t.Errorf("after the distribution %d are reserved", got)
		}
		if got := paidTo(t, db, "alice"); got[4] != 350 {
			t.Errorf("alice has %v", got)
		}
		for _, s := range testkit.Must(reports.New(db.Reader()).TokenStatus(ctx))(t) {
			if s.Asset == bnb && (s.LastTotal != 700 || s.DaysLeft != -1) { // income pays for it, and not the pool
				t.Errorf("a day of %d, and the pool lasts %d days", s.LastTotal, s.DaysLeft)
			}
		}
		audited(t, db)
	})
}

// TestADayWithARateSparesTheIncome: after the change to the mode fixed, the interest of a day is not paid from
// income that is still to be distributed.
func TestADayWithARateSparesTheIncome(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		terms := onDay(t, db, day1+4)
		terms.From, terms.Mode, terms.APR = day1+4, staking.Fixed, 3_650_000 // from Day 5 on
		ok(t, db.SetTerms(ctx, terms))
		settleThrough(t, db, clock, 4, 4, false)
		clock.Set(6, "00:05") // before the run of Day 5
		enter(t, db, "e1", 2, 3, 1_000_000)
		clock.Set(6, "00:10")
		r := settle(t, db, clock)
		if len(r.Waiting) != 1 || r.Waiting[0].Asset != bnb ||
			!strings.Contains(r.Waiting[0].Reason.Error(), "is reserved for income") {
			t.Fatalf("waiting is %v", r.Waiting)
		}
		previews := testkit.Must(reports.New(db.Reader()).Preview(ctx))(t)
		for _, p := range previews {
			if p.Asset == bnb && (p.Verdict == nil || !strings.Contains(p.Verdict.Error(), "is reserved for income")) {
				t.Errorf("previewed is %v", p.Verdict)
			}
		}
		testkit.Must(db.Fund(ctx, "f", bnb, 1_000_000, false))(t)
		settleThrough(t, db, clock, 5, 6, false)
		if got := paidTo(t, db, "alice"); got[5] != 10_000 || got[6] != 10_001+350_000 { // it earns with the reward of Day 5
			t.Errorf("alice has %v", got)
		}
		audited(t, db)
	})
}

// onDay are the terms of BNB on a day.
func onDay(t *testing.T, db *store.DB, d staking.Day) staking.Terms {
	t.Helper()
	for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), d))(t) {
		if terms.Asset == bnb {
			return terms
		}
	}
	t.Fatal("BNB has no terms")
	return staking.Terms{}
}
