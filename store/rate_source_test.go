package store_test

import (
	"fmt"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// shared are books in which alice holds 365 BNB from Day 2 on, in the mode share.
func shared(t *testing.T, db *store.DB) {
	t.Helper()
	shareMode(t, db)
	open(t, db, "alice")
	on(t, db, "alice")
	deposit(t, db, "d1", "alice", 365, bnb, noon)
}

// report enters what a validator earned from one day through another, in smallest units.
func report(t *testing.T, db *store.DB, source string, first, last int, gross ledger.Amount) {
	t.Helper()
	i := incomeOf(fmt.Sprintf("%s-%d-%d-%d", source, first, last, gross), first, last, gross)
	i.Source = source
	testkit.Must(db.PostIncome(t.Context(), i))(t)
}

// current is the rate of BNB, by reports that have read nothing before.
func current(t *testing.T, db *store.DB) reports.Rate {
	t.Helper()
	return testkit.Must(reports.New(db.Reader()).CurrentRates(t.Context()))(t)[bnb]
}

// TestRateAwaitsItsSources: the rate is that of the last day of which every source has reported that reported for any
// of the 31 days before. One that is silent for longer is awaited no more.
func TestRateAwaitsItsSources(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shared(t, db)
		kept := reports.New(db.Reader())
		settleThrough(t, db, clock, 1, 8, false)
		clock.Set(9, "12:00")
		report(t, db, "a", 2, 7, 6*100_000_000) // of 365 BNB: 100 % a year
		report(t, db, "b", 8, 8, 1_000_000)
		settleThrough(t, db, clock, 9, 9, false)
		asOf := func(day int, gross staking.Rate) {
			t.Helper()
			r := current(t, db)
			if r.Last != day1+staking.Day(day)-1 || r.Gross/10_000 != gross/10_000 {
				t.Errorf("the rate is %+v, not %s as of Day %d", r, gross, day)
			}
			same(t, "as it is kept", testkit.Must(kept.CurrentRates(t.Context()))(t)[bnb], r)
		}
		asOf(7, 100_000_000)
		d := testkit.Must(reports.New(db.Reader()).Disclosure(t.Context(), bnb))(t)
		if len(d.Sources) != 1 || d.Sources[0].Source != "a" {
			t.Errorf("the sources of it are %+v", d.Sources)
		}
		clock.Set(10, "12:00")
		report(t, db, "a", 8, 8, 99_000_000)
		report(t, db, "a", 9, 9, -1_000_000) // a loss is no report
		settleThrough(t, db, clock, 10, 10, false)
		asOf(8, 100_000_000)
		for day := 11; day <= 41; day++ {
			clock.Set(day, "12:00")
			report(t, db, "b", day-1, day-1, 50_000_000)
			settleThrough(t, db, clock, day, day, false)
			if day < 40 && current(t, db).Last != day1+7 {
				t.Fatalf("on Day %d the rate is %+v: a is awaited", day, current(t, db))
			}
		}
		if r := current(t, db); r.Last != day1+39 || r.Gross > 50_000_000 || r.Gross < 45_000_000 {
			t.Errorf("a was silent for 31 days, and the rate is %+v", r)
		}
	})
}

// TestRateIsOfItsDays: where one source reports of days and another of both together, the current rate is that of the
// days that have it.
func TestRateIsOfItsDays(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shared(t, db)
		settleThrough(t, db, clock, 1, 3, false)
		clock.Set(4, "12:00")
		report(t, db, "a", 2, 2, 10_000_000)
		report(t, db, "a", 3, 3, 90_000_000)
		report(t, db, "b", 2, 3, 20_000_000)
		settleThrough(t, db, clock, 4, 4, false)
		days := func(first, last int, gross staking.Rate) {
			t.Helper()
			r := current(t, db)
			if r.First != day1+staking.Day(first)-1 || r.Last != day1+staking.Day(last)-1 || r.Gross/10_000 != gross/10_000 {
				t.Errorf("the rate is %+v, not %s of Days %d to %d", r, gross, first, last)
			}
			rows := testkit.Must(reports.New(db.Reader()).Rates(t.Context(), bnb, r.First, r.Last))(t)
			same(t, "the history of its days", rows, []reports.Rate{r})
		}
		days(3, 3, 100_000_000)
		d := testkit.Must(reports.New(db.Reader()).Disclosure(t.Context(), bnb))(t)
		if len(d.Sources) != 2 || d.Sources[0].First != day1+2 || d.Sources[1].First != day1+1 {
			t.Errorf("the sources are %+v", d.Sources)
		}
		clock.Set(7, "12:00")
		settleThrough(t, db, clock, 5, 6, false)
		clock.Set(7, "12:00")
		report(t, db, "a", 4, 5, 180_000_000)
		report(t, db, "b", 4, 6, 30_000_000)
		settleThrough(t, db, clock, 7, 7, false)
		if r := current(t, db); r.First != day1+3 || r.Last != day1+4 {
			t.Errorf("it is that of Days 4 and 5, and not %+v", r)
		}
	})
}

// TestRateAddsUp: gross, less the fee, with what comes from earlier periods, is what holders get. Of incomes with two
// fees the fee is what was kept of both.
func TestRateAddsUp(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shared(t, db)
		testkit.Must(db.Fund(t.Context(), "f1", bnb, coins(1000), false))(t) // bears the loss
		settleThrough(t, db, clock, 1, 2, false)
		clock.Set(3, "12:00")
		report(t, db, "a", 2, 2, 100_000_000) // of 365 BNB: 100 % a year
		settleThrough(t, db, clock, 3, 3, false)
		clock.Set(4, "12:00")
		report(t, db, "b", 2, 2, -40_000_000)
		settleThrough(t, db, clock, 4, 4, false)
		clock.Set(5, "12:00")
		report(t, db, "a", 3, 3, 100_000_000)
		settleThrough(t, db, clock, 5, 5, false)
		r := current(t, db)
		same(t, "the rate after a loss", []staking.Rate{r.Gross, r.Fee, r.Earlier, r.Net},
			[]staking.Rate{100_000_000, 30_000_000, -28_000_000, 42_000_000})
		for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+4))(t) {
			if terms.Asset == bnb {
				terms.From, terms.Fee = day1+6, staking.Whole/2
				ok(t, db.SetTerms(t.Context(), terms))
			}
		}
		settleThrough(t, db, clock, 6, 7, false)
		clock.Set(8, "12:00")
		report(t, db, "a", 5, 6, 200_000_000) // at 30 %
		report(t, db, "a", 6, 7, 200_000_000) // at 50 %
		settleThrough(t, db, clock, 8, 8, false)
		rates := testkit.Must(reports.New(db.Reader()).Rates(t.Context(), bnb, day1+5, day1+5))(t)
		if len(rates) != 1 || rates[0].Fee < 39_900_000 || rates[0].Fee > 40_100_000 {
			t.Errorf("with two fees it is %+v", rates)
		}
		for _, r := range rates {
			taken := staking.Rate(int64(r.Gross) * int64(r.Fee) / int64(staking.Whole))
			if diff := r.Gross - taken + r.Earlier - r.Net; diff < -3 || diff > 3 {
				t.Errorf("it does not add up: %+v", r)
			}
		}
	})
}
