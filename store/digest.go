package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// digestPart is how many moves are in memory at once, about, while entries are brought
// from digests of version 1 to those of version 2: some 50 MB.
const digestPart = 250_000

// digestBatch is how many entries a statement reads or changes.
const digestBatch = 2000

// digestEntries brings the entries of older books to digests of version 2, day by day,
// from their postings. One whose digest of version 1 does not match its postings was
// changed by hand: it stays as it is, and the audit reports it. progress gets
// the number of entries so far.
func digestEntries(ctx context.Context, t tx, progress func(entries int64)) error {
	first, last := int64(0), int64(-1)
	if _, err := one(t, []*int64{&first, &last}, "SELECT coalesce(min(day), 0), coalesce(max(day), -1) FROM days WHERE bucket = 0"); err != nil {
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
			err = digestDay(t, staking.Day(day), count)
		}
		if err != nil {
			return fmt.Errorf("bring the digests of %s to version %d: %w", staking.Day(day), ledger.DigestVersion, err)
		}
	}
	return nil
}

// digestDay does a day. The moves of an entry lie in several buckets, so the day is read
// as often as its moves fit into memory, each time for some of the entries' own buckets.
func digestDay(t tx, d staking.Day, count func(entries int)) error {
	moves := int64(0)
	if err := t.QueryEach(func(r row) error { moves += r.Int(0); return nil },
		"SELECT count(*) FROM postings WHERE bucket = $1 AND day = $2 AND side = 0", EveryBucket(d)); err != nil {
		return err
	}
	return digestParts(t, d, int(min(moves/digestPart+1, ledger.Buckets)), count)
}

// digestParts does a day, divided into parts by the entries' buckets.
func digestParts(t tx, d staking.Day, parts int, count func(entries int)) error {
	for part := range parts {
		entries, err := readOld(t, d, func(bucket int) bool { return bucket*parts/ledger.Buckets == part })
		if err != nil {
			return err
		}
		sorted := slices.SortedFunc(maps.Values(entries), func(a, b *oldEntry) int { return cmp.Or(a.Bucket()-b.Bucket(), cmp.Compare(a.ID, b.ID)) })
		for batch := range slices.Chunk(sorted, digestBatch) {
			if err := digestAll(t, batch, entries); err != nil {
				return err
			}
			count(len(batch))
		}
	}
	return nil
}

// oldEntry is an entry with a digest of version 1.
type oldEntry struct {
	ledger.Entry
	holder      ledger.Account // from which the first move takes: it requests the withdrawal, if the entry is such a request
	leaves      []byte
	moves       int // how many of them are there
	destination []byte
	damaged     bool // its postings do not belong together
	matches     bool // its digest is that of its postings
}

// readOld reads the entries of a day whose own bucket is wanted, by ID.
func readOld(t tx, d staking.Day, wanted func(bucket int) bool) (map[string]*oldEntry, error) {
	entries := map[string]*oldEntry{}
	err := t.QueryEach(func(r row) error {
		id := r.Text(0)
		if !wanted(ledger.Entry{ID: id}.Bucket()) {
			return nil
		}
		e := entries[id]
		if e == nil {
			e = &oldEntry{Entry: ledger.Entry{ID: id, At: timeOf(r.Int(1)), Kind: ledger.Kind(r.Text(2))}}
			entries[id] = e
		}
		if e.At.UnixMilli() != r.Int(1) || e.Kind != ledger.Kind(r.Text(2)) {
			e.damaged = true
		}
		e.add(int(r.Int(3)), ledger.Move{From: ledger.Account(r.Text(4)), To: ledger.Account(r.Text(5)), Asset: r.Text(6), Amount: -ledger.Amount(r.Int(7))})
		return nil
	}, "SELECT entry, at, kind, move, account, other, asset, amount FROM postings WHERE bucket = $1 AND day = $2 AND side = 0", EveryBucket(d))
	return entries, err
}

// add puts the leaf of a move in its place.
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
func digestAll(t tx, batch []*oldEntry, entries map[string]*oldEntry) error {
	if err := readDestinations(t, batch, entries); err != nil {
		return err
	}
	n := len(batch)
	buckets, ids := make([]int64, n), make([]string, n)
	for i, e := range batch {
		buckets[i], ids[i] = int64(e.Bucket()), e.ID
	}
	if err := t.QuerySet(func(r row) error {
		e := entries[r.Text(0)]
		old := ledger.FirstDigest(e.leaves)
		whole := !e.damaged && e.moves*sha256.Size == len(e.leaves) && (e.Kind != ledger.WithdrawalRequest || e.destination != nil)
		e.matches = whole && e.At.UnixMilli() == r.Int(1) && bytes.Equal(old[:], r.Bytes(2))
		return nil
	}, "SELECT e.entry, e.at, e.digest FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry = r.entry AND e.digest_version = 1",
		set{ints("bucket", buckets), texts("entry", ids)}); err != nil {
		return err
	}
	buckets, ids = nil, nil
	var digests, leaves, destinations [][]byte
	for _, e := range batch {
		if e.matches {
			digest := e.Digest(e.leaves, e.destination)
			buckets, ids, digests = append(buckets, int64(e.Bucket())), append(ids, e.ID), append(digests, digest[:])
			leaves, destinations = append(leaves, e.leaves), append(destinations, e.destination)
		}
	}
	if ids == nil {
		return nil
	}
	_, err := t.Set(nil, `UPDATE entries SET digest = r.digest, digest_version = 2, leaves = r.leaves, destination = r.destination FROM {rows}
	                       WHERE entries.bucket = r.bucket AND entries.entry = r.entry`,
		set{ints("bucket", buckets), texts("entry", ids), blobs("digest", digests), blobs("leaves", leaves), blobs("destination", destinations)})
	return err
}

// readDestinations reads where the withdrawals go that the entries request.
func readDestinations(t tx, batch []*oldEntry, entries map[string]*oldEntry) error {
	var buckets []int64
	var accounts, ids []string
	for _, e := range batch {
		if e.Kind == ledger.WithdrawalRequest {
			buckets, accounts, ids = append(buckets, int64(e.holder.Bucket())), append(accounts, string(e.holder)), append(ids, e.ID)
		}
	}
	if ids == nil {
		return nil
	}
	err := t.QuerySet(func(r row) error {
		entries[r.Text(0)].destination = ledger.Destination{Address: r.Text(1), Network: r.Text(2), Tag: r.Text(3), ClientID: r.Text(4)}.Hash()
		return nil
	}, `SELECT w.id, w.address, w.network, w.tag, w.client_id
	      FROM {rows} JOIN withdrawals w ON w.bucket = r.bucket AND w.account = r.account AND w.id = r.id`,
		set{ints("bucket", buckets), texts("account", accounts), texts("id", ids)})
	return err
}
