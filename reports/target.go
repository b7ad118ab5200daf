package reports

import (
	"context"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// Target is where payouts or events are delivered to, and what it does not have yet.
type Target struct {
	store.Target
	Backlog int64     // payouts, or events of the outbox, with a number that it does not have
	Oldest  time.Time // when the first of them was paid, or written; zero: there is none
	// Lost is that some of them are not kept any more, or that it has numbers which the books do not have: they were
	// restored. Nothing is delivered until somebody decides.
	Lost bool
}

// Targets are all of them, by stream and name. Of PostgreSQL tables it is what they had when the books last heard of
// them.
func (rs *Reports) Targets(ctx context.Context) ([]Target, error) {
	return read(ctx, rs, "read where payouts and events are delivered to", func(t db.View) (all []Target, err error) {
		targets, err := db.All(t, store.ReadTarget, "SELECT "+store.TargetColumns+" FROM targets ORDER BY stream, name")
		for _, target := range targets {
			of := Target{Target: target}
			if err == nil {
				err = of.count(t)
			}
			all = append(all, of)
		}
		return all, err
	})
}

// TargetsOf are those of a stream, by name.
func (rs *Reports) TargetsOf(ctx context.Context, stream store.Stream) ([]Target, error) {
	all, err := rs.Targets(ctx)
	return slices.DeleteFunc(all, func(t Target) bool { return t.Stream != stream }), err
}

// count reads what the target does not have.
func (o *Target) count(t db.View) error {
	var oldest, removed, newest int64
	if o.Stream == store.PayoutStream {
		_, err := db.One(t, []*int64{&o.Backlog, &oldest}, `SELECT
		      CAST(coalesce(sum(CASE WHEN first > $1 THEN count ELSE first + count - 1 - $1 END), 0) AS bigint),
		      coalesce(min(at), 0) FROM payout_batches WHERE first > 0 AND first + count - 1 > $1
		      AND first >= coalesce((SELECT max(first) FROM payout_batches WHERE first > 0 AND first <= $1 + 1), 0)`, o.Number)
		o.Oldest = db.TimeOrZero(oldest)
		if err == nil {
			newest, err = newestPayout(t)
		}
		o.Lost = o.Number > newest
		return err
	}
	_, err := db.One(t, []*int64{&removed, &newest}, "SELECT removed, last FROM sequences WHERE name = 'outbox'")
	if err == nil {
		_, err = db.One(t, []*int64{&oldest}, "SELECT at FROM outbox WHERE number > 0 AND number > $1 "+
			"ORDER BY number LIMIT 1", o.Number)
	}
	o.Lost = o.Number < removed || o.Number > newest
	o.Backlog, o.Oldest = max(newest-o.Number, 0), db.TimeOrZero(oldest)
	return err
}

// NumberedPayouts are how many payouts have numbers, and how many of them another ledger has said to have credited.
func (rs *Reports) NumberedPayouts(ctx context.Context) (all, credited int64, err error) {
	_, err = read(ctx, rs, "count payouts", func(t db.View) (bool, error) {
		return db.One(t, []*int64{&all, &credited}, "SELECT CAST(coalesce(sum(count), 0) AS bigint), "+
			"CAST(coalesce(sum(credited), 0) AS bigint) FROM payout_batches WHERE first > 0")
	})
	return all, credited, err
}

// NewestPayout is the largest number that a payout may have; 0: none has one. Of books that were restored it is above
// all that were given before.
func (rs *Reports) NewestPayout(ctx context.Context) (int64, error) {
	return read(ctx, rs, "read the newest number of a payout", newestPayout)
}

func newestPayout(t db.View) (int64, error) {
	return db.Count(t, "SELECT coalesce(max(last), 0) FROM sequences WHERE name = 'payouts'")
}
