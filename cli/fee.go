package cli

import (
	"context"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type feesListCmd struct {
	Asset string       `arg:"" optional:"" help:"Token; without it all."`
	From  *staking.Day `placeholder:"DAY" help:"First day on which something was entered. Without it: the first of the books."`
	To    *staking.Day `placeholder:"DAY" help:"Last day. Without it: today."`
	Limit int          `placeholder:"N" help:"How many to list, the last entered first. Without it: all."`
	JSON  bool         `help:"Print a JSON array."`
}

func (c *feesListCmd) Help() string {
	return `The amounts of all of a token make the balance of @fees.

Example:

  softstake fees list SOL --from 2026-11-01`
}

type feeJSON struct {
	Entry     string         `json:"entry"`
	Kind      string         `json:"kind"` // income, out or in
	Asset     string         `json:"asset"`
	Amount    string         `json:"amount"`
	At        instant        `json:"at"`
	EnteredBy string         `json:"enteredBy"`
	Income    *feeIncomeJSON `json:"income,omitempty"` // absent: taken out, or returned
}

type feeIncomeJSON struct {
	Reference string      `json:"reference"`
	First     staking.Day `json:"first"`
	Last      staking.Day `json:"last"`
	Gross     string      `json:"gross"`
	FeeRate   string      `json:"feeRate"`
	Net       string      `json:"net"`
}

// feeRow is a fee as JSON, and in a table.
func (a assets) feeRow(f reports.Fee) (any, []string) {
	j := feeJSON{Entry: f.Entry, Kind: f.Kind(), Asset: f.Asset, Amount: a.plain(f.Asset, f.Amount), At: instant(f.At),
		EnteredBy: f.Credential}
	gross, rate, net := none, none, none
	if i := f.Income; i != nil {
		j.Income = &feeIncomeJSON{i.Reference, i.First, i.Last, a.plain(f.Asset, i.Split.Gross), i.Rate.String(),
			a.plain(f.Asset, i.Net)}
		gross, rate, net = j.Income.Gross, percent(i.Rate), j.Income.Net
	}
	return j, []string{staking.DayOf(f.At).String(), j.Asset, gross, rate, j.Amount, net, j.Entry}
}

func (c *feesListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		if c.Asset != "" {
			if _, err := db.Asset(ctx, c.Asset); err != nil {
				return err
			}
		}
		from, to, err := period(env, db, c.From, c.To)
		if err != nil {
			return err
		}
		_, _, err = list[reports.Fee]{
			json: c.JSON,
			columns: []col{text("entered"), text("token"), figure("gross"), figure("fee %"), figure("into @fees"),
				figure("net"), text("entry")},
			item: a.feeRow,
			none: "Nothing came into @fees, or left it.\n",
		}.printPages(env, c.Limit, func(after reports.Fee, most int) ([]reports.Fee, error) {
			return reports.New(db.Reader()).Fees(ctx, reports.FeesAsked{From: from, To: to, Asset: c.Asset}, after, most)
		})
		return err
	})
}
