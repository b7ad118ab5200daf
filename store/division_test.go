package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestIncomeThatCannotBeDivided makes its token wait, and no other. Here a period was changed by hand to one with a day
// that is not declared.
func TestIncomeThatCannotBeDivided(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(ctx, day1))(t) {
			if terms.Asset == sol {
				terms.From, terms.Mode, terms.APR = day1+1, staking.Share, 0
				ok(t, db.SetTerms(ctx, terms))
			}
		}
		open(t, db, "carol")
		deposit(t, db, "d", "carol", 2, sol, time.Time{})
		on(t, db, "carol")
		sharing(t, db, clock, "alice")
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 3, 1000)
		other := incomeOf("e2", 2, 3, 1000)
		other.Asset = sol
		testkit.Must(db.PostIncome(ctx, other))(t)
		testkit.Must(db.Exec(ctx, "UPDATE incomes SET last_day = last_day + 1 WHERE asset = 'SOL'"))(t)
		clock.Set(5, "00:10")
		for _, p := range testkit.Must(reports.New(db.Reader()).Preview(ctx))(t) {
			if p.Asset == bnb && (p.Total != 700 || p.Verdict != nil) {
				t.Errorf("BNB is previewed with %d, %v", p.Total, p.Verdict)
			}
		}
		for range 2 {
			r := settle(t, db, clock)
			if len(r.Waiting) != 1 || r.Waiting[0].Asset != sol || r.Waiting[0].Day != day1+3 {
				t.Errorf("waiting is %v", r.Waiting)
			}
			wants(t, r.Waiting[0].Reason, staking.ErrUndivided)
		}
		for _, s := range testkit.Must(reports.New(db.Reader()).TokenStatus(ctx))(t) {
			if s.Asset == sol {
				wants(t, s.Waiting, staking.ErrUndivided)
			}
		}
		if got := paidTo(t, db, "alice"); got[4] != 700 {
			t.Errorf("alice has %v", got)
		}
		testkit.Must(db.Exec(ctx, "UPDATE incomes SET last_day = last_day - 1 WHERE asset = 'SOL'"))(t)
		settleThrough(t, db, clock, 4, 4, false)
		audited(t, db)
	})
}

// TestHoldersWithMoreThanThereIs: what they have together does not fit 63 bits, since the supply was
// set too low. In the mode share the token waits, and no other.
func TestHoldersWithMoreThanThereIs(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		big := ledger.Asset{Symbol: "BIG", Scale: 0, MaxSupply: ledger.MaxSupply}
		ok(t, db.AddAsset(ctx, staking.Token{Asset: big, Terms: staking.Terms{
			Asset: "BIG", From: day1, Offered: true, Mode: staking.Share, Cap: ledger.MaxSupply,
		}}))
		ok(t, db.SetLimit(ctx, staking.NoLimit(big)))
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
			on(t, db, id)
			_, err := db.PostAll(ctx, []ledger.Entry{{ID: "d-" + string(id), Kind: ledger.Deposit, At: noon,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: "BIG", Amount: ledger.MaxSupply}}}})
			ok(t, err)
		}
		deposit(t, db, "d", "alice", 2, bnb, noon)
		testkit.Must(db.Fund(ctx, "f", bnb, coins(10), false))(t)
		clock.Set(3, "00:10")
		r := settle(t, db, clock)
		if len(r.Waiting) != 1 || r.Waiting[0].Asset != "BIG" || earned(t, db, "alice", bnb) == 0 {
			t.Fatalf("%v waits, and alice earned %d", r.Waiting, earned(t, db, "alice", bnb))
		}
		wants(t, r.Waiting[0].Reason, staking.ErrUndivided)
	})
}

// TestAClockSetBackOverMidnight: whether a period is over is decided by the time that its income is stamped with.
func TestAClockSetBackOverMidnight(t *testing.T) {
	eachBooks(t, func(t *testing.T, url string, clock *testkit.Clock) {
		var ahead atomic.Bool
		o := options(clock)
		o.Clock = func() time.Time {
			if ahead.CompareAndSwap(true, false) {
				return testkit.Moment(5, "00:00")
			}
			return clock.Now()
		}
		db := testkit.Must(store.Open(t.Context(), url, o))(t)
		closeAfter(t, db)
		sharing(t, db, clock, "alice")
		clock.Set(4, "23:59")
		testkit.Must(db.Asset(t.Context(), bnb))(t)
		ahead.Store(true)
		err := failure(db.PostIncome(t.Context(), incomeOf("e1", 4, 4, 1000)))
		wants(t, err, ledger.ErrInvalid)
		if ahead.Load() || !strings.Contains(err.Error(), "not over") {
			t.Errorf("got %v", err)
		}
	})
}

// TestIncomeOfAClosedDay: none is added to a day that is closed, so that what is divided of it never changes.
func TestIncomeOfAClosedDay(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice")
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 3, 1000)
		clock.Set(5, "00:10")
		ok(t, db.CloseDays(t.Context(), day1+3, clock.Now()))
		clock.Set(4, "23:59") // of another machine
		wants(t, failure(db.PostIncome(t.Context(), incomeOf("e2", 2, 3, 1000))), ledger.ErrDayClosed)
		wants(t, failure(db.PostIncome(t.Context(), incomeOf("nothing", 2, 3, 0))), ledger.ErrDayClosed)
	})
}

// TestThoseWhoLeftAreInBatches: a day on which only those who left have shares is done in several transactions.
func TestThoseWhoLeftAreInBatches(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		shareMode(t, db)
		var accounts []store.Account
		var ids []ledger.Account
		var entries []ledger.Entry
		for i := range 600 {
			id := ledger.Account(fmt.Sprint("h", i))
			ids, accounts = append(ids, id), append(accounts, store.Account{ID: id, Region: "DE", Opened: noon})
			entries = append(entries, ledger.Entry{ID: "d-" + string(id), Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: bnb, Amount: coins(10)}}})
		}
		ok(t, db.OpenAccounts(ctx, accounts))
		ok(t, db.EnrollAll(ctx, ids, day1+1))
		testkit.Must(db.PostAll(ctx, entries))(t)
		settleThrough(t, db, clock, 1, 2, true)
		clock.Set(3, "12:00")
		for _, id := range ids {
			off(t, db, id)
		}
		enter(t, db, "e1", 2, 2, 1_000_000)
		clock.Set(4, "00:10")
		ok(t, db.CloseDays(ctx, day1+2, clock.Now()))
		batches := testkit.Must(db.Unaccrued(ctx, day1+2, []string{bnb}))(t)
		if len(batches) < 3 {
			t.Errorf("there are %d batches", len(batches))
		}
		settleThrough(t, db, clock, 3, 3, true)
		if got := paidTo(t, db, "h7"); got[3] == 0 {
			t.Errorf("h7 has %v", got)
		}
		audited(t, db)
	})
}

// TestBucketsOfNobodyAreNotVisited: of a day with a distribution only the buckets of those who are enrolled, or once
// were, are accrued.
func TestBucketsOfNobodyAreNotVisited(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		off(t, db, "bob")
		enter(t, db, "e1", 2, 2, 1_000_000)
		clock.Set(5, "00:10")
		ok(t, db.CloseDays(t.Context(), day1+3, clock.Now()))
		batches := testkit.Must(db.Unaccrued(t.Context(), day1+3, []string{bnb}))(t)
		want := []int{ledger.Account("alice").Bucket(), ledger.Account("bob").Bucket()}
		slices.Sort(want)
		same(t, "the buckets", slices.Concat(batches...), want)
		settleThrough(t, db, clock, 4, 4, true)
		if got := paidTo(t, db, "bob"); got[4] == 0 {
			t.Errorf("bob has %v", got)
		}
		audited(t, db)
	})
}
