package reports

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// HeldKey is where the balances of all holders are read on: behind an account's token in a bucket.
type HeldKey struct {
	Bucket  int
	Account ledger.Account
	Asset   string
}

// balancesOfBucket are those of the holders of the bucket $3 at the end of the day $1, which is the moment $2, as
// allBalancesAt has them: from the token $5 of the account $4 on, at most $6. Of the bucket all later changes are read.
const balancesOfBucket = `
SELECT owner, asset,
       CAST(sum(CASE WHEN held = 0 THEN amount / 4294967296 ELSE 0 END) AS bigint), CAST(sum(CASE WHEN held = 0 THEN amount % 4294967296 ELSE 0 END) AS bigint),
       CAST(sum(CASE WHEN held = 1 THEN amount / 4294967296 ELSE 0 END) AS bigint), CAST(sum(CASE WHEN held = 1 THEN amount % 4294967296 ELSE 0 END) AS bigint)
  FROM (SELECT CASE WHEN substr(account, length(account) - 4) = '/held' THEN substr(account, 1, length(account) - 5) ELSE account END AS owner,
               CASE WHEN substr(account, length(account) - 4) = '/held' THEN 1 ELSE 0 END AS held, asset, amount
          FROM (SELECT account, asset, balance AS amount FROM balances WHERE bucket = $3 AND account >= $4
                UNION ALL
                SELECT account, asset, -amount FROM postings WHERE bucket = $3 AND day >= $1 AND at > $2 AND account >= $4
                UNION ALL
                SELECT account, asset, -reward FROM rewards WHERE bucket = $3 AND day >= $1 AND account >= $4) changes
         WHERE substr(account, 1, 1) <> '@') parts
 WHERE (owner, asset) > ($4, $5)
 GROUP BY owner, asset ORDER BY owner, asset LIMIT $6`

// BalancesOn are what holders have at the end of a day, behind a key, or the first ones: by bucket, account and token,
// at most limit, which is above 0; what is zero is left out. next is where they go on; nil: there are no more. The day
// is final, or an earlier one (Final): else ledger.ErrInvalid. So pages that are read one after the other are of one
// state.
func (rs *Reports) BalancesOn(ctx context.Context, d staking.Day, after HeldKey, limit int) (found []Held,
	next *HeldKey, err error) {
	if final, _, err := rs.Final(ctx); err != nil || d > final || d < rs.FirstDay() {
		if err == nil {
			err = ledger.ErrInvalid.In("day", "%s is no day that is closed, with the rewards that count on it", d)
		}
		return nil, nil, err
	}
	err = rs.Read(ctx, func(t db.View) error {
		found, next = nil, nil
		key := after
		for key.Bucket < ledger.Buckets {
			read := 0
			err := t.Query(func(r db.Row) error {
				h := Held{Account: ledger.Account(r.Text(0)), Asset: r.Text(1),
					Free: joined(r.Int(2), r.Int(3)), Held: joined(r.Int(4), r.Int(5))}
				key.Account, key.Asset = h.Account, h.Asset
				if read++; h.Free != 0 || h.Held != 0 {
					found = append(found, h)
				}
				return nil
			}, balancesOfBucket, int64(d), (d+1).Millis()-1, int64(key.Bucket), string(key.Account), key.Asset,
				int64(limit-len(found)))
			if err != nil {
				return err
			}
			if len(found) == limit {
				next = &key
				return nil
			}
			if read == 0 {
				key = HeldKey{Bucket: key.Bucket + 1}
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the balances of %s: %w", d, err)
	}
	return found, next, nil
}
