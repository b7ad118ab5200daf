package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// limitCmd limits what is paid without a person looking at it.
type limitCmd struct {
	Set  limitSetCmd  `cmd:"" help:"Set a token's limits."`
	List limitListCmd `cmd:"" help:"List the limits."`
}

type limitSetCmd struct {
	Asset  string  `arg:"" help:"Token."`
	Total  *string `placeholder:"AMOUNT" help:"A day's total above which it needs approval; 0: no limit."`
	Change *string `placeholder:"PERCENT" help:"Change against the day before, either way, above which it waits, such as 25 or 0.5; 0: no limit."`
}

func (c *limitSetCmd) Help() string {
	return `A day over a limit waits until a person approves it (softstake settle --approve DAY TOKEN) or corrects its terms. What is not given stays.

Example:

  softstake limit set BNB --total 100 --change 25`
}

// Run sets the limits.
func (c *limitSetCmd) Run(env *Env) error {
	if c.Total == nil && c.Change == nil {
		return usage("say what to limit: --total, --change or both")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, err := db.Asset(ctx, c.Asset)
		if err != nil {
			return err
		}
		limits, err := db.Limits(ctx)
		if err != nil {
			return err
		}
		l := staking.Limit{Asset: c.Asset}
		for _, there := range limits {
			if there.Asset == c.Asset {
				l = there
			}
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
		if err := db.SetLimit(ctx, l); err != nil {
			return err
		}
		return env.printf("%s\n", limitSentence(asset, l))
	})
}

// percentScale is how many decimals of a percentage are kept.
const percentScale = 2

// limitSentence is what a limit means.
func limitSentence(a ledger.Asset, l staking.Limit) string {
	total, change := "a total above "+limitTotal(a, l), "a change above "+limitChange(l)
	switch {
	case l.MaxTotal > 0 && l.MaxChange > 0:
		return "A day of " + l.Asset + " with " + total + " or " + change + " needs approval."
	case l.MaxTotal > 0:
		return "A day of " + l.Asset + " with " + total + " needs approval."
	case l.MaxChange > 0:
		return "A day of " + l.Asset + " with " + change + " needs approval."
	}
	return l.Asset + " has no limit."
}

func limitTotal(a ledger.Asset, l staking.Limit) string {
	if l.MaxTotal == 0 {
		return none
	}
	return withUnit(a, l.MaxTotal)
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
}

// Run lists the limits.
func (c *limitListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		limits, err := db.Limits(ctx)
		if err != nil {
			return err
		}
		a, err := readAssets(ctx, db)
		if err != nil {
			return err
		}
		out, grid := newJSONList(env.Stdout), newGrid(text("token"), figure("a day's total"), figure("change"))
		for _, l := range limits {
			if c.JSON {
				if err := out.add(limitJSON{l.Asset, a.plain(l.Asset, l.MaxTotal),
					ledger.FormatDecimal(l.MaxChange, percentScale)}); err != nil {
					return err
				}
			}
			grid.add(l.Asset, limitTotal(a[l.Asset], l), limitChange(l))
		}
		if c.JSON {
			return out.end()
		}
		if len(limits) == 0 {
			return env.printf("No token has a limit.\n")
		}
		return grid.write(env.Stdout)
	})
}
