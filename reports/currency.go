package reports

import (
	"context"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// CurrencyRates are those that were set for a currency's days, both ends inclusive, by day.
func (rs *Reports) CurrencyRates(ctx context.Context, currency string, from, to staking.Day) ([]pricing.Rate, error) {
	if err := pricing.CheckCurrency(currency); err != nil {
		return nil, err
	}
	return list(ctx, rs, "read the rates of "+currency, func(r db.Row) (pricing.Rate, error) {
		return pricing.Rate{Currency: r.Text(0), Day: staking.Day(r.Int(1)), Rate: r.Int(2)}, nil
	}, "SELECT currency, day, rate FROM rates WHERE currency = $1 AND day BETWEEN $2 AND $3 ORDER BY day",
		currency, int64(from), int64(to))
}

// Currencies are those that values can be had in: USDT, and those that have a rate, by code.
func (rs *Reports) Currencies(ctx context.Context) ([]string, error) {
	rated, err := list(ctx, rs, "read the currencies", db.TextOf,
		"SELECT DISTINCT currency FROM rates ORDER BY currency")
	return append([]string{conversion.USDT}, rated...), err
}
