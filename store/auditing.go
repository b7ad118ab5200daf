package store

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// The books are what an audit reads.
var _ audit.Books = (*DB)(nil)

// Outline says what there is to audit. Closed is the last day that is closed in
// the last bucket, and so in all: from there on its journal never changes.
func (db *DB) Outline(ctx context.Context) (o audit.Outline, err error) {
	err = db.engine.Read(ctx, func(t view) error {
		closed := int64(db.first) - 1
		if _, err := one(t, []*int64{&closed}, "SELECT day FROM days WHERE bucket = $1 AND closed = 1 ORDER BY day DESC LIMIT 1", int64(ledger.Buckets-1)); err != nil {
			return err
		}
		o = audit.Outline{First: db.first, Closed: staking.Day(closed)}
		if err := t.Query(func(r row) error { o.Intended, o.Intents = staking.Day(r.Int(1)), r.Int(0); return nil },
			"SELECT count(*), coalesce(max(day), $1) FROM closings", int64(db.first)-1); err != nil {
			return err
		}
		o.Declared, err = declarations(t)
		return err
	})
	if err != nil {
		return o, fmt.Errorf("read what there is to audit: %w", err)
	}
	return o, nil
}

func declarations(t view) (declared []audit.Declaration, err error) {
	err = t.Query(func(r row) error {
		declared = append(declared, audit.Declaration{Key: keyOf(r), Holders: r.Int(2), Total: ledger.Amount(r.Int(3))})
		return nil
	}, "SELECT day, asset, holders, total FROM declarations ORDER BY day, asset")
	return declared, err
}

// keyOf is a token's day, the first two columns of a row.
func keyOf(r row) audit.Key { return audit.Key{Day: staking.Day(r.Int(0)), Asset: r.Text(1)} }

// ReadBucket gives read a bucket, the whole of it in one snapshot.
func (db *DB) ReadBucket(ctx context.Context, bucket int, read func(audit.Bucket) error) error {
	return db.engine.Read(ctx, func(t view) error { return read(auditing{t, int64(bucket)}) })
}

// auditing is one bucket in one snapshot.
type auditing struct {
	t      view
	bucket int64
}

// query reads rows, and says what was read where it fails.
func (a auditing) query(what string, fn func(row), sql string, args ...any) error {
	err := a.t.Query(func(r row) error { fn(r); return nil }, sql, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

func (a auditing) Head() (h audit.Head, err error) {
	steps := []func() error{
		func() error {
			return a.query("the days", func(r row) { h.Last, h.Days, h.FirstOpen = staking.Day(r.Int(0)), r.Int(1), staking.Day(r.Int(2)) },
				"SELECT max(day), count(*), coalesce(min(CASE WHEN closed = 0 THEN day END), max(day) + 1) FROM days WHERE bucket = $1", a.bucket)
		},
		func() error {
			return a.query("the accounts", func(r row) { h.Accounts = r.Int(0) },
				"SELECT count(*) FROM accounts WHERE bucket = $1", a.bucket)
		},
		func() error {
			return a.query("the assets", func(r row) {
				h.Assets = append(h.Assets, ledger.Asset{Symbol: r.Text(0), Scale: int(r.Int(1)), MaxSupply: ledger.Amount(r.Int(2))})
			}, "SELECT symbol, scale, max_supply FROM assets ORDER BY symbol")
		},
		func() error {
			return a.query("the terms", func(r row) { h.Terms = append(h.Terms, readTerms(r)) },
				"SELECT asset, from_day, offered, apr, minimum, cap FROM terms ORDER BY asset, from_day, revision")
		},
		func() error {
			return a.query("the progress", func(r row) {
				h.Progress = append(h.Progress, audit.Progress{Asset: r.Text(0), Accrued: staking.Day(r.Int(1)), Paid: staking.Day(r.Int(2))})
			}, "SELECT asset, accrued_through, paid_through FROM progress WHERE bucket = $1 ORDER BY asset", a.bucket)
		},
		func() error { h.Declared, err = declarations(a.t); return err },
		func() error {
			return a.query("the reconciliations", func(r row) {
				h.Overdrawn = append(h.Overdrawn, audit.Overdraft{Account: ledger.Account(r.Text(0)), Asset: r.Text(1), At: r.Int(2), Until: r.Int(3)})
			}, "SELECT account, asset, at, until FROM reconciliations WHERE bucket = $1", a.bucket)
		},
		func() error {
			return a.query("the batches", func(r row) { h.Batches = append(h.Batches, readBatch(r)) },
				"SELECT day, asset, holders, total, digest FROM batches WHERE bucket = $1 ORDER BY day, asset", a.bucket)
		},
		func() error {
			return a.query("the payments", func(r row) { h.Payments = append(h.Payments, readBatch(r)) },
				"SELECT day, asset, holders, total, digest FROM payments WHERE bucket = $1 ORDER BY day, asset", a.bucket)
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return h, err
		}
	}
	return h, nil
}

func readBatch(r row) audit.Batch {
	b := audit.Batch{Key: keyOf(r), Holders: r.Int(2), Total: ledger.Amount(r.Int(3))}
	copy(b.Digest[:], r.Bytes(4))
	return b
}

func (a auditing) Span(after ledger.Account, n int) (audit.Span, error) {
	s := audit.Span{After: after, Through: audit.End}
	err := a.query("the balances", func(r row) { s.Through = ledger.Account(r.Text(0)) },
		"SELECT account FROM balances WHERE bucket = $1 AND account > $2 ORDER BY account, asset LIMIT 1 OFFSET $3", a.bucket, string(after), int64(n))
	return s, err
}

func (a auditing) Balances(s audit.Span, visit func(audit.Balance)) error {
	return a.query("the balances", func(r row) {
		visit(audit.Balance{
			Account: ledger.Account(r.Text(0)), Asset: r.Text(1),
			Balance: ledger.Amount(r.Int(2)), Carry: staking.Fraction(r.Int(3)), Earned: ledger.Amount(r.Int(4)),
			Opened: r.Int(5) > 0,
		})
	}, `SELECT b.account, b.asset, b.balance, b.carry, b.earned,
	           (SELECT count(*) FROM accounts a WHERE a.bucket = b.bucket AND a.account = replace(b.account, '/held', ''))
	      FROM balances b WHERE b.bucket = $1 AND b.account > $2 AND b.account <= $3 ORDER BY b.account, b.asset`,
		a.bucket, string(s.After), string(s.Through))
}

func (a auditing) Enrollments(s audit.Span, visit func(audit.Enrollment)) error {
	return a.query("the enrollments", func(r row) {
		e := staking.Enrollment{Account: ledger.Account(r.Text(0)), From: staking.Day(r.Int(1)), Until: staking.Day(r.Int(2))}
		visit(audit.Enrollment{Enrollment: e, Opened: r.Int(3) > 0})
	}, `SELECT e.account, e.from_day, e.until_day,
	           (SELECT count(*) FROM accounts a WHERE a.bucket = e.bucket AND a.account = e.account)
	      FROM enrollments e WHERE e.bucket = $1 AND e.account > $2 AND e.account <= $3 ORDER BY e.account, e.from_day`,
		a.bucket, string(s.After), string(s.Through))
}

func (a auditing) Postings(d staking.Day, s audit.Span, visit func(*audit.Posting)) error {
	p := audit.Posting{Day: d}
	return a.query("the postings of "+d.String(), func(r row) {
		p.Account, p.Asset = ledger.Account(r.Text(0)), r.Text(1)
		p.At, p.Entry, p.Move, p.Side = r.Int(2), r.Text(3), r.Int(4), r.Int(5)
		p.Amount, p.Other, p.Kind = ledger.Amount(r.Int(6)), ledger.Account(r.Text(7)), ledger.Kind(r.Text(8))
		visit(&p)
	}, `SELECT account, asset, at, entry, move, side, amount, other, kind FROM postings
	     WHERE bucket = $1 AND day = $2 AND account > $3 AND account <= $4 ORDER BY account, asset, at, entry, move, side`,
		a.bucket, int64(d), string(s.After), string(s.Through))
}

func (a auditing) Accruals(d staking.Day, s audit.Span, visit func(*staking.Accrual)) error {
	x := staking.Accrual{Day: d}
	return a.query("the accruals of "+d.String(), func(r row) {
		x.Account, x.Asset = ledger.Account(r.Text(0)), r.Text(1)
		x.Opening, x.Average, x.Rest, x.Eligible = ledger.Amount(r.Int(2)), ledger.Amount(r.Int(3)), r.Int(4), ledger.Amount(r.Int(5))
		x.APR, x.Reward = staking.Rate(r.Int(6)), ledger.Amount(r.Int(7))
		x.Before, x.Carry = staking.Fraction(r.Int(8)), staking.Fraction(r.Int(9))
		visit(&x)
	}, `SELECT account, asset, opening, average, rest, eligible, apr, reward, before, carry FROM accruals
	     WHERE bucket = $1 AND day = $2 AND account > $3 AND account <= $4 ORDER BY account, asset`,
		a.bucket, int64(d), string(s.After), string(s.Through))
}

func (a auditing) Outside(first, last staking.Day, visit func(staking.Day, ledger.Account, string)) error {
	for _, table := range []string{"postings", "accruals"} {
		for _, end := range []struct {
			sql string
			day staking.Day
		}{{"day < $2 ORDER BY bucket, day LIMIT 1", first}, {"day > $2 ORDER BY bucket, day LIMIT 1", last}} {
			err := a.query("the "+table, func(r row) { visit(staking.Day(r.Int(0)), ledger.Account(r.Text(1)), r.Text(2)) },
				"SELECT day, account, asset FROM "+table+" WHERE bucket = $1 AND "+end.sql, a.bucket, int64(end.day))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (a auditing) Entries(visit func(*audit.Entry)) error {
	var e audit.Entry
	return a.query("the entries", func(r row) {
		e = audit.Entry{ID: r.Text(0), At: r.Int(1), Version: r.Int(2), Digest: r.Bytes(3), Leaves: r.Bytes(4), Destination: r.Bytes(5)}
		visit(&e)
	}, "SELECT entry, at, digest_version, digest, leaves, destination FROM entries WHERE bucket = $1 ORDER BY entry", a.bucket)
}

func (a auditing) Withdrawals(visit func(*audit.Withdrawal)) error {
	var w audit.Withdrawal
	return a.query("the withdrawals", func(r row) {
		w = audit.Withdrawal{
			ID: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), Amount: ledger.Amount(r.Int(3)), At: r.Int(4),
			To: ledger.Destination{Address: r.Text(5), Network: r.Text(6), Tag: r.Text(7), ClientID: r.Text(8)},
		}
		visit(&w)
	}, `SELECT id, account, asset, amount, requested, address, network, tag, client_id FROM withdrawals
	     WHERE bucket = $1 ORDER BY account, id`, a.bucket)
}
