package cli

import (
	"context"
	"encoding/csv"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// statementCmd lists every change of an account's balances.
type statementCmd struct {
	Account ledger.Account `arg:""`
	From    *staking.Day   `placeholder:"DAY" help:"First day. Without it: the first of the books."`
	To      *staking.Day   `placeholder:"DAY" help:"Last day. Without it: today."`
	Format  string         `enum:"table,csv,json" default:"table" help:"How to print: ${enum}."`
}

func (c *statementCmd) Help() string {
	return `Lines come in order of time, each with the balance after it. A reward counts from the 00:00 after its day.

Example:

  softstake statement alice --from 2026-11-01 --format csv`
}

type statementJSON struct {
	At      instant        `json:"at"`
	Entry   string         `json:"entry"`
	Kind    ledger.Kind    `json:"kind"`
	Part    string         `json:"part"` // "free" or "held"
	Asset   string         `json:"asset"`
	Change  string         `json:"change"`
	Balance string         `json:"balance"`
	Other   ledger.Account `json:"counterparty"`
}

func (c *statementCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		from, to, err := period(env, db, c.From, c.To)
		if err != nil {
			return err
		}
		add, end := list[reports.Line]{
			json: c.Format == "json",
			columns: []col{text("when (UTC)"), text("kind"), text("part"), figure("change"), figure("balance"), text("with"),
				text("entry")},
			item: func(l reports.Line) (any, []string) {
				return formatLine(a, l), []string{clockTime(l.At), string(l.Kind), partOf(l), a.signed(l.Asset, l.Amount),
					a.with(l.Asset, l.Balance), string(l.Other), l.Entry}
			},
			none: fmt.Sprintf("Nothing moved in %s in that time.\n", c.Account),
		}.begin(env)
		if c.Format == "csv" {
			add, end = statementCSV(env, a)
		}
		if err := reports.New(db.Reader()).Statement(ctx, c.Account, from, to, add); err != nil {
			return err
		}
		return end()
	})
}

func statementCSV(env *Env, a assets) (add func(reports.Line) error, end func() error) {
	out := csv.NewWriter(env.Stdout)
	head := out.Write([]string{"at", "entry", "kind", "part", "asset", "change", "balance", "counterparty"})
	return func(l reports.Line) error {
			if head != nil {
				return head
			}
			j := formatLine(a, l)
			return out.Write([]string{j.At.String(), j.Entry, string(j.Kind), j.Part, j.Asset, j.Change, j.Balance,
				string(j.Other)})
		}, func() error {
			out.Flush()
			return out.Error()
		}
}

func formatLine(a assets, l reports.Line) statementJSON {
	return statementJSON{
		At: instant(l.At), Entry: l.Entry, Kind: l.Kind, Part: partOf(l), Asset: l.Asset,
		Change: a.plain(l.Asset, l.Amount), Balance: a.plain(l.Asset, l.Balance), Other: l.Other,
	}
}

func partOf(l reports.Line) string {
	if l.Account.IsHeld() {
		return "held"
	}
	return "free"
}
