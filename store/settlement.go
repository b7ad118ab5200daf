package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// Settled writes which days of tokens are paid in every bucket now, and an outbox event of
// each. What was stopped between a day's last payment and this is completed by the next
// call. What was paid to closed accounts that leave it to another is moved on. Repeating it
// has no further effect, and several processes may call it at the same time.
func (db *DB) Settled(ctx context.Context, now time.Time) error {
	var days []staking.Due
	err := db.engine.Read(ctx, func(t view) (err error) { // mostly there are none, and nobody need wait to write them
		days, err = unsettled(t)
		return err
	})
	if err == nil && days != nil {
		err = db.Outbox().Write(ctx, func(t tx) (outbox.Records, error) { return settle(t, now) })
	}
	if err != nil {
		return fmt.Errorf("write which days are settled: %w", err)
	}
	return db.sweepAll(ctx)
}

// columnsOf are those of days of tokens in a set: asset, day.
func columnsOf(days []staking.Due) set {
	return db.SetOf(days,
		db.Text("asset", func(d staking.Due) string { return d.Asset }),
		db.Int("day", func(d staking.Due) int64 { return int64(d.Day) }))
}

// unsettled are the days of tokens that are declared, paid in every bucket, and not
// written as settled: by token and day. Before the first declaration there are none.
func unsettled(t view) ([]staking.Due, error) {
	due := func(r row) (staking.Due, error) {
		return staking.Due{Asset: r.Text(0), Day: staking.Day(r.Int(1))}, nil
	}
	paid, err := db.All(t, due, "SELECT asset, min(paid_through) FROM progress GROUP BY asset ORDER BY asset")
	if err != nil {
		return nil, err
	}
	return db.AllEach(t, due, `SELECT d.asset, d.day FROM declarations d
	     WHERE d.asset = $1 AND d.day <= $2 AND d.day > (SELECT coalesce(max(s.day), -1) FROM settled s WHERE s.asset = $1)
	     ORDER BY d.day`, columnsOf(paid))
}

// settle writes the days, and says what happened to them. Where another process has just
// written some, it looks again.
func settle(t tx, now time.Time) (records outbox.Records, err error) {
	days, err := unsettled(t)
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		records.Settled(d)
	}
	n, err := t.Set(nil, "INSERT INTO settled (asset, day, settled_at) SELECT r.asset, r.day, r.at FROM {rows} "+
		"WHERE true ON CONFLICT DO NOTHING",
		append(columnsOf(days), db.Int("at", func(staking.Due) int64 { return now.UnixMilli() })(days)))
	if err == nil && n != int64(len(days)) {
		err = fmt.Errorf("%w: another has written settled days", errRetry)
	}
	return records, err
}

// verdict says why a day's total would wait for a person: staking.ErrFunds or ErrLimit, or
// nil.
func (db *DB) verdict(t view, d staking.Day, token string, total ledger.Amount) (waits, err error) {
	err = db.withinLimits(t, d, token, total)
	if err == nil {
		pool, failed := PoolOf(t, token)
		if failed != nil {
			return nil, failed
		}
		if pool < total {
			err = db.shortOfFunds(t, token, total)
		}
	}
	if errors.Is(err, staking.ErrFunds) || errors.Is(err, staking.ErrLimit) {
		return err, nil
	}
	return nil, err
}

// waiting says why a token's oldest unpaid day waits for a person, or nil:
// it is accrued everywhere and not declared.
func (db *DB) waiting(t view, token string, d staking.Day) (waits, err error) {
	if declared, err := db.declared(t, d, token); err != nil || declared {
		return nil, err
	}
	left, err := count(t, "SELECT count(*) FROM progress WHERE asset = $1 AND accrued_through < $2", token, int64(d))
	if err != nil || left > 0 {
		return nil, err
	}
	_, _, total, err := batchesOf(t, d, token)
	if err != nil {
		return nil, err
	}
	return db.verdict(t, d, token, total)
}
