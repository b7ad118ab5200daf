package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Credit is a reward as it was credited.
type Credit struct {
	Day     staking.Day // that it was earned on
	Asset   string
	Average ledger.Amount // the day's average holding, rounded down
	Reward  ledger.Amount // above zero
	PaidAt  time.Time     // when it was credited
}

// Credited are an account's rewards credited from a moment to another, both
// inclusive, of one asset or of all (""): the newest first, those of one moment by
// day, the newest first, and by asset; from the offset'th on, at most limit. total
// counts all of them. Rewards of less than one smallest unit credit nothing, and
// are not among them.
func (rs *Reports) Credited(ctx context.Context, id ledger.Account, from, to time.Time, asset string, offset,
	limit int) (credits []Credit, total int, err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, 0, err
	}
	first := from.Add(time.Millisecond - 1).UnixMilli() // of a moment between two milliseconds the later
	type due struct {
		day   staking.Day
		asset string
	}
	err = rs.Look(ctx, func(t db.View) error {
		credits = nil
		var days []staking.Day
		paid := map[due]int64{} // in the account's bucket
		err := t.Query(func(r db.Row) error {
			d := due{staking.Day(r.Int(0)), r.Text(1)}
			days, paid[d] = append(days, d.day), r.Int(2)
			return nil
		}, "SELECT day, asset, paid_at FROM payments WHERE bucket = $1 AND paid_at BETWEEN $2 AND $3 AND (asset = "+
			"$4 OR $4 = '')",
			int64(id.Bucket()), first, to.UnixMilli(), asset)
		if err != nil {
			return err
		}
		slices.Sort(days)
		return accruedOn(t, id, slices.Compact(days), func(c Credit) {
			if at, is := paid[due{c.Day, c.Asset}]; is {
				c.PaidAt = db.TimeOf(at)
				credits = append(credits, c)
			}
		})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read what was credited to %s: %w", id, err)
	}
	slices.SortFunc(credits, func(a, b Credit) int {
		return cmp.Or(b.PaidAt.Compare(a.PaidAt), cmp.Compare(b.Day, a.Day), cmp.Compare(a.Asset, b.Asset))
	})
	total = len(credits)
	credits = credits[min(offset, total):]
	return credits[:min(limit, len(credits))], total, nil
}

// accruedOn gives visit what an account accrued above zero on some days, by key: a
// join that begins with the days is not left to a planner.
func accruedOn(t db.View, id ledger.Account, days []staking.Day, visit func(Credit)) error {
	n := len(days)
	numbers := make([]int64, n)
	for i, d := range days {
		numbers[i] = int64(d)
	}
	err := t.QuerySet(func(r db.Row) error {
		visit(Credit{Day: staking.Day(r.Int(0)), Asset: r.Text(1), Average: ledger.Amount(r.Int(2)),
			Reward: ledger.Amount(r.Int(3))})
		return nil
	}, `SELECT a.day, a.asset, a.average, a.reward
	      FROM {rows} JOIN accruals a ON a.bucket = r.bucket AND a.day = r.day AND a.account = r.account AND a.reward > 0`,
		db.Set{db.Ints("bucket", slices.Repeat([]int64{int64(id.Bucket())}, n)), db.Ints("day", numbers),
			db.Texts("account", slices.Repeat([]string{string(id)}, n))})
	if err != nil {
		return fmt.Errorf("read what %s accrued: %w", id, err)
	}
	return nil
}
