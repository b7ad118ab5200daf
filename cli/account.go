package cli

import (
	"cmp"
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// accountCmd opens, shows and closes accounts.
type accountCmd struct {
	Open      accountOpenCmd      `cmd:"" help:"Open an account."`
	List      accountListCmd      `cmd:"" help:"List accounts."`
	Show      accountShowCmd      `cmd:"" help:"Show an account: its switch, balances and documents."`
	SetRegion accountSetRegionCmd `cmd:"" help:"Set the verified residence of an account."`
	Freeze    accountFreezeCmd    `cmd:"" help:"Let nothing leave an account."`
	Unfreeze  accountUnfreezeCmd  `cmd:"" help:"End an account's freeze."`
	Close     accountCloseCmd     `cmd:"" help:"Close an account that is empty and paid."`
}

type accountOpenCmd struct {
	Account ledger.Account `arg:"" help:"1 to 128 characters of A-Z a-z 0-9 . _ : - but not . or .. alone"`
	Region  string         `help:"Verified residence, such as DE or US-CA. Without it Soft Staking cannot be switched on." placeholder:"CODE"`
}

func (c *accountOpenCmd) Help() string {
	return `Opening an account again has no further effect. The residence is an ISO 3166 code.

Example:

  softstake account open alice --region DE`
}

// Run opens the account.
func (c *accountOpenCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.OpenAccount(ctx, c.Account, staking.Region(c.Region))
		if err != nil {
			return err
		}
		if repeated {
			return env.printf("%s is open already.\n", c.Account)
		}
		return env.printf("Opened %s.\n", c.Account)
	})
}

type accountListCmd struct {
	After ledger.Account `placeholder:"ACCOUNT" help:"Go on after this account."`
	Limit int            `default:"100" help:"How many at most; 0: all."`
	JSON  bool           `help:"Print a JSON array."`
}

func (c *accountListCmd) Help() string {
	return `Accounts come in the order in which they lie in the books, which is not that of the alphabet.

Example:

  softstake account list --limit 20`
}

type accountJSON struct {
	ID     ledger.Account `json:"id"`
	Region staking.Region `json:"region"`
	Opened instant        `json:"opened"`
	Closed *instant       `json:"closed,omitempty"`
	Frozen *freezeJSON    `json:"frozen,omitempty"`
}

func formatAccount(a store.Account) accountJSON {
	j := accountJSON{ID: a.ID, Region: a.Region, Opened: instant(a.Opened), Frozen: formatFreeze(a.Freeze)}
	if !a.Closed.IsZero() {
		j.Closed = (*instant)(&a.Closed)
	}
	return j
}

// accountPage is how many accounts are read at once.
const accountPage = 1000

// Run lists accounts, page after page.
func (c *accountListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		out, grid := newJSONList(env.Stdout), newGrid(text("account"), text("residence"), text("opened"), text("closed"))
		left, after, more := c.Limit, c.After, true
		for more && (c.Limit == 0 || left > 0) {
			want := accountPage
			if c.Limit > 0 {
				want = min(want, left)
			}
			page, err := reports.New(db.Reader()).Accounts(ctx, after, want)
			if err != nil {
				return err
			}
			for _, a := range page {
				if c.JSON {
					if err := out.add(formatAccount(a)); err != nil {
						return err
					}
				} else {
					closed := none
					if !a.Closed.IsZero() {
						closed = wallTime(a.Closed)
					}
					grid.add(string(a.ID), cmp.Or(string(a.Region), none), wallTime(a.Opened), closed)
				}
				after = a.ID
			}
			left, more = left-len(page), len(page) == want
		}
		if c.JSON {
			return out.end()
		}
		if err := grid.write(env.Stdout); err != nil {
			return err
		}
		if more && c.Limit > 0 {
			return env.warnf("There may be more: softstake account list --after %s", after)
		}
		return nil
	})
}

type accountSetRegionCmd struct {
	Account ledger.Account `arg:""`
	Region  string         `arg:"" help:"ISO 3166 code, such as DE or US-CA; \"\" clears the residence."`
}

func (c *accountSetRegionCmd) Help() string {
	return `Who becomes a resident of a region where Soft Staking is not offered, or has no verified residence any more, stops earning from today; where the region is listed from a coming day on, from that day.

Examples:

  softstake account set-region alice FR
  softstake account set-region alice ""`
}

// Run sets the residence, or clears it.
func (c *accountSetRegionCmd) Run(env *Env) error {
	region, lives := staking.Region(""), "has no verified residence"
	if c.Region != "" {
		var err error
		if region, err = staking.ParseRegion(c.Region); err != nil {
			return err
		}
		lives = "lives in " + string(region)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		ends, err := db.SetRegion(ctx, c.Account, region)
		if err != nil {
			return err
		}
		if err := env.printf("%s %s.\n", c.Account, lives); err != nil {
			return err
		}
		switch {
		case ends > 0:
			return env.printf("Soft Staking ends for %s: %s and later days are not paid.\n", c.Account, ends)
		case region == "":
			return env.printf("Without one Soft Staking cannot be switched on.\n")
		}
		return nil
	})
}
