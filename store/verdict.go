package store

import (
	"errors"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

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
