package store_test

import (
	"slices"
	"testing"

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
