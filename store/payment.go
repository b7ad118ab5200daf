package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// errTampered says that the books no longer say what was accrued.
var errTampered = errors.New("the accruals are not those that were declared; an audit says which")

// Pay credits the piece's accruals of the day, set-based, and takes them out of
// each bucket's @payable, which ends at exactly zero.
func (db *DB) Pay(ctx context.Context, piece staking.Piece, d staking.Day, tokens []string, now time.Time) error {
	return db.telling(ctx, func(t tx) (news newsBodies, err error) {
		for _, bucket := range piece {
			p := payment{t: t, actor: db.actor, bucket: int64(bucket), day: int64(d), now: now.UnixMilli()}
			for _, step := range []func() error{func() error { return p.claim(tokens) }, p.compare, p.credit, p.settle} {
				if err := step(); err != nil {
					return nil, fmt.Errorf("pay %s: %w", d, err)
				}
			}
			p.report(&news)
		}
		return news, nil
	})
}

// payment is the paying of one bucket's day.
type payment struct {
	t           tx
	actor       access.Actor
	bucket, day int64
	now         int64
	tokens      []string         // those that are for us to pay
	batches     map[string]batch // by token
	holders     int64            // of all tokens
}

// batch is what a bucket accrued of a token on a day.
type batch struct {
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
	p.batches = map[string]batch{}
	return p.t.Query(func(r row) error {
		if token := r.Text(0); slices.Contains(claimed, token) {
			p.batches[token] = batch{r.Int(1), r.Int(2), r.Bytes(3)}
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
			n, err := p.t.Exec("UPDATE balances SET balance = balance - $1 WHERE bucket = $2 AND account = $3 AND asset = $4 AND balance >= $1",
				b.total, p.bucket, string(ledger.Payable), token)
			if err == nil && n == 0 {
				err = errTampered
			}
			if err != nil {
				return err
			}
		}
		if _, err := p.t.Exec("INSERT INTO payments (bucket, day, asset, holders, total, digest, paid_at, credential, role, request) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			p.bucket, p.day, token, b.holders, b.total, b.digest, p.now, p.actor.Credential, string(p.actor.Role), p.actor.Request); err != nil {
			return err
		}
	}
	return nil
}

// report adds what was paid to the news.
func (p *payment) report(news *newsBodies) {
	for _, token := range p.tokens {
		if p.batches[token].total > 0 {
			news.paid(PaidBatch{Bucket: int(p.bucket), Due: staking.Due{Asset: token, Day: staking.Day(p.day)}, PaidAt: timeOf(p.now)})
		}
	}
}

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
