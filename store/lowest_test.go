package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// measureLowest has a token measured by the smallest balance of the day from a day on.
func measureLowest(t *testing.T, db *store.DB, token string, from staking.Day) {
	t.Helper()
	for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), from))(t) {
		if terms.Asset == token {
			terms.From, terms.Measure = from, staking.Lowest
			ok(t, db.SetTerms(t.Context(), terms))
		}
	}
}

// eachMeasure is each, with BNB measured by the average, and by the smallest balance from Day 2 on.
func eachMeasure(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock)) {
	t.Helper()
	t.Run("average", func(t *testing.T) { each(t, test) })
	t.Run("daily-minimum", func(t *testing.T) {
		// The statements are those of the average, but for those of TestCorrectedMeasure.
		eachOnce(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
			measureLowest(t, db, bnb, day1+1)
			test(t, db, clock)
		})
	})
}

// smallest is the smallest balance after a day's beginning, of lines that are in order of time: each is the last of
// its millisecond, or the next is of the same.
func smallest(d staking.Day, lines []reports.Line) ledger.Amount {
	var balances []ledger.Amount
	balance, last := ledger.Amount(0), d.Millis()
	for _, line := range lines {
		at := line.At.UnixMilli()
		if at >= (d + 1).Millis() {
			break
		}
		if at > last {
			balances, last = append(balances, balance), at
		}
		balance += line.Amount
	}
	return slices.Min(append(balances, balance))
}

// TestSmallestBalanceBelowZero: another ledger decides that a balance was below zero for a moment. Nothing is earned
// for the day, whatever the minimum, and the audit agrees. Its millisecond must have passed: taken back at once, it
// counts for nothing.
func TestSmallestBalanceBelowZero(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		measureLowest(t, db, bnb, day1+1)
		for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+1))(t) {
			if terms.Asset == bnb {
				terms.From, terms.Min = day1+1, 0
				ok(t, db.SetTerms(t.Context(), terms))
			}
		}
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(100), false))(t)
		for _, id := range []ledger.Account{"below", "back"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 10, bnb, time.Time{})
		}
		clock.Set(2, "23:00")
		for _, id := range []ledger.Account{"below", "back"} {
			deposit(t, db, "d2-"+string(id), id, 10, bnb, testkit.Moment(2, "06:00"))
		}
		ok(t, refusal(post(t, db,
			decided(oneMove("w-below", ledger.Withdrawal, "below", ledger.Custody, 101), 2, "05:59"),
			decided(oneMove("w-back", ledger.Withdrawal, "back", ledger.Custody, 101), 2, "06:00")), nil))
		clock.Set(3, "00:10")
		settle(t, db, clock)
		for id, want := range map[ledger.Account]ledger.Amount{"below": 0, "back": coins(99)} {
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day1+1, bnb))(t)
			if e.Measured.Average != want || e.Earned != (want > 0) || e.Paid != (want > 0) {
				t.Errorf("%s: %+v, %s", id, e.Measured, e.Reason)
			}
		}
		below := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "below", day1+1, bnb))(t)
		same(t, "why", below.Reason, "The smallest balance of 0 BNB was below the minimum of 0.")
		same(t, "on paper it is below zero", below.Paper().Integral.Sign(), -1)
		audited(t, db)
	})
}

// TestCorrectedMeasure: a day that is over is measured again by another measure, and the days after it as before.
func TestCorrectedMeasure(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 4, bnb, time.Time{})
		clock.Set(2, "12:00")
		ok(t, refusal(post(t, db, oneMove("w", ledger.Withdrawal, "alice", ledger.Custody, 20)), nil))
		clock.Set(3, "00:10")
		settle(t, db, clock) // it waits for funds
		average := func(want ledger.Amount) {
			t.Helper()
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "alice", day1+1, bnb))(t)
			same(t, "what was measured, and written", []any{e.Measured.Average, e.Stored}, []any{want, true})
		}
		average(coins(30))
		for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+1))(t) {
			if terms.Asset == bnb {
				terms.Measure = staking.Lowest
				ok(t, db.CorrectTerms(t.Context(), day1+1, terms, "as announced"))
			}
		}
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(100), false))(t)
		clock.Set(4, "00:10")
		settle(t, db, clock)
		average(coins(20))
		audited(t, db)
	})
}

// TestWhatALateEntryWouldHaveLowered: by the smallest balance, what a day would have earned with entries that came
// late is what another earns for whom they came in time.
func TestWhatALateEntryWouldHaveLowered(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		random := rand.New(rand.NewPCG(12, 4))
		measureLowest(t, db, bnb, day1+1)
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(100), false))(t)
		for _, id := range []ledger.Account{"alice", "twin"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, 9, bnb, time.Time{})
		}
		for day := 2; day < 22; day++ {
			clock.Set(day, "23:59:59")
			at := func() time.Time { return testkit.Moment(day, "00:00").Add(time.Duration(random.IntN(24)) * time.Hour) }
			common, late := at(), at()
			kind, from, to := ledger.Deposit, ledger.Custody, ledger.Account("twin")
			if day%2 == 0 {
				kind, from, to = ledger.Withdrawal, to, from
			}
			entry := oneMove(fmt.Sprint("late-", day), kind, from, to, 1+random.Int64N(20))
			entry.At = late
			ok(t, refusal(post(t, db, entry), nil))
			for _, id := range []ledger.Account{"alice", "twin"} {
				moves := []ledger.Entry{oneMove(fmt.Sprint("a-", id, day), ledger.Withdrawal, id, ledger.Custody, 5),
					oneMove(fmt.Sprint("b-", id, day), ledger.Deposit, ledger.Custody, id, 5)}
				moves[0].At, moves[1].At = common, common.Add(time.Second)
				ok(t, refusal(post(t, db, moves...), nil))
			}
			if entry.ID += "-proposed"; entry.Moves[0].To == "twin" {
				entry.Moves[0].To = "alice"
			} else {
				entry.Moves[0].From = "alice"
			}
			p := testkit.Must(reports.New(db.Reader()).Propose(t.Context(), "alice", day1+staking.Day(day-1), bnb,
				[]ledger.Entry{entry}))(t)
			twin := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "twin", day1+staking.Day(day-1), bnb))(t)
			if p.With.Average != twin.Measured.Average || p.Earned != twin.Earned {
				t.Errorf("Day %d: proposed %+v; twin has %+v", day, p.With, twin.Measured)
			}
			// The next day both have the same again.
			entry.ID, entry.At = fmt.Sprint("even-", day), testkit.Moment(day, "23:59:59")
			ok(t, refusal(post(t, db, entry), nil))
		}
	})
}
