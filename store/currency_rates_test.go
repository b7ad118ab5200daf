package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func rate(currency string, day int, cents int64) pricing.Rate {
	return pricing.Rate{Currency: currency, Day: day1 + staking.Day(day-1), Rate: cents * 1_000000}
}

// A day's rate may be set until a token's day is declared, and never changed after; what has none gets one once.
func TestCurrencyRatesAreFrozenOnceADayIsPaid(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		set := func(n int, rates ...pricing.Rate) {
			t.Helper()
			if got := testkit.Must(db.CurrencyRates().Set(ctx, rates))(t); got != n {
				t.Errorf("%d rates were set, not %d", got, n)
			}
		}
		refused := func(wanted error, rates ...pricing.Rate) {
			t.Helper()
			wants(t, failure(db.CurrencyRates().Set(ctx, rates)), wanted)
		}
		set(0)
		set(0, rate("USDT", 1, 100))
		set(2, rate("EUR", 1, 92), rate("GBP", 1, 79), rate("GBP", 1, 79))
		set(1, rate("EUR", 1, 93), rate("GBP", 1, 79))
		refused(ledger.ErrInvalid, rate("EUR", 2, 92)) // has not begun
		refused(ledger.ErrInvalid, rate("EUR", 1, 1), rate("EUR", 1, 2))
		refused(ledger.ErrInvalid, rate("EUR", 1, 0))
		refused(ledger.ErrInvalid, rate("USDT", 1, 99))
		for _, code := range []string{"", "eur", "EU", "EURO", "E1R", "ÄÖ"} {
			refused(ledger.ErrInvalid, rate(code, 1, 92))
		}
		clock.Set(2, "00:05")
		settle(t, db, clock)
		set(0, rate("EUR", 1, 93))
		refused(ledger.ErrConflict, rate("EUR", 2, 94), rate("EUR", 1, 92)) // all or nothing
		clock.Set(9, "12:00")
		settle(t, db, clock)
		refused(ledger.ErrConflict, rate("EUR", 8, 94)) // Day 8 is paid at the rate of Day 1
		set(1, rate("CHF", 8, 88))                      // Day 8 had none
		refused(ledger.ErrConflict, rate("CHF", 8, 89))
		set(1, rate("CHF", 9, 89))
		if got := testkit.Must(reports.New(db.Reader()).CurrencyRates(ctx, "CHF", day1, day1+99))(t); !slices.Equal(got,
			[]pricing.Rate{rate("CHF", 8, 88), rate("CHF", 9, 89)}) {
			t.Errorf("the rates are %v", got)
		}
		if got := testkit.Must(reports.New(db.Reader()).Currencies(ctx))(t); !slices.Equal(got,
			[]string{"USDT", "CHF", "EUR", "GBP"}) {
			t.Errorf("the currencies are %v", got)
		}
		wants(t, failure(reports.New(db.Reader()).CurrencyRates(ctx, "x", day1, day1)), ledger.ErrInvalid)
	})
}

// TestRatesMoveAsPricesDo: what prices need approval for, rates do too; what was approved is where it begins again.
func TestRatesMoveAsPricesDo(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		set := func(day int, rate int64) error {
			clock.Set(day, "12:00")
			_, err := db.As(proposer).CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "EUR",
				Day: day1 + staking.Day(day-1), Rate: rate}})
			return err
		}
		ok(t, set(3, 1200)) // of Day 2 it is 1000
		wants(t, set(3, 1000_000), control.ErrNeedsApproval)
		ok(t, set(4, 1440))
		err := set(5, 1501)
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatalf("it needs approval: %v", err)
		}
		p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
		testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		ok(t, set(6, 1801))
		n, err := db.As(proposer).CurrencyRates().Set(ctx, []pricing.Rate{{Currency: "CHF", Day: day1 + 5, Rate: 1},
			{Currency: "EUR", Day: day1 + 5, Rate: 1800}})
		wants(t, err, control.ErrNeedsApproval) // the first has nothing to be compared with
		same(t, "of another", n, 1)
	})
}
