package cli

import (
	"context"
	"fmt"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

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

// Run closes the account.
func (c *accountCloseCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		var s store.Sweep
		var err error
		if c.SweepTo == "" {
			s.Account, err = c.Account, db.CloseAccount(ctx, c.Account)
		} else {
			s, err = db.SweepAccount(ctx, c.Account, c.SweepTo)
		}
		if err != nil {
			return err
		}
		a, err := readAssets(ctx, db)
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
