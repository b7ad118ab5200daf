package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Weight is what an account weighs on a day of a token in the mode share whose income is not distributed yet: its
// eligible integral, of everybody's. The day is paid, and its share comes when the income is known.
type Weight struct {
	Asset      string
	Day        staking.Day
	Own, Total staking.Integral // in unit-milliseconds
}

// Weights are the days that an account has earned on and whose income is not distributed yet, by token and day. More
// income of a day that was distributed makes it one of them until that is distributed too.
func (rs *Reports) Weights(ctx context.Context, id ledger.Account) ([]Weight, error) {
	return read(ctx, rs, "read what "+string(id)+" waits for", func(t db.View) (all []Weight, err error) {
		enrollments, err := store.EnrollmentsOf(t, id)
		if err != nil || len(enrollments) == 0 {
			return nil, err
		}
		first := enrollments[0].From
		for _, e := range enrollments {
			first = min(first, e.From)
		}
		tokens, err := store.SharedTokens(t, id)
		if err != nil {
			return nil, err
		}
		for _, token := range tokens {
			days, err := store.UndistributedDays(t, token.Asset, first, token.Day)
			if err != nil {
				return nil, err
			}
			some, err := weightsOn(t, id, token.Asset, days)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	})
}

// weightsOn are those of an account on some days of a token on which it weighs anything.
func weightsOn(t db.View, id ledger.Account, token string, days []staking.Day) ([]Weight, error) {
	return db.AllOf(t, func(r db.Row) (Weight, error) {
		own, total := holding.ReadWeight(r, 1), holding.ReadWeight(r, 3)
		return Weight{Asset: token, Day: staking.Day(r.Int(0)), Own: own, Total: total}, nil
	}, `SELECT r.day, a.eligible, a.eligible_rest,
	           (SELECT d.eligible FROM declarations d WHERE d.day = r.day AND d.asset = r.asset),
	           (SELECT d.eligible_rest FROM declarations d WHERE d.day = r.day AND d.asset = r.asset)
	      FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.asset = r.asset
	                   AND (a.eligible > 0 OR a.eligible_rest > 0)
	     ORDER BY r.day`, db.SetOf(days,
		db.Int("bucket", func(staking.Day) int64 { return int64(id.Bucket()) }),
		db.Int("day", func(d staking.Day) int64 { return int64(d) }),
		db.Text("account", func(staking.Day) string { return string(id) }),
		db.Text("asset", func(staking.Day) string { return token })))
}
