package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type limitCmd struct {
	Set  limitSetCmd  `cmd:"" help:"Set a token's limits."`
	List limitListCmd `cmd:"" help:"List the limits."`
}

type limitSetCmd struct {
	Asset      string  `arg:"" help:"Token."`
	Total      *string `placeholder:"AMOUNT" help:"A day's total above which it needs approval; 0: no limit."`
	Change     *string `placeholder:"PERCENT" help:"Change against the day before above which it waits, such as 25 or 0.5; 0: no limit."`
	Withdrawal *string `placeholder:"AMOUNT" help:"With four eyes: a withdrawal from which on completing it needs approval; 0: none does."`
}

func (c *limitSetCmd) Help() string {
	return `A day over a limit waits until a person approves it (softstake settle --approve DAY TOKEN) or corrects its terms. A change is that of a day's total, up or down; in the mode share it is that of the rate, and only up. What is not given stays.

Example:

  softstake limit set BNB --total 100 --change 25`
}

func (c *limitSetCmd) Run(env *Env) error {
	if c.Total == nil && c.Change == nil && c.Withdrawal == nil {
		return usage("say what to limit: --total, --change or --withdrawal")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, err := db.Asset(ctx, c.Asset)
		if err != nil {
			return err
		}
		limits, err := reports.New(db.Reader()).Limits(ctx)
		if err != nil {
			return err
		}
		l := staking.Limit{Asset: c.Asset}
		if i := slices.IndexFunc(limits, func(l staking.Limit) bool { return l.Asset == c.Asset }); i >= 0 {
			l = limits[i]
		}
		if c.Total != nil {
			if l.MaxTotal, err = asset.Parse(*c.Total); err != nil {
				return err
			}
		}
		if c.Change != nil {
			if l.MaxChange, err = ledger.ParseDecimal(*c.Change, percentScale); err != nil {
				return err
			}
		}
		if c.Withdrawal != nil {
			if l.MaxWithdrawal, err = asset.Parse(*c.Withdrawal); err != nil {
				return err
			}
		}
		return env.done(db.SetLimit(ctx, l), "%s\n", limitSentence(asset, l))
	})
}

// percentScale is how many decimals of a percentage are kept.
const percentScale = 2

// limitSentence is what a limit means.
func limitSentence(a ledger.Asset, l staking.Limit) string {
	var limits []string
	if l.MaxTotal > 0 {
		limits = append(limits, "a total above "+withUnit(a, l.MaxTotal))
	}
	if l.MaxChange > 0 {
		limits = append(limits, "a change above "+limitChange(l))
	}
	large := ""
	if l.MaxWithdrawal > 0 {
		large = "With four eyes, a withdrawal of " + withUnit(a, l.MaxWithdrawal) + " or more needs approval."
	}
	switch {
	case limits == nil && large == "":
		return l.Asset + " has no limit."
	case limits == nil:
		return large
	}
	return strings.TrimSpace("A day of " + l.Asset + " with " + strings.Join(limits, " or ") + " needs approval. " + large)
}

func amountOrNone(a ledger.Asset, n ledger.Amount) string {
	if n == 0 {
		return none
	}
	return withUnit(a, n)
}

func limitChange(l staking.Limit) string {
	if l.MaxChange == 0 {
		return none
	}
	return ledger.FormatDecimal(l.MaxChange, percentScale) + " %"
}

type limitListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *limitListCmd) Help() string {
	return `Example:

  softstake limit list`
}

type limitJSON struct {
	Asset  string `json:"asset"`
	Total  string `json:"maxTotal"`
	Change string `json:"maxChange"`

	Withdrawal string `json:"maxWithdrawal"`
}

func (c *limitListCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		limits, err := reports.New(db.Reader()).Limits(ctx)
		return list[staking.Limit]{
			json:    c.JSON,
			columns: []col{text("token"), figure("a day's total"), figure("change"), figure("a withdrawal")},
			item: func(l staking.Limit) (any, []string) {
				return limitJSON{l.Asset, a.plain(l.Asset, l.MaxTotal), ledger.FormatDecimal(l.MaxChange, percentScale),
						a.plain(l.Asset, l.MaxWithdrawal)},
					[]string{l.Asset, amountOrNone(a[l.Asset], l.MaxTotal), limitChange(l), amountOrNone(a[l.Asset], l.MaxWithdrawal)}
			},
			none: "No token has a limit.\n",
		}.print(env, limits, err)
	})
}
