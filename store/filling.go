package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// fillPart is how many accounts are filled in with one transaction.
const fillPart = 10_000

// OpenAccounts opens many accounts, some thousands in each transaction. Those
// that are there stay as they are. Safe to call twice.
func (db *DB) OpenAccounts(ctx context.Context, accounts []Account) error {
	_, err := db.OpenOrFind(ctx, accounts)
	return err
}

// OpenOrFind opens many accounts as OpenAccounts does, and returns those that were
// there, as they are: their residence may be another than the one given.
func (db *DB) OpenOrFind(ctx context.Context, accounts []Account) (there []Account, err error) {
	for part := range slices.Chunk(accounts, fillPart) {
		rows := make([]Account, len(part))
		copy(rows, part)
		for i := range rows {
			if err := rows[i].checkNew(); err != nil {
				return nil, fmt.Errorf("open accounts: %w", err)
			}
		}
		found, err := db.openPart(ctx, rows)
		if err != nil {
			return nil, fmt.Errorf("open accounts: %w", err)
		}
		there = append(there, found...)
	}
	return there, nil
}

func (db *DB) openPart(ctx context.Context, accounts []Account) (there []Account, err error) {
	n := len(accounts)
	slices.SortFunc(accounts, func(a, b Account) int {
		return cmp.Or(a.ID.Bucket()-b.ID.Bucket(), cmp.Compare(a.ID, b.ID))
	})
	buckets, opened, ids, regions := make([]int64, n), make([]int64, n), make([]string, n), make([]string, n)
	for i, a := range accounts {
		buckets[i], ids[i], regions[i], opened[i] = int64(a.ID.Bucket()), string(a.ID), string(a.Region), a.Opened.UnixMilli()
	}
	err = db.engine.Write(ctx, func(t tx) error {
		there = nil
		fresh := map[string]bool{}
		_, err := t.Set(func(r row) error { fresh[r.Text(0)] = true; return nil }, `INSERT INTO accounts (bucket, account, region, opened)
		      SELECT r.bucket, r.account, r.region, r.opened FROM {rows} WHERE true ON CONFLICT DO NOTHING RETURNING account`,
			set{ints("bucket", buckets), texts("account", ids), texts("region", regions), ints("opened", opened)})
		if err == nil && len(fresh) > 0 {
			err = db.logMany(t, "account open", slices.Sorted(maps.Keys(fresh)), "")
		}
		if err != nil {
			return err
		}
		var oldBuckets []int64
		var old []string
		for i, id := range ids {
			if !fresh[id] {
				oldBuckets, old = append(oldBuckets, buckets[i]), append(old, id)
			}
		}
		if old == nil {
			return nil
		}
		// A statement of its own: it sees what another has opened meanwhile.
		err = t.QuerySet(func(r row) error {
			there = append(there, readAccount(r))
			return nil
		}, "SELECT "+accountColumns+" FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account",
			set{ints("bucket", oldBuckets), texts("account", old)})
		return err
	})
	return there, err
}

// EnrollAll enrolls many accounts from an open day on, at the latest tomorrow, as
// if each had accepted the current documents and switched on the day before. It
// fills books with made-up holders and asks for no region and no app version.
// Those whose switch is on stay as they are. Safe to call twice.
func (db *DB) EnrollAll(ctx context.Context, accounts []ledger.Account, from staking.Day) error {
	for _, a := range accounts {
		if err := a.CheckHolder(); err != nil {
			return fmt.Errorf("enroll accounts: %w", err)
		}
	}
	if err := db.ensureDays(ctx); err != nil {
		return err
	}
	sorted := slices.SortedFunc(slices.Values(accounts), func(a, b ledger.Account) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a, b)) })
	sorted = slices.Compact(sorted)
	for part := range slices.Chunk(sorted, fillPart) {
		if err := db.enrollPart(ctx, part, from); err != nil {
			return fmt.Errorf("enroll accounts from %s: %w", from, err)
		}
	}
	return nil
}

func (db *DB) enrollPart(ctx context.Context, accounts []ledger.Account, from staking.Day) error {
	n := len(accounts)
	buckets, ids, touched := make([]int64, n), make([]string, n), make([]int, n)
	for i, a := range accounts {
		buckets[i], ids[i], touched[i] = int64(a.Bucket()), string(a), a.Bucket()
	}
	days, forever := slices.Repeat([]int64{int64(from)}, n), slices.Repeat([]int64{int64(staking.Forever)}, n)
	return db.engine.Write(ctx, func(t tx) error {
		if err := db.lockOpenDay(t, from, touched...); err != nil {
			return err
		}
		known := 0
		err := t.QuerySet(func(row) error { known++; return nil }, "SELECT a.account FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account AND a.closed = 0",
			set{ints("bucket", buckets), texts("account", ids)})
		if err == nil && known != n {
			err = ledger.ErrNotFound.In("", "%d of %d accounts from %s to %s are not open; open them first", n-known, n, ids[0], ids[n-1])
		}
		if err != nil {
			return err
		}
		_, err = t.Set(nil, `INSERT INTO enrollments (bucket, account, from_day, until_day)
		                     SELECT r.bucket, r.account, r.day, r.forever FROM {rows}
		                      WHERE NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.bucket = r.bucket AND e.account = r.account AND e.until_day > r.day)
		                     ON CONFLICT (bucket, account, from_day) DO UPDATE SET until_day = excluded.until_day`,
			set{ints("bucket", buckets), texts("account", ids), ints("day", days), ints("forever", forever)})
		if err == nil {
			err = db.logMany(t, "enroll", ids, "from "+from.String())
		}
		if err != nil {
			return err
		}
		return db.acceptAll(t, buckets, ids)
	})
}

// acceptAll accepts the current documents for many accounts.
func (db *DB) acceptAll(t tx, buckets []int64, ids []string) error {
	current, err := CurrentDocuments(t)
	if err != nil {
		return err
	}
	n := len(ids)
	now := slices.Repeat([]int64{db.now()}, n)
	for _, name := range staking.DocumentNames {
		if _, err := t.Set(nil, `INSERT INTO acceptances (bucket, account, document, version, accepted_at, client, address)
		                         SELECT r.bucket, r.account, r.document, r.version, r.at, r.client, r.address FROM {rows} WHERE true ON CONFLICT DO NOTHING`, set{
			ints("bucket", buckets), texts("account", ids), texts("document", repeat(name, n)),
			ints("version", slices.Repeat([]int64{int64(current[name])}, n)), ints("at", now),
			texts("client", repeat("", n)), texts("address", repeat("", n)),
		}); err != nil {
			return fmt.Errorf("accept %s: %w", name, err)
		}
	}
	return nil
}
