package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

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
