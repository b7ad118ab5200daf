package cli

import (
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// countOf writes a number with what it counts: "1 holder", "2 holders".
func countOf(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

type (
	effectJSON struct {
		Preview  string            `json:"preview"`
		From     staking.Day       `json:"from"`
		Accounts int64             `json:"accounts"`
		Enrolled int64             `json:"enrolled"`
		Tokens   []effectTokenJSON `json:"tokens"`
		USDT     string            `json:"usdt"`
		Unpriced int               `json:"unpriced"`
	}
	effectTokenJSON struct {
		Asset   string  `json:"asset"`
		Holders int64   `json:"holders"`
		Earning string  `json:"earning"`
		USDT    *string `json:"usdt"`
	}
)

// writeEffect writes whom something would switch off, before it is done.
func writeEffect(env *Env, e reports.Effect, what, where string, asJSON bool) error {
	j := effectJSON{
		Preview: what, From: e.From, Accounts: e.Accounts, Enrolled: e.Enrolled, Tokens: []effectTokenJSON{},
		USDT: ledger.FormatBig(e.USDT, store.PriceScale), Unpriced: e.Unpriced,
	}
	grid := newGrid(text("token"), figure("holders"), figure("earning"), figure("USDT"))
	for _, token := range e.Tokens {
		row, worth := effectTokenJSON{Asset: token.Asset.Symbol, Holders: token.Holders,
			Earning: ledger.FormatBig(token.Earning, token.Asset.Scale)}, none
		if token.HasPrice {
			worth = ledger.FormatBig(token.USDT, store.PriceScale)
			row.USDT = &worth
		}
		j.Tokens = append(j.Tokens, row)
		grid.add(row.Asset, strconv.FormatInt(row.Holders, 10), row.Earning, worth)
	}
	if asJSON {
		return writeJSON(env.Stdout, j)
	}
	if err := env.printf("From %s on it would concern %s%s; Soft Staking is on for %d of them. Nothing is written.\n",
		e.From, countOf(e.Accounts, "account", "accounts"), where, e.Enrolled); err != nil {
		return err
	}
	if len(e.Tokens) == 0 {
		return nil
	}
	if err := env.printf("\nWhat they earn on now, each up to the cap:\n\n"); err != nil {
		return err
	}
	return grid.write(env.Stdout)
}
