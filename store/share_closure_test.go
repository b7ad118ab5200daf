package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// withdrawAll takes out what an account has of BNB.
func withdrawAll(t *testing.T, db *store.DB, id ledger.Account, entry string) {
	t.Helper()
	ok(t, refusal(post(t, db, ledger.Entry{ID: entry, Kind: ledger.Withdrawal,
		Moves: []ledger.Move{{From: id, To: ledger.Custody, Asset: bnb, Amount: free(t, db, id, bnb)}}}), nil))
}

// sharing opens accounts with 1 BNB each, in the mode share from Day 2 on, and settles Days 1 to 3.
func sharing(t *testing.T, db *store.DB, clock *testkit.Clock, ids ...ledger.Account) {
	t.Helper()
	shareMode(t, db)
	for _, id := range ids {
		open(t, db, id)
		on(t, db, id)
		deposit(t, db, "d-"+string(id), id, 1, bnb, time.Time{})
	}
	settleThrough(t, db, clock, 1, 3, false)
}

// TestAnAccountWaitsForItsIncome: it is closed when the income of all days that it earned on is distributed. Income
// that comes even later is distributed without it, and its share goes into the next distribution.
func TestAnAccountWaitsForItsIncome(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		off(t, db, "alice")
		withdrawAll(t, db, "alice", "w1")
		stays(t, db, "alice", "it earned on 2026-03-03, and the income of BNB of that day is not distributed yet")
		awaited(t, db, "alice", 0, 2, 3)
		enter(t, db, "e1", 2, 3, 1000)
		stays(t, db, "alice", "is not distributed yet")
		clock.Set(5, "00:05") // the run may still find income of Day 4
		stays(t, db, "alice", "is not distributed yet")
		awaited(t, db, "alice", 4, 2, 3)
		settleThrough(t, db, clock, 4, 4, false)
		awaited(t, db, "alice", 0)
		if diff := cmp.Diff(map[int]ledger.Amount{4: 350}, paidTo(t, db, "alice")); diff != "" {
			t.Errorf("alice (-want +got):\n%s", diff)
		}
		withdrawAll(t, db, "alice", "w2")
		clock.Set(6, "00:05") // Day 5 is not paid: income may have been entered on it
		stays(t, db, "alice", "income of BNB that was entered on 2026-03-06 may be its")
		settleThrough(t, db, clock, 5, 5, false)
		ok(t, db.CloseAccount(t.Context(), "alice"))
		clock.Set(6, "12:00")
		enter(t, db, "late", 2, 3, 1000)
		settleThrough(t, db, clock, 6, 6, false)
		clock.Set(7, "12:00")
		enter(t, db, "e2", 4, 6, 1000)
		settleThrough(t, db, clock, 7, 7, false)
		// Days 4 to 6 are bob's alone: he has what was alice's of the late income too.
		if diff := cmp.Diff(map[int]ledger.Amount{4: 350, 6: 350, 7: 1050}, paidTo(t, db, "bob")); diff != "" {
			t.Errorf("bob (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[int]ledger.Amount{4: 350}, paidTo(t, db, "alice")); diff != "" {
			t.Errorf("alice, who is closed (-want +got):\n%s", diff)
		}
		audited(t, db)
	})
}

// awaited compares the days, each after the other, whose income an account waits for.
func awaited(t *testing.T, db *store.DB, id ledger.Account, entered int, days ...int) {
	t.Helper()
	var want []reports.WaitingDays
	for n, d := range days {
		if n == 0 {
			want = []reports.WaitingDays{{Asset: bnb, First: day1 + staking.Day(d) - 1}}
		}
		w := &want[0]
		w.Last, w.Days = day1+staking.Day(d)-1, n+1
		if entered > 0 {
			w.Entered = day1 + staking.Day(entered) - 1
		}
		w.Integral = w.Integral.Add(staking.IntegralOf(coins(10), staking.DayMillis))
	}
	got := testkit.Must(reports.New(db.Reader()).Holder(t.Context(), id, staking.Client{}, reports.Waits))(t).Waiting
	for i := range got {
		got[i].Rate = reports.Rate{}
	}
	if !slices.Equal(want, got) {
		t.Errorf("%s waits for %v, want %v", id, got, want)
	}
}

// TestASweepWaitsForIncome: it goes on until the last of the account's periods is distributed. Income of the same
// period that comes when it is over is not the account's any more.
func TestASweepWaitsForIncome(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		s := testkit.Must(db.SweepAccount(ctx, "alice", "bob"))(t)
		if s.Unpaid != day1+1 {
			t.Errorf("it is swept with %+v", s)
		}
		settleThrough(t, db, clock, 4, 5, false)
		if s, is, err := reports.New(db.Reader()).SweepOf(ctx, "alice"); err != nil || !is || s.Unpaid != day1+1 {
			t.Errorf("before the income it is %+v, %t, %v", s, is, err)
		}
		clock.Set(6, "12:00")
		enter(t, db, "e1", 2, 3, 1000)
		settleThrough(t, db, clock, 6, 6, false)
		if _, is, err := reports.New(db.Reader()).SweepOf(ctx, "alice"); err != nil || is {
			t.Errorf("after the income it goes on: %t, %v", is, err)
		}
		if got := free(t, db, "alice", bnb); got != 0 {
			t.Errorf("alice is left with %d", got)
		}
		clock.Set(7, "12:00")
		enter(t, db, "late", 2, 3, 1000)
		settleThrough(t, db, clock, 7, 7, false)
		if got := free(t, db, "bob", bnb); got != 2_0000_0000+700+350 || free(t, db, "alice", bnb) != 0 {
			t.Errorf("bob has %d, and alice %d", got, free(t, db, "alice", bnb))
		}
		audited(t, db)
	})
}

// TestZeroIncomeEndsTheWait: that nothing was earned is entered, once, and an account waits for that period no more.
func TestZeroIncomeEndsTheWait(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		off(t, db, "alice")
		withdrawAll(t, db, "alice", "w1")
		first := testkit.Must(db.PostIncome(ctx, incomeOf("nothing", 2, 3, 0)))(t)
		again := testkit.Must(db.PostIncome(ctx, incomeOf("nothing", 2, 3, 0)))(t)
		if !again.Repeated || again.At != first.At {
			t.Errorf("repeated it is %+v, and was %+v", again, first)
		}
		for _, i := range []ledger.Amount{1, -1} {
			wants(t, failure(db.PostIncome(ctx, incomeOf("nothing", 2, 3, i))), ledger.ErrConflict)
		}
		other := incomeOf("nothing", 2, 3, 0)
		other.Asset = sol
		wants(t, failure(db.PostIncome(ctx, other)), ledger.ErrConflict)
		testkit.Must(db.PostIncome(ctx, incomeOf("fixed", 1, 1, 0)))(t) // Day 1 is in the mode fixed
		settleThrough(t, db, clock, 4, 4, false)
		all := testkit.Must(reports.New(db.Reader()).Distributions(ctx, bnb, day1, day1+100, 10))(t)
		if len(all) != 1 || all[0].Gross != 0 || all[0].Net != 0 || all[0].Pays() {
			t.Errorf("distributed is %+v", all)
		}
		ok(t, db.CloseAccount(ctx, "alice"))
		clock.Set(5, "12:00")
		enter(t, db, "late", 2, 3, 1000)
		settleThrough(t, db, clock, 5, 5, false)
		if diff := cmp.Diff(map[int]ledger.Amount{5: 350}, paidTo(t, db, "bob")); diff != "" {
			t.Errorf("bob (-want +got):\n%s", diff)
		}
		audited(t, db)
	})
}
