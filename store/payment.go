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
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// Declare takes the day's total of a token out of @rewards and makes it payable,
// each bucket its own sum, in one transaction. Idempotent: the declaration's key is the
// day and the token.
func (b *DB) Declare(ctx context.Context, d staking.Day, token string, now time.Time) error {
	asset, err := b.Asset(ctx, token) // another process may have added it
	if err != nil {
		return err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := lockToken(t, token); err != nil {
			return err
		}
		if declared, err := Declared(t, d, token); err != nil || declared {
			return err
		}
		accrued, err := AccruedOf(t, d, token)
		if err == nil && accrued.Left > 0 {
			err = fmt.Errorf("%w: %d buckets are not accrued", staking.ErrChanged, accrued.Left)
		}
		if err != nil {
			return err
		}
		if err := CheckBreak(t, asset); err != nil {
			return err
		}
		if err := CheckCompared(t, d, asset); err != nil {
			return err
		}
		if err := CheckLimit(t, d, asset, accrued.Total); err != nil {
			return err
		}
		if err := lockPool(t, token); err != nil {
			return err
		}
		if err := b.checkFunds(t, d, asset, accrued); err != nil {
			return err
		}
		n, err := b.insertDeclaration(t, d, token, accrued, now)
		if err == nil && n > 0 {
			err = inOrder(
				func() error { return b.declareDistributions(t, d, token) },
				func() error { return declareWeights(t, d, token) })
		}
		if err != nil || n == 0 || accrued.Total == 0 {
			return err
		}
		if err := b.logLine(t, "declare", token, fmt.Sprintf("%s: %s %s, holders: %d", d, asset.Format(accrued.Total), token,
			accrued.Holders)); err != nil {
			return err
		}
		return makePayable(t, asset, accrued)
	})
	return annotate(err, "declare %s of %s", token, d)
}

// checkFunds is staking.ErrFunds if @rewards has too little for the day's total.
func (b *DB) checkFunds(t db.View, d staking.Day, asset ledger.Asset, a Accrued) error {
	all, err := b.distributions(t, d, asset.Symbol)
	if err != nil {
		return err
	}
	pool, reserved, err := AvailableAfter(t, d, asset.Symbol, all, a.Carried)
	if err != nil || a.Total == 0 {
		return err
	}
	return ShortOfFunds(asset, pool, reserved, a.Total)
}

// insertDeclaration writes the declaration itself; n is zero where it is there.
func (b *DB) insertDeclaration(t db.Tx, d staking.Day, token string, a Accrued, now time.Time) (n int64, err error) {
	_, carried, err := carriedThrough(t, d-1, token)
	if err != nil {
		return 0, err
	}
	carried = carried.Add(a.Carried)
	return t.Exec("INSERT INTO declarations (day, asset, holders, total, eligible, eligible_rest, carried_units, "+
		"carried_part, declared_at, credential, role, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "+
		"ON CONFLICT DO NOTHING", int64(d), token, a.Holders, int64(a.Total), int64(a.eligible.Units),
		a.eligible.Rest, int64(carried.Units), int64(carried.Part), now.UnixMilli(), b.actor.Credential,
		string(b.actor.Role), b.actor.Request)
}

// Declared reports whether a token's day is declared.
func Declared(t db.View, d staking.Day, token string) (bool, error) {
	n, err := db.Count(t, "SELECT count(*) FROM declarations WHERE day = $1 AND asset = $2", int64(d), token)
	return n > 0, err
}

// Accrued is what was accrued of a token on a day.
type Accrued struct {
	Left    int64 // buckets in which the day is not accrued yet: where there are some, the rest is not read
	Holders int64
	Total   ledger.Amount
	buckets []bucketTotal // those with rewards

	eligible holding.Weight
	Carried  staking.Exact // by how much it changed what the holders carry
}

// bucketTotal is what a bucket has accrued of a token on a day.
type bucketTotal struct {
	bucket int
	sum    ledger.Amount
}

// AccruedOf reads what the buckets have accrued, and sums it, checked. staking.ErrUndivided, if the eligible
// integrals together are too large to be kept.
func AccruedOf(t db.View, d staking.Day, token string) (a Accrued, err error) {
	a.Left, err = db.Count(t, "SELECT count(*) FROM progress WHERE asset = $1 AND accrued_through < $2", token, int64(d))
	if err != nil || a.Left > 0 {
		return a, err
	}
	err = t.QuerySet(func(r db.Row) error {
		b := bucketTotal{int(r.Int(0)), ledger.Amount(r.Int(1))}
		if b.sum > 0 {
			a.buckets = append(a.buckets, b)
		}
		a.Holders += r.Int(2)
		if a.Total, err = a.Total.Add(b.sum); err != nil {
			return err
		}
		a.eligible.Add(staking.Accrual{Eligible: ledger.Amount(r.Int(3)), EligibleRest: r.Int(4)})
		a.Carried = a.Carried.Add(holding.ReadExact(r, 5))
		return nil
	}, "SELECT b.bucket, b.total, b.holders, b.eligible, b.eligible_rest, b.carried_units, b.carried_part FROM {rows} "+
		"JOIN batches b ON b.bucket = r.bucket AND b.day = r.day AND b.asset = r.asset ORDER BY b.bucket",
		everyBucket(sameInt("day", int64(d)), sameText("asset", token)))
	if err == nil && a.eligible.TooLarge() {
		err = staking.ErrUndivided.In("", "on %s its holders have more %s together than can be counted", d, token)
	}
	return a, err
}

// makePayable moves the total from @rewards, which has it and is locked, to the buckets' @payable.
func makePayable(t db.Tx, asset ledger.Asset, accrued Accrued) error {
	if _, err := t.Exec("UPDATE balances SET balance = balance - $1 WHERE bucket = $2 AND account = $3 AND asset = $4",
		int64(accrued.Total), int64(ledger.Rewards.Bucket()), string(ledger.Rewards), asset.Symbol); err != nil {
		return err
	}
	payable := keyFields(func(b bucketTotal) *key { return &key{b.bucket, ledger.Payable, asset.Symbol} })
	_, err := t.Set(nil, `INSERT INTO balances (bucket, account, asset, balance, carry, earned)
	                     SELECT r.bucket, r.account, r.asset, 0, 0, 0 FROM {rows} WHERE true ON CONFLICT DO NOTHING`,
		db.SetOf(accrued.buckets, payable...))
	if err != nil {
		return err
	}
	n, err := t.Set(nil, `UPDATE balances SET balance = balances.balance + r.amount FROM {rows}
	                      WHERE balances.bucket = r.bucket AND balances.account = r.account AND balances.asset = r.asset`,
		db.SetOf(accrued.buckets, append(payable, db.Int("amount", func(b bucketTotal) int64 { return int64(b.sum) }))...))
	if err == nil && n != int64(len(accrued.buckets)) {
		err = fmt.Errorf("%d of %d rows of @payable were found", n, len(accrued.buckets))
	}
	return err
}

// CheckLimit is staking.ErrLimit where the day's total is over the token's limits and
// nobody has approved it.
func CheckLimit(t db.View, d staking.Day, asset ledger.Asset, total ledger.Amount) error {
	limit, err := limitsOf(t, asset.Symbol)
	if err != nil || limit == staking.NoLimit(asset) {
		return err
	}
	approved, err := db.Count(t, "SELECT count(*) FROM approvals WHERE day = $1 AND asset = $2", int64(d), asset.Symbol)
	if err != nil || approved > 0 {
		return err
	}
	over, err := OverLimit(t, d, limit, asset, total)
	if over != "" {
		err = staking.ErrLimit.In("", "%s", over).Because(staking.ReasonLimit, d, asset.Symbol)
	}
	return err
}

// errTampered is for accruals that are not what was declared.
var errTampered = errors.New("the accruals are not those that were declared; an audit says which")

// Pay credits the accruals of the day in a batch of buckets, set-based, and takes them out
// of each bucket's @payable, which ends at exactly zero. Idempotent.
func (b *DB) Pay(ctx context.Context, batch staking.Batch, d staking.Day, tokens []string, now time.Time) error {
	return b.Outbox().Write(ctx, func(t db.Tx) (records outbox.Records, err error) {
		for _, bucket := range batch {
			p := payment{t: t, actor: b.actor, bucket: int64(bucket), day: int64(d), now: now.UnixMilli(),
				written: b.now()}
			err := p.claim(tokens)
			if err == nil && p.tokens != nil {
				err = inOrder(p.compare, p.credit, p.settle, p.writePayouts)
			}
			if err != nil {
				return nil, fmt.Errorf("pay %s: %w", d, err)
			}
			p.report(&records)
		}
		return records, nil
	})
}

// payment is the payment of one bucket's day.
type payment struct {
	t           db.Tx
	actor       access.Actor
	bucket, day int64
	now         int64               // when the run began
	written     int64               // when this is written: it may be the next day
	tokens      []string            // those that are ours to pay
	batches     map[string]dayBatch // by token
	holders     int64               // of all tokens
}

// dayBatch is what a bucket accrued of a token on a day.
type dayBatch struct {
	holders, total int64
	digest         []byte
	above          int64 // of its rewards are above zero
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
	return p.t.Query(func(r db.Row) error {
		if token := r.Text(0); slices.Contains(claimed, token) {
			p.batches[token] = dayBatch{holders: r.Int(1), total: r.Int(2), digest: r.Bytes(3)}
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
	sql, args := p.ours(`SELECT asset, count(*), CAST(sum(reward) AS bigint), count(CASE WHEN reward > 0 THEN 1 END) FROM accruals
	                      WHERE bucket = $1 AND day = $2 AND asset IN ({tokens}) GROUP BY asset`)
	same := 0
	err := p.t.Query(func(r db.Row) error {
		b := p.batches[r.Text(0)]
		if b.holders == r.Int(1) && b.total == r.Int(2) {
			same++
		}
		b.above = r.Int(3)
		p.batches[r.Text(0)] = b
		return nil
	}, sql, args...)
	if err == nil && same != len(p.tokens) {
		err = errTampered
	}
	return err
}

func (p *payment) credit() error {
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
				PaidAt: db.TimeOf(p.now)})
		}
	}
}

// Approve lets a token's day be declared whatever its limits say: with the total that every bucket has accrued, which
// does not change any more. ledger.ErrInvalid because of ReasonNotAccrued before that, and where the day is not over.
// Terms of the day that are corrected take the approval away. Idempotent, until the day is declared.
func (b *DB) Approve(ctx context.Context, d staking.Day, asset string) error {
	if _, err := b.Asset(ctx, asset); err != nil {
		return err
	}
	if d >= staking.DayOf(b.clock()) {
		return ledger.ErrInvalid.In("", "approve %s of %s: the day is not over; nobody can have looked at it", asset, d)
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.lockUndeclared(t, d, asset); err != nil {
			return err
		}
		accrued, err := AccruedOf(t, d, asset)
		if err == nil && accrued.Left > 0 {
			err = ledger.ErrInvalid.In("", "its total is not known yet").Because(ReasonNotAccrued)
		}
		if err != nil {
			return err
		}
		n, err := t.Exec("INSERT INTO approvals (day, asset, approved_at, approved_by) VALUES ($1, $2, $3, $4) ON "+
			"CONFLICT DO NOTHING",
			int64(d), asset, b.now(), b.actor.Credential)
		if err != nil || n == 0 {
			return err
		}
		total, err := b.permitDay(t, d, asset, accrued)
		if err != nil {
			return err
		}
		return b.logLine(t, "settle approve", asset, d.String()+": "+total)
	})
	return annotate(err, "approve %s of %s", asset, d)
}

// Settled writes which days of tokens are paid in every bucket now, and an outbox event of
// each. What was stopped between a day's last payment and this is completed by the next
// call. What was paid to closed accounts that leave it to another is moved on, and payouts get
// their numbers. Repeating it has no further effect, and several processes may call it at the same time.
func (b *DB) Settled(ctx context.Context, now time.Time) error {
	days, err := read(ctx, b, unsettled) // mostly there are none, and nobody need wait to write them
	if err == nil && days != nil {
		err = b.Outbox().Write(ctx, func(t db.Tx) (outbox.Records, error) { return settle(t, now) })
	}
	if err != nil {
		return fmt.Errorf("write which days are settled: %w", err)
	}
	if _, err := b.NumberPayouts(ctx); err != nil {
		return err
	}
	return b.sweepAll(ctx)
}

// dueSet is days of tokens, with other columns.
func dueSet(days []staking.Due, more ...db.Field[staking.Due]) db.Set {
	return db.SetOf(days, append([]db.Field[staking.Due]{
		db.Text("asset", func(d staking.Due) string { return d.Asset }),
		db.Int("day", func(d staking.Due) int64 { return int64(d.Day) }),
	}, more...)...)
}

// unsettled are the days of tokens that are declared, paid in every bucket, and not
// written as settled: by token and day. Before the first declaration there are none.
func unsettled(t db.View) ([]staking.Due, error) {
	paid, err := db.All(t, readDue, "SELECT asset, min(paid_through) FROM progress GROUP BY asset ORDER BY asset")
	if err != nil {
		return nil, err
	}
	return db.AllEach(t, readDue, `SELECT d.asset, d.day FROM declarations d
	     WHERE d.asset = $1 AND d.day <= $2 AND d.day > (SELECT coalesce(max(s.day), -1) FROM settled s WHERE s.asset = $1)
	     ORDER BY d.day`, dueSet(paid))
}

// settle writes the days, and says what happened to them. Where another process has just
// written some, it looks again.
func settle(t db.Tx, now time.Time) (records outbox.Records, err error) {
	days, err := unsettled(t)
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		records.Settled(d)
	}
	n, err := insert(t, "settled",
		dueSet(days, db.Int("settled_at", func(staking.Due) int64 { return now.UnixMilli() })))
	if err == nil && n != int64(len(days)) {
		err = fmt.Errorf("%w: another has written settled days", db.ErrRetry)
	}
	return records, err
}
