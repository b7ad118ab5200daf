package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"softstake/ledger"
	"softstake/staking"
)

// Opening is what an account had of an asset when the books began for it.
type Opening struct {
	Account ledger.Account
	Asset   string
	Amount  ledger.Amount
}

// Import is what changed in an account in one second, as a file of the exchange shows it.
type Import struct {
	At      time.Time // a whole second
	Changes []ImportChange
}

// ImportChange is the sum of an asset's changes: above zero it came, below it went.
type ImportChange struct {
	Asset  string
	Amount ledger.Amount
}

func openingID(account ledger.Account, asset string) string {
	return "opening/" + string(account) + "/" + asset
}

// PostOpenings posts what accounts had in the beginning: at the start of the
// first day of the books or, where that is closed, of the first open one. An
// account has one opening an asset: the same amount again is once and answers as
// the first time, another is ErrMismatch.
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
	return db.postOwnParts(ctx, entries, db.dateOpenings)
}

// dateOpenings dates openings at the first open moment, and those that were posted as they were.
func (db *DB) dateOpenings(ctx context.Context, entries []ledger.Entry) error {
	index := map[string][]int{}
	buckets, ids := make([]int64, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		buckets[i], ids[i] = int64(e.Bucket()), e.ID
		index[e.ID] = append(index[e.ID], i)
	}
	err := db.engine.read(ctx, func(t tx) error {
		first, err := db.firstOpen(t)
		if err != nil {
			return err
		}
		for i := range entries {
			entries[i].At = first.Start()
		}
		return t.each(func(r row) error {
			for _, i := range index[r.text(0)] {
				entries[i].At = timeOf(r.int(1))
			}
			return nil
		}, "SELECT entry, at FROM entries WHERE bucket = $1 AND entry = $2", set{ints("bucket", buckets), texts("entry", ids)})
	})
	if err != nil {
		return fmt.Errorf("look openings up: %w", err)
	}
	return nil
}

// Opening is what was posted as an account's opening of an asset, if any was.
func (db *DB) Opening(ctx context.Context, account ledger.Account, asset string) (amount ledger.Amount, found bool, err error) {
	if err := account.CheckHolder(); err != nil {
		return 0, false, err
	}
	e := ledger.Entry{ID: openingID(account, asset)}
	err = db.engine.read(ctx, func(t tx) error {
		var at, n int64
		amount = 0
		if found, err = one(t, []*int64{&at}, "SELECT at FROM entries WHERE bucket = $1 AND entry = $2", int64(e.Bucket()), e.ID); err != nil || !found {
			return err
		}
		found, err = one(t, []*int64{&n}, "SELECT amount FROM postings WHERE bucket = $1 AND day = $2 AND account = $3 AND asset = $4 AND at = $5 AND entry = $6",
			int64(account.Bucket()), int64(staking.DayOf(timeOf(at))), string(account), asset, at, e.ID)
		amount = ledger.Amount(n)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("look up the opening of %s: %w", account, err)
	}
	return amount, found, nil
}

// PostImport posts what changed in an account, an entry for each second, named by
// it: the same file twice is once. Its outcomes are in the order of moments; a
// moment in which nothing changed on the whole is no entry.
func (db *DB) PostImport(ctx context.Context, account ledger.Account, moments []Import) ([]Outcome, error) {
	if err := account.CheckHolder(); err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(moments))
	var entries []ledger.Entry
	var posted []int
	for i, m := range moments {
		e, err := m.entry(account)
		if err != nil {
			return nil, err
		}
		outcomes[i].At = m.At
		if e.Moves != nil {
			entries, posted = append(entries, e), append(posted, i)
		}
	}
	results, err := db.postOwnParts(ctx, entries, func(context.Context, []ledger.Entry) error { return nil })
	if err != nil {
		return nil, err
	}
	for i, n := range posted {
		outcomes[n] = results[i]
	}
	return outcomes, nil
}

// entry is the moment as an entry, without moves if nothing changed.
func (m Import) entry(account ledger.Account) (ledger.Entry, error) {
	at := m.At.UTC()
	if at.Nanosecond() != 0 {
		return ledger.Entry{}, fmt.Errorf("%w: the time %s of an import is not a whole second", ledger.ErrInvalid, at.Format(time.RFC3339Nano))
	}
	e := ledger.Entry{ID: "import/" + string(account) + "/" + at.Format("2006-01-02T15:04:05Z"), Kind: ledger.Import, At: at}
	changes := slices.SortedFunc(slices.Values(m.Changes), func(a, b ImportChange) int {
		return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(b.Amount, a.Amount))
	})
	for _, c := range changes {
		move := ledger.Move{From: ledger.Custody, To: account, Asset: c.Asset, Amount: c.Amount}
		if c.Amount < 0 {
			move = ledger.Move{From: account, To: ledger.Custody, Asset: c.Asset, Amount: -c.Amount}
		}
		if c.Amount != 0 {
			e.Moves = append(e.Moves, move)
		}
	}
	return e, nil
}

// ownPart is how many entries of our own are posted in one transaction.
const ownPart = 1000

// postOwnParts posts entries of our own, part by part, each prepared first. At a
// database's error nothing is known of the entries; post them again.
func (db *DB) postOwnParts(ctx context.Context, entries []ledger.Entry, prepare func(context.Context, []ledger.Entry) error) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(entries))
	for part := range slices.Chunk(entries, ownPart) {
		if err := prepare(ctx, part); err != nil {
			return nil, err
		}
		posted, err := db.postOwn(ctx, part)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, posted...)
	}
	return outcomes, nil
}
