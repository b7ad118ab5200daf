package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// ImportRow is how often a row stands in one part of an export of another exchange.
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

// Imports is what is known of an account's history elsewhere, and what is posted of it.
type Imports struct {
	Rows    []ImportRow
	Entries []ImportEntry // in order of their names
}

func importPrefix(account ledger.Account) string { return "import/" + string(account) + "/" }

// Imports reads an account's recorded rows and posted import entries in one snapshot: the
// rows of what is posted in it are in it. ErrInvalid if it is no holder's account.
func (db *DB) Imports(ctx context.Context, account ledger.Account) (Imports, error) {
	if err := account.CheckHolder(); err != nil {
		return Imports{}, err
	}
	var found Imports
	err := db.engine.Read(ctx, func(t view) (err error) {
		if found.Rows, err = readImportRows(t, account); err != nil {
			return err
		}
		found.Entries, err = readImportEntries(t, account)
		return err
	})
	if err != nil {
		return Imports{}, fmt.Errorf("read the imports of %s: %w", account, err)
	}
	return found, nil
}

func readImportRows(t view, account ledger.Account) (rows []ImportRow, err error) {
	err = t.Query(func(r row) error {
		rows = append(rows, ImportRow{
			At: timeOf(r.Int(0)), Asset: r.Text(1), Operation: r.Text(2), Amount: ledger.Amount(r.Int(3)),
			Export: r.Text(4), Part: int(r.Int(5)), Times: int(r.Int(6)), Reward: r.Int(7) != 0,
		})
		return nil
	}, `SELECT at, asset, operation, amount, export, part, times, reward FROM import_rows
	     WHERE bucket = $1 AND account = $2 ORDER BY at, asset, operation, amount, export, part`, int64(account.Bucket()), string(account))
	return rows, err
}

// readImportEntries reads the entries of an account's imports, which lie in the buckets
// of their IDs, and then their sides of the account.
func readImportEntries(t view, account ledger.Account) ([]ImportEntry, error) {
	prefix := importPrefix(account)
	n := ledger.Buckets
	buckets, from, until := make([]int64, n), make([]string, n), make([]string, n)
	for b := range n {
		buckets[b], from[b], until[b] = int64(b), prefix, prefix[:len(prefix)-1]+"0" // "0" follows "/"
	}
	var entries []ImportEntry
	index := map[string]int{}
	err := t.QueryEach(func(r row) error {
		index[r.Text(0)] = len(entries)
		entries = append(entries, ImportEntry{Name: r.Text(0)[len(prefix):], At: timeOf(r.Int(1))})
		return nil
	}, "SELECT entry, at FROM entries WHERE bucket = $1 AND entry >= $2 AND entry < $3 ORDER BY entry",
		set{ints("bucket", buckets), texts("from", from), texts("until", until)})
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	accountBuckets := make([]int64, len(entries))
	days, ats := make([]int64, len(entries)), make([]int64, len(entries))
	ids, accounts := make([]string, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		accountBuckets[i], days[i], ats[i] = int64(account.Bucket()), int64(staking.DayOf(e.At)), e.At.UnixMilli()
		ids[i], accounts[i] = prefix+e.Name, string(account)
	}
	err = t.QueryEach(func(r row) error {
		e := &entries[index[r.Text(0)]]
		e.Kind = ledger.Kind(r.Text(3))
		e.Changes = append(e.Changes, ImportChange{r.Text(1), ledger.Amount(r.Int(2))})
		return nil
	}, "SELECT entry, asset, amount, kind FROM postings WHERE bucket = $1 AND day = $2 AND at = $3 AND entry = $4 AND account = $5 ORDER BY move, side",
		set{ints("bucket", accountBuckets), ints("day", days), ints("at", ats), texts("entry", ids), texts("account", accounts)})
	slices.SortFunc(entries, func(a, b ImportEntry) int { return cmp.Compare(a.Name, b.Name) })
	return entries, err
}

// importPart is how many rows are recorded in one transaction.
const importPart = 10_000

// RecordImport keeps the rows that an import has read, before anything of them is
// posted: an import that is stopped in between is completed by the next one. Of a row
// that is known in the same part of the same export the larger number stays, or zero
// where the row is to count no more; whether it is a reward is what the last import says.
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
	n := len(rows)
	bucket, owner, at := make([]int64, n), make([]string, n), make([]int64, n)
	asset, operation, amount := make([]string, n), make([]string, n), make([]int64, n)
	export, part, times, reward := make([]string, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, r := range rows {
		bucket[i], owner[i], at[i] = int64(account.Bucket()), string(account), r.At.UnixMilli()
		asset[i], operation[i], amount[i] = r.Asset, r.Operation, int64(r.Amount)
		export[i], part[i], times[i] = r.Export, int64(r.Part), int64(r.Times)
		if r.Reward {
			reward[i] = 1
		}
	}
	return t.Set(nil, `INSERT INTO import_rows (bucket, account, at, asset, operation, amount, export, part, times, reward)
		SELECT r.bucket, r.account, r.at, r.asset, r.operation, r.amount, r.export, r.part, r.times, r.reward FROM {rows} WHERE true
		ON CONFLICT (bucket, account, at, asset, operation, amount, export, part) DO UPDATE SET
			times = CASE WHEN excluded.times > import_rows.times OR excluded.times = 0 THEN excluded.times ELSE import_rows.times END,
			reward = excluded.reward
		WHERE excluded.times > import_rows.times OR (excluded.times = 0 AND import_rows.times <> 0) OR excluded.reward <> import_rows.reward`,
		set{
			ints("bucket", bucket), texts("account", owner), ints("at", at), texts("asset", asset), texts("operation", operation),
			ints("amount", amount), texts("export", export), ints("part", part), ints("times", times), ints("reward", reward),
		})
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
		entries[i] = ledger.Entry{ID: importPrefix(account) + e.Name, Kind: e.Kind, At: e.At.UTC()}
		for _, c := range e.Changes {
			move := ledger.Move{From: ledger.Custody, To: account, Asset: c.Asset, Amount: c.Amount}
			if c.Amount < 0 {
				move = ledger.Move{From: account, To: ledger.Custody, Asset: c.Asset, Amount: -c.Amount}
			}
			entries[i].Moves = append(entries[i].Moves, move)
		}
	}
	return db.postOwnParts(ctx, entries, note{action: "import", subject: string(account)})
}

// Opening is what an account had of an asset when the books began for it.
type Opening struct {
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount
}

func openingID(account ledger.Account, asset string) string {
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
			ID: openingID(o.Account, o.Asset), Kind: ledger.Opening,
			Moves: []ledger.Move{{From: ledger.Custody, To: o.Account, Asset: o.Asset, Amount: o.Amount}},
		}
	}
	return db.postOwnParts(ctx, entries, note{action: "load"})
}

// dateOpenings dates the openings among the entries: at the first open moment, and those
// that were posted before as they were.
func (db *DB) dateOpenings(ctx context.Context, entries []ledger.Entry) error {
	index := map[string][]int{}
	buckets, ids := make([]int64, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		buckets[i], ids[i] = int64(e.Bucket()), e.ID
		if e.Kind == ledger.Opening {
			index[e.ID] = append(index[e.ID], i)
		}
	}
	if len(index) == 0 {
		return nil
	}
	err := db.engine.Read(ctx, func(t view) error {
		first, err := db.firstOpen(t)
		if err != nil {
			return err
		}
		for _, same := range index {
			for _, i := range same {
				entries[i].At = first.Start()
			}
		}
		return t.QueryEach(func(r row) error {
			for _, i := range index[r.Text(0)] {
				entries[i].At = timeOf(r.Int(1))
			}
			return nil
		}, "SELECT entry, at FROM entries WHERE bucket = $1 AND entry = $2", set{ints("bucket", buckets), texts("entry", ids)})
	})
	if err != nil {
		return fmt.Errorf("look openings up: %w", err)
	}
	return nil
}

// Opening is what was posted as an account's opening of an asset, in smallest units, and
// when it counts, in UTC; zero: none was posted.
func (db *DB) Opening(ctx context.Context, account ledger.Account, asset string) (amount ledger.Amount, since time.Time, err error) {
	if err := account.CheckHolder(); err != nil {
		return 0, since, err
	}
	e := ledger.Entry{ID: openingID(account, asset)}
	err = db.engine.Read(ctx, func(t view) error {
		var at, n int64
		amount, since = 0, time.Time{}
		found, err := one(t, []*int64{&at}, "SELECT at FROM entries WHERE bucket = $1 AND entry = $2", int64(e.Bucket()), e.ID)
		if err != nil || !found {
			return err
		}
		found, err = one(t, []*int64{&n}, "SELECT amount FROM postings WHERE bucket = $1 AND day = $2 AND account = $3 AND asset = $4 AND at = $5 AND entry = $6",
			int64(account.Bucket()), int64(staking.DayOf(timeOf(at))), string(account), asset, at, e.ID)
		if amount = ledger.Amount(n); found {
			since = timeOf(at)
		}
		return err
	})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("look up the opening of %s: %w", account, err)
	}
	return amount, since, nil
}

// ownPart is how many entries of our own are posted in one transaction.
const ownPart = 1000

// postOwnParts posts entries of our own, part by part, the openings among them dated first. At a
// database's error nothing is known of the entries; post them again.
func (db *DB) postOwnParts(ctx context.Context, entries []ledger.Entry, n note) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(entries))
	for part := range slices.Chunk(entries, ownPart) {
		if err := db.dateOpenings(ctx, part); err != nil {
			return nil, err
		}
		posted, err := db.postOwn(ctx, part, n)
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
