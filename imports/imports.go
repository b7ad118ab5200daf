// Package imports is what books take of an account's history elsewhere: rows of exports, which it keeps
// in the database, and the entries that are made of them. It knows no balances.
package imports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Row is how often a row is in one part of an export of another exchange.
type Row struct {
	At        time.Time // UTC, a whole second
	Asset     string
	Operation string        // at most 255 bytes
	Amount    ledger.Amount // the change, in smallest units
	Reward    bool          // of Soft Staking, paid by the other exchange
	Export    string        // at most 255 bytes
	Part      int           // -1: the file is the whole export
	Times     int           // above zero
}

// maxText is the length in bytes of the longest text of a row: it is part of a key.
const maxText = 255

func (r Row) check() error {
	switch {
	case len(r.Operation) > maxText || len(r.Export) > maxText:
		return ledger.ErrInvalid.In("", "an operation and an export of an import have at most %d bytes", maxText)
	case r.Times < 0 || r.Part < -1:
		return ledger.ErrInvalid.In("", "a row of an import counts %d times in part %d", r.Times, r.Part)
	}
	return checkSecond(r.At)
}

func checkSecond(at time.Time) error {
	if at.Nanosecond() != 0 {
		return ledger.ErrInvalid.In("", "the time %s of an import is not a whole second", at.Format(time.RFC3339Nano))
	}
	return nil
}

func compare(a, b Row) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Export, b.Export), cmp.Compare(a.Part, b.Part))
}

// fold sorts the rows, and makes one of those with the same key: a statement must not
// change a row twice.
func fold(rows []Row) []Row {
	sorted := slices.SortedFunc(slices.Values(rows), compare)
	folded := sorted[:0]
	for _, r := range sorted {
		if last := len(folded) - 1; last >= 0 && compare(folded[last], r) == 0 {
			folded[last].Times = max(folded[last].Times, r.Times)
			folded[last].Reward = folded[last].Reward || r.Reward
			continue
		}
		folded = append(folded, r)
	}
	return folded
}

// Imports is the table of rows. Its methods are safe for concurrent use.
type Imports struct {
	DB  *db.DB
	Log func(t db.Tx, action, subject, detail string) error // writes a line of the books' log
}

// recordPart is how many rows are recorded in one transaction.
const recordPart = 10_000

// Record keeps the rows that an import has read, before anything of them is posted: an
// import that is stopped in between is completed by the next one. Of a row that is known
// in the same part of the same export the larger number stays, or zero where the row no
// longer counts; whether it is a reward is what the last import says. So repeating has no
// further effect. A row beyond the limits of Row is ErrInvalid, and nothing is recorded.
// Rows are written in transactions of 10,000: after another error some may be recorded,
// and the same call may be made again.
func (i *Imports) Record(ctx context.Context, account ledger.Account, rows []Row) error {
	if err := account.CheckHolder(); err != nil {
		return err
	}
	for _, r := range rows {
		if err := r.check(); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(fold(rows), recordPart) {
		if err := i.DB.Write(ctx, func(t db.Tx) error {
			n, err := write(t, account, part)
			if err != nil || n == 0 {
				return err
			}
			return i.Log(t, "import read", string(account), fmt.Sprintf("rows: %d", n))
		}); err != nil {
			return fmt.Errorf("record the import into %s: %w", account, err)
		}
	}
	return nil
}

// write writes rows, and returns how many were new or changed.
func write(t db.Tx, account ledger.Account, rows []Row) (int64, error) {
	bucket := int64(account.Bucket())
	return t.Set(nil, `INSERT INTO import_rows (bucket, account, at, asset, operation, amount, export, part, times, reward)
		SELECT r.bucket, r.account, r.at, r.asset, r.operation, r.amount, r.export, r.part, r.times, r.reward FROM {rows} WHERE true
		ON CONFLICT (bucket, account, at, asset, operation, amount, export, part) DO UPDATE SET
			times = CASE WHEN excluded.times > import_rows.times OR excluded.times = 0 THEN excluded.times ELSE import_rows.times END,
			reward = excluded.reward
		WHERE excluded.times > import_rows.times OR (excluded.times = 0 AND import_rows.times <> 0) OR excluded.reward <> import_rows.reward`,
		db.SetOf(rows,
			db.Int("bucket", func(Row) int64 { return bucket }),
			db.Text("account", func(Row) string { return string(account) }),
			db.Int("at", func(r Row) int64 { return r.At.UnixMilli() }),
			db.Text("asset", func(r Row) string { return r.Asset }),
			db.Text("operation", func(r Row) string { return r.Operation }),
			db.Int("amount", func(r Row) int64 { return int64(r.Amount) }),
			db.Text("export", func(r Row) string { return r.Export }),
			db.Int("part", func(r Row) int64 { return int64(r.Part) }),
			db.Int("times", func(r Row) int64 { return int64(r.Times) }),
			db.Int("reward", func(r Row) int64 { return db.Flag(r.Reward) })))
}
