package store

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// SetLimit sets what stops a token's day for a person to look at. A limit of
// zeros takes it away. Safe to call twice.
func (db *DB) SetLimit(ctx context.Context, l staking.Limit) error {
	asset, err := db.Asset(ctx, l.Asset)
	if err != nil {
		return err
	}
	if l.MaxTotal < 0 || l.MaxChange < 0 {
		return ledger.ErrInvalid.In("", "the limits of %s are zero (none) or above", l.Asset)
	}
	err = db.engine.Write(ctx, func(t tx) error {
		var total, change int64
		if _, err := one(t, []*int64{&total, &change}, "SELECT max_total, max_change FROM limits WHERE asset = $1", l.Asset); err != nil {
			return err
		}
		if total == int64(l.MaxTotal) && change == l.MaxChange {
			return nil
		}
		_, err := t.Exec(`INSERT INTO limits (asset, max_total, max_change) VALUES ($1, $2, $3)
		                  ON CONFLICT (asset) DO UPDATE SET max_total = excluded.max_total, max_change = excluded.max_change`,
			l.Asset, int64(l.MaxTotal), l.MaxChange)
		if err != nil {
			return err
		}
		return db.logLine(t, "limit set", l.Asset, fmt.Sprintf("a day's total %s, its change %s%%; 0: none",
			asset.Format(l.MaxTotal), ledger.FormatDecimal(l.MaxChange, 2)))
	})
	if err != nil {
		return fmt.Errorf("set the limits of %s: %w", l.Asset, err)
	}
	return nil
}

// Limits are those that are set, by token.
func (db *DB) Limits(ctx context.Context) ([]staking.Limit, error) {
	var limits []staking.Limit
	err := db.engine.Read(ctx, func(t view) error {
		limits = nil
		return t.Query(func(r row) error {
			limits = append(limits, staking.Limit{Asset: r.Text(0), MaxTotal: ledger.Amount(r.Int(1)), MaxChange: r.Int(2)})
			return nil
		}, "SELECT asset, max_total, max_change FROM limits WHERE max_total > 0 OR max_change > 0 ORDER BY asset")
	})
	if err != nil {
		return nil, fmt.Errorf("read the limits: %w", err)
	}
	return limits, nil
}

// Approve lets a token's day that is over be declared whatever its limits say.
// Safe to call twice, until it is declared.
func (db *DB) Approve(ctx context.Context, d staking.Day, asset string) error {
	if _, err := db.Asset(ctx, asset); err != nil {
		return err
	}
	if d >= staking.DayOf(db.clock()) {
		return ledger.ErrInvalid.In("", "approve %s of %s: the day is not over; nobody can have looked at it", asset, d)
	}
	err := db.engine.Write(ctx, func(t tx) error {
		if err := db.lockUndeclared(t, d, asset); err != nil {
			return err
		}
		n, err := t.Exec("INSERT INTO approvals (day, asset, approved_at, approved_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			int64(d), asset, db.now(), db.actor.Credential)
		if err != nil || n == 0 {
			return err
		}
		return db.logLine(t, "settle approve", asset, d.String())
	})
	if err != nil {
		return fmt.Errorf("approve %s of %s: %w", asset, d, err)
	}
	return nil
}
