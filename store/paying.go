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
