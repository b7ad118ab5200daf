package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// compensateCmd makes a reward of a paid day good.
type compensateCmd struct {
	Account ledger.Account `arg:""`
	Day     staking.Day    `arg:"" help:"Day whose reward was too low, such as 2026-11-23. It is paid."`
	Asset   string         `arg:"" help:"Token."`
	Amount  string         `arg:"" help:"How much, such as 0.0005."`
	Name    string         `required:"" placeholder:"NAME" help:"Distinguishes the compensations of one reward: repeating a name has no further effect."`
	Reason  string         `required:"" placeholder:"TEXT" help:"Why; it is kept in the log."`
}

func (c *compensateCmd) Help() string {
	return `A day that is paid never changes. What an entry that came late would have earned is made good out of the pool, by an entry dated now whose ID names the day and the token: compensation/DAY/TOKEN/ACCOUNT/NAME. It is no reward, and not part of what is earned. "explain --with" says how much is missing.

Example:

  softstake compensate alice 2026-11-23 BNB 0.0005 --name d-4711 --reason "deposit 4711 came late"`
}

func (c *compensateCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, amount, err := parseAmount(ctx, db, c.Asset, c.Amount)
		if err != nil {
			return err
		}
		o, err := db.Compensate(ctx, store.Compensation{Account: c.Account, Day: c.Day, Asset: c.Asset, Name: c.Name,
			Amount: amount}, c.Reason)
		id := ledger.CompensationID(c.Day.String(), c.Asset, c.Account, c.Name)
		if err == nil && o.Repeated {
			return env.printf("%s was posted before, at %s UTC.\n", id, clockTime(o.At))
		}
		return env.done(err, "Credited %s to %s as %s.\n", withUnit(asset, amount), c.Account, id)
	})
}
