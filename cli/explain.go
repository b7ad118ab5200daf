package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// explainCmd shows how a reward came about.
type explainCmd struct {
	Account ledger.Account `arg:""`
	Day     staking.Day    `arg:"" help:"Day that was measured, such as 2026-11-23."`
	Asset   string         `arg:"" help:"Token."`
	With    []string       `sep:"none" placeholder:"ENTRY" help:"An entry that came late, as a line of JSON, or a file of such lines: show what the day would have earned with it. Nothing is written."`
	JSON    bool           `help:"Print a JSON object."`
}

func (c *explainCmd) Help() string {
	return `It says each change of the day, the average or the smallest balance, what of it earned, the rate, the rounding and the fraction carried; or why there was no reward. A day that is not over is measured as if nothing moved any more.

Example:

  softstake explain alice 2026-11-23 BNB

With an entry that came too late for the day, it shows what is missing; "compensate" makes it good:

  softstake explain alice 2026-11-23 BNB --with '{"id":"d-9","kind":"deposit","at":"2026-11-23T06:00:00Z","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}'`
}

func (c *explainCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		if c.With != nil {
			return c.propose(ctx, env, db)
		}
		e, err := reports.New(db.Reader()).Explain(ctx, c.Account, c.Day, c.Asset)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(env.Stdout, formatExplanation(e))
		}
		return writeExplanation(env, e)
	})
}

// propose shows what the day would have earned with other entries.
func (c *explainCmd) propose(ctx context.Context, env *Env, db *store.DB) error {
	entries, err := env.readProposed(ctx, db, c.With)
	if err != nil {
		return err
	}
	p, err := reports.New(db.Reader()).Propose(ctx, c.Account, c.Day, c.Asset, entries)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(env.Stdout, formatProposal(p))
	}
	return writeProposal(env, p)
}

type (
	explanationJSON struct {
		Day      staking.Day    `json:"day"`
		Account  ledger.Account `json:"account"`
		Asset    string         `json:"asset"`
		Enrolled bool           `json:"enrolled"`
		Excluded string         `json:"excludedBy,omitempty"` // the product because of which it is not measured
		Over     bool           `json:"over"`
		Earned   bool           `json:"earned"`
		Paid     bool           `json:"paid"`
		PaidAt   *instant       `json:"creditedAt,omitempty"`
		Reason   string         `json:"reason,omitempty"`
		Itself   string         `json:"dayItself,omitempty"` // why the day itself earns nothing, beside its shares
		Terms    *figuresJSON   `json:"terms,omitempty"`     // absent: the token had none yet
		Opening  string         `json:"opening"`
		Changes  []changeJSON   `json:"changes"`
		Average  string         `json:"average"`
		Together *togetherJSON  `json:"together,omitempty"` // absent: minimum and cap are compared with this account alone
		Eligible string         `json:"eligible"`
		Reward   string         `json:"reward"`
		Working  *workingJSON   `json:"working,omitempty"` // absent: nothing is earned

		Shares    []shareJSON         `json:"shares,omitempty"`
		Campaigns []campaignShareJSON `json:"campaigns,omitempty"`
		Weighing  *weighingJSON       `json:"weighing,omitempty"`

		Compensations []compensationJSON `json:"compensations,omitempty"`
	}
	// togetherJSON is what the accounts of the owner were measured at together.
	togetherJSON struct {
		Average   string `json:"average"`
		Integral  string `json:"integral"`
		CapShared bool   `json:"capShared"`
	}
	// workingJSON is the exact calculation in whole numbers, which no program reads as floats.
	workingJSON struct {
		Integral  string `json:"integral"` // of the balance over the day: smallest units × milliseconds
		Earning   string `json:"earning"`  // the part of it that earns
		Rate      string `json:"rate"`     // a year, in 1e-8
		Before    string `json:"carriedBefore"`
		Shared    string `json:"shared"`
		Numerator string `json:"numerator"`
		Divisor   string `json:"divisor"`
		Units     string `json:"units"`
		After     string `json:"carriedAfter"`
	}
	compensationJSON struct {
		Entry  string  `json:"entry"`
		Amount string  `json:"amount"`
		At     instant `json:"at"`
	}
	changeJSON struct {
		At      instant        `json:"at"`
		Entry   string         `json:"entry"`
		Kind    ledger.Kind    `json:"kind"`
		Change  string         `json:"change"`
		Balance string         `json:"balance"`
		Other   ledger.Account `json:"counterparty"`
	}
)

func formatExplanation(e reports.Explanation) explanationJSON {
	a, m := e.Asset, e.Measured
	j := explanationJSON{
		Day: m.Day, Account: m.Account, Asset: m.Asset,
		Enrolled: e.Enrolled, Excluded: e.Excluded, Over: e.Over, Earned: e.Earned, Paid: e.Paid, Reason: e.Reason,
		Itself:  e.ItselfReason,
		Opening: a.Format(m.Opening), Changes: []changeJSON{}, Average: a.Format(m.Average), Eligible: "0", Reward: "0",
	}
	if e.TermsKnown {
		figures := formatFigures(a, e.Terms)
		j.Terms = &figures
	}
	if e.Together != (staking.Integral{}) {
		together, _ := e.Compared()
		j.Together = &togetherJSON{a.Format(together), e.Together.String(), e.Earned && e.CapShared()}
	}
	if e.Earned {
		p := e.Paper()
		j.Eligible, j.Reward = a.Format(m.Eligible), a.Format(m.Reward)
		j.Working = &workingJSON{
			p.Integral.String(), p.Earning.String(), strconv.FormatInt(int64(m.APR), 10), strconv.FormatInt(int64(m.Before), 10),
			p.Shared.String(), p.Numerator.String(), p.Divisor.String(), p.Units.String(), p.Carry.String(),
		}
		j.Shares, j.Weighing = formatShares(a, p.Shares), formatWeighing(a, e.Weighing)
		j.Campaigns = formatCampaignShares(a, p.Shares)
	}
	if e.Paid {
		j.PaidAt = (*instant)(&e.PaidAt)
	}
	for _, c := range e.Changes {
		j.Changes = append(j.Changes, changeJSON{instant(c.At), c.Entry, c.Kind, a.Format(c.Amount), a.Format(c.Balance),
			c.Other})
	}
	for _, c := range e.Compensations {
		j.Compensations = append(j.Compensations, compensationJSON{c.Entry, a.Format(c.Amount), instant(c.At)})
	}
	return j
}

// writeExplanation writes the day as one would work it out on paper.
func writeExplanation(env *Env, e reports.Explanation) error {
	a, m := assets{e.Asset.Symbol: e.Asset}, e.Measured
	grid := newGrid(text("when"), figure("change"), figure("balance"), text("what"))
	grid.add("00:00:00", "", a.with(m.Asset, m.Opening), "when the day began")
	for _, c := range e.Changes {
		_, clock, _ := strings.Cut(clockTime(c.At), " ")
		grid.add(clock, a.signed(m.Asset, c.Amount), a.with(m.Asset, c.Balance),
			fmt.Sprintf("%s %s, with %s", c.Kind, c.Entry, c.Other))
	}
	lines := sum(e)
	for _, c := range e.Compensations {
		lines = append(lines, [2]string{"compensated", withUnit(e.Asset, c.Amount) + " at " + wallTime(c.At) + " UTC, as " +
			c.Entry})
	}
	why := ""
	if hint := hintOf(e.Waits); hint != "" {
		why = fmt.Sprintf("\n%s\nTo have it settled: %s.\n", e.Reason, hint)
	} else if e.Reason != "" {
		why = "\n" + e.Reason + "\n"
	}
	return cmp.Or(writeDay(env, m), grid.write(env.Stdout), env.printf("\n"), facts(env.Stdout, lines...),
		env.printf("%s", why))
}

// writeDay writes what is explained.
func writeDay(env *Env, m staking.Accrual) error {
	return env.printf("%s, %s, %s from 00:00 to 24:00 UTC\n\n", m.Account, m.Asset, m.Day)
}

// sum is the working-out, line by line.
func sum(e reports.Explanation) [][2]string {
	a, m, t := e.Asset, e.Measured, e.Terms
	average := withUnit(a, m.Average)
	if m.Rest > 0 {
		average += fmt.Sprintf(" and %d/%d of its smallest unit", m.Rest, staking.DayMillis)
	}
	lines := [][2]string{{measured(t), average}}
	if !e.TermsKnown {
		return lines
	}
	if e.Measures() {
		lines = append(lines, limitLines(e)...)
		if t.Mode == staking.Fixed {
			lines = append(lines, [2]string{"rate", percent(t.APR) + " % a year"})
		}
	}
	if !e.Earned {
		return lines
	}
	lines = append(lines, weighingLines(a, e.Weighing)...)
	p := e.Paper()
	if t.Mode == staking.Fixed && !e.OnlyShares {
		lines = append(lines, [2]string{"of the day", fmt.Sprintf("%s %s × %s / 365 = %s %s",
			overDay(a, p.Earning, 1, shownDigits), a.Symbol, m.APR, inDigits(p.Interest, a.Scale), a.Symbol)})
	}
	if e.ItselfReason != "" {
		lines = append(lines, [2]string{"of the day", e.ItselfReason})
	}
	lines = append(lines, shareLines(a, p.Shares)...)
	lines = append(lines,
		[2]string{"carried here", "+ " + fraction(m.Before) + " of the smallest unit, from the reward before"},
		[2]string{"reward", withUnit(a, m.Reward)},
		[2]string{"carried on", fraction(m.Carry) + " of the smallest unit, to the next reward"})
	if e.Paid {
		lines = append(lines, [2]string{"credited", wallTime(e.PaidAt) + " UTC"})
	}
	return lines
}

// limitLines are minimum and cap, and what is compared with them.
func limitLines(e reports.Explanation) (lines [][2]string) {
	a, t, joint := e.Asset, e.Terms, e.Together != (staking.Integral{})
	minimum, limit := "reached", "not reached"
	if e.Below() {
		minimum = "not reached"
	}
	average, rest := e.Compared()
	switch {
	case e.CapShared():
		limit = "reached; the accounts of the owner share it, in proportion"
	case average >= t.Cap:
		limit = "reached; what is above earns nothing"
	}
	if joint {
		lines = append(lines, [2]string{"together", a.Format(average) + more(rest > 0) + " " + a.Symbol +
			", the " + measured(t) + " of all accounts of the owner: minimum and cap are theirs together"})
	}
	lines = append(lines, [2]string{"minimum", withUnit(a, t.Min) + ", " + minimum},
		[2]string{"cap", withUnit(a, t.Cap) + ", " + limit})
	if p := e.Paper(); e.Earned && e.CapShared() && !e.OnlyShares {
		lines = append(lines, [2]string{"part of the cap", fmt.Sprintf("%s × %s / %s = %s", a.Format(t.Cap),
			overDay(a, p.Integral, 1, shownDigits), overDay(a, p.Together, 1, shownDigits),
			overDay(a, p.Earning, 1, shownDigits)+" "+a.Symbol)})
	}
	return lines
}

// measured is what of a day counts.
func measured(t staking.Terms) string {
	if t.Measure == staking.Lowest {
		return "smallest balance"
	}
	return "average"
}

// shownDigits is how many digits of a smallest unit are shown.
const shownDigits = 8

// fraction is a part of a smallest unit, with some digits.
func fraction(f staking.Fraction) string { return inDigits(big.NewInt(int64(f)), 0) }

// inDigits writes so many Units as a decimal number of whole tokens of a scale,
// rounded down, with dots where there is more.
func inDigits(units *big.Int, scale int) string {
	s, exact := reports.UnitsDecimal(units, scale, shownDigits)
	return s + more(!exact)
}

// overDay writes smallest units × milliseconds, multiplied by times, as whole tokens over a whole day, with some
// digits below the smallest unit.
func overDay(a ledger.Asset, integral *big.Int, times int64, digits int) string {
	s, exact := reports.DaysDecimal(integral, times, a.Scale, digits)
	return s + more(!exact)
}

// weight is an integral in tokens × day, as it weighs.
func weight(a ledger.Asset, integral *big.Int, times int64) string {
	return overDay(a, integral, times, shownDigits) + " " + a.Symbol + " × day"
}

// proposedEntries is how many entries "explain --with" takes at most.
const proposedEntries = 1000

// readProposed reads the entries of --with: each is an entry as a line of JSON, or a file of such lines.
func (env *Env) readProposed(ctx context.Context, db *store.DB, with []string) (entries []ledger.Entry, err error) {
	parse := entryParser{asset: db.Asset, authoritative: true}
	for _, text := range with {
		var in io.ReadCloser = io.NopCloser(strings.NewReader(text))
		where := "--with"
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			where = text
			if in, _, err = env.file(text); err != nil {
				return nil, err
			}
		}
		read, err := readEntries(ctx, in, &parse, where, proposedEntries-len(entries))
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		entries = append(entries, read...)
	}
	return entries, nil
}

// readEntries reads entries from lines of JSON, most of them at most.
func readEntries(ctx context.Context, in io.Reader, parse *entryParser, where string, most int) (entries []ledger.Entry,
	err error) {
	err = eachLine(in, func(line inputLine) error {
		e, err := parse.line(ctx, line)
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", where, line.n, err)
		}
		if entries = append(entries, e); len(entries) > most {
			return fmt.Errorf("%s: more than %d entries; ask for fewer at once", where, proposedEntries)
		}
		return nil
	})
	return entries, err
}

// proposalJSON is what a day would have earned with entries that came late.
type proposalJSON struct {
	Reward      string `json:"reward"`
	With        string `json:"rewardWith"`
	Average     string `json:"averageWith"`
	Difference  string `json:"difference"`
	Compensated string `json:"compensated"`
	Missing     string `json:"missing"`
}

func formatProposal(p reports.Proposal) proposalJSON {
	a := p.Was.Asset
	was, with := rewardsOf(p)
	return proposalJSON{a.Format(was), a.Format(with), a.Format(p.With.Average), a.Format(p.Difference),
		a.Format(p.Compensated), a.Format(p.Missing())}
}

// rewardsOf are the day's reward as it is, and with the entries.
func rewardsOf(p reports.Proposal) (was, with ledger.Amount) {
	if p.Was.Earned {
		was = p.Was.Measured.Reward
	}
	if p.Earned {
		with = p.With.Reward
	}
	return was, with
}

// writeProposal writes the difference, and the command that makes it good.
func writeProposal(env *Env, p reports.Proposal) error {
	a, m := p.Was.Asset, p.Was.Measured
	was, with := rewardsOf(p)
	err := cmp.Or(writeDay(env, m), facts(env.Stdout,
		[2]string{measured(p.Was.Terms), withUnit(a, m.Average) + "; with the entries " + withUnit(a, p.With.Average)},
		[2]string{"reward", withUnit(a, was)},
		[2]string{"with the entries", withUnit(a, with)},
		[2]string{"difference", withUnit(a, p.Difference)},
		[2]string{"compensated", withUnit(a, p.Compensated)},
		[2]string{"missing", withUnit(a, p.Missing())}))
	if err != nil {
		return err
	}
	if p.Missing() == 0 || !p.Was.Paid && p.Was.Earned {
		return nil
	}
	return env.printf("\nsoftstake compensate %s %s %s %s --name NAME --reason TEXT\n", m.Account, m.Day, m.Asset,
		a.Format(p.Missing()))
}

// more shows that a figure goes on.
func more(is bool) string {
	if is {
		return "…"
	}
	return ""
}
