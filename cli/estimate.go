package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/staking"
)

// estimateCmd shows what Soft Staking would have paid on a real history.
type estimateCmd struct {
	historyFlags

	From   *staking.Day `placeholder:"DAY" help:"First day that is measured, such as 2025-07-24: the holder switched on the day before it. Without it: the day after the first Spot row."`
	To     *staking.Day `placeholder:"DAY" help:"Last day that is measured. Without it: the day of the last Spot row, to 24:00."`
	Terms  string       `placeholder:"FILE" help:"Terms to count with, a CSV file with the columns from,asset,apr,min,cap. Without it: the shipped terms, on every day."`
	Strict bool         `help:"Refuse a file with a row that cannot be read, instead of leaving the row out."`
	Format string       `enum:"table,csv,json" default:"table" help:"How to print: ${enum}."`
}

// Help is the text under the command's usage.
func (c *estimateCmd) Help() string {
	return `Prints what Soft Staking would have paid, per day and token, from the files alone: no database is read or made.

Several files are one history: the parts of an export are added up, and what stands in several exports counts only once. The holder counts as having switched on at the first Spot row. All Spot rows make up the balance, except rewards that the exchange paid: those are printed beside the estimate, for the day before they were credited. Messages go to standard error.

Example:
  softstake estimate Transaction-History.csv
  softstake estimate Transaction-History-2024.zip Transaction-History-2025.csv
  softstake estimate Transaction-History.csv --utc-offset +01:00 --format json`
}

// Run reads the files, says what was made of them, and prints the estimate.
func (c *estimateCmd) Run(env *Env) error {
	if c.From != nil && c.To != nil && *c.From > *c.To {
		return usage("--from %s is after --to %s", c.From, c.To)
	}
	offer, err := c.offer(env)
	if err != nil {
		return err
	}
	files, err := c.read(env, offer.Assets, c.Strict)
	if errors.Is(err, history.ErrUnreadable) {
		return fmt.Errorf("%w; download the CSV again, or leave such rows out by estimating without --strict", err)
	}
	if err != nil {
		return err
	}
	h, err := history.Merge(files, offer.Assets)
	if err != nil {
		return err
	}
	if err := c.describe(env, h); err != nil {
		return err
	}
	e, err := c.estimate(h, offer)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	e.unreadable = unreadable(files)
	if err := printResult(env.Stderr, offer, e, c.Format); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return printJSON(env.Stdout, offer, e.result)
	case "csv":
		return printCSV(env.Stdout, offer, e.result)
	}
	return printTables(env.Stdout, offer, e)
}

// estimated is an estimate, and what it presumes.
type estimated struct {
	statements []history.Statement
	shortages  []history.Shortage
	result     history.Comparison
	unreadable int // rows that are missing in it
}

func (c *estimateCmd) estimate(h *history.History, offer history.Offer) (e estimated, err error) {
	if e.statements, err = h.Statements(); err != nil {
		return estimated{}, err
	}
	window := c.window(h)
	accruals, shortages, err := history.Estimate(e.statements, offer, window)
	if err != nil {
		return estimated{}, err
	}
	e.shortages = shortages
	e.result, err = history.Compare(accruals, e.statements, window)
	return e, err
}

// describe reports what was made of the rows.
func (c *estimateCmd) describe(env *Env, h *history.History) error {
	var notes notes
	if n := otherRows(h); n > 0 {
		notes.addf("%s of coins without terms: %s.", count(n, "Spot row is", "Spot rows are"), listCounts(h.Others))
	}
	notes.addRewards(h, c.RewardOperation)
	if len(h.Rows) == 0 {
		notes.addf("There is no Spot row, so there is nothing to estimate.")
	}
	return notes.write(env)
}

func (c *estimateCmd) offer(env *Env) (offer history.Offer, err error) {
	if c.Terms == "" {
		return history.ShippedOffer()
	}
	in, _, err := env.file(c.Terms)
	if err != nil {
		return history.Offer{}, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return history.ReadOffer(in, filepath.Base(c.Terms))
}

// window is the days that are measured. A history without a Spot row has none,
// whatever was asked for.
func (c *estimateCmd) window(h *history.History) history.Window {
	window := h.Window()
	if len(h.Rows) == 0 {
		return window
	}
	if c.From != nil {
		window.First = *c.From
	}
	if c.To != nil {
		window.Last = *c.To
	}
	return window
}
