package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/simulation"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// simulateCmd shows what other terms would have cost.
type simulateCmd struct {
	From    staking.Day  `required:"" placeholder:"DAY" help:"First day that is simulated, such as 2026-11-01."`
	Through *staking.Day `placeholder:"DAY" help:"Last day that is simulated; it is paid. Without it: the last day that is paid."`
	Token   []string     `placeholder:"TOKEN" help:"Only these tokens, several with commas. Without it: all."`
	Terms   string       `placeholder:"FILE" help:"Terms by token and day: a CSV file with the columns from,asset and some of apr,min,cap,mode,measure,fee,gross_apr,per_owner,offered, or what \"terms list --json\" prints."`
	Income  string       `placeholder:"FILE" help:"Income that is not recorded, for the mode share: a CSV file as \"income import\" reads it."`
	Format  string       `enum:"table,csv,json" default:"table" help:"How to print: ${enum}. CSV has the cost of each day alone, JSON all that is known."`
	termsFlags
}

func (c *simulateCmd) Help() string {
	return `Prints what the days would have cost under other terms, beside what the recorded terms cost: per token and day, how many holders get more or less, and what it is for small and large holders. Flags change all tokens on all days; what is not given stays as it was recorded. It reads one snapshot, and writes nothing.

Balances are as they were recorded, with the rewards that were paid: what other rewards would have earned by themselves is not simulated. In the mode share the income of periods that lie wholly in these days is divided, less the simulated fee, on the day on which it was entered; income of --income on the day after its period. Shares of campaigns stay as they were paid.

Examples:

  softstake simulate --from 2026-11-01 --through 2026-11-30 --mode share --fee 0.3
  softstake simulate --from 2026-11-01 --token BNB --apr 0.002 --cap 500
  softstake simulate --from 2026-11-01 --terms terms.csv --format json`
}

func (c *simulateCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		through, err := c.through(ctx, db)
		if err != nil {
			return err
		}
		o := simulation.Options{From: c.From, Through: through, Tokens: c.Token}
		if o.Change, err = c.change(ctx, env, db); err != nil {
			return err
		}
		if c.Income != "" {
			if o.Incomes, err = readIncomes(ctx, env, db, c.Income); err != nil {
				return err
			}
		}
		const parts = 1000
		bar := newMeter(env, "simulating", parts)
		o.Progress = func(done, of int) { bar.to(int64(done)*parts/int64(of), bar.what) }
		r, err := simulation.Run(ctx, db.Reader(), o)
		if err = cmp.Or(err, bar.end()); err != nil {
			return err
		}
		switch c.Format {
		case "json":
			return writeJSON(env.Stdout, formatSimulation(r))
		case "csv":
			return writeSimulationCSV(env.Stdout, r)
		}
		return writeSimulation(env, r)
	})
}

// through is the last day to simulate: without a flag, the last that is paid.
func (c *simulateCmd) through(ctx context.Context, db *store.DB) (staking.Day, error) {
	if c.Through != nil {
		return *c.Through, nil
	}
	last, err := simulation.LastPaid(ctx, db.Reader(), c.Token)
	if err == nil && last < c.From {
		err = ledger.ErrInvalid.In("from", "the last day that is paid for all these tokens is %s, before %s", last,
			c.From).Because(simulation.ReasonUnpaid)
	}
	return last, err
}

// change is what the file and the flags make of recorded terms.
func (c *simulateCmd) change(ctx context.Context, env *Env, db *store.DB) (
	func(ledger.Asset, staking.Day, staking.Terms) (staking.Terms, error), error) {
	lines, err := readTermsFile(ctx, env, db, c.Terms)
	if err != nil {
		return nil, err
	}
	return func(asset ledger.Asset, d staking.Day, t staking.Terms) (_ staking.Terms, err error) {
		if line, holds := lines.on(asset.Symbol, d); holds {
			if t, err = line.change().Hypothetical().Apply(asset, t); err != nil {
				return t, fmt.Errorf("%s, from %s on: %w", c.Terms, line.From, err)
			}
		}
		if c.termsFlags == (termsFlags{}) {
			return t, nil
		}
		return staking.TermsChange(c.termsFlags).Hypothetical().Apply(asset, t)
	}, nil
}

type (
	simulationJSON struct {
		From    staking.Day          `json:"from"`
		Through staking.Day          `json:"through"`
		Tokens  []simulatedTokenJSON `json:"tokens"`
	}
	simulatedTokenJSON struct {
		Asset    string              `json:"asset"`
		Before   string              `json:"before"` // by the recorded terms
		After    string              `json:"after"`  // by the simulated ones
		Change   string              `json:"change"` // after less before
		Declared string              `json:"declared"`
		Days     []simulatedDayJSON  `json:"days"`
		Holders  changedHoldersJSON  `json:"holders"`
		Deciles  []decileJSON        `json:"deciles"`
		Income   simulatedIncomeJSON `json:"income"`
		Pool     string              `json:"pool"`
		Reserved string              `json:"reserved"`           // of the pool
		DaysLeft *int64              `json:"daysLeft,omitempty"` // absent: it costs nothing, or income pays for it
	}
	simulatedDayJSON struct {
		Day           staking.Day `json:"day"`
		HoldersBefore int64       `json:"holdersBefore"`
		Before        string      `json:"before"`
		HoldersAfter  int64       `json:"holdersAfter"`
		After         string      `json:"after"`
	}
	changedHoldersJSON struct {
		More int64 `json:"more"`
		Less int64 `json:"less"`
		Same int64 `json:"same"`
		New  int64 `json:"new"`
		Lost int64 `json:"lost"`
	}
	decileJSON struct {
		Decile     int    `json:"decile"` // 1: the smallest
		Holders    int64  `json:"holders"`
		Least      string `json:"leastAverage"`
		Most       string `json:"mostAverage"`
		Mean       string `json:"meanAverage"`
		Before     string `json:"before"`
		After      string `json:"after"`
		RateBefore string `json:"rateBefore"`
		RateAfter  string `json:"rateAfter"`
	}
	simulatedIncomeJSON struct {
		Gross     string `json:"gross"`
		Earlier   string `json:"fromEarlier"` // what periods before these days left; below zero: what they lost
		FeeBefore string `json:"feeBefore"`
		FeeAfter  string `json:"feeAfter"`
		Missing   bool   `json:"missing"`
		Undivided int    `json:"undivided"`
		Partly    int    `json:"partly"`
	}
)

func formatSimulation(r simulation.Result) simulationJSON {
	j := simulationJSON{From: r.From, Through: r.Through, Tokens: []simulatedTokenJSON{}}
	for _, t := range r.Tokens {
		a := t.Asset
		v := simulatedTokenJSON{
			Asset: a.Symbol, Before: a.Format(t.Before), After: a.Format(t.After), Change: a.Format(t.After - t.Before),
			Declared: a.Format(t.Declared), Days: []simulatedDayJSON{}, Holders: changedHoldersJSON(t.Holders),
			Deciles: []decileJSON{}, Pool: a.Format(t.Pool), Reserved: a.Format(t.Reserved),
			Income: simulatedIncomeJSON{a.Format(t.Income.Gross), a.Format(earlierUnits(t)),
				a.Format(t.Income.FeeBefore), a.Format(t.Income.FeeAfter), t.Income.Missing, t.Income.Undivided,
				t.Income.Partly},
		}
		if t.Lasts {
			v.DaysLeft = &t.DaysLeft
		}
		for _, d := range t.Days {
			v.Days = append(v.Days, simulatedDayJSON{d.Day, d.Before.Holders, a.Format(d.Before.Total), d.After.Holders,
				a.Format(d.After.Total)})
		}
		for _, d := range t.Deciles {
			v.Deciles = append(v.Deciles, decileJSON{d.Number, d.Holders, a.Format(d.Least), a.Format(d.Most),
				a.Format(d.Mean), a.Format(d.Before), a.Format(d.After), d.RateBefore.String(), d.RateAfter.String()})
		}
		j.Tokens = append(j.Tokens, v)
	}
	return j
}

// writeSimulationCSV writes a line for each token and day.
func writeSimulationCSV(w io.Writer, r simulation.Result) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"day", "asset", "holdersBefore", "before", "holdersAfter", "after"}); err != nil {
		return err
	}
	for _, t := range formatSimulation(r).Tokens {
		for _, d := range t.Days {
			if err := out.Write([]string{d.Day.String(), t.Asset, strconv.FormatInt(d.HoldersBefore, 10), d.Before,
				strconv.FormatInt(d.HoldersAfter, 10), d.After}); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// writeSimulation writes tables: days, tokens, tenths of the holders; and what is to be said of tokens.
func writeSimulation(env *Env, r simulation.Result) error {
	if err := env.printf("%s to %s. Before: by the recorded terms. After: by the simulated ones, on the same balances.\n",
		r.From, r.Through); err != nil {
		return err
	}
	days := newGrid(text("day"), text("token"), figure("holders before"), figure("holders after"), figure("before"),
		figure("after"), figure("change"))
	tokens := newGrid(text("token"), figure("before"), figure("after"), figure("change"), figure("more"), figure("less"),
		figure("same"), figure("new"), figure("lost"), figure("in the pool"), figure("for days"))
	// They fit a terminal of 80 columns. JSON has the smallest and the largest average of each, and all digits.
	sizes := newGrid(text("token"), figure("tenth"), figure("holders"), figure("average"), figure("before"),
		figure("after"), figure("% before"), figure("% after"))
	var notes []string
	for i, j := range formatSimulation(r).Tokens {
		t := r.Tokens[i]
		notes = append(notes, simulationNotes(t, r.Through)...)
		if len(t.Deciles) == 0 {
			continue
		}
		for n, d := range j.Days {
			if d.HoldersBefore+d.HoldersAfter > 0 {
				days.add(d.Day.String(), j.Asset, number(d.HoldersBefore), number(d.HoldersAfter), d.Before, d.After,
					t.Asset.Format(t.Days[n].After.Total-t.Days[n].Before.Total))
			}
		}
		left := none
		if j.DaysLeft != nil {
			left = number(*j.DaysLeft)
		}
		h := j.Holders
		tokens.add(j.Asset, j.Before, j.After, j.Change, number(h.More), number(h.Less), number(h.Same), number(h.New),
			number(h.Lost), j.Pool, left)
		for n, d := range j.Deciles {
			sizes.add(j.Asset, strconv.Itoa(d.Decile), number(d.Holders), inShort(t.Asset, t.Deciles[n].Mean), d.Before, d.After,
				percent(t.Deciles[n].RateBefore), percent(t.Deciles[n].RateAfter))
		}
	}
	if len(tokens.rows) == 0 {
		notes = slices.Insert(notes, 0, "Nobody earns with these tokens on these days, by either terms.")
	}
	for _, g := range []*grid{days, tokens, sizes} {
		if len(g.rows) == 0 {
			continue
		}
		if err := cmp.Or(env.printf("\n"), g.write(env.Stdout)); err != nil {
			return err
		}
	}
	for i, note := range notes {
		before := ""
		if i == 0 {
			before = "\n"
		}
		if err := env.printf("%s%s\n", before, note); err != nil {
			return err
		}
	}
	return nil
}

// inShort is an amount with four decimals at most, rounded down.
func inShort(a ledger.Asset, n ledger.Amount) string {
	const digits = 4
	if a.Scale <= digits {
		return a.Format(n)
	}
	units := ledger.Amount(1)
	for range a.Scale - digits {
		units *= 10
	}
	return a.Format(n - n%units)
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// earlierUnits is what comes from earlier periods, towards zero: part of a smallest unit is what rounding has left.
func earlierUnits(t simulation.Token) ledger.Amount {
	earlier := t.Income.Earlier
	if earlier.Units < 0 && earlier.Part > 0 {
		earlier.Units++
	}
	return earlier.Units
}

// simulationNotes are what a table has no place for.
func simulationNotes(t simulation.Token, through staking.Day) (notes []string) {
	a := t.Asset
	if t.Income.Missing {
		notes = append(notes, a.Symbol+": no income recorded for a period in these days; in the mode share it costs nothing.")
	} else if t.Income.Gross != 0 {
		notes = append(notes, a.Symbol+": the income is "+withUnit(a, t.Income.Gross)+"; of it the operator keeps "+
			withUnit(a, t.Income.FeeAfter)+", and kept "+withUnit(a, t.Income.FeeBefore)+".")
	}
	switch earlier := earlierUnits(t); {
	case earlier < 0:
		notes = append(notes, a.Symbol+": from earlier periods: "+withUnit(a, earlier)+
			", a loss of periods before these days, is borne by their income after.")
	case earlier > 0:
		notes = append(notes, a.Symbol+": from earlier periods: "+withUnit(a, earlier)+
			", which periods before these days left, is divided with their income after.")
	}
	if t.Income.Undivided > 0 {
		notes = append(notes, a.Symbol+": of "+count(t.Income.Undivided, "period", "periods")+
			" nobody has a share; the next one has it.")
	}
	if t.Income.Partly > 0 {
		notes = append(notes, a.Symbol+": "+count(t.Income.Partly, "income is", "incomes are")+
			" left out: only a part of the period is simulated.")
	}
	if t.Reserved > 0 {
		notes = append(notes, a.Symbol+": of the pool, "+withUnit(a, t.Reserved)+
			" is reserved for income and campaigns that are not distributed yet and for what holders carry.")
	}
	if t.Declared != t.Before {
		notes = append(notes, a.Symbol+": these days were paid "+withUnit(a, t.Declared)+
			". Before counts the income of periods in these days instead, whenever it was divided.")
	}
	return notes
}
