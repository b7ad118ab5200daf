package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/staking"
)

// Settled writes which days of tokens are paid in every bucket now, and tells of
// each once. What was stopped between a day's last payment and this is made good
// by the next call. What was paid to closed accounts that leave it to another is moved
// on. Safe to call twice, and from several processes.
func (db *DB) Settled(ctx context.Context, now time.Time) error {
	var days []staking.Due
	err := db.engine.Read(ctx, func(t view) (err error) { // mostly there are none, and nobody need wait to write them
		days, err = unsettled(t)
		return err
	})
	if err == nil && days != nil {
		err = db.telling(ctx, func(t tx) (newsBodies, error) { return settle(t, now) })
	}
	if err != nil {
		return fmt.Errorf("write which days are settled: %w", err)
	}
	return db.sweepAll(ctx)
}

// unsettled are the days of tokens that are declared, paid in every bucket, and not
// written as settled: by token and day. Before the first declaration there are none.
func unsettled(t view) (days []staking.Due, err error) {
	var tokens []string
	var through []int64
	if err := t.Query(func(r row) error {
		tokens, through = append(tokens, r.Text(0)), append(through, r.Int(1))
		return nil
	}, "SELECT asset, min(paid_through) FROM progress GROUP BY asset ORDER BY asset"); err != nil || tokens == nil {
		return nil, err
	}
	err = t.QueryEach(func(r row) error {
		days = append(days, staking.Due{Asset: r.Text(0), Day: staking.Day(r.Int(1))})
		return nil
	}, `SELECT d.asset, d.day FROM declarations d
	     WHERE d.asset = $1 AND d.day <= $2 AND d.day > (SELECT coalesce(max(s.day), -1) FROM settled s WHERE s.asset = $1)
	     ORDER BY d.day`, set{texts("asset", tokens), ints("through", through)})
	return days, err
}

// settle writes the days, and says what there is to tell of them. Where another process has just written
// some, it looks again.
func settle(t tx, now time.Time) (newsBodies, error) {
	days, err := unsettled(t)
	if err != nil || days == nil {
		return nil, err
	}
	var numbers []int64
	var tokens []string
	var bodies newsBodies
	for _, d := range days {
		numbers, tokens = append(numbers, int64(d.Day)), append(tokens, d.Asset)
		bodies.settled(d)
	}
	n, err := t.Set(nil, "INSERT INTO settled (asset, day, settled_at) SELECT r.asset, r.day, r.at FROM {rows} WHERE true ON CONFLICT DO NOTHING",
		set{texts("asset", tokens), ints("day", numbers), ints("at", slices.Repeat([]int64{now.UnixMilli()}, len(days)))})
	if err == nil && n != int64(len(days)) {
		err = fmt.Errorf("%w: another has written settled days", errRetry)
	}
	if err != nil {
		return nil, err
	}
	return bodies, nil
}
