package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type labelCmd struct {
	Add    labelAddCmd    `cmd:"" help:"Give an account a label."`
	Remove labelRemoveCmd `cmd:"" help:"Take a label off an account."`
	List   labelListCmd   `cmd:"" help:"List the labels of accounts."`
}

type labelAddCmd struct {
	Account ledger.Account `arg:""`
	Label   string         `arg:"" help:"1 to 32 characters of a-z 0-9 . _ and -"`
	From    *staking.Day   `placeholder:"DAY" help:"From this day on, at the earliest tomorrow. Without it: tomorrow."`
}

func (c *labelAddCmd) Help() string {
	return `A label is a word of yours, by which a campaign distinguishes accounts. A day that has begun is never changed.

Example:

  softstake label add alice vip`
}

func (c *labelAddCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		l, repeated, err := db.AddLabel(ctx, c.Account, c.Label, given(c.From, 0))
		if err == nil && repeated {
			return env.printf("%s has the label %s already, from %s on.\n", c.Account, c.Label, l.From)
		}
		return env.done(err, "%s has the label %s from %s on.\n", c.Account, c.Label, l.From)
	})
}

type labelRemoveCmd struct {
	Account ledger.Account `arg:""`
	Label   string         `arg:""`
	From    *staking.Day   `placeholder:"DAY" help:"The first day without it, at the earliest tomorrow. Without it: tomorrow."`
}

func (c *labelRemoveCmd) Help() string {
	return `Example:

  softstake label remove alice vip`
}

func (c *labelRemoveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		from, repeated, err := db.RemoveLabel(ctx, c.Account, c.Label, given(c.From, 0))
		if err == nil && repeated {
			return env.printf("%s has no label %s from %s on.\n", c.Account, c.Label, from)
		}
		return env.done(err, "%s has the label %s through %s.\n", c.Account, c.Label, from-1)
	})
}

type labelListCmd struct {
	Label string `arg:"" optional:"" help:"Only the accounts with this label."`
	JSON  bool   `help:"Print a JSON array."`
}

func (c *labelListCmd) Help() string {
	return `What holds today, and what is set for later days.

Example:

  softstake label list vip`
}

type labelJSON struct {
	Account ledger.Account `json:"account"`
	Label   string         `json:"label"`
	From    staking.Day    `json:"from"`
	Until   *staking.Day   `json:"until,omitempty"` // the first day without it; absent: none
}

func formatLabel(l store.Label) labelJSON {
	j := labelJSON{l.Account, l.Name, l.From, nil}
	if l.Until != staking.Forever {
		j.Until = &l.Until
	}
	return j
}

// labelEnd is until when a label holds, if it is known.
func labelEnd(l store.Label) string {
	if l.Until == staking.Forever {
		return ""
	}
	return " until " + l.Until.String()
}

func (c *labelListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		rs := reports.New(db.Reader())
		_, _, err := list[store.Label]{
			json:    c.JSON,
			columns: []col{text("account"), text("label"), text("from"), text("until")},
			item: func(l store.Label) (any, []string) {
				until := none
				if l.Until != staking.Forever {
					until = l.Until.String()
				}
				return formatLabel(l), []string{string(l.Account), l.Name, l.From.String(), until}
			},
			none: "No account has a label.\n",
		}.printPages(env, 0, func(after store.Label, most int) ([]store.Label, error) {
			return rs.Labels(ctx, c.Label, after, most)
		})
		return err
	})
}
