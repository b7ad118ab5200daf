package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type priceCmd struct {
	Set    priceSetCmd    `cmd:"" help:"Set a token's price of a day."`
	Import priceImportCmd `cmd:"" help:"Set many prices from a CSV file, all or none."`
	List   priceListCmd   `cmd:"" help:"List a token's prices."`
}

type priceSetCmd struct {
	Asset string      `arg:"" help:"Token."`
	Day   staking.Day `arg:"" help:"Day, such as 2026-11-22."`
	Price string      `arg:"" help:"USDT per whole token, at most 8 decimals."`
}

func (c *priceSetCmd) Help() string {
	return `A day's price may be set until the day is paid, and never changed after; a paid day without a price may get one once. A price holds on the 7 days after it that have none of their own, so set missed days by one "price import", or the last day first. The same price again is a new one for "serve --convert", which converts at prices that were set a while ago at most.

Example:

  softstake price set BNB 2026-11-22 912.35`
}

func (c *priceSetCmd) Run(env *Env) error {
	p, err := pricing.Parse(c.Day, c.Asset, c.Price)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		set, err := db.Prices().Set(ctx, []pricing.Price{p})
		format := "%s on %s: %s USDT.\n"
		if set == 0 {
			format = "%s on %s was at %s USDT already.\n"
		}
		return env.done(err, format, c.Asset, c.Day, usdt(ledger.Amount(p.Price), true))
	})
}

// parsePrice reads a price. Its errors are ledger.ErrInvalid.
func parsePrice(day, asset, price string) (pricing.Price, error) {
	d, err := staking.ParseDay(day)
	if err != nil {
		return pricing.Price{}, err
	}
	return pricing.Parse(d, asset, price)
}

type priceImportCmd struct {
	File string `arg:"" help:"CSV with the columns day,asset,price; - is the standard input."`
}

func (c *priceImportCmd) Help() string {
	return `A price that is set already, at the same figure, is passed over. One wrong line, and nothing is set.

Example:

  softstake price import prices.csv`
}

func (c *priceImportCmd) Run(env *Env) error {
	return importFigures(env, c.File, [3]string{"day", "asset", "price"}, parsePrice,
		func(ctx context.Context, db *store.DB, prices []pricing.Price) (int, error) {
			return db.Prices().Set(ctx, prices)
		})
}

// importFigures sets the prices or rates of a CSV file, all of them or none: parse reads its columns, of which the last
// names what they are.
func importFigures[T any](env *Env, file string, columns [3]string, parse func(day, of, figure string) (T, error),
	set func(context.Context, *store.DB, []T) (int, error)) error {
	figures, err := readFile(env, file, func(in io.Reader) ([]T, error) { return readFigures(in, file, columns, parse) })
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		n, err := set(ctx, db, figures)
		if err != nil {
			return fmt.Errorf("%w; no %s was set", err, columns[2])
		}
		return env.printf("Set %s; %d were there already.\n", count(n, columns[2], columns[2]+"s"), len(figures)-n)
	})
}

// maxFigures is how many prices or rates a file may set at once.
const maxFigures = 1_000_000

// readFigures reads a CSV file of prices or rates, all of it or none.
func readFigures[T any](in io.Reader, name string, columns [3]string,
	parse func(day, of, figure string) (T, error)) ([]T, error) {
	f, err := openCSV(in, name, columns[:]...)
	if err != nil {
		return nil, err
	}
	var figures []T
	for {
		row, line, err := f.next()
		if err == io.EOF {
			return figures, nil
		}
		if err != nil {
			return nil, err
		}
		bad := line.bad
		var figure T
		if bad == nil {
			figure, bad = parse(row[0], row[1], row[2])
		}
		if bad == nil && len(figures) == maxFigures {
			bad = fmt.Errorf("these are more than %d %ss; cut the file in parts", maxFigures, columns[2])
		}
		if bad != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, line.n, bad)
		}
		figures = append(figures, figure)
	}
}

type priceListCmd struct {
	Asset string       `arg:"" help:"Token."`
	From  *staking.Day `placeholder:"DAY" help:"First day. Without it: the first of the books."`
	To    *staking.Day `placeholder:"DAY" help:"Last day. Without it: today."`
	JSON  bool         `help:"Print a JSON array."`
}

func (c *priceListCmd) Help() string {
	return `Example:

  softstake price list BNB --from 2026-11-01`
}

type priceJSON struct {
	Asset string      `json:"asset"`
	Day   staking.Day `json:"day"`
	Price string      `json:"price"`
}

func (c *priceListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		from, to, err := period(env, db, c.From, c.To)
		if err != nil {
			return err
		}
		prices, err := reports.New(db.Reader()).Prices(ctx, c.Asset, from, to)
		return list[pricing.Price]{
			json:    c.JSON,
			columns: []col{text("day"), text("token"), figure("USDT")},
			item: func(p pricing.Price) (any, []string) {
				price := usdt(ledger.Amount(p.Price), true)
				return priceJSON{p.Asset, p.Day, price}, []string{p.Day.String(), p.Asset, price}
			},
			none: fmt.Sprintf("No price of %s is set from %s to %s.\n", c.Asset, from, to),
		}.print(env, prices, err)
	})
}

// period is the days that were asked for: from the first of the books to today, unless given.
func period(env *Env, db *store.DB, from, to *staking.Day) (first, last staking.Day, err error) {
	first, last = given(from, db.FirstDay()), given(to, staking.DayOf(env.Now()))
	if first > last {
		return 0, 0, usage("the first day %s is after the last, %s", first, last)
	}
	return first, last, nil
}
