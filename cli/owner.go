package cli

import (
	"cmp"
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type ownerCmd struct {
	Set  ownerSetCmd  `cmd:"" help:"Set whose an account is."`
	List ownerListCmd `cmd:"" help:"List whose accounts are."`
}

type ownerSetCmd struct {
	Account ledger.Account `arg:""`
	Owner   string         `arg:"" optional:"" help:"Your ID of the customer: 1 to 128 characters of A-Z a-z 0-9 . _ : - @ and /"`
	None    bool           `help:"The account is its own owner."`
	From    *staking.Day   `placeholder:"DAY" help:"From this day on, at the earliest tomorrow. Without it: tomorrow."`
}

func (c *ownerSetCmd) Help() string {
	return `The accounts of one owner share minimum and cap of the tokens whose terms say so ("terms set --per-owner"). A day that has begun is never changed.

Examples:

  softstake owner set alice-sub customer-7
  softstake owner set alice-sub customer-7 --from 2026-12-01
  softstake owner set alice-sub --none`
}

func (c *ownerSetCmd) Run(env *Env) error {
	if (c.Owner == "") != c.None {
		return usage("give an owner, or --none")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		o, repeated, err := db.SetOwner(ctx, c.Account, c.Owner, given(c.From, 0))
		if err == nil && repeated {
			return env.printf("%s has %s on %s already.\n", c.Account, ownerOf(o), o.From)
		}
		return env.done(err, "%s has %s from %s on.\n", c.Account, ownerOf(o), o.From)
	})
}

func ownerOf(o store.Ownership) string {
	if o.Owner == "" {
		return "no owner but itself"
	}
	return "the owner " + o.Owner
}

type ownerListCmd struct {
	Owner string `arg:"" optional:"" help:"Only the accounts of this owner."`
	JSON  bool   `help:"Print a JSON array."`
}

func (c *ownerListCmd) Help() string {
	return `What holds today, and what is set for later days. An account without a line is its own owner.

Examples:

  softstake owner list
  softstake owner list customer-7`
}

type ownerJSON struct {
	Account ledger.Account `json:"account"`
	Owner   string         `json:"owner"` // "": its own
	From    staking.Day    `json:"from"`
}

func formatOwner(o store.Ownership) ownerJSON { return ownerJSON{o.Account, o.Owner, o.From} }

func (c *ownerListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		rs := reports.New(db.Reader())
		_, _, err := list[store.Ownership]{
			json:    c.JSON,
			columns: []col{text("account"), text("owner"), text("from")},
			item: func(o store.Ownership) (any, []string) {
				return formatOwner(o), []string{string(o.Account), cmp.Or(o.Owner, none), o.From.String()}
			},
			none: "No account has another owner than itself.\n",
		}.printPages(env, 0, func(after store.Ownership, most int) ([]store.Ownership, error) {
			return rs.Owners(ctx, c.Owner, after, most)
		})
		return err
	})
}
