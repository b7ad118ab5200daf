package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

type accountFreezeCmd struct {
	Account ledger.Account `arg:""`
	Reason  string         `required:"" placeholder:"TEXT" help:"Why; it is kept in the log."`
	Earning string         `enum:"on,off" default:"on" help:"Whether the account goes on earning: on or off. Without it: ${default}."`
}

func (c *accountFreezeCmd) Help() string {
	return `Nothing leaves a frozen account: no transfer, withdrawal, hold or trade, and a pending withdrawal can be cancelled but not completed. Deposits and rewards come in, and an operator's "adjust" is posted. With --earning off, today and later days earn nothing; "account unfreeze" switches Soft Staking on again if it was on.

Repeating has no further effect.

Example:

  softstake account freeze alice --reason "court order 7" --earning off`
}

// Run freezes the account.
func (c *accountFreezeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.Freeze(ctx, c.Account, c.Reason, c.Earning == "on")
		switch {
		case err != nil:
			return err
		case repeated:
			return env.printf("%s is frozen already.\n", c.Account)
		}
		return env.printf("Froze %s, earning %s.\n", c.Account, c.Earning)
	})
}

type accountUnfreezeCmd struct {
	Account ledger.Account `arg:""`
	Reason  string         `required:"" placeholder:"TEXT" help:"Why; it is kept in the log."`
}

func (c *accountUnfreezeCmd) Help() string {
	return `If the freeze switched Soft Staking off, it is switched on again and earns from tomorrow, unless the holder switched it off, or it is not offered to the residence any more.

Repeating has no further effect.

Example:

  softstake account unfreeze alice --reason "order lifted"`
}

// Run unfreezes the account.
func (c *accountUnfreezeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		resumed, repeated, err := db.Unfreeze(ctx, c.Account, c.Reason)
		switch {
		case err != nil:
			return err
		case repeated:
			return env.printf("%s is not frozen.\n", c.Account)
		case resumed:
			return env.printf("Unfroze %s. Soft Staking is on again, and earns from tomorrow.\n", c.Account)
		}
		return env.printf("Unfroze %s.\n", c.Account)
	})
}

// freezeJSON is the state of a frozen account.
type freezeJSON struct {
	Since   instant `json:"since"`
	Earning bool    `json:"earning"`
	Reason  string  `json:"reason"`
}

// formatFreeze is nil for an account that is not frozen.
func formatFreeze(f store.Freeze) *freezeJSON {
	if f.Since.IsZero() {
		return nil
	}
	return &freezeJSON{instant(f.Since), f.Earns, f.Reason}
}

// freezeSentence is since when an account is frozen, whether it earns, and why.
func freezeSentence(f store.Freeze) string {
	earning := "it earns nothing"
	if f.Earns {
		earning = "it goes on earning"
	}
	return "since " + wallTime(f.Since) + " UTC, " + earning + ": " + f.Reason
}
