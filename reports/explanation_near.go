package reports

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// NearRewards are the last day before a day, and the first after it, that an account
// was paid a reward of a token for; 0 where there is none within 366 days.
func (rs *Reports) NearRewards(ctx context.Context, id ledger.Account, d staking.Day, token string) (before,
	after staking.Day, err error) {
	const reach = 366
	find := func(t db.View, from, to staking.Day, order string) (staking.Day, error) {
		day, err := db.Count(t, `SELECT d.day FROM days d CROSS JOIN rewards a
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND a.asset = $5
		     ORDER BY d.day `+order+` LIMIT 1`, int64(id.Bucket()), int64(from), int64(to), string(id), token)
		return staking.Day(day), err
	}
	err = rs.Read(ctx, func(t db.View) (err error) {
		if before, err = find(t, d-reach, d-1, "DESC"); err != nil {
			return err
		}
		after, err = find(t, d+1, d+reach, "ASC")
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("look for the rewards of %s around %s: %w", id, d, err)
	}
	return before, after, nil
}
