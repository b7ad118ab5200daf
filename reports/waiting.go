package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// WaitingDays are an account's days of a token that are accrued in the mode share, and whose
// income is not divided yet: those whose income was entered on one day, and those of which none was.
type WaitingDays struct {
	Asset       string
	First, Last staking.Day
	Entered     staking.Day // on which their income was entered, with whose reward they are paid; 0: it is not known yet
	Days        int         // that weigh; there may be others between
	Integral    staking.Integral
	// What they come to at the net rate of the last paid period, each day rounded down: an
	// estimate that promises nothing. It is known where Offer is read, and a period was paid.
	Estimate      ledger.Amount
	EstimateKnown bool
	Rate          Rate // of the estimate
}

// waitingReach is how many days back days are looked for that wait: no period is longer.
const waitingReach = 366

// tokenDay is a day of a token.
type tokenDay struct {
	asset string
	day   staking.Day
}

// readWaiting reads the days that wait for their income. There are as many reads by key as
// days since the last paid period.
func (r *reading) readWaiting() error {
	from := max(r.Today-waitingReach, r.rs.FirstDay())
	modes, err := db.All(r.t, scan(func(row db.Row) staking.Terms {
		return staking.Terms{Asset: row.Text(0), From: staking.Day(row.Int(1)), Mode: staking.Mode(row.Int(2))}
	}), `SELECT t.asset, t.from_day, t.mode FROM terms t
	      WHERE t.revision = (SELECT max(r.revision) FROM terms r WHERE r.asset = t.asset AND r.from_day = t.from_day)
	        AND t.asset IN (SELECT s.asset FROM terms s WHERE s.mode = $1)
	      ORDER BY t.asset, t.from_day`, int64(staking.Share))
	if err != nil || modes == nil {
		return err
	}
	waits := r.undivided(modes, from)
	err = r.t.Query(func(row db.Row) error {
		for d := max(staking.Day(row.Int(1)), from); d <= min(staking.Day(row.Int(2)), r.Yesterday()); d++ {
			delete(waits, tokenDay{row.Text(0), d})
		}
		return nil
	}, "SELECT asset, first_day, last_day FROM distributions WHERE last_day >= $1", int64(from))
	if err != nil {
		return err
	}
	entered, err := r.readEntered(waits, from)
	if err != nil {
		return err
	}
	return r.sumWaiting(slices.Collect(maps.Keys(waits)), entered)
}

// readEntered reads of which of the days the income is entered, and when: it is divided when that day is settled.
func (r *reading) readEntered(waits map[tokenDay]bool, from staking.Day) (map[tokenDay]staking.Day, error) {
	entered := map[tokenDay]staking.Day{}
	if len(waits) == 0 {
		return entered, nil
	}
	err := r.t.Query(func(row db.Row) error {
		on := staking.DayOf(db.TimeOf(row.Int(3)))
		for d := max(staking.Day(row.Int(1)), from); d <= min(staking.Day(row.Int(2)), r.Yesterday()); d++ {
			if k := (tokenDay{row.Text(0), d}); waits[k] && (entered[k] == 0 || on < entered[k]) {
				entered[k] = on
			}
		}
		return nil
	}, "SELECT asset, first_day, last_day, at FROM incomes WHERE last_day >= $1 AND mode = $2", int64(from),
		int64(staking.Share))
	return entered, err
}

// undivided are the days in the mode share that are paid in the account's bucket and that an
// enrollment covers.
func (r *reading) undivided(modes []staking.Terms, from staking.Day) map[tokenDay]bool {
	days := map[tokenDay]bool{}
	for i, m := range modes {
		through := min(r.token(m.Asset).accrued, r.Yesterday())
		if i+1 < len(modes) && modes[i+1].Asset == m.Asset {
			through = min(through, modes[i+1].From-1)
		}
		for d := max(m.From, from); m.Mode == staking.Share && d <= through; d++ {
			if r.Covers(d) {
				days[tokenDay{m.Asset, d}] = true
			}
		}
	}
	return days
}

// sumWaiting sums what the account's days weigh, by token and by the day on which their income was entered.
func (r *reading) sumWaiting(days []tokenDay, entered map[tokenDay]staking.Day) error {
	found := map[tokenDay]*WaitingDays{}
	err := r.t.QuerySet(func(row db.Row) error {
		a := staking.Accrual{
			Day: staking.Day(row.Int(0)), Asset: row.Text(1), Eligible: ledger.Amount(row.Int(2)), EligibleRest: row.Int(3),
		}
		if a.EligibleIntegral() == (staking.Integral{}) {
			return nil
		}
		on := entered[tokenDay{a.Asset, a.Day}]
		w := found[tokenDay{a.Asset, on}]
		if w == nil {
			w = &WaitingDays{Asset: a.Asset, First: a.Day, Entered: on, Rate: r.rates[a.Asset]}
			w.EstimateKnown = w.Rate.Known && w.Rate.Mode == staking.Share
			found[tokenDay{a.Asset, on}] = w
		}
		w.First, w.Last, w.Days = min(w.First, a.Day), max(w.Last, a.Day), w.Days+1
		w.Integral = w.Integral.Add(a.EligibleIntegral())
		units, ok := staking.EstimateDay(a.EligibleIntegral(), w.Rate.Net)
		sum, err := w.Estimate.Add(units)
		w.EstimateKnown = w.EstimateKnown && ok && err == nil // a rate of dust may be beyond all numbers
		if w.EstimateKnown {
			w.Estimate = sum
		}
		return nil
	}, `SELECT a.day, a.asset, a.eligible, a.eligible_rest FROM {rows} JOIN accruals a
	       ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.asset = r.asset`,
		db.SetOf(days,
			db.Int("bucket", func(tokenDay) int64 { return int64(r.id.Bucket()) }),
			db.Int("day", func(d tokenDay) int64 { return int64(d.day) }),
			db.Text("account", func(tokenDay) string { return string(r.id) }),
			db.Text("asset", func(d tokenDay) string { return d.asset })))
	if err != nil {
		return fmt.Errorf("read what waits for its income: %w", err)
	}
	for _, w := range found {
		r.Waiting = append(r.Waiting, *w)
	}
	slices.SortFunc(r.Waiting, func(a, b WaitingDays) int {
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.First, b.First), cmp.Compare(a.Entered, b.Entered))
	})
	return nil
}
