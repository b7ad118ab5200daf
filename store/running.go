package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// The books are what a run works on.
var _ staking.Books = (*DB)(nil)

// Due are the oldest days up to and including through that are not paid, a day a token.
func (db *DB) Due(ctx context.Context, through staking.Day) ([]staking.Due, error) {
	var due []staking.Due
	err := db.engine.Read(ctx, func(t view) error {
		due = nil
		return t.Query(func(r row) error {
			due = append(due, staking.Due{Asset: r.Text(0), Day: staking.Day(r.Int(1)) + 1})
			return nil
		}, "SELECT asset, min(paid_through) FROM progress GROUP BY asset HAVING min(paid_through) < $1 ORDER BY asset", int64(through))
	})
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	return due, nil
}

// pieceSize is how many accounts are enough for a transaction of their own: the
// buckets of small books share one, since each commit waits for the disk.
const pieceSize = 128

// Unaccrued are the pieces in which the day is not accrued for some of the
// tokens. Buckets without an enrollment that covers the day are done with at
// once: the day is closed, so there will be none.
func (db *DB) Unaccrued(ctx context.Context, d staking.Day, tokens []string) ([]staking.Piece, error) {
	var covered []int64 // accounts of each bucket, up to pieceSize
	err := db.engine.Write(ctx, func(t tx) error {
		covered = nil
		if err := t.QueryEach(func(r row) error { covered = append(covered, r.Int(0)); return nil },
			fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM enrollments WHERE bucket = $1 AND from_day <= $2 AND until_day > $2 LIMIT %d) AS enrolled`, pieceSize),
			EveryBucket(d)); err != nil {
			return err
		}
		var buckets []int64
		var assets []string
		for b, n := range covered {
			for _, token := range tokens {
				if n == 0 {
					buckets, assets = append(buckets, int64(b)), append(assets, token)
				}
			}
		}
		// The day before is a column, not a parameter: PostgreSQL takes few rows to have reached
		// a day that is given, and would look for each of them in the whole set.
		_, err := t.Set(nil, `UPDATE progress SET accrued_through = r.before + 1 FROM {rows}
		                       WHERE progress.bucket = r.bucket AND progress.asset = r.asset
		                         AND progress.accrued_through = r.before AND progress.paid_through = r.before`,
			set{ints("bucket", buckets), texts("asset", assets), ints("before", slices.Repeat([]int64{int64(d) - 1}, len(buckets)))})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pass over empty buckets: %w", err)
	}
	return db.unfinished(ctx, "SELECT bucket, asset FROM progress WHERE accrued_through < $1 ORDER BY bucket", d, tokens, covered)
}

// Unpaid are the pieces in which the day is not paid for some of the tokens.
// Buckets in which nothing was accrued are done with at once.
func (db *DB) Unpaid(ctx context.Context, d staking.Day, tokens []string) ([]staking.Piece, error) {
	var accrued []int64 // positions of each bucket
	err := db.engine.Write(ctx, func(t tx) error {
		accrued = make([]int64, ledger.Buckets)
		if err := t.QueryEach(func(r row) error { accrued[r.Int(0)] += r.Int(1); return nil },
			"SELECT bucket, holders FROM batches WHERE bucket = $1 AND day = $2", EveryBucket(d)); err != nil {
			return err
		}
		for _, token := range tokens {
			if _, err := t.Exec(`UPDATE progress SET paid_through = $1
			                      WHERE asset = $2 AND paid_through = $1 - 1 AND accrued_through = $1
			                        AND NOT EXISTS (SELECT 1 FROM batches b WHERE b.bucket = progress.bucket AND b.day = $1 AND b.asset = progress.asset)`,
				int64(d), token); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("pass over empty buckets: %w", err)
	}
	return db.unfinished(ctx, "SELECT bucket, asset FROM progress WHERE paid_through < $1 ORDER BY bucket", d, tokens, accrued)
}

func EveryBucket(d staking.Day) set {
	buckets, days := make([]int64, ledger.Buckets), make([]int64, ledger.Buckets)
	for b := range buckets {
		buckets[b], days[b] = int64(b), int64(d)
	}
	return set{ints("bucket", buckets), ints("day", days)}
}

// unfinished are the pieces of the buckets that a statement finds, put together
// by how many accounts or positions each has.
func (db *DB) unfinished(ctx context.Context, sql string, d staking.Day, tokens []string, size []int64) ([]staking.Piece, error) {
	var pieces []staking.Piece
	err := db.engine.Read(ctx, func(t view) error {
		pieces = nil
		last, sum := -1, int64(pieceSize)
		return t.Query(func(r row) error {
			b := int(r.Int(0))
			if b == last || !slices.Contains(tokens, r.Text(1)) {
				return nil
			}
			if sum >= pieceSize {
				pieces, sum = append(pieces, nil), 0
			}
			p := &pieces[len(pieces)-1]
			*p = append(*p, b)
			last, sum = b, sum+size[b]
			return nil
		}, sql, int64(d))
	})
	if err != nil {
		return nil, fmt.Errorf("read the progress of %s: %w", d, err)
	}
	return pieces, nil
}

// Declare takes the day's total of a token out of @rewards and makes it payable,
// each bucket its own sum, in one transaction. The declaration's key is what makes
// it once.
func (db *DB) Declare(ctx context.Context, d staking.Day, token string, now time.Time) error {
	err := db.engine.Write(ctx, func(t tx) error {
		if err := lockToken(t, token); err != nil {
			return err
		}
		if declared, err := db.declared(t, d, token); err != nil || declared {
			return err
		}
		left, err := count(t, "SELECT count(*) FROM progress WHERE asset = $1 AND accrued_through < $2", token, int64(d))
		if err == nil && left > 0 {
			err = fmt.Errorf("%w: %d buckets are not accrued", staking.ErrChanged, left)
		}
		if err != nil {
			return err
		}
		buckets, sums, holders, total, err := batchesOf(t, d, token)
		if err != nil {
			return err
		}
		if err := db.withinLimits(t, d, token, total); err != nil {
			return err
		}
		n, err := t.Exec("INSERT INTO declarations (day, asset, holders, total, declared_at, credential, role, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
			int64(d), token, holders, int64(total), now.UnixMilli(), db.actor.Credential, string(db.actor.Role), db.actor.Request)
		if err != nil || n == 0 {
			return err
		}
		if total > 0 {
			asset := (*db.known.Load())[token]
			if err := db.logLine(t, "declare", token, fmt.Sprintf("%s: %s %s, holders: %d", d, asset.Format(total), token, holders)); err != nil {
				return err
			}
		}
		return db.makePayable(t, token, total, buckets, sums)
	})
	if err != nil {
		return fmt.Errorf("declare %s of %s: %w", token, d, err)
	}
	return nil
}

func (db *DB) declared(t view, d staking.Day, token string) (bool, error) {
	n, err := count(t, "SELECT count(*) FROM declarations WHERE day = $1 AND asset = $2", int64(d), token)
	return n > 0, err
}

func count(t view, sql string, args ...any) (n int64, err error) {
	_, err = one(t, []*int64{&n}, sql, args...)
	return n, err
}

// batchesOf reads what the buckets have accrued, and sums it, checked.
func batchesOf(t view, d staking.Day, token string) (buckets, sums []int64, holders int64, total ledger.Amount, err error) {
	err = t.QueryEach(func(r row) error {
		if sum := r.Int(1); sum > 0 {
			buckets, sums = append(buckets, r.Int(0)), append(sums, sum)
		}
		holders += r.Int(2)
		total, err = total.Add(ledger.Amount(r.Int(1)))
		return err
	}, "SELECT bucket, total, holders FROM batches WHERE bucket = $1 AND day = $2 AND asset = $3",
		append(EveryBucket(d), texts("asset", repeat(token, ledger.Buckets))))
	return buckets, sums, holders, total, err
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// makePayable moves the total from @rewards to the buckets' @payable, or says ErrFunds.
func (db *DB) makePayable(t tx, token string, total ledger.Amount, buckets, sums []int64) error {
	if total == 0 {
		return nil
	}
	n, err := t.Exec("UPDATE balances SET balance = balance - $1 WHERE bucket = $2 AND account = $3 AND asset = $4 AND balance >= $1",
		int64(total), int64(ledger.Rewards.Bucket()), string(ledger.Rewards), token)
	if err != nil {
		return err
	}
	if n == 0 {
		return db.shortOfFunds(t, token, total)
	}
	accounts, assets := repeat(string(ledger.Payable), len(buckets)), repeat(token, len(buckets))
	_, err = t.Set(nil, `INSERT INTO balances (bucket, account, asset, balance, carry, earned)
	                     SELECT r.bucket, r.account, r.asset, 0, 0, 0 FROM {rows} WHERE true ON CONFLICT DO NOTHING`,
		set{ints("bucket", buckets), texts("account", accounts), texts("asset", assets)})
	if err != nil {
		return err
	}
	n, err = t.Set(nil, `UPDATE balances SET balance = balances.balance + r.amount FROM {rows}
	                      WHERE balances.bucket = r.bucket AND balances.account = r.account AND balances.asset = r.asset`,
		set{ints("bucket", buckets), texts("account", accounts), texts("asset", assets), ints("amount", sums)})
	if err == nil && n != int64(len(buckets)) {
		err = fmt.Errorf("%d of %d rows of @payable were found", n, len(buckets))
	}
	return err
}

// poolOf is what lies in @rewards of a token.
func PoolOf(t view, token string) (ledger.Amount, error) {
	pool, err := count(t, "SELECT balance FROM balances WHERE bucket = $1 AND account = $2 AND asset = $3",
		int64(ledger.Rewards.Bucket()), string(ledger.Rewards), token)
	return ledger.Amount(pool), err
}

func (db *DB) shortOfFunds(t view, token string, total ledger.Amount) error {
	pool, err := PoolOf(t, token)
	if err != nil {
		return err
	}
	asset := (*db.known.Load())[token]
	return staking.ErrFunds.In("", "it has %s %s and the day needs %s",
		asset.Format(pool), token, asset.Format(total)).Because(staking.ReasonFunds, token, asset.Format(total-pool))
}

// withinLimits says ErrLimit where the day's total is over the token's limits and
// no person has approved it.
func (db *DB) withinLimits(t view, d staking.Day, token string, total ledger.Amount) error {
	var most, change int64
	if found, err := one(t, []*int64{&most, &change}, "SELECT max_total, max_change FROM limits WHERE asset = $1", token); err != nil || !found {
		return err
	}
	if approved, err := count(t, "SELECT count(*) FROM approvals WHERE day = $1 AND asset = $2", int64(d), token); err != nil || approved > 0 {
		return err
	}
	var before int64
	known, err := one(t, []*int64{&before}, "SELECT total FROM declarations WHERE day = $1 AND asset = $2", int64(d)-1, token)
	if err != nil {
		return err
	}
	asset := (*db.known.Load())[token]
	l := staking.Limit{Asset: token, MaxTotal: ledger.Amount(most), MaxChange: change}
	over := l.Exceeded(asset, total, ledger.Amount(before), known)
	if over == "" {
		return nil
	}
	return staking.ErrLimit.In("", "%s", over).Because(staking.ReasonLimit, d, token)
}
