package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// Declare takes the day's total of a token out of @rewards and makes it payable,
// each bucket its own sum, in one transaction. Idempotent: the declaration's key is the
// day and the token.
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
		accrued, holders, total, err := batchesOf(t, d, token)
		if err != nil {
			return err
		}
		if err := db.withinLimits(t, d, token, total); err != nil {
			return err
		}
		n, err := t.Exec("INSERT INTO declarations (day, asset, holders, total, declared_at, credential, role, "+
			"request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
			int64(d), token, holders, int64(total), now.UnixMilli(), db.actor.Credential, string(db.actor.Role),
			db.actor.Request)
		if err != nil || n == 0 {
			return err
		}
		if total > 0 {
			asset := (*db.known.Load())[token]
			if err := db.logLine(t, "declare", token, fmt.Sprintf("%s: %s %s, holders: %d", d, asset.Format(total), token,
				holders)); err != nil {
				return err
			}
		}
		return db.makePayable(t, token, total, accrued)
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
	return db.Count(t, sql, args...)
}

// bucketTotal is what a bucket has accrued of a token on a day.
type bucketTotal struct {
	bucket int64
	sum    ledger.Amount
}

// batchesOf reads what the buckets have accrued, those with rewards, and sums it, checked.
func batchesOf(t view, d staking.Day, token string) (accrued []bucketTotal, holders int64, total ledger.Amount,
	err error) {
	err = t.QuerySet(func(r row) error {
		b := bucketTotal{r.Int(0), ledger.Amount(r.Int(1))}
		if b.sum > 0 {
			accrued = append(accrued, b)
		}
		holders += r.Int(2)
		total, err = total.Add(b.sum)
		return err
	}, "SELECT b.bucket, b.total, b.holders FROM {rows} "+
		"JOIN batches b ON b.bucket = r.bucket AND b.day = r.day AND b.asset = r.asset ORDER BY b.bucket",
		everyBucket(sameInt("day", int64(d)), sameText("asset", token)))
	return accrued, holders, total, err
}

func repeat(s string, n int) []string { return slices.Repeat([]string{s}, n) }

// makePayable moves the total from @rewards to the buckets' @payable, or says ErrFunds.
func (b *DB) makePayable(t tx, token string, total ledger.Amount, accrued []bucketTotal) error {
	if total == 0 {
		return nil
	}
	n, err := t.Exec("UPDATE balances SET balance = balance - $1 WHERE bucket = $2 AND account = $3 AND asset = "+
		"$4 AND balance >= $1",
		int64(total), int64(ledger.Rewards.Bucket()), string(ledger.Rewards), token)
	if err != nil {
		return err
	}
	if n == 0 {
		return b.shortOfFunds(t, token, total)
	}
	payable := keyFields(func(b bucketTotal) *key { return &key{int(b.bucket), ledger.Payable, token} })
	_, err = t.Set(nil, `INSERT INTO balances (bucket, account, asset, balance, carry, earned)
	                     SELECT r.bucket, r.account, r.asset, 0, 0, 0 FROM {rows} WHERE true ON CONFLICT DO NOTHING`,
		db.SetOf(accrued, payable...))
	if err != nil {
		return err
	}
	n, err = t.Set(nil, `UPDATE balances SET balance = balances.balance + r.amount FROM {rows}
	                      WHERE balances.bucket = r.bucket AND balances.account = r.account AND balances.asset = r.asset`,
		db.SetOf(accrued, append(payable, db.Int("amount", func(b bucketTotal) int64 { return int64(b.sum) }))...))
	if err == nil && n != int64(len(accrued)) {
		err = fmt.Errorf("%d of %d rows of @payable were found", n, len(accrued))
	}
	return err
}

// PoolOf is what lies in @rewards of a token.
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

// withinLimits is staking.ErrLimit where the day's total is over the token's limits and
// nobody has approved it.
func (db *DB) withinLimits(t view, d staking.Day, token string, total ledger.Amount) error {
	var most, change int64
	if found, err := one(t, []*int64{&most, &change}, "SELECT max_total, max_change FROM limits WHERE asset = $1",
		token); err != nil || !found {
		return err
	}
	if approved, err := count(t, "SELECT count(*) FROM approvals WHERE day = $1 AND asset = $2", int64(d),
		token); err != nil || approved > 0 {
		return err
	}
	var before int64
	known, err := one(t, []*int64{&before}, "SELECT total FROM declarations WHERE day = $1 AND asset = $2",
		int64(d)-1, token)
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

// errTampered is for accruals that are not what was declared.
var errTampered = errors.New("the accruals are not those that were declared; an audit says which")

// Pay credits the accruals of the day in a batch of buckets, set-based, and takes them out
// of each bucket's @payable, which ends at exactly zero. Idempotent.
func (db *DB) Pay(ctx context.Context, batch staking.Batch, d staking.Day, tokens []string, now time.Time) error {
	return db.Outbox().Write(ctx, func(t tx) (records outbox.Records, err error) {
		for _, bucket := range batch {
			p := payment{t: t, actor: db.actor, bucket: int64(bucket), day: int64(d), now: now.UnixMilli()}
			if err := inOrder(func() error { return p.claim(tokens) }, p.compare, p.credit, p.settle); err != nil {
				return nil, fmt.Errorf("pay %s: %w", d, err)
			}
			p.report(&records)
		}
		return records, nil
	})
}

// payment is the payment of one bucket's day.
type payment struct {
	t           tx
	actor       access.Actor
	bucket, day int64
	now         int64
	tokens      []string            // those that are ours to pay
	batches     map[string]dayBatch // by token
	holders     int64               // of all tokens
}

// dayBatch is what a bucket accrued of a token on a day.
type dayBatch struct {
	holders, total int64
	digest         []byte
}

// claim takes the tokens whose day is accrued and not paid: the row's lock is
// ours until the commit.
func (p *payment) claim(tokens []string) error {
	claimed, err := claimProgress(p.t, `UPDATE progress SET paid_through = $3 FROM {rows}
	                WHERE progress.bucket = r.bucket AND progress.asset = r.asset
	                  AND progress.paid_through = $3 - 1 AND progress.accrued_through = $3 RETURNING progress.asset`,
		int(p.bucket), staking.Day(p.day), tokens)
	if err != nil {
		return err
	}
	p.batches = map[string]dayBatch{}
	return p.t.Query(func(r row) error {
		if token := r.Text(0); slices.Contains(claimed, token) {
			p.batches[token] = dayBatch{r.Int(1), r.Int(2), r.Bytes(3)}
			p.tokens = append(p.tokens, token)
			p.holders += r.Int(1)
		}
		return nil
	}, "SELECT asset, holders, total, digest FROM batches WHERE bucket = $1 AND day = $2 ORDER BY asset", p.bucket, p.day)
}

// ours is the condition that a statement is about our tokens, whose parameters follow the first two.
func (p *payment) ours(sql string) (string, []any) {
	args := []any{p.bucket, p.day}
	names := make([]string, len(p.tokens))
	for i, token := range p.tokens {
		args = append(args, token)
		names[i] = fmt.Sprintf("$%d", i+3)
	}
	return strings.Replace(sql, "{tokens}", strings.Join(names, ", "), 1), args
}

// compare refuses to pay accruals that are not those that were declared.
func (p *payment) compare() error {
	if p.tokens == nil {
		return nil
	}
	sql, args := p.ours(`SELECT asset, count(*), CAST(sum(reward) AS bigint) FROM accruals
	                      WHERE bucket = $1 AND day = $2 AND asset IN ({tokens}) GROUP BY asset`)
	same := 0
	err := p.t.Query(func(r row) error {
		if b := p.batches[r.Text(0)]; b.holders == r.Int(1) && b.total == r.Int(2) {
			same++
		}
		return nil
	}, sql, args...)
	if err == nil && same != len(p.tokens) {
		err = errTampered
	}
	return err
}

// credit puts the rewards on the balances.
func (p *payment) credit() error {
	if p.tokens == nil {
		return nil
	}
	sql, args := p.ours(`UPDATE balances SET balance = balances.balance + a.reward, carry = a.carry, earned = balances.earned + a.reward
	                       FROM accruals a
	                      WHERE a.bucket = $1 AND a.day = $2 AND a.asset IN ({tokens})
	                        AND balances.bucket = $1 AND balances.account = a.account AND balances.asset = a.asset`)
	n, err := p.t.Exec(sql, args...)
	if err == nil && n != p.holders {
		err = errTampered
	}
	return err
}

// settle takes the totals out of @payable and writes that they are paid.
func (p *payment) settle() error {
	for _, token := range p.tokens {
		b := p.batches[token]
		if b.total > 0 {
			n, err := p.t.Exec("UPDATE balances SET balance = balance - $1 WHERE bucket = $2 AND account = $3 AND "+
				"asset = $4 AND balance >= $1",
				b.total, p.bucket, string(ledger.Payable), token)
			if err == nil && n == 0 {
				err = errTampered
			}
			if err != nil {
				return err
			}
		}
		if _, err := p.t.Exec("INSERT INTO payments (bucket, day, asset, holders, total, digest, paid_at, "+
			"credential, role, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			p.bucket, p.day, token, b.holders, b.total, b.digest, p.now, p.actor.Credential, string(p.actor.Role),
			p.actor.Request); err != nil {
			return err
		}
	}
	return nil
}

// report adds what was paid to the outbox event.
func (p *payment) report(records *outbox.Records) {
	for _, token := range p.tokens {
		if p.batches[token].total > 0 {
			records.Paid(outbox.PaidBatch{Bucket: int(p.bucket), Due: staking.Due{Asset: token, Day: staking.Day(p.day)},
				PaidAt: timeOf(p.now)})
		}
	}
}

// SetLimit sets from which total a token's day needs approval. A limit of zeros takes it
// away. Idempotent.
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
		if _, err := one(t, []*int64{&total, &change}, "SELECT max_total, max_change FROM limits WHERE asset = $1",
			l.Asset); err != nil {
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
func (b *DB) Limits(ctx context.Context) (limits []staking.Limit, err error) {
	err = b.engine.Read(ctx, func(t view) (err error) {
		limits, err = db.All(t, func(r row) (staking.Limit, error) {
			return staking.Limit{Asset: r.Text(0), MaxTotal: ledger.Amount(r.Int(1)), MaxChange: r.Int(2)}, nil
		}, "SELECT asset, max_total, max_change FROM limits WHERE max_total > 0 OR max_change > 0 ORDER BY asset")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the limits: %w", err)
	}
	return limits, nil
}

// Approve lets a token's day that is over be declared whatever its limits say. Idempotent,
// until the day is declared.
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
		n, err := t.Exec("INSERT INTO approvals (day, asset, approved_at, approved_by) VALUES ($1, $2, $3, $4) ON "+
			"CONFLICT DO NOTHING",
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
