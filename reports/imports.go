package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/imports"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Imports is what is known of an account's history elsewhere, and what is posted of it.
type Imports struct {
	Rows    []imports.Row
	Entries []imports.Entry // in order of their names
}

// Imports reads an account's recorded rows and posted import entries in one snapshot: the
// rows of what is posted in it are in it. ErrInvalid if it is no holder's account.
func (rs *Reports) Imports(ctx context.Context, account ledger.Account) (Imports, error) {
	if err := account.CheckHolder(); err != nil {
		return Imports{}, err
	}
	return read(ctx, rs, "read the imports of "+string(account), func(t db.View) (found Imports, err error) {
		found.Rows, err = db.All(t, readImportRow, `SELECT at, asset, operation, amount, export, part, times, reward FROM import_rows
		     WHERE bucket = $1 AND account = $2 ORDER BY at, asset, operation, amount, export, part`, int64(account.Bucket()), string(account))
		if err == nil {
			found.Entries, err = readImportEntries(t, account)
		}
		return found, err
	})
}

func readImportRow(r db.Row) (imports.Row, error) {
	return imports.Row{
		At: db.TimeOf(r.Int(0)), Asset: r.Text(1), Operation: r.Text(2), Amount: ledger.Amount(r.Int(3)),
		Export: r.Text(4), Part: int(r.Int(5)), Times: int(r.Int(6)), Reward: r.Int(7) != 0,
	}, nil
}

// readImportEntries reads the entries of an account's imports, which are in the buckets
// of their IDs, and then their postings of the account.
func readImportEntries(t db.View, account ledger.Account) ([]imports.Entry, error) {
	prefix := imports.Prefix(account)
	entries, err := db.AllEach(t, func(r db.Row) (imports.Entry, error) {
		return imports.Entry{Name: r.Text(0)[len(prefix):], At: db.TimeOf(r.Int(1))}, nil
	}, "SELECT entry, at FROM entries WHERE bucket = $1 AND entry >= $2 AND entry < $3 ORDER BY entry",
		db.SetOf(store.AllBuckets(),
			db.Int("bucket", func(b int) int64 { return int64(b) }),
			db.Text("from", func(int) string { return prefix }),
			db.Text("until", func(int) string { return prefix[:len(prefix)-1] + "0" }))) // "0" follows "/"
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	index := map[string]*imports.Entry{}
	for i, e := range entries {
		index[prefix+e.Name] = &entries[i]
	}
	err = t.QueryEach(func(r db.Row) error {
		e := index[r.Text(0)]
		e.Kind = ledger.Kind(r.Text(3))
		e.Changes = append(e.Changes, imports.Change{Asset: r.Text(1), Amount: ledger.Amount(r.Int(2))})
		return nil
	}, "SELECT entry, asset, amount, kind FROM postings WHERE bucket = $1 AND day = $2 AND at = $3 AND entry = "+
		"$4 AND account = $5 ORDER BY move, side",
		db.SetOf(entries,
			db.Int("bucket", func(imports.Entry) int64 { return int64(account.Bucket()) }),
			db.Int("day", func(e imports.Entry) int64 { return int64(staking.DayOf(e.At)) }),
			db.Int("at", func(e imports.Entry) int64 { return e.At.UnixMilli() }),
			db.Text("entry", func(e imports.Entry) string { return prefix + e.Name }),
			db.Text("account", func(imports.Entry) string { return string(account) })))
	slices.SortFunc(entries, func(a, b imports.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return entries, err
}

// Opening is what was posted as an account's opening of an asset, in smallest units, and
// when it counts, in UTC; zero: none was posted.
func (rs *Reports) Opening(ctx context.Context, account ledger.Account, asset string) (amount ledger.Amount,
	since time.Time, err error) {
	if err := account.CheckHolder(); err != nil {
		return 0, since, err
	}
	e := ledger.Entry{ID: imports.OpeningID(account, asset)}
	err = rs.Read(ctx, func(t db.View) error {
		amount, since = 0, time.Time{}
		at, found, err := db.First(t, db.IntOf, "SELECT at FROM entries WHERE bucket = $1 AND entry = $2",
			int64(e.Bucket()), e.ID)
		if err != nil || !found {
			return err
		}
		n, found, err := db.First(t, db.IntOf, "SELECT amount FROM postings WHERE bucket = $1 AND day = $2 AND "+
			"account = $3 AND asset = $4 AND at = $5 AND entry = $6",
			int64(account.Bucket()), int64(staking.DayOf(db.TimeOf(at))), string(account), asset, at, e.ID)
		if amount = ledger.Amount(n); found {
			since = db.TimeOf(at)
		}
		return err
	})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("look up the opening of %s: %w", account, err)
	}
	return amount, since, nil
}
