package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type withdrawalCmd struct {
	List     withdrawalListCmd     `cmd:"" help:"List the withdrawals that wait, of all accounts."`
	Complete withdrawalCompleteCmd `cmd:"" help:"Complete a withdrawal that was sent: it leaves the books."`
	Cancel   withdrawalCancelCmd   `cmd:"" help:"Cancel a withdrawal: what was held is free again."`
}

type withdrawalListCmd struct {
	Limit int  `default:"100" help:"How many at most; 0: all."`
	JSON  bool `help:"Print a JSON array."`
}

func (c *withdrawalListCmd) Help() string {
	return `The oldest comes first. What is held earns nothing while it waits. A dash stands where the requester kept the address to itself. "forged" is one that somebody has changed in the database: it must not be paid, and cannot be ended; see docs/operations.md, The key file.

Example:

  softstake withdrawal list --limit 20`
}

type withdrawalJSON struct {
	ID       string         `json:"id"`
	Account  ledger.Account `json:"account"`
	Asset    string         `json:"asset"`
	Amount   string         `json:"amount"`
	Address  string         `json:"address,omitempty"`
	Network  string         `json:"network,omitempty"`
	Tag      string         `json:"tag,omitempty"`
	ClientID string         `json:"clientId,omitempty"`
	At       instant        `json:"at"`
	State    string         `json:"state"` // pending, or forged
}

func (c *withdrawalListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit is 0 or more")
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, known assets) error {
		_, _, err := list[store.Withdrawal]{
			json: c.JSON,
			columns: []col{text("requested (UTC)"), text("account"), figure("amount"), text("network"), text("address"),
				text("tag"), text("ID")},
			item: func(w store.Withdrawal) (any, []string) {
				amount := known.with(w.Asset, w.Amount)
				if w.State == store.Forged {
					amount = "forged"
				}
				return withdrawalJSON{w.ID, w.Account, w.Asset, known.plain(w.Asset, w.Amount), w.Address, w.Network, w.Tag,
						w.ClientID, instant(w.At), string(w.State)},
					[]string{clockTime(w.At), string(w.Account), amount, cmp.Or(w.Network, none),
						cmp.Or(w.Address, none), cmp.Or(w.Tag, none), w.ID}
			},
			none: "No withdrawal waits.\n",
		}.printPages(env, c.Limit, func(after store.Withdrawal, most int) ([]store.Withdrawal, error) {
			return reports.New(db.Reader()).PendingWithdrawals(ctx, after, most)
		})
		return err
	})
}

// waiting names a withdrawal.
type waiting struct {
	ID      string         `arg:"" name:"id" help:"The withdrawal, as \"withdrawal list\" names it."`
	Account ledger.Account `required:"" placeholder:"ACCOUNT" help:"Whose it is."`
}

type withdrawalCompleteCmd struct{ waiting }

func (c *withdrawalCompleteCmd) Help() string {
	return `It posts the entry ID/completed, which moves the held amount to @custody. Do it when the transfer outside cannot be undone any more: a withdrawal ends once. Repeating has no further effect.

Example:

  softstake withdrawal complete w-1 --account alice`
}

func (c *withdrawalCompleteCmd) Run(env *Env) error {
	return c.end(env, ledger.WithdrawalCompleted, "Completed %s: %s of %s have left the books.\n")
}

type withdrawalCancelCmd struct{ waiting }

func (c *withdrawalCancelCmd) Help() string {
	return `It posts the entry ID/cancelled, which moves the held amount back to the account. Be sure that the transfer outside was not made: a withdrawal ends once. Repeating has no further effect.

Example:

  softstake withdrawal cancel w-1 --account alice`
}

func (c *withdrawalCancelCmd) Run(env *Env) error {
	return c.end(env, ledger.WithdrawalCancelled, "Cancelled %s: %s of %s are free again.\n")
}

// end posts the entry that ends the withdrawal, and says what it did. Whether it has
// ended already is for the books to say: another may be ending it at this moment.
func (x *waiting) end(env *Env, kind ledger.Kind, format string) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		p, err := reports.New(db.Reader()).Withdrawal(ctx, x.Account, x.ID)
		if err != nil {
			return err
		}
		if p.State == store.Forged {
			return fmt.Errorf("%s was changed in the database, and is not ended; \"softstake audit\" finds such rows", p.ID)
		}
		asset, err := db.Asset(ctx, p.Asset)
		if err != nil {
			return err
		}
		outcomes, err := db.Post(ctx, []ledger.Entry{p.Ending(kind)})
		if err != nil {
			return err
		}
		o := outcomes[0]
		if o.Err == nil && !o.Repeated {
			return env.printf(format, p.ID, withUnit(asset, p.Amount), p.Account)
		}
		if p, err = reports.New(db.Reader()).Withdrawal(ctx, x.Account, x.ID); err != nil { // another may have ended it since
			return err
		}
		switch {
		case o.Err == nil:
			return env.printf("%s was %s before, at %s UTC; nothing is repeated.\n", p.ID, p.State, clockTime(p.Ended))
		case p.State != store.Pending && (errors.Is(o.Err, ledger.ErrEnded) ||
			errors.Is(o.Err, ledger.ErrNotRequested) || errors.Is(o.Err, ledger.ErrConflict)):
			return fmt.Errorf("%s was %s at %s UTC, and a withdrawal ends once", p.ID, p.State, clockTime(p.Ended))
		}
		return o.Err
	})
}
