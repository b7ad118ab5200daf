package reports

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// AuditOf is what an audit reads of books.
func AuditOf(books store.Reader) audit.Books { return audited{books} }

// audited are books that are audited.
type audited struct{ store.Reader }

// Outline says what there is to audit. Closed is the last day that is closed in
// the last bucket, and so in all: from there on its journal never changes.
func (b audited) Outline(ctx context.Context) (o audit.Outline, err error) {
	err = b.Read(ctx, func(t db.View) error {
		closed, err := lastClosed(t)
		if err != nil {
			return err
		}
		o = audit.Outline{First: b.FirstDay(), Closed: max(closed, b.FirstDay()-1)}
		var intended int64
		if _, err := db.One(t, []*int64{&o.Intents, &intended}, "SELECT count(*), coalesce(max(day), $1) FROM closings",
			int64(b.FirstDay())-1); err != nil {
			return err
		}
		o.Intended = staking.Day(intended)
		if o.Owed, err = owed(t, o.First); err != nil {
			return err
		}
		if o.Sharing, err = sharing(t, o.Closed); err != nil {
			return err
		}
		if o.Shared, err = sharedSince(t); err != nil {
			return err
		}
		if o.Groupings, err = groupings(t); err != nil {
			return err
		}
		o.Campaigns, err = campaignRows(t)
		return err
	})
	if err != nil {
		return o, fmt.Errorf("read what there is to audit: %w", err)
	}
	return o, nil
}

// Forged are the rows that have not their MAC. Where the key is not here, as on another machine, they are not checked.
func (b audited) Forged(ctx context.Context, visit func(what string)) error {
	_, err := b.Guard().Examine(ctx, b.Read, func(f integrity.Forged) { visit(f.String()) })
	if errors.Is(err, integrity.ErrNoKey) {
		return nil
	}
	return err
}

// owed are what the records of days say is owed. One that cannot be read is found where records are compared with the
// rows that they are of.
func owed(t db.View, first staking.Day) (all []audit.Owed, err error) {
	err = t.Query(func(r db.Row) error {
		record, err := evidence.ParseRecord(r.Text(1))
		if err != nil || int64(record.Day) != r.Int(0) {
			return nil
		}
		add := func(asset string, sum uint64, above bool) {
			settled, known := record.Settled[asset]
			if !known {
				settled = first - 1
			}
			all = append(all, audit.Owed{Key: audit.Key{Day: record.Day, Asset: asset}, Sum: sum, Above: above,
				Settled: settled})
		}
		for _, l := range record.Liabilities {
			add(l.Asset, l.Root.Sum, false)
		}
		for _, asset := range record.OutOfRange {
			add(asset, 0, true)
		}
		return nil
	}, "SELECT day, body FROM records ORDER BY day")
	if err != nil {
		err = fmt.Errorf("read what records say is owed: %w", err)
	}
	return all, err
}

func declarations(t db.View) ([]audit.Declaration, error) {
	all, err := db.All(t, func(r db.Row) (audit.Declaration, error) {
		return audit.Declaration{
			Key: keyOf(r), Holders: r.Int(2), Total: ledger.Amount(r.Int(3)), Eligible: ledger.Amount(r.Int(4)),
			EligibleRest: r.Int(5), Carried: holding.ReadExact(r, 6),
		}, nil
	}, "SELECT day, asset, holders, total, eligible, eligible_rest, carried_units, carried_part FROM declarations "+
		"ORDER BY day, asset")
	if err != nil {
		err = fmt.Errorf("read the declarations: %w", err)
	}
	return all, err
}

// keyOf is a token's day, the first two columns of a row.
func keyOf(r db.Row) audit.Key { return audit.Key{Day: staking.Day(r.Int(0)), Asset: r.Text(1)} }

// ReadBucket gives read a bucket, the whole of it in one snapshot.
func (b audited) ReadBucket(ctx context.Context, bucket int, read func(audit.Bucket) error) error {
	return b.Read(ctx, func(t db.View) error {
		a := auditedBucket{t, int64(bucket), map[string]bool{}}
		for _, table := range slices.Concat(bucketTables, wholeTables) {
			a.filled[table] = false
		}
		if err := a.query("what there is", func(r db.Row) { a.filled[r.Text(0)] = true }, whatThereIs); err != nil {
			return err
		}
		return read(a)
	})
}

// auditedBucket is one bucket in one snapshot.
type auditedBucket struct {
	t      db.View
	bucket int64
	filled map[string]bool // whether there are rows, by table: of bucketTables in the bucket, of wholeTables in any
}

// bucketTables are those of which a bucket may have no rows.
var bucketTables = []string{
	"reconciliations", "batches", "shares", "payments", "enrollments", "exclusions", "postings", "accruals", "entries",
	"incomes", "withdrawals", "campaign_weights", "campaign_eligible", "campaign_shares", "campaign_members", "labels",
	"switch_events", "owners", "owner_sums", "campaign_owner_sums",
}

// wholeTables are those that are read whole for each bucket, so that all is of one snapshot.
var wholeTables = append([]string{"declarations"}, campaignTables...)

// whatThereIs says in one question which tables are filled. An audit has some 40 questions to each of 256 buckets, and
// most buckets of small books have an answer to few.
var whatThereIs = func() string {
	var all []string
	for _, table := range bucketTables {
		all = append(all, "SELECT '"+table+"' WHERE EXISTS (SELECT 1 FROM "+table+" WHERE bucket = $1)")
	}
	for _, table := range wholeTables {
		all = append(all, "SELECT '"+table+"' WHERE EXISTS (SELECT 1 FROM "+table+")")
	}
	return strings.Join(all, " UNION ALL ")
}()

// of is query of a table of bucketTables: where the bucket has no rows in it, nothing is asked.
func (a auditedBucket) of(table, what string, fn func(db.Row), sql string, args ...any) error {
	if filled, known := a.filled[table]; !known {
		return fmt.Errorf("nobody asks whether there are rows of %s", table)
	} else if !filled {
		return nil
	}
	return a.query(what, fn, sql, args...)
}

// query reads rows of the bucket, which is $1, and says what was read where it fails.
func (a auditedBucket) query(what string, fn func(db.Row), sql string, args ...any) error {
	err := a.t.Query(func(r db.Row) error { fn(r); return nil }, sql, append([]any{a.bucket}, args...)...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

func (a auditedBucket) Head() (h audit.Head, err error) {
	for _, part := range []struct {
		what string
		read func(db.Row)
		sql  string
	}{
		{"the days", func(r db.Row) { h.Last, h.Days, h.FirstOpen = staking.Day(r.Int(0)), r.Int(1), staking.Day(r.Int(2)) },
			"SELECT max(day), count(*), coalesce(min(CASE WHEN closed = 0 THEN day END), max(day) + 1) FROM days WHERE " +
				"bucket = $1"},
		{"the accounts", func(r db.Row) { h.Accounts = r.Int(0) }, "SELECT count(*) FROM accounts WHERE bucket = $1"},
		{"the progress", func(r db.Row) {
			h.Progress = append(h.Progress, audit.Progress{Asset: r.Text(0), Accrued: staking.Day(r.Int(1)),
				Paid: staking.Day(r.Int(2))})
		}, "SELECT asset, accrued_through, paid_through FROM progress WHERE bucket = $1 ORDER BY asset"},
	} {
		if err := a.query(part.what, part.read, part.sql); err != nil {
			return h, err
		}
	}
	for _, part := range []struct {
		table string
		read  func(db.Row)
		sql   string
	}{
		{"reconciliations", func(r db.Row) {
			h.Overdrawn = append(h.Overdrawn, audit.Overdraft{Account: ledger.Account(r.Text(0)), Asset: r.Text(1), At: r.Int(2),
				Until: r.Int(3)})
		}, "SELECT account, asset, at, until FROM reconciliations WHERE bucket = $1"},
		{"batches", func(r db.Row) {
			b := readBatch(r)
			b.Eligible, b.EligibleRest = ledger.Amount(r.Int(5)), r.Int(6)
			h.Batches = append(h.Batches, b)
		},
			"SELECT day, asset, holders, total, digest, eligible, eligible_rest FROM batches WHERE bucket = $1 ORDER " +
				"BY day, asset"},
		{"shares", func(r db.Row) {
			h.Shares = append(h.Shares, audit.Share{Key: keyOf(r), First: staking.Day(r.Int(2)), Last: staking.Day(r.Int(3)),
				Sum: holding.ReadExact(r, 4)})
		}, "SELECT day, asset, first_day, last_day, units, part FROM shares WHERE bucket = $1"},
		{"payments", func(r db.Row) { h.Payments = append(h.Payments, readBatch(r)) },
			"SELECT day, asset, holders, total, digest FROM payments WHERE bucket = $1 ORDER BY day, asset"},
	} {
		if err := a.of(part.table, "the "+part.table, part.read, part.sql); err != nil {
			return h, err
		}
	}
	if h.Assets, err = db.All(a.t, func(r db.Row) (ledger.Asset, error) {
		return ledger.Asset{Symbol: r.Text(0), Scale: int(r.Int(1)), MaxSupply: ledger.Amount(r.Int(2))}, nil
	}, "SELECT symbol, scale, max_supply FROM assets ORDER BY symbol"); err != nil {
		return h, fmt.Errorf("read the assets: %w", err)
	}
	if h.Terms, err = everyTerms(a.t); err != nil {
		return h, err
	}
	if a.filled["declarations"] {
		if h.Declared, err = declarations(a.t); err != nil {
			return h, err
		}
	}
	h.Campaigns, err = a.campaigns()
	return h, err
}

// Sharing is what the distributions are derived from.
func (a auditedBucket) Sharing() (audit.Sharing, error) {
	closed, err := lastClosed(a.t)
	if err != nil {
		return audit.Sharing{}, err
	}
	return sharing(a.t, closed)
}

// lastClosed is the last day that is closed in the last bucket, and so in all; -1: none.
func lastClosed(t db.View) (staking.Day, error) {
	d, found, err := db.First(t, db.IntOf,
		"SELECT day FROM days WHERE bucket = $1 AND closed = 1 ORDER BY day DESC LIMIT 1", int64(ledger.Buckets-1))
	if !found {
		d = -1
	}
	return staking.Day(d), err
}

func sharing(t db.View, over staking.Day) (s audit.Sharing, err error) {
	s.Over = over
	if s.Terms, err = everyTerms(t); err != nil {
		return s, err
	}
	if s.Declared, err = declarations(t); err != nil {
		return s, err
	}
	if s.Distributions, err = distributions(t); err != nil {
		return s, fmt.Errorf("read the distributions: %w", err)
	}
	if s.Incomes, err = db.All(t, auditedIncome, auditedIncomes+" ORDER BY at, reference"); err != nil {
		err = fmt.Errorf("read the staking income: %w", err)
	}
	return s, err
}

func everyTerms(t db.View) ([]staking.Terms, error) {
	terms, err := db.All(t, scan(store.ReadTerms),
		"SELECT "+store.TermsFigures+" FROM terms ORDER BY asset, from_day, revision")
	if err != nil {
		err = fmt.Errorf("read the terms: %w", err)
	}
	return terms, err
}

func readBatch(r db.Row) audit.Batch {
	b := audit.Batch{Key: keyOf(r), Holders: r.Int(2), Total: ledger.Amount(r.Int(3))}
	copy(b.Digest[:], r.Bytes(4))
	return b
}

func (a auditedBucket) Span(after ledger.Account, n int) (audit.Span, error) {
	s := audit.Span{After: after, Through: audit.End}
	err := a.query("the balances", func(r db.Row) { s.Through = ledger.Account(r.Text(0)) },
		"SELECT account FROM balances WHERE bucket = $1 AND account > $2 ORDER BY account, asset LIMIT 1 OFFSET $3",
		string(after), int64(n))
	return s, err
}

func (a auditedBucket) Balances(s audit.Span, visit func(audit.Balance)) error {
	return a.query("the balances", func(r db.Row) {
		visit(audit.Balance{
			Account: ledger.Account(r.Text(0)), Asset: r.Text(1),
			Balance: ledger.Amount(r.Int(2)), Carry: staking.Fraction(r.Int(3)), Earned: ledger.Amount(r.Int(4)),
			Opened: r.Int(5) >= 0, Ended: max(r.Int(5), 0),
		})
	}, `SELECT b.account, b.asset, b.balance, b.carry, b.earned,
	           coalesce((SELECT a.ended FROM accounts a WHERE a.bucket = b.bucket AND a.account = replace(b.account, '/held', '')), -1)
	      FROM balances b WHERE b.bucket = $1 AND b.account > $2 AND b.account <= $3 ORDER BY b.account, b.asset`,
		string(s.After), string(s.Through))
}

func (a auditedBucket) Enrollments(s audit.Span, visit func(audit.Enrollment)) error {
	return a.of("enrollments", "the enrollments", func(r db.Row) {
		e := staking.Enrollment{Account: ledger.Account(r.Text(0)), From: staking.Day(r.Int(1)), Until: staking.Day(r.Int(2))}
		visit(audit.Enrollment{Enrollment: e, Opened: r.Int(3) > 0})
	}, `SELECT e.account, e.from_day, e.until_day,
	           (SELECT count(*) FROM accounts a WHERE a.bucket = e.bucket AND a.account = e.account)
	      FROM enrollments e WHERE e.bucket = $1 AND e.account > $2 AND e.account <= $3 ORDER BY e.account, e.from_day`,
		string(s.After), string(s.Through))
}

func (a auditedBucket) Exclusions(s audit.Span, visit func(audit.Exclusion)) error {
	return a.of("exclusions", "the exclusions", func(r db.Row) {
		visit(audit.Exclusion{Exclusion: store.ReadExclusion(r), Opened: r.Int(5) > 0})
	}, "SELECT "+store.ExclusionColumns+`,
	           (SELECT count(*) FROM accounts a WHERE a.bucket = x.bucket AND a.account = x.account)
	      FROM exclusions x WHERE x.bucket = $1 AND x.account > $2 AND x.account <= $3
	     ORDER BY x.account, x.asset, x.product, x.from_day`, string(s.After), string(s.Through))
}

func (a auditedBucket) Postings(d staking.Day, s audit.Span, visit func(*audit.Posting)) error {
	p := audit.Posting{Day: d}
	return a.of("postings", "the postings of "+d.String(), func(r db.Row) {
		p.Account, p.Asset = ledger.Account(r.Text(0)), r.Text(1)
		p.At, p.Entry, p.Move, p.Side = r.Int(2), r.Text(3), r.Int(4), r.Int(5)
		p.Amount, p.Other, p.Kind = ledger.Amount(r.Int(6)), ledger.Account(r.Text(7)), ledger.Kind(r.Text(8))
		visit(&p)
	}, `SELECT account, asset, at, entry, move, side, amount, other, kind FROM postings
	     WHERE bucket = $1 AND day = $2 AND account > $3 AND account <= $4 ORDER BY account, asset, at, entry, move, side`,
		int64(d), string(s.After), string(s.Through))
}

func (a auditedBucket) Accruals(d staking.Day, s audit.Span, visit func(*staking.Accrual)) error {
	x := staking.Accrual{Day: d}
	return a.of("accruals", "the accruals of "+d.String(), func(r db.Row) {
		x.Account, x.Asset = ledger.Account(r.Text(0)), r.Text(1)
		x.Opening, x.Average, x.Rest, x.Eligible = ledger.Amount(r.Int(2)), ledger.Amount(r.Int(3)), r.Int(4),
			ledger.Amount(r.Int(5))
		x.APR, x.Reward = staking.Rate(r.Int(6)), ledger.Amount(r.Int(7))
		x.Before, x.Carry, x.EligibleRest = staking.Fraction(r.Int(8)), staking.Fraction(r.Int(9)), r.Int(10)
		visit(&x)
	}, `SELECT account, asset, opening, average, rest, eligible, apr, reward, before, carry, eligible_rest FROM accruals
	     WHERE bucket = $1 AND day = $2 AND account > $3 AND account <= $4 ORDER BY account, asset`,
		int64(d), string(s.After), string(s.Through))
}

func (a auditedBucket) Outside(first, last staking.Day, visit func(staking.Day, ledger.Account, string)) error {
	for _, table := range []string{"postings", "accruals"} {
		for _, end := range []struct {
			sql string
			day staking.Day
		}{{"day < $2 ORDER BY bucket, day LIMIT 1", first}, {"day > $2 ORDER BY bucket, day LIMIT 1", last}} {
			err := a.of(table, "the "+table, func(r db.Row) {
				visit(staking.Day(r.Int(0)), ledger.Account(r.Text(1)), r.Text(2))
			},
				"SELECT day, account, asset FROM "+table+" WHERE bucket = $1 AND "+end.sql, int64(end.day))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (a auditedBucket) Entries(visit func(*audit.Entry)) error {
	var e audit.Entry
	return a.of("entries", "the entries", func(r db.Row) {
		e = audit.Entry{ID: r.Text(0), At: r.Int(1), Version: r.Int(2), Digest: r.Bytes(3), Leaves: r.Bytes(4),
			Destination: r.Bytes(5)}
		visit(&e)
	}, "SELECT entry, at, digest_version, digest, leaves, destination FROM entries WHERE bucket = $1 ORDER BY entry")
}

func (a auditedBucket) Incomes(visit func(*audit.Income)) error {
	if !a.filled["incomes"] {
		return nil
	}
	incomes, err := db.All(a.t, auditedIncome, auditedIncomes+" WHERE bucket = $1 ORDER BY reference", a.bucket)
	if err != nil {
		return fmt.Errorf("read the staking income: %w", err)
	}
	for i := range incomes {
		visit(&incomes[i])
	}
	return nil
}

const auditedIncomes = "SELECT reference, asset, chain, source, first_day, last_day, gross, fee, evidence, at, mode " +
	"FROM incomes"

func auditedIncome(r db.Row) (audit.Income, error) {
	return audit.Income{
		Reference: r.Text(0), Asset: r.Text(1), Chain: r.Text(2), Source: r.Text(3), First: staking.Day(r.Int(4)),
		Last: staking.Day(r.Int(5)), Gross: ledger.Amount(r.Int(6)), Fee: staking.Rate(r.Int(7)), Evidence: r.Text(8),
		At: r.Int(9), Mode: staking.Mode(r.Int(10)),
	}, nil
}

func distributions(t db.View) ([]audit.Distribution, error) {
	return db.All(t, func(r db.Row) (audit.Distribution, error) {
		return audit.Distribution{
			Key: keyOf(r), First: staking.Day(r.Int(2)), Last: staking.Day(r.Int(3)), Gross: ledger.Amount(r.Int(4)),
			Net: ledger.Amount(r.Int(5)), Before: holding.ReadExact(r, 6), Weight: r.Text(8),
			Paid: holding.ReadExact(r, 9),
		}, nil
	}, `SELECT day, asset, first_day, last_day, gross, net, before_units, before_part, weight, paid_units, paid_part FROM distributions
	     ORDER BY day, asset, first_day, last_day`)
}

func (a auditedBucket) Withdrawals(visit func(*audit.Withdrawal)) error {
	var w audit.Withdrawal
	return a.of("withdrawals", "the withdrawals", func(r db.Row) {
		w = audit.Withdrawal{
			ID: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), Amount: ledger.Amount(r.Int(3)), At: r.Int(4),
			To: ledger.Destination{Address: r.Text(5), Network: r.Text(6), Tag: r.Text(7), ClientID: r.Text(8)},
		}
		visit(&w)
	}, `SELECT id, account, asset, amount, requested, address, network, tag, client_id FROM withdrawals
	     WHERE bucket = $1 ORDER BY account, id`)
}
