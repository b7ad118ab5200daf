package cli

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type currencyCmd struct {
	Set    currencySetCmd    `cmd:"" help:"Set a currency's rate of a day."`
	Import currencyImportCmd `cmd:"" help:"Set many rates from a CSV file, all or none."`
	List   currencyListCmd   `cmd:"" help:"List a currency's rates."`
}

type currencySetCmd struct {
	Currency string      `arg:"" help:"Code of ISO 4217, such as EUR."`
	Day      staking.Day `arg:"" help:"Day, such as 2026-11-22."`
	Rate     string      `arg:"" help:"What 1 USDT is worth in it, at most 8 decimals."`
}

func (c *currencySetCmd) Help() string {
	return `Tax reports value rewards by the price in USDT and the rate of their days. A day's rate may be set until a token's day is paid, and never changed after; a paid day without a rate may get one once. A rate holds on the 7 days after it that have none of their own, so set missed days by one "currency import", or the last day first.

Example:

  softstake currency set EUR 2026-11-22 0.9213`
}

func (c *currencySetCmd) Run(env *Env) error {
	r, err := parseRate(c.Day.String(), c.Currency, c.Rate)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		set, err := db.CurrencyRates().Set(ctx, []pricing.Rate{r})
		format := "%s: 1 USDT is %s %s.\n"
		if set == 0 {
			format = "%s: 1 USDT was %s %s already.\n"
		}
		return env.done(err, format, c.Day, usdt(ledger.Amount(r.Rate), true), c.Currency)
	})
}

// parseRate reads a rate. Its errors are ledger.ErrInvalid.
func parseRate(day, currency, rate string) (pricing.Rate, error) {
	d, err := staking.ParseDay(day)
	if err != nil {
		return pricing.Rate{}, err
	}
	if err := pricing.CheckCurrency(currency); err != nil {
		return pricing.Rate{}, err
	}
	n, err := ledger.ParseDecimal(rate, conversion.PriceScale)
	if err != nil {
		return pricing.Rate{}, fmt.Errorf("rate %w", err)
	}
	if n <= 0 {
		return pricing.Rate{}, ledger.ErrInvalid.In("rate", "the rate %q is not above zero", ledger.Clip(rate))
	}
	return pricing.Rate{Currency: currency, Day: d, Rate: n}, nil
}

type currencyImportCmd struct {
	File string `arg:"" help:"CSV with the columns day,currency,rate; - is the standard input."`
}

func (c *currencyImportCmd) Help() string {
	return `A rate that is set already, at the same figure, is passed over. One wrong line, and nothing is set.

Example:

  softstake currency import rates.csv`
}

func (c *currencyImportCmd) Run(env *Env) error {
	return importFigures(env, c.File, [3]string{"day", "currency", "rate"}, parseRate,
		func(ctx context.Context, db *store.DB, rates []pricing.Rate) (int, error) {
			return db.CurrencyRates().Set(ctx, rates)
		})
}

type currencyListCmd struct {
	Currency string       `arg:"" help:"Code, such as EUR."`
	From     *staking.Day `placeholder:"DAY" help:"First day. Without it: the first of the books."`
	To       *staking.Day `placeholder:"DAY" help:"Last day. Without it: today."`
	JSON     bool         `help:"Print a JSON array."`
}

func (c *currencyListCmd) Help() string {
	return `Example:

  softstake currency list EUR --from 2026-11-01`
}

type currencyRateJSON struct {
	Currency string      `json:"currency"`
	Day      staking.Day `json:"day"`
	Rate     string      `json:"rate"`
}

func (c *currencyListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		from, to, err := period(env, db, c.From, c.To)
		if err != nil {
			return err
		}
		rates, err := reports.New(db.Reader()).CurrencyRates(ctx, c.Currency, from, to)
		return list[pricing.Rate]{
			json:    c.JSON,
			columns: []col{text("day"), text("currency"), figure("1 USDT")},
			item: func(r pricing.Rate) (any, []string) {
				rate := usdt(ledger.Amount(r.Rate), true)
				return currencyRateJSON{r.Currency, r.Day, rate}, []string{r.Day.String(), r.Currency, rate}
			},
			none: fmt.Sprintf("No rate of %s is set from %s to %s.\n", c.Currency, from, to),
		}.print(env, rates, err)
	})
}
