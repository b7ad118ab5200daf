package reports

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// PayoutTarget is where payouts are delivered to, and what it does not have yet.
type PayoutTarget struct {
	store.PayoutTarget
	Backlog int64     // payouts with a number that it does not have
	Oldest  time.Time // when the first of them was paid; zero: there is none
}

// PayoutTargets are all of them, by name. Of PostgreSQL tables it is what they had when the books last heard of them.
func (rs *Reports) PayoutTargets(ctx context.Context) ([]PayoutTarget, error) {
	return read(ctx, rs, "read where payouts are delivered to", func(t db.View) (all []PayoutTarget, err error) {
		targets, err := db.All(t, store.ReadPayoutTarget, "SELECT "+store.PayoutTargetColumns+
			" FROM payout_targets ORDER BY name")
		for _, target := range targets {
			p := PayoutTarget{PayoutTarget: target}
			var oldest int64
			if err == nil {
				_, err = db.One(t, []*int64{&p.Backlog, &oldest}, `SELECT
				      CAST(coalesce(sum(CASE WHEN first > $1 THEN count ELSE first + count - 1 - $1 END), 0) AS bigint),
				      coalesce(min(at), 0) FROM payout_batches WHERE first > 0 AND first + count - 1 > $1
				      AND first >= coalesce((SELECT max(first) FROM payout_batches WHERE first > 0 AND first <= $1 + 1), 0)`,
					target.Number)
			}
			p.Oldest = db.TimeOrZero(oldest)
			all = append(all, p)
		}
		return all, err
	})
}

// NewestPayout is the largest number that a payout may have; 0: none has one. Of books that were restored it is above
// all that were given before.
func (rs *Reports) NewestPayout(ctx context.Context) (int64, error) {
	return read(ctx, rs, "read the newest number of a payout", func(t db.View) (int64, error) {
		return db.Count(t, "SELECT coalesce(max(last), 0) FROM sequences WHERE name = 'payouts'")
	})
}
