package schema

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// digestMoves is how many moves are in memory at once, about, while entries are brought
// from digests of version 1 to those of version 2: some 50 MB.
const digestMoves = 250_000

// digestBatch is how many entries a statement reads or changes.
const digestBatch = 2000

// Digests brings the entries of older books to digests of version 2, day by day, from
// their postings, with about so many moves in memory at once. An entry whose digest of
// version 1 does not match its postings was changed by hand: it stays as it is, and the
// audit reports it. progress gets the number of entries so far. Repeating it has no
// further effect.
func Digests(ctx context.Context, t db.Tx, moves int64, progress func(entries int64)) error {
	first, last := int64(0), int64(-1)
	if _, err := db.One(t, []*int64{&first, &last},
		"SELECT coalesce(min(day), 0), coalesce(max(day), -1) FROM days WHERE bucket = 0"); err != nil {
		return err
	}
	entries := int64(0)
	count := func(n int) {
		entries += int64(n)
		progress(entries)
	}
	for day := first; day <= last; day++ {
		err := ctx.Err()
		if err == nil {
			err = digestDay(t, staking.Day(day), moves, count)
		}
		if err != nil {
			return fmt.Errorf("bring the digests of %s to version %d: %w", staking.Day(day), ledger.DigestVersion, err)
		}
	}
	return nil
}

// digestDay does a day. The moves of an entry lie in several buckets, so the day is read
// as often as its moves fit into memory, each time for some of the entries' own buckets.
func digestDay(t db.Tx, d staking.Day, inMemory int64, count func(entries int)) error {
	moves := int64(0)
	if err := t.QueryEach(func(r db.Row) error { moves += r.Int(0); return nil },
		"SELECT count(*) FROM postings WHERE bucket = $1 AND day = $2 AND side = 0", bucketsOf(d)); err != nil {
		return err
	}
	parts := int(min(moves/inMemory+1, ledger.Buckets))
	for part := range parts {
		entries, err := readOld(t, d, func(bucket int) bool { return bucket*parts/ledger.Buckets == part })
		if err != nil {
			return err
		}
		sorted := slices.SortedFunc(maps.Values(entries),
			func(a, b *oldEntry) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a.ID, b.ID)) })
		for batch := range slices.Chunk(sorted, digestBatch) {
			if err := digestAll(t, batch, entries); err != nil {
				return err
			}
			count(len(batch))
		}
	}
	return nil
}

// bucketsOf is a day in every bucket.
func bucketsOf(d staking.Day) db.Set {
	buckets := make([]int64, ledger.Buckets)
	for b := range buckets {
		buckets[b] = int64(b)
	}
	return db.SetOf(buckets, db.Int("bucket", func(b int64) int64 { return b }),
		db.Int("day", func(int64) int64 { return int64(d) }))
}

// oldEntry is an entry with a digest of version 1.
type oldEntry struct {
	ledger.Entry
	// From which the first move takes: it requests the withdrawal, if the entry is such a request.
	holder      ledger.Account
	leaves      []byte
	moves       int // how many of them are there
	destination []byte
	damaged     bool // its postings do not belong together
}

// The columns of sets of entries.
var (
	entryBucket = db.Int("bucket", func(e *oldEntry) int64 { return int64(e.Bucket()) })
	entryID     = db.Text("entry", func(e *oldEntry) string { return e.ID })
)

// readOld reads the entries of a day whose own bucket is wanted, by ID.
func readOld(t db.Tx, d staking.Day, wanted func(bucket int) bool) (map[string]*oldEntry, error) {
	entries := map[string]*oldEntry{}
	err := t.QueryEach(func(r db.Row) error {
		id := r.Text(0)
		if !wanted(ledger.Entry{ID: id}.Bucket()) {
			return nil
		}
		e := entries[id]
		if e == nil {
			e = &oldEntry{Entry: ledger.Entry{ID: id, At: db.TimeOf(r.Int(1)), Kind: ledger.Kind(r.Text(2))}}
			entries[id] = e
		}
		if e.At.UnixMilli() != r.Int(1) || e.Kind != ledger.Kind(r.Text(2)) {
			e.damaged = true
		}
		e.add(int(r.Int(3)), ledger.Move{From: ledger.Account(r.Text(4)), To: ledger.Account(r.Text(5)), Asset: r.Text(6),
			Amount: -ledger.Amount(r.Int(7))})
		return nil
	}, "SELECT entry, at, kind, move, account, other, asset, amount FROM postings WHERE bucket = $1 AND day = $2 "+
		"AND side = 0", bucketsOf(d))
	return entries, err
}

// add puts the leaf of a move in its position.
func (e *oldEntry) add(number int, m ledger.Move) {
	if number < 0 || number >= ledger.MaxMoves {
		e.damaged = true
		return
	}
	from, to := number*sha256.Size, (number+1)*sha256.Size
	if len(e.leaves) < to {
		e.leaves = append(e.leaves, make([]byte, to-len(e.leaves))...)
	}
	leaf := m.Leaf(e.Kind, number)
	e.damaged = e.damaged || !bytes.Equal(e.leaves[from:to], make([]byte, sha256.Size)) // a second move with this number
	copy(e.leaves[from:to], leaf[:])
	e.moves++
	if number == 0 {
		e.holder = m.From
	}
}

// digestAll compares the entries with their rows, and gives those that match their digests.
func digestAll(t db.Tx, batch []*oldEntry, entries map[string]*oldEntry) error {
	if err := readDestinations(t, batch, entries); err != nil {
		return err
	}
	var matching []*oldEntry
	if err := t.QuerySet(func(r db.Row) error {
		e := entries[r.Text(0)]
		old := ledger.FirstDigest(e.leaves)
		whole := !e.damaged && e.moves*sha256.Size == len(e.leaves) &&
			(e.Kind != ledger.WithdrawalRequest || e.destination != nil)
		if whole && e.At.UnixMilli() == r.Int(1) && bytes.Equal(old[:], r.Bytes(2)) {
			matching = append(matching, e)
		}
		return nil
	}, "SELECT e.entry, e.at, e.digest FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry = r.entry "+
		"AND e.digest_version = 1",
		db.SetOf(batch, entryBucket, entryID)); err != nil {
		return err
	}
	_, err := t.Set(nil, `UPDATE entries SET digest = r.digest, digest_version = 2, leaves = r.leaves, destination = r.destination FROM {rows}
	                       WHERE entries.bucket = r.bucket AND entries.entry = r.entry`,
		db.SetOf(matching, entryBucket, entryID,
			db.Blob("digest", func(e *oldEntry) []byte { digest := e.Digest(e.leaves, e.destination); return digest[:] }),
			db.Blob("leaves", func(e *oldEntry) []byte { return e.leaves }),
			db.Blob("destination", func(e *oldEntry) []byte { return e.destination })))
	return err
}

// readDestinations reads where the withdrawals go that the entries request.
func readDestinations(t db.Tx, batch []*oldEntry, entries map[string]*oldEntry) error {
	requests := slices.DeleteFunc(slices.Clone(batch),
		func(e *oldEntry) bool { return e.Kind != ledger.WithdrawalRequest })
	return t.QuerySet(func(r db.Row) error {
		entries[r.Text(0)].destination = ledger.Destination{Address: r.Text(1), Network: r.Text(2), Tag: r.Text(3),
			ClientID: r.Text(4)}.Hash()
		return nil
	}, `SELECT w.id, w.address, w.network, w.tag, w.client_id
	      FROM {rows} JOIN withdrawals w ON w.bucket = r.bucket AND w.account = r.account AND w.id = r.id`,
		db.SetOf(requests,
			db.Int("bucket", func(e *oldEntry) int64 { return int64(e.holder.Bucket()) }),
			db.Text("account", func(e *oldEntry) string { return string(e.holder) }),
			db.Text("id", func(e *oldEntry) string { return e.ID })))
}
