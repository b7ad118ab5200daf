package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestRates: before the first income the rate is not known; after it it is what was paid, and
// another source of the same period adds to it. The history has the fixed rate, the paid
// periods and the days that wait.
func TestRates(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shareMode(t, db)
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d1", "alice", 365, bnb, noon)
		r := reports.New(db.Reader())
		current := func() reports.Rate {
			t.Helper()
			return testkit.Must(r.CurrentRates(t.Context()))(t)[bnb]
		}
		fixed := testkit.Must(r.CurrentRates(t.Context()))(t)["SOL"]
		same(t, "SOL's rate", fixed, reports.Rate{
			First: day1, Last: staking.Forever, Mode: staking.Fixed, Known: true, Net: 800_000,
		})
		settleThrough(t, db, clock, 1, 4, false)
		if now := current(); now.Known || now.Net != 0 || now.GrossKnown || now.Fee != 3*staking.Whole/10 {
			t.Errorf("before the first income the rate is %+v", now)
		}
		clock.Set(5, "12:00")
		enter(t, db, "e1", 2, 3, 200_000_000) // of 730 BNB-days: a year's 100 %
		settleThrough(t, db, clock, 5, 5, false)
		paid := reports.Rate{First: day1 + 1, Last: day1 + 2, Mode: staking.Share, Known: true, GrossKnown: true,
			Net: 70_000_000, Gross: 100_000_000, Fee: 30_000_000}
		same(t, "the rate", current(), paid)
		clock.Set(6, "12:00")
		enter(t, db, "e2", 2, 3, 20_000_000)  // came late: 10 % a year
		enter(t, db, "e3", 2, 2, -10_000_000) // a slashing of Day 2: 10 % of it; the pool of e2 is less by 7,000,000
		settleThrough(t, db, clock, 6, 6, false)
		late := paid
		late.First = day1 + 2 // of Day 2 the income came to less
		late.Gross, late.Net, late.Earlier = 110_000_000, 70_000_000+3_500_000, -3_500_000
		same(t, "the rate with late income", current(), late)
		history := testkit.Must(r.Rates(t.Context(), bnb, day1, day1+6))(t)
		want := []reports.Rate{
			{First: day1 + 3, Last: day1 + 6, Mode: staking.Share, Fee: 30_000_000},
			{First: day1 + 2, Last: day1 + 2, Mode: staking.Share, Known: true, GrossKnown: true, Fee: 30_000_000,
				Gross: 110_000_000, Net: late.Net, Earlier: -3_500_000},
			{First: day1 + 1, Last: day1 + 1, Mode: staking.Share, Known: true, GrossKnown: true, Fee: 30_000_000,
				Gross: 100_000_000, Net: late.Net, Earlier: -3_500_000 + 7_000_000},
			{First: day1, Last: day1, Mode: staking.Fixed, Known: true, Net: 150_000},
		}
		same(t, "the history", history, want)
		d := testkit.Must(r.Disclosure(t.Context(), bnb))(t)
		if len(d.Sources) != 1 || d.Sources[0].Source != "validator 7" || d.Sources[0].Gross != 220_000_000 {
			t.Errorf("the sources are %+v", d.Sources)
		}
		_, err := r.Rates(t.Context(), "NOPE", day1, day1)
		wants(t, err, ledger.ErrNotFound)
	})
}

// TestWaitingDays: days in the mode share are listed as waiting until their income is divided,
// with an estimate at the rate of the last paid period.
func TestWaitingDays(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shareMode(t, db)
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d1", "alice", 365, bnb, noon)
		waits := func() []reports.WaitingDays {
			t.Helper()
			parts := reports.Offer | reports.Waits
			return testkit.Must(reports.New(db.Reader()).Holder(t.Context(), "alice", staking.Client{}, parts))(t).Waiting
		}
		same(t, "before the first day", waits(), nil)
		settleThrough(t, db, clock, 1, 4, false)
		w := waits()
		if len(w) != 1 || w[0].Days != 3 || w[0].First != day1+1 || w[0].Last != day1+3 || w[0].EstimateKnown {
			t.Fatalf("Days 2 to 4 wait: %+v", w)
		}
		clock.Set(5, "12:00")
		enter(t, db, "e1", 2, 3, 200_000_000)
		settleThrough(t, db, clock, 5, 5, false)
		w = waits()
		// Day 4 weighs 365 BNB: 0.7 BNB a day at 70 % a year; Day 5 as much.
		if len(w) != 1 || w[0].Days != 2 || w[0].First != day1+3 || !w[0].EstimateKnown || w[0].Estimate != 2*70_000_000 {
			t.Fatalf("Days 4 and 5 wait: %+v", w)
		}
		off(t, db, "alice")
		settleThrough(t, db, clock, 6, 7, false)
		if w = waits(); len(w) != 1 || w[0].Days != 2 {
			t.Errorf("Days 4 and 5 wait, and no later one: %+v", w)
		}
	})
}

// TestDisclosures: the text that is current is not published again, and every version is kept.
func TestDisclosures(t *testing.T) {
	eachWatched(t, func(w *watched) {
		ctx, r := w.Context(), reports.New(w.Reader())
		first := testkit.Must(w.Disclose(ctx, bnb, "BNB is staked with two validators."))(w.T)
		again := testkit.Must(w.Disclose(ctx, bnb, "BNB is staked with two validators."))(w.T)
		if first.Version != 1 || again != first {
			w.Errorf("disclosed are %+v and %+v", first, again)
		}
		w.wants("disclosure set BNB: version 1")
		second := testkit.Must(w.Disclose(ctx, bnb, "BNB is staked with three validators."))(w.T)
		w.wants("disclosure set BNB: version 2")
		same(w, "the current one", testkit.Must(r.Disclosure(ctx, bnb))(w.T).Words, second)
		same(w, "version 1", testkit.Must(r.DisclosureVersion(ctx, bnb, 1))(w.T), first)
		same(w, "all", len(testkit.Must(r.DisclosureVersions(ctx))(w.T)), 2)
		if d := testkit.Must(r.Disclosure(ctx, "SOL"))(w.T); d.Words.Version != 0 || d.Terms.Asset != "SOL" {
			w.Errorf("SOL discloses %+v", d)
		}
		for _, text := range []string{" ", "\xff", strings.Repeat("x", 64<<10+1)} {
			wants(w.T, failure(w.Disclose(ctx, bnb, text)), ledger.ErrInvalid)
		}
		wants(w.T, failure(w.Disclose(ctx, "NOPE", "x")), ledger.ErrNotFound)
		wants(w.T, failure(r.DisclosureVersion(ctx, bnb, 3)), ledger.ErrNotFound)
	})
}

// TestContradictionOfAnEarlierVersion: a gross rate that fee and APR contradict cannot be set any more. Books that
// have one are read, settled and audited as they stand, and other terms are set without it.
func TestContradictionOfAnEarlierVersion(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d1", "alice", 365, bnb, noon)
		testkit.Must(db.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
		testkit.Must(db.Exec(t.Context(), "UPDATE terms SET gross_apr = 200000, fee = 10000000 WHERE asset = 'BNB'"))(t)
		settleThrough(t, db, clock, 1, 3, false)
		wantClean(t, auditOf(t, db, audit.Options{}))
		r := testkit.Must(reports.New(db.Reader()).CurrentRates(t.Context()))(t)[bnb]
		if r.FeeIsKept() || r.Kept() != 50_000 {
			t.Errorf("the rate is %+v", r)
		}
		terms := testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+3))(t)
		old := terms[slices.IndexFunc(terms, func(t staking.Terms) bool { return t.Asset == bnb })]
		old.From, old.Cap = day1+5, old.Cap-1
		if err := db.SetTerms(t.Context(), old); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("the contradiction is set again: %v", err)
		}
		old.GrossAPR = 0
		ok(t, db.SetTerms(t.Context(), old))
	})
}
