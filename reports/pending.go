package reports

import (
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/staking"
)

// PendingReward is the oldest reward of a token that is not credited yet.
type PendingReward struct {
	staking.Accrual // as the run wrote it or, where it has not come to it yet, as measured

	Days  int          // that are measured, from its own through the last that is over: credited one after the other
	Waits bool         // for the operator: there are not enough funds, or a limit is exceeded
	Mode  staking.Mode // of its day: in the mode share only shares of income make a reward
}

// backlog is how many days a token that is behind is measured back for, where the run
// has written nothing yet: what there is to read does not grow with the delay.
const backlog = 7

// readPaid reads what the last day that is over paid.
func (r *reading) readPaid() error {
	err := r.t.Query(func(row db.Row) error {
		r.Paid = append(r.Paid, Reward{Accrual: readAccrual(row), PaidAt: db.TimeOf(row.Int(12))})
		return nil
	}, `SELECT `+accrualColumns+`, p.paid_at FROM accruals a CROSS JOIN payments p
	     WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3
	       AND p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset AND `+rewarding+`
	     ORDER BY a.asset`, int64(r.id.Bucket()), int64(r.Yesterday()), string(r.id))
	if err != nil {
		return err
	}
	return priceRewards(r.t, r.Paid)
}

// readWritten reads what the run has written of the rewards that are not paid.
func (r *reading) readWritten() error {
	for _, symbol := range slices.Sorted(maps.Keys(r.tokens)) {
		if t := r.tokens[symbol]; t.settled && r.firstMeasured(t.Asset, t.paid+1, r.Yesterday()) != 0 {
			r.owed = append(r.owed, t)
		}
	}
	if r.owed == nil {
		return nil
	}
	return r.t.QuerySet(func(row db.Row) error {
		a := readAccrual(row)
		r.tokens[a.Asset].written = a
		return nil
	}, "SELECT "+accrualColumns+` FROM {rows} JOIN accruals a
	       ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.asset = r.asset`,
		db.SetOf(r.owed,
			db.Int("bucket", func(*token) int64 { return int64(r.id.Bucket()) }),
			db.Int("day", func(t *token) int64 { return int64(t.paid) + 1 }),
			db.Text("account", func(*token) string { return string(r.id) }),
			db.Text("asset", func(t *token) string { return t.Asset })))
}

// measuredFrom is the first day of which a reward that the run has not written is measured.
func (r *reading) measuredFrom(t *token) staking.Day { return max(t.accrued+1, r.Today-backlog) }

// firstMeasured is the first day on which a token is measured of those from a day through another, or 0.
func (r *reading) firstMeasured(asset string, from, through staking.Day) staking.Day {
	for d := from; d <= through; d++ {
		if r.Measures(asset, d) {
			return d
		}
	}
	return 0
}

// readPending says which rewards are pending.
func (r *reading) readPending() error {
	for _, t := range r.owed {
		if t.written.Day == 0 {
			if err := r.measure(t); err != nil {
				return err
			}
		}
		if t.written.Day == 0 {
			continue
		}
		reward := PendingReward{Accrual: t.written}
		for d := t.written.Day; d < r.Today; d++ {
			if r.Measures(t.Asset, d) {
				reward.Days++
			}
		}
		if t.accrued > t.paid { // else the run has not come to it
			why, err := r.rs.waiting(r.t, t.Asset, t.paid+1)
			if err != nil {
				return err
			}
			reward.Waits = why != nil
		}
		terms, err := r.termsOn(reward.Day)
		if err != nil {
			return err
		}
		reward.Mode = terms[t.Asset].Mode
		r.Pending = append(r.Pending, reward)
	}
	return nil
}

// measure finds the oldest reward of a token that the run has not written.
func (r *reading) measure(t *token) error {
	for d := r.measuredFrom(t); t.moved && d < r.Today; d++ {
		if !r.Measures(t.Asset, d) {
			continue
		}
		terms, err := r.termsOn(d)
		if err != nil {
			return err
		}
		h := r.holdingOn(d, t, terms[t.Asset].Measure)
		if terms[t.Asset].PerOwner {
			if h.OwnerIntegral, err = holding.OwnerIntegral(r.t, r.id, d, terms[t.Asset]); err != nil {
				return err
			}
		}
		if a, earned := staking.Accrue(d, terms[t.Asset], h); earned {
			t.written = a
			return nil
		}
	}
	return nil
}
