package cli

import (
	"cmp"
	"context"
	"fmt"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type accountCmd struct {
	Open      accountOpenCmd      `cmd:"" help:"Open an account."`
	List      accountListCmd      `cmd:"" help:"List accounts."`
	Show      accountShowCmd      `cmd:"" help:"Show an account: its switch, balances and documents."`
	SetRegion accountSetRegionCmd `cmd:"" help:"Set the verified residence of an account."`
	Freeze    accountFreezeCmd    `cmd:"" help:"Let nothing leave an account."`
	Unfreeze  accountUnfreezeCmd  `cmd:"" help:"End an account's freeze."`
	Close     accountCloseCmd     `cmd:"" help:"Close an account that is empty and paid."`
	Erase     accountEraseCmd     `cmd:"" help:"Remove the person of a closed account, and leave the ledger."`
}

type accountOpenCmd struct {
	Account ledger.Account `arg:"" help:"1 to 128 characters of A-Z a-z 0-9 . _ : - but not . or .. alone"`
	Region  string         `help:"Verified residence, such as DE or US-CA. Without it Soft Staking cannot be switched on." placeholder:"CODE"`
	Owner   string         `help:"Your ID of the customer whose account it is; see \"softstake owner set\"." placeholder:"ID"`
}

func (c *accountOpenCmd) Help() string {
	return `Opening an account again has no further effect. The residence is an ISO 3166 code.

Example:

  softstake account open alice --region DE`
}

func (c *accountOpenCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.OpenOwned(ctx, c.Account, staking.Region(c.Region), c.Owner)
		format := "Opened %s.\n"
		if repeated {
			format = "%s is open already.\n"
		}
		return env.done(err, format, c.Account)
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
	return accountJSON{a.ID, a.Region, instant(a.Opened), instantOrNull(a.Closed), formatFreeze(a.Freeze)}
}

func (c *accountListCmd) Run(env *Env) error {
	if c.Limit < 0 {
		return usage("--limit %d is below zero", c.Limit)
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		last, more, err := list[store.Account]{
			json:    c.JSON,
			columns: []col{text("account"), text("residence"), text("opened"), text("closed")},
			item: func(a store.Account) (any, []string) {
				return formatAccount(a),
					[]string{string(a.ID), cmp.Or(string(a.Region), none), wallTime(a.Opened), timeOrNone(a.Closed)}
			},
		}.printPages(env, c.Limit, func(after store.Account, most int) ([]store.Account, error) {
			return reports.New(db.Reader()).Accounts(ctx, cmp.Or(after.ID, c.After), most)
		})
		if err == nil && more && !c.JSON {
			err = env.warnf("There may be more: softstake account list --after %s", last.ID)
		}
		return err
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
		switch err := env.done(err, "%s %s.\n", c.Account, lives); {
		case err != nil:
			return err
		case ends > 0:
			return env.printf("Soft Staking ends for %s: %s and later days are not paid.\n", c.Account, ends)
		case region == "":
			return env.printf("Without one Soft Staking cannot be switched on.\n")
		}
		return nil
	})
}

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

func (c *accountFreezeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.Freeze(ctx, c.Account, c.Reason, c.Earning == "on")
		if err == nil && repeated {
			return env.printf("%s is frozen already.\n", c.Account)
		}
		return env.done(err, "Froze %s, earning %s.\n", c.Account, c.Earning)
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

func (c *accountUnfreezeCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		resumed, repeated, err := db.Unfreeze(ctx, c.Account, c.Reason)
		format := "Unfroze %s.\n"
		switch {
		case repeated:
			format = "%s is not frozen.\n"
		case resumed:
			format = "Unfroze %s. Soft Staking is on again, and earns from tomorrow.\n"
		}
		return env.done(err, format, c.Account)
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

type accountCloseCmd struct {
	Account ledger.Account `arg:""`
	SweepTo ledger.Account `placeholder:"ACCOUNT" help:"Open account that gets what this one has free, and the rewards that are still to come."`
	JSON    bool           `help:"Print a JSON object."`
}

func (c *accountCloseCmd) Help() string {
	return `An account that is closed takes no entry any more and is not opened again; what was is kept. Repeating has no further effect.

Without --sweep-to it must have nothing, free or held, its switch must be off, and every day that it earned on must be paid. With --sweep-to its switch is switched off, so that today is not paid any more; what it has free goes to the other account, and so does the reward of each day before, by the run that credits it. What is held for open orders or withdrawals keeps it open.

Examples:

  softstake account close alice
  softstake account close alice --sweep-to bob`
}

func (c *accountCloseCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) (err error) {
		var s store.Sweep
		if c.SweepTo == "" {
			s.Account, err = c.Account, db.CloseAccount(ctx, c.Account)
		} else {
			s, err = db.SweepAccount(ctx, c.Account, c.SweepTo)
		}
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.Stdout, formatSweep(a, s))
		}
		return writeSweep(env, a, s)
	})
}

type (
	sweepJSON struct {
		ID      ledger.Account `json:"id"`
		SweepTo ledger.Account `json:"sweepTo,omitempty"`
		Moved   []sweptJSON    `json:"moved"`
		Unpaid  *staking.Day   `json:"unpaidFrom,omitempty"`
		Refused string         `json:"refused,omitempty"`
		Left    []leftJSON     `json:"left"`
	}
	sweptJSON struct {
		Entry  string `json:"entry"`
		Asset  string `json:"asset"`
		Amount string `json:"amount"`
	}
	leftJSON struct {
		Asset string `json:"asset"`
		Units string `json:"smallestUnits"`
	}
)

func formatSweep(a assets, s store.Sweep) sweepJSON {
	j := sweepJSON{ID: s.Account, SweepTo: s.Target, Moved: []sweptJSON{}, Refused: s.Refused, Left: []leftJSON{}}
	for _, m := range s.Moved {
		j.Moved = append(j.Moved, sweptJSON{m.Entry, m.Asset, a.plain(m.Asset, m.Amount)})
	}
	if s.Unpaid > 0 {
		j.Unpaid = &s.Unpaid
	}
	for _, l := range s.Left {
		units, _ := reports.UnitsDecimal(big.NewInt(int64(l.Carry)), 0, shownDigits)
		j.Left = append(j.Left, leftJSON{l.Asset, units})
	}
	return j
}

// writeSweep writes what was closed and moved, and what is still to come.
func writeSweep(env *Env, a assets, s store.Sweep) error {
	text := fmt.Sprintf("Closed %s.\n", s.Account)
	for _, m := range s.Moved {
		text += fmt.Sprintf("Moved %s to %s as %s.\n", a.with(m.Asset, m.Amount), s.Target, m.Entry)
	}
	switch {
	case s.Refused != "":
		text += fmt.Sprintf("What it has cannot be moved: %s. Name another account with --sweep-to, or close it "+
			"with this one again later.\n", s.Refused)
	case s.Unpaid > 0:
		text += fmt.Sprintf("Rewards from %s on are not paid yet; they go to %s when they are, by the same run.\n", s.Unpaid,
			s.Target)
	}
	if s.Unpaid == 0 {
		for _, l := range s.Left {
			text += fmt.Sprintf("Left are %s of the smallest unit of %s, which are never paid.\n", fraction(l.Carry), l.Asset)
		}
	}
	return env.printf("%s", text)
}
