package store

import (
	"context"
	"math"

	"github.com/softstake/softstake/ledger"
)

// LatestWithdrawals are an account's withdrawals, the last requested first and those
// of one moment by ID backwards, that come after one of them, of which At and ID
// count, or the first, at most limit. ErrNotFound if the account was never opened.
func (db *DB) LatestWithdrawals(ctx context.Context, id ledger.Account, after *Withdrawal, limit int) ([]Withdrawal, error) {
	if _, err := db.Account(ctx, id); err != nil {
		return nil, err
	}
	at, name := int64(math.MaxInt64), ""
	if after != nil {
		at, name = after.At.UnixMilli(), after.ID
	}
	return db.readWithdrawals(ctx, "SELECT "+withdrawalColumns+" FROM "+withdrawalRows+`
	     WHERE w.bucket = $1 AND w.account = $2 AND w.requested <= $3 AND (w.requested < $3 OR w.id < $4)
	     ORDER BY w.requested DESC, w.id DESC LIMIT $5`,
		int64(id.Bucket()), string(id), at, name, int64(max(limit, 0)))
}
