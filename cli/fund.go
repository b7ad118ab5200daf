package cli

import (
	"cmp"
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// fundCmd puts tokens into the pool that rewards are paid from.
type fundCmd struct {
	Asset    string `arg:"" help:"Token."`
	Amount   string `arg:"" help:"How much, such as 1000 or 0.5."`
	Withdraw bool   `help:"Take a surplus out instead."`
	ID       string `name:"id" placeholder:"ID" help:"Name of this funding: repeating it has no further effect. Without it one is made."`
}

func (c *fundCmd) Help() string {
	return `Rewards are paid from @rewards, which staking income (softstake income) and the operator fund. A day that the pool cannot pay waits, and is paid by itself once it is funded.

Examples:

  softstake fund BNB 1000
  softstake fund BNB 200 --withdraw`
}

func (c *fundCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, amount, err := parseAmount(ctx, db, c.Asset, c.Amount)
		if err != nil {
			return err
		}
		id := cmp.Or(c.ID, newID(env))
		o, err := db.Fund(context.WithoutCancel(ctx), id, c.Asset, amount, c.Withdraw)
		if err != nil {
			return unknown(err, id)
		}
		what := "Put %s into the pool as fund/%s; it has %s.\n"
		if c.Withdraw {
			what = "Took %s out of the pool as fund/%s; it has %s.\n"
		}
		if o.Repeated {
			what = "%s was posted before as fund/%s; the pool has %s.\n"
		}
		pool, err := poolOf(ctx, db, asset)
		return env.done(err, what, withUnit(asset, amount), id, withUnit(asset, pool))
	})
}

// poolOf is what @rewards has of a token.
func poolOf(ctx context.Context, db *store.DB, asset ledger.Asset) (ledger.Amount, error) {
	tokens, err := reports.New(db.Reader()).TokenStatus(ctx)
	for _, t := range tokens {
		if t.Asset == asset.Symbol {
			return t.Pool, err
		}
	}
	return 0, err
}
