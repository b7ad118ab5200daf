package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
)

// dip is a time in which a balance is below zero because of an authoritative entry.
type dip struct {
	key
	until  int64 // the first moment at which it is not below zero any more
	lowest ledger.Amount
}

// Reconciliation is a balance that an authoritative entry left below zero for a time, to
// be reconciled with the ledger that decided the entry.
type Reconciliation struct {
	Entry    string
	Account  ledger.Account // the free or the held part
	Asset    string
	At       time.Time     // UTC, of the entry: from here on the balance may be below zero
	Until    time.Time     // the first moment at which it is not below zero any more, as it was when the entry was posted
	Lowest   ledger.Amount // in between, as it was when the entry was posted; below zero
	Flagged  time.Time     // when the entry was posted
	Resolved time.Time     // zero: it is not
	Reason   string        // of the resolution; the log says who
}

// writeReconciliations writes a row for each balance that an accepted entry left below zero.
func (p *posting) writeReconciliations() error {
	var buckets, ats, untils, lowest, flagged, zeros []int64
	var accounts, assets, entries, empty []string
	for _, it := range p.accepted() {
		for _, d := range it.dips {
			buckets, accounts, assets = append(buckets, int64(d.bucket)), append(accounts, string(d.account)), append(assets, d.asset)
			entries, ats, untils = append(entries, it.ID), append(ats, it.at), append(untils, d.until)
			lowest, flagged = append(lowest, int64(d.lowest)), append(flagged, p.now)
			zeros, empty = append(zeros, 0), append(empty, "")
		}
	}
	if entries == nil {
		return nil
	}
	return p.insertNew("reconciliations", set{
		ints("bucket", buckets), texts("account", accounts), texts("asset", assets), texts("entry", entries), ints("at", ats), ints("until", untils),
		ints("lowest", lowest), ints("flagged", flagged), ints("resolved", zeros), texts("reason", empty),
	})
}

// Reconciliations are the next after one, of which Flagged, Entry, Account and Asset
// count, in the order of their posting, at most limit; the zero one is before all. With
// open they are those that are not resolved.
func (db *DB) Reconciliations(ctx context.Context, after Reconciliation, open bool, limit int) (found []Reconciliation, err error) {
	flagged, most := int64(0), int64(1<<62)
	if !after.Flagged.IsZero() {
		flagged = after.Flagged.UnixMilli()
	}
	if open {
		most = 0
	}
	err = db.engine.Read(ctx, func(t view) error {
		found = nil
		return t.Query(func(r row) error {
			found = append(found, Reconciliation{
				Entry: r.Text(0), Account: ledger.Account(r.Text(1)), Asset: r.Text(2), At: timeOf(r.Int(3)), Until: timeOf(r.Int(4)),
				Lowest: ledger.Amount(r.Int(5)), Flagged: timeOf(r.Int(6)), Resolved: timeOrNever(r.Int(7)), Reason: r.Text(8),
			})
			return nil
		}, `SELECT entry, account, asset, at, until, lowest, flagged, resolved, reason FROM reconciliations
		     WHERE (flagged, entry, account, asset) > ($1, $2, $3, $4) AND resolved <= $5 ORDER BY flagged, entry, account, asset LIMIT $6`,
			flagged, after.Entry, string(after.Account), after.Asset, most, int64(max(limit, 0)))
	})
	if err != nil {
		return nil, fmt.Errorf("read the reconciliations: %w", err)
	}
	return found, nil
}

// Resolve records that an entry's balances were reconciled, and why that is so; the reason
// is kept and logged. The balances stay as they are: what was wrong is corrected by an
// adjustment. Repeating has no further effect. ErrNotFound if the entry was not flagged.
func (db *DB) Resolve(ctx context.Context, entry, reason string) (repeated bool, err error) {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return false, err
	}
	err = db.engine.Write(ctx, func(t tx) error {
		n, err := t.Exec("UPDATE reconciliations SET resolved = $1, reason = $2 WHERE entry = $3 AND resolved = 0", db.now(), reason, entry)
		if err != nil {
			return err
		}
		if repeated = n == 0; !repeated {
			return db.logLine(t, "reconciliation resolve", entry, reason)
		}
		flagged, err := count(t, "SELECT count(*) FROM reconciliations WHERE entry = $1", entry)
		if err == nil && flagged == 0 {
			err = ledger.ErrNotFound.In("", "entry %q is not to be reconciled", ledger.Clip(entry))
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("resolve a reconciliation: %w", err)
	}
	return repeated, nil
}
