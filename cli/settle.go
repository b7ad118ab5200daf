package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// settleCmd closes days and pays their rewards.
type settleCmd struct {
	Through    *staking.Day   `placeholder:"DAY" help:"Last day to settle. Without it: every day that is over."`
	Preview    bool           `help:"Print what each token's next day would pay, and the open day as it stands; close and write nothing."`
	Approve    bool           `help:"Approve the DAY of the TOKEN, which is over a limit, before settling."`
	Day        *staking.Day   `arg:"" optional:"" help:"Day to approve."`
	Token      string         `arg:"" optional:"" help:"Token to approve."`
	CloseAfter *time.Duration `placeholder:"TIME" help:"Refuse to run unless the books say the same: see \"days set-close-after\"."`
	JSON       bool           `help:"Print a JSON object."`
}

func (c *settleCmd) Help() string {
	return `Each day that is over, and takes no late entries any more ("days closing"), is closed for good, every enrolled holding is measured, and the rewards are paid. It may be run at any time, as often as wanted, from several processes, and again after an interruption: each reward is paid once.

A token whose pool is too small, or whose day is over a limit, waits with its later days; the others are paid. The exit status is 0 when everything that is due is paid, and 1 when something waits. A day that is over a limit is approved with the total that a run has worked out, and not before.

Examples:

  softstake settle
  softstake settle --preview
  softstake settle --approve 2026-11-22 BNB`
}

func (c *settleCmd) Run(env *Env) error {
	if err := c.check(); err != nil {
		return err
	}
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		if err := agreeCloseAfter(ctx, env, db, c.CloseAfter); err != nil {
			return err
		}
		if c.Preview {
			return c.preview(ctx, env, db, a)
		}
		if c.Approve {
			if err := db.Approve(ctx, *c.Day, c.Token); err != nil {
				return err
			}
			if err := env.warnf("Approved %s of %s.", c.Token, c.Day); err != nil {
				return err
			}
		}
		report, err := c.settle(ctx, env, db)
		if err == nil && report.Awaited {
			err = env.warnf("%s waits for the events of its sources: see \"softstake join status\".", report.Closed+1)
		}
		if err != nil {
			return err
		}
		return c.print(ctx, env, db, a, report)
	})
}

func (c *settleCmd) check() error {
	switch {
	case c.Approve && c.Token == "":
		return usage("say which day of which token: settle --approve 2026-11-22 BNB")
	case !c.Approve && c.Day != nil:
		return usage("a day and a token go with --approve; to settle up to a day: --through %s", c.Day)
	case c.Preview && (c.Approve || c.Through != nil):
		return usage("--preview looks at each token's next day, and goes with no other choice")
	}
	return checkCloseAfter(c.CloseAfter)
}

// runOptions are how this machine runs: one worker for SQLite, which has one
// writer, and starting anywhere, so that two processes do not meet at each batch of buckets.
func runOptions(env *Env) staking.Options {
	o := staking.Options{Workers: 1, Start: rand.IntN(ledger.Buckets)}
	if !strings.HasPrefix(env.DB, "sqlite:") {
		o.Workers = 2 * runtime.GOMAXPROCS(0) // while one waits for the disk, another works
	}
	return o
}

// settle runs, with a bar for who watches.
func (c *settleCmd) settle(ctx context.Context, env *Env, db *store.DB) (staking.Report, error) {
	closings, err := db.Closings(ctx)
	if err != nil {
		return staking.Report{}, err
	}
	o, last := runOptions(env), closings.LastOver(env.Now())
	if c.Through != nil {
		if o.Through = c.Through; *o.Through > last {
			if err := env.warnf("%s is not closed before %s UTC: settling through %s.", *o.Through,
				wallTime(closings.ClosesAt(*o.Through)), last); err != nil {
				return staking.Report{}, err
			}
		}
		last = min(last, *o.Through)
	}
	due, err := db.Due(ctx, last)
	if err != nil {
		return staking.Report{}, err
	}
	first := last
	for _, d := range due {
		first = min(first, d.Day)
	}
	// Of each day so many parts are accruing, and as many paying.
	const part = ledger.Buckets
	bar := newMeter(env, "settling", int64(last-first+1)*2*part)
	o.Progress = func(s staking.Step) {
		n := int64(s.Day-first)*2*part + int64(s.Done*part/s.Of)
		if s.Stage == "pay" {
			n += part
		}
		bar.to(n, fmt.Sprintf("%s %-6s", s.Day, s.Stage))
	}
	report, err := staking.Run(ctx, db, env.Now(), o)
	return report, errors.Join(err, bar.end())
}

type (
	settledJSON struct {
		Closed  staking.Day   `json:"closed"`
		Paid    []paidJSON    `json:"paid"`
		Waiting []waitingJSON `json:"waiting"`
	}
	paidJSON struct {
		Day     staking.Day `json:"day"`
		Asset   string      `json:"asset"`
		Holders int64       `json:"holders"`
		Total   string      `json:"total"`
	}
	waitingJSON struct {
		Day    staking.Day `json:"day"`
		Asset  string      `json:"asset"`
		Reason string      `json:"reason"`
	}
)

// print prints what was paid. Its error says what waits.
func (c *settleCmd) print(ctx context.Context, env *Env, db *store.DB, a assets, r staking.Report) error {
	paid, err := paidTotals(ctx, db, r)
	if err != nil {
		return err
	}
	if c.JSON {
		j := settledJSON{Closed: r.Closed, Paid: []paidJSON{}, Waiting: []waitingJSON{}}
		for _, t := range paid {
			j.Paid = append(j.Paid, paidJSON{t.Day, t.Asset, t.Holders, a.plain(t.Asset, t.Total)})
		}
		for _, wait := range r.Waiting {
			j.Waiting = append(j.Waiting, waitingJSON{wait.Day, wait.Asset, waitReason(wait)})
		}
		return cmp.Or(writeJSON(env.Stdout, j), waitingError(r))
	}
	switch {
	case len(paid) > 0:
		err = writePaid(env, a, paid)
	case len(r.Waiting) == 0:
		err = env.printf("Nothing is due: every day through %s is paid.\n", r.Closed)
	}
	return errors.Join(err, waitingError(r))
}

// paidTotals are the totals of the days that the run has paid.
func paidTotals(ctx context.Context, db *store.DB, r staking.Report) ([]reports.DayTotal, error) {
	if len(r.Paid) == 0 {
		return nil, nil
	}
	here := map[staking.Due]bool{}
	for _, d := range r.Paid {
		here[d] = true
	}
	all, err := reports.New(db.Reader()).DayTotals(ctx, r.Paid[0].Day, r.Paid[len(r.Paid)-1].Day)
	var paid []reports.DayTotal
	for _, t := range all {
		if here[staking.Due{Asset: t.Asset, Day: t.Day}] {
			paid = append(paid, t)
		}
	}
	return paid, err
}

// shownDays is how many days are listed one by one.
const shownDays = 7

// writePaid lists what was paid: each day, or where they are many each token.
func writePaid(env *Env, a assets, all []reports.DayTotal) error {
	first, last := all[0].Day, all[len(all)-1].Day
	when := fmt.Sprintf("%s to %s", first, last)
	if first == last {
		when = first.String()
	}
	paid := slices.DeleteFunc(slices.Clone(all), func(t reports.DayTotal) bool { return t.Holders == 0 })
	if len(paid) == 0 {
		return env.printf("Settled %s.\nNo reward was due: nobody who is enrolled held the minimum of a token that was "+
			"paid.\n", when)
	}
	if err := env.printf("Settled %s.\n\n", when); err != nil {
		return err
	}
	if last-first < shownDays {
		grid := newGrid(text("day"), text("token"), figure("holders"), figure("paid"))
		for _, t := range paid {
			grid.add(t.Day.String(), t.Asset, strconv.FormatInt(t.Holders, 10), a.plain(t.Asset, t.Total))
		}
		return grid.write(env.Stdout)
	}
	return writePaidTokens(env, a, paid)
}

// writePaidTokens lists what was paid of each token.
func writePaidTokens(env *Env, a assets, paid []reports.DayTotal) error {
	sums, order, days := map[string]reports.DayTotal{}, []string{}, map[string]int{}
	for _, t := range paid {
		if days[t.Asset]++; days[t.Asset] == 1 {
			order = append(order, t.Asset)
		}
		total, err := sums[t.Asset].Total.Add(t.Total)
		if err != nil {
			return fmt.Errorf("the total of %s: %w", t.Asset, err)
		}
		sums[t.Asset] = reports.DayTotal{Total: total, Holders: t.Holders}
	}
	grid := newGrid(text("token"), figure("days"), figure("holders on the last"), figure("paid"))
	for _, token := range order {
		grid.add(token, strconv.Itoa(days[token]), strconv.FormatInt(sums[token].Holders, 10),
			a.plain(token, sums[token].Total))
	}
	return grid.write(env.Stdout)
}

// waitingError says what waits, and what to do, or nil.
func waitingError(r staking.Report) error {
	var lines []string
	for _, wait := range r.Waiting {
		lines = append(lines, fmt.Sprintf("%s of %s waits: %s", wait.Asset, wait.Day, waitReason(wait)))
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\nsoftstake: "))
}

// waitReason is why a token waits, without what was being done when that was found.
func waitReason(w staking.Waiting) string {
	if e, is := errors.AsType[*ledger.Error](w.Reason); is {
		return plain(e)
	}
	return plain(w.Reason)
}
