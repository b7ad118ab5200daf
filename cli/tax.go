package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// taxCmd sums what accounts received in a year.
type taxCmd struct {
	Year      int            `arg:"" help:"UTC calendar year, such as 2026."`
	Account   ledger.Account `placeholder:"ID" help:"Only this account, with its balances at the end. Without it: all."`
	Currency  string         `default:"USDT" help:"What values are in: USDT, or a code of ISO 4217 that has rates."`
	Aggregate bool           `help:"A line for each owner, or account without one, token and kind, for a report to authorities (CARF, DAC8)."`
	Format    string         `enum:"table,csv,json" default:"table" help:"How to print: ${enum}."`
}

func (c *taxCmd) Help() string {
	return `A reward belongs to the year in which it was credited: that of 31 December, to the next. Its value is that of the price and the rate of the day that it is for, rounded down to 1e-8, then summed. Where a price or a rate is not known ("price set", "currency set"), the reward is counted and left out of the value. Lines of the kind compensation are what made good rewards that were too low; those of the kind balance, what the account had at the end of the year, or today.

Examples:

  softstake tax 2026 --account alice --currency EUR
  softstake tax 2026 --aggregate --currency EUR --format csv`
}

func (c *taxCmd) Run(env *Env) error {
	if c.Aggregate && c.Account != "" {
		return usage("--aggregate is of all accounts; leave --account out")
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		rs := reports.New(db.Reader())
		year, err := rs.TaxYear(reports.TaxAsked{Year: c.Year, Currency: c.Currency})
		if err != nil {
			return err
		}
		p := c.printer(env, a, year)
		if c.Account == "" {
			err = c.ofAll(ctx, env, rs, year, p)
		} else {
			err = c.ofOne(ctx, rs, year, p)
		}
		if err == nil {
			err = p.end()
		}
		if err == nil && p.unvalued > 0 {
			err = env.warnf("%s left out of the values: no price or no rate of the day is known.",
				count(p.unvalued, "receipt is", "receipts are"))
		}
		return err
	})
}

func (c *taxCmd) ofOne(ctx context.Context, rs *reports.Reports, year reports.TaxYear, p *taxPrinter) error {
	report, err := rs.Tax(ctx, c.Account, year)
	if err != nil {
		return err
	}
	return p.addAll(report.Lines)
}

func (c *taxCmd) ofAll(ctx context.Context, env *Env, rs *reports.Reports, year reports.TaxYear,
	p *taxPrinter) error {
	progress, begun := newMeter(env, "reading accounts", ledger.Buckets), false
	read := rs.TaxOfAll
	if c.Aggregate {
		read = rs.TaxOfOwners
	}
	err := read(ctx, year, func() error {
		if begun {
			return errors.New("the database went away in the middle; ask for it again")
		}
		begun = true
		return nil
	}, func(lines []reports.TaxLine) error {
		progress.add(1)
		return p.addAll(lines)
	})
	return errors.Join(err, progress.end())
}

// taxPrinter prints the lines of a tax report in a format.
type taxPrinter struct {
	add      func(reports.TaxLine) error
	end      func() error
	unvalued int64
}

func (p *taxPrinter) addAll(lines []reports.TaxLine) error {
	for _, l := range lines {
		p.unvalued += l.Unvalued
		if err := p.add(l); err != nil {
			return err
		}
	}
	return nil
}

// printer prints lines as they come, or as a table at the end.
func (c *taxCmd) printer(env *Env, a assets, year reports.TaxYear) *taxPrinter {
	columns := reports.TaxColumns
	record := func(l reports.TaxLine) (any, []string) {
		r := year.Record(a[l.Asset], l)
		return r, r.Cells()
	}
	if c.Aggregate {
		columns = reports.TaxAggregateColumns
		record = func(l reports.TaxLine) (any, []string) {
			r := year.Aggregate(a[l.Asset], l)
			return r, r.Cells()
		}
	}
	if c.Format == "csv" {
		out := csv.NewWriter(env.Stdout)
		head := out.Write(columns)
		return &taxPrinter{add: func(l reports.TaxLine) error {
			_, cells := record(l)
			return errors.Join(head, out.Write(cells))
		}, end: func() error {
			out.Flush()
			return errors.Join(head, out.Error())
		}}
	}
	var total big.Int
	lines := list[reports.TaxLine]{
		json: c.Format == "json",
		columns: []col{text("account"), text("country"), text("kind"), figure("received"), figure("units"),
			figure(c.Currency), figure(c.Currency + " on " + year.End.String())},
		item: func(l reports.TaxLine) (any, []string) {
			object, _ := record(l)
			return object, []string{cmp.Or(string(l.Account), l.Owner), cmp.Or(string(l.Residence.Country()), none),
				string(l.Kind), strconv.FormatInt(l.Count, 10), a.with(l.Asset, l.Units), valueOrNone(l.Value),
				valueOrNone(l.EndValue)}
		},
		none: fmt.Sprintf("Nothing was received in %d.\n", c.Year),
	}
	add, end := lines.begin(env)
	return &taxPrinter{add: func(l reports.TaxLine) error {
		if l.Value != nil {
			total.Add(&total, l.Value)
		}
		return add(l)
	}, end: func() error {
		if err := end(); err != nil || c.Format == "json" || total.Sign() == 0 {
			return err
		}
		return env.printf("\nreceived in all  %s %s\n", ledger.FormatBig(&total, conversion.PriceScale), c.Currency)
	}}
}

// valueOrNone is a value in 1e-8, or a dash where it is not known.
func valueOrNone(value *big.Int) string {
	if value == nil {
		return none
	}
	return ledger.FormatBig(value, conversion.PriceScale)
}
