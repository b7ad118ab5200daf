package cli

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/history"
	"github.com/softstake/softstake/staking"
)

// estimateCmd shows what Soft Staking would have paid on a real history.
type estimateCmd struct {
	historyFlags

	From   *staking.Day `placeholder:"DAY" help:"First day that is measured, such as 2025-07-24: the holder switched on the day before it. Without it: the day after the first Spot row."`
	To     *staking.Day `placeholder:"DAY" help:"Last day that is measured. Without it: the day of the last Spot row, to 24:00."`
	Terms  string       `placeholder:"FILE" help:"Terms to count with, a CSV file with the columns from,asset,apr,min,cap, and if needed mode,measure,fee,gross_apr,per_owner. Without it: the shipped terms, on every day."`
	Strict bool         `help:"Refuse a file with a row that cannot be read, instead of leaving the row out."`
	Format string       `enum:"table,csv,json" default:"table" help:"How to print: ${enum}."`
}

func (c *estimateCmd) Help() string {
	return `Prints what Soft Staking would have paid, per day and token, from the files alone: no database is read or made.

Several files are one history: the parts of an export are added up, and what stands in several exports counts only once. The holder counts as having switched on at the first Spot row. All Spot rows make up the balance, except rewards that the exchange paid: those are printed beside the estimate, for the day before they were credited. Messages go to standard error.

A file of terms has a line for each token and day from which they hold. What a holder gets in the mode share depends on everybody, so there the line says what the days from its own on come to: apr, the net rate a year of the period, or gross_apr and fee. It is estimated as if it were paid day by day.

  from,asset,apr,min,cap,mode,measure,fee,gross_apr
  2025-07-24,BNB,0.0015,0.5,1000,fixed,daily-minimum,,
  2025-07-24,SOL,,1,10000,share,,0.3,0.041
  2025-08-01,SOL,0.0302,1,10000,share,,,

Example:
  softstake estimate Transaction-History.csv
  softstake estimate Transaction-History-2024.zip Transaction-History-2025.csv
  softstake estimate Transaction-History.csv --utc-offset +01:00 --format json`
}

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

// printResult writes what the estimate presumes, and of what the exchange paid what the
// format has no place for.
func printResult(w io.Writer, offer history.Offer, e estimated, format string) error {
	var b strings.Builder
	for _, s := range e.statements {
		if s.Opening > 0 {
			fmt.Fprintf(&b, "The rows of %s spend more than they bring: an opening balance of %s is assumed.\n", s.Asset.Symbol,
				s.Asset.Format(s.Opening))
		}
	}
	for _, s := range e.shortages {
		fmt.Fprintf(&b, "%s: from %s on more was spent than the estimate has, by %s in all: the rewards really paid "+
			"were larger. Its balance counts as zero there.\n",
			s.Asset, s.At.Format(time.DateTime), offer.Assets[s.Asset].Format(s.Amount))
	}
	for _, t := range e.result.Totals {
		asset := offer.Assets[t.Asset]
		for _, terms := range offer.Terms(t.Asset) {
			if terms.GrossAPR != 0 {
				fmt.Fprintf(&b, "%s from %s on: %s.\n", t.Asset, terms.From, grossAndNet(terms))
			}
		}
		if offer.Shared[t.Asset] {
			fmt.Fprintf(&b, "%s shares staking income: its rate is that of the file, and what it comes to is an estimate.\n",
				t.Asset)
		}
		if format != "table" && t.PaidDays > 0 {
			fmt.Fprintf(&b, "%s: really paid %s on %s, estimated %s on %s.\n", t.Asset,
				asset.Format(t.Paid), count(t.PaidDays, "day", "days"), asset.Format(t.Estimated), count(t.Days, "day", "days"))
		}
		if t.Only > 0 {
			fmt.Fprintf(&b, "%s: something was really paid for %s without an estimate.\n", t.Asset, count(t.Only, "day", "days"))
		}
		if t.Outside != 0 {
			fmt.Fprintf(&b, "%s: %s was really paid for days that are not measured here.\n", t.Asset, asset.Format(t.Outside))
		}
	}
	if e.unreadable > 0 {
		fmt.Fprintf(&b, "%s missing in this estimate.\n",
			count(e.unreadable, "row could not be read and is", "rows could not be read and are"))
	}
	if format == "table" {
		b.WriteString("\n") // a person sees both streams on one screen
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// count writes a number with the word for it: "1 holder", "2 holders".
func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printJSON writes an array. Only what was estimated is in it.
func printJSON(w io.Writer, offer history.Offer, c history.Comparison) error {
	list := newJSONList(w)
	for _, d := range c.Days {
		if !d.Estimated {
			continue
		}
		if err := list.add(formatEarned(offer.Assets[d.Asset], d.Accrual)); err != nil {
			return err
		}
	}
	return list.end()
}

// printCSV writes a line for each day and token that was estimated, with what
// was really paid for it, empty where nothing was.
func printCSV(w io.Writer, offer history.Offer, c history.Comparison) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"day", "asset", "opening", "average", "eligible", "apr", "reward",
		"reallyPaid"}); err != nil {
		return err
	}
	for _, d := range c.Days {
		if !d.Estimated {
			continue
		}
		asset, paid := offer.Assets[d.Asset], ""
		if d.WasPaid {
			paid = asset.Format(d.Paid)
		}
		e := formatEarned(asset, d.Accrual)
		if err := out.Write([]string{e.Day.String(), e.Asset, e.Opening, e.Average, e.Eligible, e.APR, e.Reward,
			paid}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// none stands in a table where there is no figure.
const none = "–"

// printTables writes the days, and under them what each token comes to.
func printTables(w io.Writer, offer history.Offer, e estimated) error {
	c := e.result
	if len(c.Days) == 0 {
		sentence := "No day reached the minimum of a token: nothing would have been paid."
		if e.unreadable > 0 {
			sentence = "No day reached the minimum of a token by the rows that could be read; some could not."
		}
		_, err := fmt.Fprintln(w, sentence)
		return err
	}
	days := newGrid(text("day"), text("token"), figure("opening"), figure("average"), figure("eligible"), figure("APR %"),
		figure("reward"), figure("really paid"))
	for _, d := range c.Days {
		asset, paid := offer.Assets[d.Asset], none
		if d.WasPaid {
			paid = asset.Format(d.Paid)
		}
		if !d.Estimated {
			days.add(d.Day.String(), d.Asset, none, none, none, none, none, paid)
			continue
		}
		e := formatEarned(asset, d.Accrual)
		days.add(d.Day.String(), d.Asset, e.Opening, e.Average, e.Eligible, percent(d.Accrual.APR), e.Reward, paid)
	}
	totals := newGrid(text("token"), figure("days"), figure("would have been paid"), figure("days"), figure("really paid"))
	for _, t := range c.Totals {
		asset := offer.Assets[t.Asset]
		totals.add(t.Asset, strconv.Itoa(t.Days), asset.Format(t.Estimated), strconv.Itoa(t.PaidDays), asset.Format(t.Paid))
	}
	err := days.write(w)
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return cmp.Or(err, totals.write(w))
}

// percent writes a yearly rate as a percentage: 0.0015 is "0.15".
func percent(r staking.Rate) string { return r.Percent() }
