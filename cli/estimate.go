package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"softstake/history"
	"softstake/staking"
)

// estimateCmd says what Soft Staking would have paid on a real history.
type estimateCmd struct {
	File string `arg:"" name:"file" help:"The exchange's Transaction History export, a CSV file; - is the standard input."`

	From      *staking.Day    `placeholder:"DAY" help:"First day that is measured, such as 2025-07-24: the holder switched on the day before it. Without it: the day after the first Spot row."`
	To        *staking.Day    `placeholder:"DAY" help:"Last day that is measured. Without it: the day of the last Spot row, to 24:00."`
	Terms     string          `placeholder:"FILE" help:"Terms to count with, a CSV file with the columns from,asset,apr,min,cap. Without it: the shipped terms, on every day."`
	UTCOffset *history.Offset `name:"utc-offset" placeholder:"+01:00" help:"Zone of the column Time. Without it: the zone in the file's name, else UTC. A column UTC_Time is always UTC."`
	Strict    bool            `help:"Fail at the first row that cannot be read, instead of leaving it out."`
	Format    string          `enum:"table,csv,json" default:"table" help:"How to print: ${enum}."`
}

// Help is the text under the command's usage.
func (c *estimateCmd) Help() string {
	return `Prints what Soft Staking would have paid, per day and token, from the file alone: no database is read or made.

The holder counts as having switched on at the first Spot row. All Spot rows make up the balance, except rewards that the real product paid: those are printed beside the estimate, for the day before they were credited. Messages go to standard error.

Example:
  softstake estimate Transaction-History.csv
  softstake estimate Transaction-History.csv --utc-offset +01:00 --format json`
}

// Run reads the file, tells what was made of it, and prints the estimate.
func (c *estimateCmd) Run(w *World) error {
	if c.From != nil && c.To != nil && *c.From > *c.To {
		return usage("--from %s is after --to %s", c.From, c.To)
	}
	offer, err := c.offer(w)
	if err != nil {
		return err
	}
	file, err := c.read(w, offer)
	if err != nil {
		return err
	}
	if err := tellRows(w.Stderr, file, c.UTCOffset != nil); err != nil {
		return err
	}
	statements, err := file.Statements()
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	window := c.window(file)
	accruals, err := history.Estimate(statements, offer, window)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	result, err := history.Compare(accruals, statements, window)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name(), err)
	}
	if err := tellResult(w.Stderr, offer, statements, result, c.Format); err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return printJSON(w.Stdout, offer, result)
	case "csv":
		return printCSV(w.Stdout, offer, result)
	}
	return printTables(w.Stdout, offer, result)
}

// name is the file's, as messages call it.
func (c *estimateCmd) name() string {
	if c.File == "-" {
		return "standard input"
	}
	return filepath.Base(c.File)
}

func (c *estimateCmd) read(w *World, offer history.Offer) (file *history.File, err error) {
	in, _, err := w.file(c.File)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return history.Read(in, c.name(), history.Options{Assets: offer.Assets, Offset: c.UTCOffset, Strict: c.Strict})
}

func (c *estimateCmd) offer(w *World) (offer history.Offer, err error) {
	if c.Terms == "" {
		return history.ShippedOffer()
	}
	in, _, err := w.file(c.Terms)
	if err != nil {
		return history.Offer{}, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return history.ReadOffer(in, filepath.Base(c.Terms))
}

// window is the days that are measured. A file without a Spot row has none,
// whatever was asked for.
func (c *estimateCmd) window(file *history.File) history.Window {
	window := file.Window()
	if file.Spot == 0 {
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
