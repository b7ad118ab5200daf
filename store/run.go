package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// The books are what a run works on.
var _ staking.Books = (*DB)(nil)

// Due are the oldest days up to and including through that are not paid, a day a token.
func (b *DB) Due(ctx context.Context, through staking.Day) ([]staking.Due, error) {
	due, err := read(ctx, b, func(t db.View) ([]staking.Due, error) {
		return db.All(t, readDue,
			"SELECT asset, min(paid_through) + 1 FROM progress GROUP BY asset HAVING min(paid_through) < $1 ORDER BY asset",
			int64(through))
	})
	return due, annotate(err, "read what is due")
}

// readDue scans a row of a token and a day.
func readDue(r db.Row) (staking.Due, error) {
	return staking.Due{Asset: r.Text(0), Day: staking.Day(r.Int(1))}, nil
}

// batchSize is how many accounts are enough for a transaction of their own: the
// buckets of small books share one, since each commit waits for the disk.
const batchSize = 128

// progressRow names a row of progress: the days of a token in a bucket.
type progressRow struct {
	bucket int
	asset  string
}

// Unaccrued are the batches of buckets in which the day is not accrued for some of the
// tokens. Buckets without an enrollment that covers the day are done with at once: the day is
// closed, so there will be none. Where something is distributed, those are in which nobody was
// ever enrolled.
func (b *DB) Unaccrued(ctx context.Context, d staking.Day, tokens []string) ([]staking.Batch, error) {
	var covered []int64 // accounts of each bucket, up to batchSize
	err := b.engine.Write(ctx, func(t db.Tx) (err error) {
		if err := enlist(t, d, tokens); err != nil {
			return err
		}
		shared, err := b.distributions(t, d, tokens...)
		if err != nil {
			return err
		}
		var ever []bool // whether anybody of a bucket was enrolled, on the day or before it
		covered = nil
		err = t.QuerySet(func(r db.Row) error {
			covered, ever = append(covered, r.Int(0)), append(ever, r.Int(1) > 0)
			return nil
		}, fmt.Sprintf(`SELECT (SELECT count(*) FROM (
				SELECT 1 FROM enrollments e
				 WHERE e.bucket = r.bucket AND e.from_day <= r.day AND e.until_day > r.day LIMIT %d) AS enrolled),
			  (SELECT count(*) FROM (
				SELECT 1 FROM enrollments e WHERE e.bucket = r.bucket AND e.from_day <= r.day LIMIT 1) AS ever)
			  FROM {rows} ORDER BY r.bucket`, batchSize), EveryBucket(d))
		if err != nil {
			return err
		}
		var empty []progressRow
		for bucket, n := range covered {
			for _, token := range tokens {
				// Who left since may have a share.
				if n == 0 && (!ever[bucket] ||
					!slices.ContainsFunc(shared, func(d staking.Distribution) bool { return d.Asset == token })) {
					empty = append(empty, progressRow{bucket, token})
				}
			}
		}
		// The day before is a column, not a parameter: PostgreSQL takes few rows to have reached
		// a day that is given, and would look for each of them in the whole set.
		_, err = t.Set(nil, `UPDATE progress SET accrued_through = r.before + 1 FROM {rows}
		                      WHERE progress.bucket = r.bucket AND progress.asset = r.asset
		                        AND progress.accrued_through = r.before AND progress.paid_through = r.before`,
			db.SetOf(empty,
				db.Int("bucket", func(p progressRow) int64 { return int64(p.bucket) }),
				db.Text("asset", func(p progressRow) string { return p.asset }),
				db.Int("before", func(progressRow) int64 { return int64(d) - 1 })))
		if err != nil {
			return err
		}
		return periodSizes(t, shared, covered)
	})
	if err != nil {
		return nil, fmt.Errorf("pass over empty buckets: %w", err)
	}
	return b.unfinished(ctx, "SELECT bucket, asset FROM progress WHERE accrued_through < $1 ORDER BY bucket", d, tokens,
		covered)
}

// Unpaid are the batches of buckets in which the day is not paid for some of the tokens.
// Buckets in which nothing was accrued are done with at once.
func (b *DB) Unpaid(ctx context.Context, d staking.Day, tokens []string) ([]staking.Batch, error) {
	var accrued []int64 // positions of each bucket
	err := b.engine.Write(ctx, func(t db.Tx) error {
		accrued = make([]int64, ledger.Buckets)
		if err := t.QuerySet(func(r db.Row) error { accrued[r.Int(0)] += r.Int(1); return nil },
			"SELECT b.bucket, b.holders FROM {rows} JOIN batches b ON b.bucket = r.bucket AND b.day = r.day",
			EveryBucket(d)); err != nil {
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
	return b.unfinished(ctx, "SELECT bucket, asset FROM progress WHERE paid_through < $1 ORDER BY bucket", d, tokens,
		accrued)
}

// unfinished are the buckets that a statement finds, in batches by how many accounts or
// positions each bucket has.
func (b *DB) unfinished(ctx context.Context, sql string, d staking.Day, tokens []string,
	size []int64) ([]staking.Batch, error) {
	batches, err := read(ctx, b, func(t db.View) (batches []staking.Batch, err error) {
		last, sum := -1, int64(batchSize)
		err = t.Query(func(r db.Row) error {
			bucket := int(r.Int(0))
			if bucket == last || !slices.Contains(tokens, r.Text(1)) {
				return nil
			}
			if sum >= batchSize {
				batches, sum = append(batches, nil), 0
			}
			batch := &batches[len(batches)-1]
			*batch = append(*batch, bucket)
			last, sum = bucket, sum+size[bucket]
			return nil
		}, sql, int64(d))
		return batches, err
	})
	return batches, annotate(err, "read the progress of %s", d)
}

// Accrue applies the rule to every enrolled holding of the batch of buckets and writes
// what it earned. Balances, carries, enrollments, changes and terms are read in one
// snapshot. Tokens whose day another has accrued in the meantime are passed over.
func (b *DB) Accrue(ctx context.Context, batch staking.Batch, d staking.Day, tokens []string,
	rule staking.Rule) error {
	return b.engine.Claim(ctx, func(t db.Tx) error {
		terms, err := TermsAt(t, d)
		if err != nil {
			return err
		}
		shared, err := b.distributions(t, d, tokens...)
		if err != nil {
			return err
		}
		by, err := holding.MeasuringOn(t, d, terms)
		if err != nil {
			return err
		}
		tokens, perOwner, err := grouped(t, d, terms, tokens)
		if err != nil {
			return err
		}
		for _, bucket := range batch {
			a := accruing{
				t: t, bucket: bucket, day: d, rule: rule, terms: terms, by: by, batches: map[string]*accrued{}, shared: shared,
				perOwner: perOwner,
			}
			if err := a.run(tokens); err != nil {
				return fmt.Errorf("accrue %s: %w", d, err)
			}
		}
		return nil
	})
}

// run accrues the bucket's day of those tokens that are ours to do.
func (a *accruing) run(tokens []string) error {
	claimed, err := claimProgress(a.t, `UPDATE progress SET accrued_through = $3 FROM {rows}
	                WHERE progress.bucket = r.bucket AND progress.asset = r.asset
	                  AND progress.accrued_through = $3 - 1 AND progress.paid_through = $3 - 1 RETURNING progress.asset`, a.bucket, a.day, tokens)
	if err != nil || len(claimed) == 0 {
		return err
	}
	for _, token := range claimed {
		a.batches[token] = &accrued{digest: sha256.New()}
	}
	wanted := func(asset string) bool { return a.batches[asset] != nil }
	var shared []staking.Distribution
	for _, d := range a.shared {
		if wanted(d.Asset) {
			shared = append(shared, d)
		}
	}
	shares := holding.SharesOf(shared)
	if a.together, err = holding.TogetherOn(a.t, a.bucket, a.by, a.perOwner); err != nil {
		return err
	}
	if a.weighings, err = holding.WeighingsOf(a.t, a.bucket, a.by, claimed); err != nil {
		return err
	}
	return inOrder(
		func() error { return insertClaimants(a.t, a.bucket, shares) },
		func() error { return holding.Measure(a.t, a.bucket, a.by, wanted, shares, a.page) },
		a.total,
		func() error { return writeWeights(a.t, a.bucket, a.day, a.weighings) },
		func() error { return writeShares(a.t, a.bucket, shares) })
}

// claimProgress moves the bucket's progress of some tokens on by a day, with a
// statement that passes over those which are not at the day before, and says
// which it has moved: their day is ours to do, until the transaction ends.
func claimProgress(t db.Tx, sql string, bucket int, d staking.Day, tokens []string) (claimed []string, err error) {
	_, err = t.Set(func(r db.Row) error { claimed = append(claimed, r.Text(0)); return nil }, sql,
		db.SetOf(tokens, db.Int("bucket", func(string) int64 { return int64(bucket) }), db.Text("asset", itself[string])),
		int64(d))
	return claimed, annotate(err, "claim bucket %d of %s", bucket, d)
}

// accruing is the work on one bucket's day.
type accruing struct {
	t       db.Tx
	bucket  int
	day     staking.Day
	rule    staking.Rule
	terms   map[string]staking.Terms
	by      *holding.Measuring
	batches map[string]*accrued // by token
	shared  []staking.Distribution
	line    []byte

	weighings holding.Weighings
	perOwner  []string // tokens of which owners have a sum
	together  holding.Together
}

// accrued sums what a bucket accrued of a token.
type accrued struct {
	holders  int64
	total    ledger.Amount
	eligible holding.Weight
	carried  staking.Exact // by how much it changed what the holders carry
	digest   hash.Hash
}

// page accrues some holdings and writes their accruals, in key order.
func (a *accruing) page(page []staking.Holding) error {
	accruals := make([]staking.Accrual, 0, len(page))
	var others []staking.Accrual
	for _, h := range page {
		a.together.Give(&h)
		if h.Other != nil {
			others = a.other(others, h)
		}
		accrual, earned := a.rule(a.day, a.terms[h.Asset], h)
		if !earned {
			continue
		}
		b := a.batches[h.Asset]
		b.holders++
		total, err := b.total.Add(accrual.Reward)
		if err != nil {
			return fmt.Errorf("the total of %s: %w", h.Asset, err)
		}
		b.total = total
		b.carried = b.carried.Add(staking.Exact{Part: accrual.Carry}).Sub(staking.Exact{Part: accrual.Before})
		if a.terms[h.Asset].Mode == staking.Share {
			b.eligible.Add(accrual)
		}
		a.weighings.Add(accrual, false)
		a.line = accrual.AppendLine(a.line[:0])
		b.digest.Write(a.line)
		accruals = append(accruals, accrual)
	}
	if err := a.insertOthers(others); err != nil || len(accruals) == 0 {
		return err
	}
	bucket, day := int64(a.bucket), int64(a.day)
	return a.t.Insert("accruals", db.SetOf(accruals,
		db.Int("bucket", func(staking.Accrual) int64 { return bucket }),
		db.Int("day", func(staking.Accrual) int64 { return day }),
		db.Text("account", func(a staking.Accrual) string { return string(a.Account) }),
		db.Text("asset", func(a staking.Accrual) string { return a.Asset }),
		db.Int("opening", func(a staking.Accrual) int64 { return int64(a.Opening) }),
		db.Int("average", func(a staking.Accrual) int64 { return int64(a.Average) }),
		db.Int("rest", func(a staking.Accrual) int64 { return a.Rest }),
		db.Int("eligible", func(a staking.Accrual) int64 { return int64(a.Eligible) }),
		db.Int("eligible_rest", func(a staking.Accrual) int64 { return a.EligibleRest }),
		db.Int("apr", func(a staking.Accrual) int64 { return int64(a.APR) }),
		db.Int("reward", func(a staking.Accrual) int64 { return int64(a.Reward) }),
		db.Int("before", func(a staking.Accrual) int64 { return int64(a.Before) }),
		db.Int("carry", func(a staking.Accrual) int64 { return int64(a.Carry) })))
}

// total writes what the bucket accrued of each token.
func (a *accruing) total() error {
	for token, b := range a.batches {
		if b.holders == 0 {
			continue
		}
		if _, err := a.t.Exec("INSERT INTO batches (bucket, day, asset, holders, total, eligible, "+
			"eligible_rest, carried_units, carried_part, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			int64(a.bucket), int64(a.day), token, b.holders, int64(b.total), int64(b.eligible.Units), b.eligible.Rest,
			int64(b.carried.Units), int64(b.carried.Part), b.digest.Sum(nil)); err != nil {
			return fmt.Errorf("write the totals of %s: %w", a.day, err)
		}
	}
	return nil
}

// TermsAt are the terms of each token on a day. A token without terms yet is not among them.
func TermsAt(t db.View, d staking.Day) (map[string]staking.Terms, error) {
	terms := map[string]staking.Terms{}
	err := t.Query(func(r db.Row) error {
		terms[r.Text(0)] = ReadTerms(r)
		return nil
	}, `SELECT `+TermsFigures+` FROM assets a CROSS JOIN terms t
	     WHERE t.asset = a.symbol
	       AND t.from_day = (SELECT max(f.from_day) FROM terms f WHERE f.asset = a.symbol AND f.from_day <= $1)
	       AND t.revision = (SELECT max(r.revision) FROM terms r WHERE r.asset = a.symbol AND r.from_day = t.from_day)`, int64(d))
	return terms, annotate(err, "read the terms of %s", d)
}

// ReadTerms reads TermsFigures, a row's first columns.
func ReadTerms(r db.Row) staking.Terms {
	return staking.Terms{
		Asset: r.Text(0), From: staking.Day(r.Int(1)), Offered: r.Int(2) != 0,
		APR: staking.Rate(r.Int(3)), Min: ledger.Amount(r.Int(4)), Cap: ledger.Amount(r.Int(5)), Fee: staking.Rate(r.Int(6)),
		Mode: staking.Mode(r.Int(7)), Measure: staking.Measure(r.Int(8)), PerOwner: r.Int(9) != 0,
		GrossAPR: staking.Rate(r.Int(10)),
	}
}
