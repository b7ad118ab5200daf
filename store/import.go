package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/consent"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// ImportRow is how often a row is in one part of an export of another exchange.
type ImportRow struct {
	At        time.Time // UTC, a whole second
	Asset     string
	Operation string        // at most 255 bytes
	Amount    ledger.Amount // the change, in smallest units
	Reward    bool          // of Soft Staking, paid by the other exchange
	Export    string        // at most 255 bytes
	Part      int           // -1: the file is the whole export
	Times     int           // above zero
}

// ImportEntry is what an import posts in one entry: the sums of some rows.
type ImportEntry struct {
	Name    string      // what the entry's ID ends with, behind "import/ACCOUNT/"
	Kind    ledger.Kind // Import, RewardElsewhere or Opening
	At      time.Time   // UTC, a whole second; of an opening it is the start of the first open day
	Changes []ImportChange
}

// ImportChange is the change of an asset: above zero it came, below it went.
type ImportChange struct {
	Asset  string
	Amount ledger.Amount
}

// ImportPrefix begins the IDs of the entries of an account's imports; their names follow.
func ImportPrefix(account ledger.Account) string { return "import/" + string(account) + "/" }

// importPart is how many rows are recorded in one transaction.
const importPart = 10_000

// RecordImport keeps the rows that an import has read, before anything of them is
// posted: an import that is stopped in between is completed by the next one. Of a row
// that is known in the same part of the same export the larger number stays, or zero
// where the row no longer counts; whether it is a reward is what the last import says.
// So repeating has no further effect. A row beyond the limits of ImportRow is ErrInvalid,
// and nothing is recorded. Rows are written in transactions of 10,000: after another
// error some may be recorded, and the same call may be made again.
func (db *DB) RecordImport(ctx context.Context, account ledger.Account, rows []ImportRow) error {
	if err := account.CheckHolder(); err != nil {
		return err
	}
	for _, r := range rows {
		if err := r.check(); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(foldImportRows(rows), importPart) {
		if err := db.engine.Write(ctx, func(t tx) error {
			n, err := writeImportRows(t, account, part)
			if err != nil || n == 0 {
				return err
			}
			return db.logLine(t, "import read", string(account), fmt.Sprintf("rows: %d", n))
		}); err != nil {
			return fmt.Errorf("record the import into %s: %w", account, err)
		}
	}
	return nil
}

// maxImportText is the length in bytes of the longest text of a row: it is part of a key.
const maxImportText = 255

func (r ImportRow) check() error {
	if err := checkSecond(r.At); err != nil {
		return err
	}
	switch {
	case len(r.Operation) > maxImportText || len(r.Export) > maxImportText:
		return ledger.ErrInvalid.In("", "an operation and an export of an import have at most %d bytes", maxImportText)
	case r.Times < 0 || r.Part < -1:
		return ledger.ErrInvalid.In("", "a row of an import counts %d times in part %d", r.Times, r.Part)
	}
	return nil
}

func checkSecond(at time.Time) error {
	if at.Nanosecond() != 0 {
		return ledger.ErrInvalid.In("", "the time %s of an import is not a whole second", at.Format(time.RFC3339Nano))
	}
	return nil
}

func compareImportRows(a, b ImportRow) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.Export, b.Export), cmp.Compare(a.Part, b.Part))
}

// foldImportRows sorts the rows, and makes one of those with the same key: a statement
// must not change a row twice.
func foldImportRows(rows []ImportRow) []ImportRow {
	sorted := slices.SortedFunc(slices.Values(rows), compareImportRows)
	folded := sorted[:0]
	for _, r := range sorted {
		if last := len(folded) - 1; last >= 0 && compareImportRows(folded[last], r) == 0 {
			folded[last].Times = max(folded[last].Times, r.Times)
			folded[last].Reward = folded[last].Reward || r.Reward
			continue
		}
		folded = append(folded, r)
	}
	return folded
}

// writeImportRows writes rows, and says how many were new or changed.
func writeImportRows(t tx, account ledger.Account, rows []ImportRow) (int64, error) {
	bucket := int64(account.Bucket())
	return t.Set(nil, `INSERT INTO import_rows (bucket, account, at, asset, operation, amount, export, part, times, reward)
		SELECT r.bucket, r.account, r.at, r.asset, r.operation, r.amount, r.export, r.part, r.times, r.reward FROM {rows} WHERE true
		ON CONFLICT (bucket, account, at, asset, operation, amount, export, part) DO UPDATE SET
			times = CASE WHEN excluded.times > import_rows.times OR excluded.times = 0 THEN excluded.times ELSE import_rows.times END,
			reward = excluded.reward
		WHERE excluded.times > import_rows.times OR (excluded.times = 0 AND import_rows.times <> 0) OR excluded.reward <> import_rows.reward`,
		db.SetOf(rows,
			db.Int("bucket", func(ImportRow) int64 { return bucket }),
			db.Text("account", func(ImportRow) string { return string(account) }),
			db.Int("at", func(r ImportRow) int64 { return r.At.UnixMilli() }),
			db.Text("asset", func(r ImportRow) string { return r.Asset }),
			db.Text("operation", func(r ImportRow) string { return r.Operation }),
			db.Int("amount", func(r ImportRow) int64 { return int64(r.Amount) }),
			db.Text("export", func(r ImportRow) string { return r.Export }),
			db.Int("part", func(r ImportRow) int64 { return int64(r.Part) }),
			db.Int("times", func(r ImportRow) int64 { return int64(r.Times) }),
			db.Int("reward", func(r ImportRow) int64 { return flag(r.Reward) })))
}

// PostImport posts entries of an account's import, in order, and says of each what became
// of it. An entry is named by the account and its name: repeating has no further effect
// and answers as the first time; another content under the same name is ErrConflict.
func (db *DB) PostImport(ctx context.Context, account ledger.Account, imported []ImportEntry) ([]Outcome, error) {
	if err := account.CheckHolder(); err != nil {
		return nil, err
	}
	entries := make([]ledger.Entry, len(imported))
	for i, e := range imported {
		if err := checkSecond(e.At); err != nil {
			return nil, err
		}
		entries[i] = ledger.Entry{ID: ImportPrefix(account) + e.Name, Kind: e.Kind, At: e.At.UTC()}
		for _, c := range e.Changes {
			move := ledger.Move{From: ledger.Custody, To: account, Asset: c.Asset, Amount: c.Amount}
			if c.Amount < 0 {
				move = ledger.Move{From: account, To: ledger.Custody, Asset: c.Asset, Amount: -c.Amount}
			}
			entries[i].Moves = append(entries[i].Moves, move)
		}
	}
	return db.postParts(ctx, entries, note{action: "import", subject: string(account)})
}

// Opening is what an account had of an asset when the books began for it.
type Opening struct {
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount
}

// OpeningID is the ID of the entry of an account's opening of an asset.
func OpeningID(account ledger.Account, asset string) string {
	return "opening/" + string(account) + "/" + asset
}

// PostOpenings posts what accounts had in the beginning: at the start of the
// first day of the books or, where that is closed, of the first open one. An
// account has one opening an asset. Repeating has no further effect and answers as the
// first time; another amount is ErrConflict.
func (db *DB) PostOpenings(ctx context.Context, openings []Opening) ([]Outcome, error) {
	entries := make([]ledger.Entry, len(openings))
	for i, o := range openings {
		if err := o.Account.CheckHolder(); err != nil {
			return nil, err
		}
		entries[i] = ledger.Entry{
			ID: OpeningID(o.Account, o.Asset), Kind: ledger.Opening,
			Moves: []ledger.Move{{From: ledger.Custody, To: o.Account, Asset: o.Asset, Amount: o.Amount}},
		}
	}
	return db.postParts(ctx, entries, note{action: "load"})
}

// dateOpenings dates the openings among the entries: at the first open moment, and those
// that were posted before as they were.
func (b *DB) dateOpenings(ctx context.Context, entries []ledger.Entry) error {
	openings := map[string][]*ledger.Entry{}
	for i, e := range entries {
		if e.Kind == ledger.Opening {
			openings[e.ID] = append(openings[e.ID], &entries[i])
		}
	}
	if len(openings) == 0 {
		return nil
	}
	err := b.engine.Read(ctx, func(t view) error {
		first, err := b.firstOpen(t)
		if err != nil {
			return err
		}
		date := func(same []*ledger.Entry, at time.Time) {
			for _, e := range same {
				e.At = at
			}
		}
		for _, same := range openings {
			date(same, first.Start())
		}
		return t.QueryEach(func(r row) error {
			date(openings[r.Text(0)], timeOf(r.Int(1)))
			return nil
		}, "SELECT entry, at FROM entries WHERE bucket = $1 AND entry = $2", db.SetOf(entries,
			db.Int("bucket", func(e ledger.Entry) int64 { return int64(e.Bucket()) }),
			db.Text("entry", func(e ledger.Entry) string { return e.ID })))
	})
	if err != nil {
		return fmt.Errorf("look openings up: %w", err)
	}
	return nil
}

// ownPart is how many entries of our own are posted in one transaction.
const ownPart = 1000

// postParts posts entries of our own, part by part, the openings among them dated first. At a
// database's error nothing is known of the entries; post them again.
func (db *DB) postParts(ctx context.Context, entries []ledger.Entry, n note) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(entries))
	for part := range slices.Chunk(entries, ownPart) {
		if err := db.dateOpenings(ctx, part); err != nil {
			return nil, err
		}
		posted, err := db.post(ctx, &call{entries: part, own: true, note: n})
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, posted...)
	}
	return outcomes, nil
}

// fillPart is how many accounts are filled in with one transaction.
const fillPart = 10_000

// OpenAccounts opens many accounts, some thousands in each transaction. Those
// that are there stay as they are. Idempotent.
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

func (b *DB) openPart(ctx context.Context, accounts []Account) (there []Account, err error) {
	slices.SortFunc(accounts, func(a, b Account) int {
		return cmp.Or(a.ID.Bucket()-b.ID.Bucket(), cmp.Compare(a.ID, b.ID))
	})
	bucket := db.Int("bucket", func(a Account) int64 { return int64(a.ID.Bucket()) })
	id := db.Text("account", func(a Account) string { return string(a.ID) })
	err = b.engine.Write(ctx, func(t tx) error {
		there = nil
		fresh := map[string]bool{}
		_, err := t.Set(func(r row) error { fresh[r.Text(0)] = true; return nil }, `INSERT INTO accounts (bucket, account, region, opened)
		      SELECT r.bucket, r.account, r.region, r.opened FROM {rows} WHERE true ON CONFLICT DO NOTHING RETURNING account`,
			db.SetOf(accounts, bucket, id,
				db.Text("region", func(a Account) string { return string(a.Region) }),
				db.Int("opened", func(a Account) int64 { return a.Opened.UnixMilli() })))
		if err == nil && len(fresh) > 0 {
			err = b.logMany(t, "account open", slices.Sorted(maps.Keys(fresh)), "")
		}
		old := slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool { return fresh[string(a.ID)] })
		if err != nil || len(old) == 0 {
			return err
		}
		// A statement of its own: it sees what another has opened in the meantime.
		there, err = db.AllOf(t, ReadAccount, "SELECT "+AccountColumns+
			" FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account",
			db.SetOf(old, bucket, id))
		return err
	})
	return there, err
}

// EnrollAll enrolls many accounts from an open day on, at the latest tomorrow, as
// if each had accepted the current documents and switched on the day before. It
// fills books with made-up holders and checks no region and no app version.
// Those whose switch is on stay as they are. Idempotent.
func (db *DB) EnrollAll(ctx context.Context, accounts []ledger.Account, from staking.Day) error {
	for _, a := range accounts {
		if err := a.CheckHolder(); err != nil {
			return fmt.Errorf("enroll accounts: %w", err)
		}
	}
	if err := db.ensureDays(ctx); err != nil {
		return err
	}
	sorted := slices.SortedFunc(slices.Values(accounts),
		func(a, b ledger.Account) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a, b)) })
	sorted = slices.Compact(sorted)
	for part := range slices.Chunk(sorted, fillPart) {
		if err := db.enrollPart(ctx, part, from); err != nil {
			return fmt.Errorf("enroll accounts from %s: %w", from, err)
		}
	}
	return nil
}

func (b *DB) enrollPart(ctx context.Context, accounts []ledger.Account, from staking.Day) error {
	var touched []int
	var ids []string
	for _, a := range accounts {
		touched, ids = append(touched, a.Bucket()), append(ids, string(a))
	}
	return b.engine.Write(ctx, func(t tx) error {
		if err := b.lockOpenDay(t, from, touched...); err != nil {
			return err
		}
		n, known := len(accounts), 0
		err := t.QuerySet(func(row) error { known++; return nil },
			"SELECT a.account FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account AND a.closed = 0",
			accountSet(accounts))
		if err == nil && known != n {
			err = ledger.ErrNotFound.In("", "%d of %d accounts from %s to %s are not open; open them first", n-known, n, ids[0],
				ids[n-1])
		}
		if err != nil {
			return err
		}
		_, err = t.Set(nil, `INSERT INTO enrollments (bucket, account, from_day, until_day)
		                     SELECT r.bucket, r.account, r.day, r.forever FROM {rows}
		                      WHERE NOT EXISTS (SELECT 1 FROM enrollments e WHERE e.bucket = r.bucket AND e.account = r.account AND e.until_day > r.day)
		                     ON CONFLICT (bucket, account, from_day) DO UPDATE SET until_day = excluded.until_day`,
			accountSet(accounts,
				db.Int("day", func(ledger.Account) int64 { return int64(from) }),
				db.Int("forever", func(ledger.Account) int64 { return int64(staking.Forever) })))
		if err == nil {
			err = b.logMany(t, "enroll", ids, "from "+from.String())
		}
		if err != nil {
			return err
		}
		current, err := consent.Current(t)
		if err != nil {
			return err
		}
		now, rows := b.Now(), make([]consent.Acceptance, 0, len(accounts)*len(staking.DocumentNames))
		for _, name := range staking.DocumentNames {
			for _, a := range accounts {
				rows = append(rows, consent.Acceptance{Account: a, Document: name, Version: current[name], At: now})
			}
		}
		_, err = consent.WriteAcceptances(t, rows...)
		return err
	})
}
