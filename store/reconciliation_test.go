package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// decided is an entry of another ledger's at a time of a day.
func decided(e ledger.Entry, day int, hour string) ledger.Entry {
	e.At, e.Authoritative = testkit.Moment(day, hour), true
	return e
}

// flagged is what is to be reconciled in short: "w alice BNB −5 12:05 12:20".
func flagged(t *testing.T, db *store.DB, open bool) (lines []string) {
	t.Helper()
	for _, r := range testkit.Must(reports.New(db.Reader()).Reconciliations(t.Context(), reports.Reconciliation{}, open,
		100))(t) {
		lines = append(lines, fmt.Sprintf("%s %s %s %d %s %s", r.Entry, r.Account, r.Asset, int64(r.Lowest)/int64(coins(1)),
			r.At.Format("15:04"), r.Until.Format("15:04")))
	}
	return lines
}

// An authoritative entry is accepted though a balance was too low at some moment since its
// time, and for nothing else.
func TestAuthoritativeEntries(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "d-1", "alice", 1, bnb, noon)
		clock.Set(1, "12:30")
		deposit(t, db, "d-2", "alice", 1, bnb, testkit.Moment(1, "12:20"))
		w := func(id string, tenths int64) ledger.Entry {
			return oneMove(id, ledger.Withdrawal, "alice", ledger.Custody, tenths)
		}
		plain := decided(w("w-1", 15), 1, "12:05")
		plain.Authoritative = false
		wants(t, post(t, db, plain)[0].Err, ledger.ErrInsufficient)
		for what, e := range map[string]ledger.Entry{
			"more than there is now": decided(w("w-1", 21), 1, "12:05"),
			"now, without a time":    {ID: "w-1", Kind: ledger.Withdrawal, Moves: w("w-1", 21).Moves, Authoritative: true},
		} {
			if err := post(t, db, e)[0].Err; err == nil || !strings.Contains(err.Error(), "insufficient") {
				t.Errorf("%s: %v", what, err)
			}
		}
		wants(t, post(t, db, decided(w("w-1", 15), 0, "23:00"))[0].Err, ledger.ErrDayClosed)
		wants(t, post(t, db, decided(w("w-1", 15), 1, "12:31"))[0].Err, ledger.ErrInvalid)
		_, err := db.PostAll(t.Context(), []ledger.Entry{decided(w("w-0", 15), 1, "12:05"), w("w-9", 99)})
		wants(t, err, ledger.ErrInsufficient)
		same(t, "flagged of what was refused", flagged(t, db, false), nil)

		ok(t, refusal(post(t, db, decided(w("w-1", 15), 1, "12:05"), decided(w("w-2", 1), 1, "12:00"),
			decided(w("w-3", 1), 1, "12:21")), nil))
		if o := post(t, db, plain)[0]; o.Err != nil || !o.Repeated {
			t.Errorf("the same without the mark is answered %+v", o)
		}
		same(t, "flagged", flagged(t, db, true), []string{"w-1 alice BNB -5 12:05 12:20", "w-2 alice BNB -6 12:00 12:20"})
		wants(t, post(t, db, oneMove("t", ledger.Transfer, "alice", "bob", 4))[0].Err, ledger.ErrInsufficient)
		late := oneMove("t", ledger.Transfer, "alice", "bob", 1)
		late.At = testkit.Moment(1, "12:10")
		wants(t, post(t, db, late)[0].Err, ledger.ErrInsufficient)
		ok(t, refusal(post(t, db, oneMove("t", ledger.Transfer, "alice", "bob", 3)), nil))
		has(t, db, "alice", 0, 0)

		if testkit.Must(db.Resolve(t.Context(), "w-1", "credited late"))(t) ||
			!testkit.Must(db.Resolve(t.Context(), "w-1", "again"))(t) {
			t.Error("it was resolved before, or not the second time")
		}
		_, err = db.Resolve(t.Context(), "w-3", "why")
		wants(t, err, ledger.ErrNotFound)
		_, err = db.Resolve(t.Context(), "w-2", " ")
		wants(t, err, ledger.ErrInvalid)
		same(t, "open", flagged(t, db, true), []string{"w-2 alice BNB -6 12:00 12:20"})
		if all := testkit.Must(reports.New(db.Reader()).Reconciliations(t.Context(), reports.Reconciliation{}, false,
			1))(t); len(all) != 1 || all[0].Reason != "credited late" || all[0].Resolved.IsZero() {
			t.Errorf("resolved is %+v", all)
		}
	})
}

// A held part, several balances, and what a pending withdrawal reserves: each balance of
// the entry is flagged by itself.
func TestAuthoritativeEntriesOfSeveralBalances(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		clock.Set(1, "12:30")
		deposit(t, db, "d-1", "alice", 5, bnb, testkit.Moment(1, "12:10"))
		deposit(t, db, "d-2", "alice", 5, sol, testkit.Moment(1, "12:20"))
		ok(t, refusal(post(t, db, oneMove("h", ledger.Hold, "alice", "alice/held", 20), request("w", "alice", 10)), nil))
		e := decided(oneMove("t", ledger.Trade, "alice", ledger.Desk, 10), 1, "12:05")
		e.Moves = append(e.Moves, ledger.Move{From: "alice", To: ledger.Desk, Asset: sol, Amount: coins(10)},
			ledger.Move{From: "alice/held", To: ledger.Desk, Asset: bnb, Amount: coins(20)})
		more := e
		more.ID, more.Moves = "t-0", append([]ledger.Move{}, e.Moves...)
		more.Moves[2].Amount = coins(21)
		wants(t, post(t, db, more)[0].Err, ledger.ErrInsufficient) // the withdrawal reserves the rest
		ok(t, refusal(post(t, db, e), nil))
		same(t, "flagged", flagged(t, db, true), []string{"t alice BNB -10 12:05 12:10", "t alice SOL -10 12:05 12:20",
			"t alice/held BNB -20 12:05 12:30"})
		ok(t, refusal(post(t, db, completed("w", "alice", 10)), nil))
	})
}

// A time below zero counts against the day: nothing is earned for it, never less than
// nothing, and the audit finds nothing wrong with it. What else is below zero it finds.
func TestWhatABalanceBelowZeroEarns(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(100), false))(t)
		clock.Set(1, "13:00")
		for _, id := range []ledger.Account{"some", "none", "night"} {
			open(t, db, id)
			on(t, db, id)
		}
		clock.Set(2, "23:00")
		// some: 10 from 06:00, of which 6 go at 03:00: −6 × 3 h + 4 × 18 h = 54 BNB-hours.
		deposit(t, db, "d-some", "some", 10, bnb, testkit.Moment(2, "06:00"))
		// none: 10 from 22:00, all gone from 01:00 on: far below zero.
		deposit(t, db, "d-none", "none", 10, bnb, testkit.Moment(2, "22:00"))
		ok(t, refusal(post(t, db, decided(oneMove("w-some", ledger.Withdrawal, "some", ledger.Custody, 60), 2, "03:00"),
			decided(oneMove("w-none", ledger.Withdrawal, "none", ledger.Custody, 100), 2, "01:00")), nil))
		for _, id := range []ledger.Account{"some", "none"} {
			holder(t, db, id, reports.Accruals)
			testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day1+1, bnb))(t)
		}
		clock.Set(3, "00:01") // Day 2 is open still: what is dated on it leaves midnight below zero
		deposit(t, db, "d-night", "night", 10, bnb, testkit.Moment(3, "00:00:30"))
		ok(t, refusal(post(t, db, decided(oneMove("w-night", ledger.Withdrawal, "night", ledger.Custody, 20), 2,
			"23:00")), nil))
		clock.Set(4, "00:10")
		settle(t, db, clock)
		figures := func(id ledger.Account, day int) reports.Explanation {
			return testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day1+staking.Day(day-1), bnb))(t)
		}
		if e := figures("some", 2); !e.Paid || e.Measured.Average != coins(540)/24 {
			t.Errorf("some: %+v", e.Measured)
		}
		if e := figures("none", 2); e.Earned || e.Measured.Average != 0 {
			t.Errorf("none: %+v", e.Measured)
		}
		if e := figures("night", 2); e.Earned || e.Measured.Average != 0 {
			t.Errorf("night, Day 2: %+v", e.Measured)
		}
		if e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "night", day1+2, bnb))(t); !e.Paid ||
			e.Measured.Opening != -coins(20) {
			t.Errorf("night, Day 3: %+v", e.Measured)
		}
		audited(t, db)
		testkit.Must(db.Exec(t.Context(), "DELETE FROM reconciliations WHERE entry = 'w-none'"))(t)
		if r := auditOf(t, db, audit.Options{}); r.Total == 0 ||
			!strings.Contains(fmt.Sprint(r.Findings), "the balance is -10 at") {
			t.Errorf("without the flag the audit finds %v", r.Findings)
		}
	})
}
