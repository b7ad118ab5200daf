package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type limitSetAccountCmd struct {
	Asset   string         `arg:"" help:"Token."`
	Amount  string         `arg:"" help:"What may leave an account on a day (UTC), withdrawn or sent to others; 0: no limit."`
	Account ledger.Account `placeholder:"ACCOUNT" help:"Of this account alone, in the place of the limit of every account. Without it: of every account that has none of its own."`
}

func (c *limitSetAccountCmd) Help() string {
	return `It holds for what holders ask for themselves: on the pages, with a token of the role holder and with an API key. A back end has ceilings instead. A holder may set a lower one on the pages.

Examples:

  softstake limit set-account BNB 50
  softstake limit set-account BNB 5000 --account alice`
}

func (c *limitSetAccountCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, err := db.Asset(ctx, c.Asset)
		if err != nil {
			return err
		}
		amount, err := asset.Parse(c.Amount)
		if err != nil {
			return err
		}
		of := string(c.Account)
		if of == "" {
			of = "every account"
		}
		says := "no limit"
		if amount > 0 {
			says = withUnit(asset, amount)
		}
		return env.done(db.SetAccountLimit(ctx, store.AccountLimit{Account: c.Account, Asset: c.Asset, Amount: amount}),
			"Leaves %s on a day: %s.\n", of, says)
	})
}

type limitListAccountCmd struct {
	Account ledger.Account `arg:"" help:"Account."`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *limitListAccountCmd) Help() string {
	return `Example:

  softstake limit list-account alice`
}

type dailyLimitJSON struct {
	Asset string `json:"asset"`
	Limit string `json:"limit"`
	Used  string `json:"used"`
	Left  string `json:"left"`
	Own   string `json:"own"`
}

func (c *limitListAccountCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		all, err := reports.New(db.Reader()).DailyLimits(ctx, c.Account)
		var limits []store.DailyLimit
		for _, symbol := range slices.Sorted(maps.Keys(all)) {
			limits = append(limits, all[symbol])
		}
		return list[store.DailyLimit]{
			json:    c.JSON,
			columns: []col{text("token"), figure("a day"), figure("used"), figure("left"), figure("the holder's own")},
			item: func(l store.DailyLimit) (any, []string) {
				of := a[l.Asset]
				return dailyLimitJSON{l.Asset, of.Format(l.Limit), of.Format(l.Used), of.Format(l.Left()), of.Format(l.Own)},
					[]string{l.Asset, amountOrNone(of, l.Limit), withUnit(of, l.Used), withUnit(of, l.Left()),
						amountOrNone(of, l.Own)}
			},
			none: "No daily limit holds for this account.\n",
		}.print(env, limits, err)
	})
}
