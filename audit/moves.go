package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Every move has two sides with the same content, and every entry one row and the moves it
// was posted with. They are in different buckets: to join them would take a second journal.
// Instead each is hashed into one of many slots, by its entry, added on one side and
// subtracted on the other. A slot that is not zero in the end has an entry that does not
// match; only those slots are then read again and compared row by row. The hash has a
// random key in each audit, so that nobody can prepare rows that cancel out.
type slots struct {
	sides [slotCount]uint64 // to sides of moves, less from sides
	rows  [slotCount]uint64 // entries by their postings, less entries by their rows
	moves [slotCount]uint64 // the content of moves, less the leaves of entries
	goes  [slotCount]uint64 // entries that request withdrawals or bring in income, less the rows of these
	used  bool              // most buckets of small books have nothing for them
}

const slotCount = 1 << 16

func (s *slots) clear() {
	if s.used {
		*s = slots{}
	}
}

func (s *slots) add(more *slots) {
	if !more.used {
		return
	}
	for i := range slotCount {
		s.sides[i] += more.sides[i]
		s.rows[i] += more.rows[i]
		s.moves[i] += more.moves[i]
		s.goes[i] += more.goes[i]
	}
}

// wrong are the first n slots that are not zero.
func (s *slots) wrong(n int) map[uint32]bool {
	found := map[uint32]bool{}
	for i := range uint32(slotCount) {
		if len(found) < n && (s.sides[i] != 0 || s.rows[i] != 0 || s.moves[i] != 0 || s.goes[i] != 0) {
			found[i] = true
		}
	}
	return found
}

// mix is a number for an entry's ID, the same in every audit.
func mix(id []byte) uint32 { return crc32.ChecksumIEEE(id) }

func slotOf(mixed uint32) uint32 { return mixed >> 16 }

// countPosting adds a side of a move to its entry's slot: as the side, the from side also as
// the move's content, and the first also as the entry.
func (w *worker) countPosting(x *Posting) {
	move := moveOf(x)
	b := append(w.line[:0], x.Entry...)
	mixed := mix(b)
	b = append(append(append(b, 0), move.From...), 0)
	b = append(append(append(b, move.To...), 0), move.Asset...)
	b = append(append(append(b, 0), x.Kind...), 0)
	b = binary.BigEndian.AppendUint64(b, uint64(x.At))
	b = binary.BigEndian.AppendUint64(b, uint64(move.Amount))
	b = binary.AppendVarint(b, x.Move)
	w.line = b
	w.slots.used = true
	if hash := maphash.Bytes(w.seed, b); x.Side == 1 {
		w.slots.sides[slotOf(mixed)] += hash
	} else {
		w.slots.sides[slotOf(mixed)] -= hash
	}
	if x.Side != 0 {
		return
	}
	leaf := leafOf(x.Kind, x.Move, move)
	w.slots.moves[slotOf(mixed)] += w.hashLeaf(x.Entry, x.Move, leaf[:])
	if x.Move == 0 {
		w.slots.rows[slotOf(mixed)] += w.hashRow(x.Entry, x.At)
	}
}

// moveOf is the move that a posting is a side of.
func moveOf(x *Posting) ledger.Move {
	if x.Side == 0 {
		return ledger.Move{From: x.Account, To: x.Other, Asset: x.Asset, Amount: -x.Amount}
	}
	return ledger.Move{From: x.Other, To: x.Account, Asset: x.Asset, Amount: x.Amount}
}

// countEntries subtracts the bucket's entries from their slots: each as the entry, and its
// leaves as the content of its moves. It also checks the digest. An entry with a digest of
// an older version has no leaves, so its slot is not zero.
func (w *worker) countEntries() error {
	return w.books.Entries(func(e *Entry) {
		if (ledger.Entry{ID: e.ID}).Bucket() != w.number {
			w.find(on(dayOf(e.At), "", "",
				fmt.Sprintf("the row of entry %s lies in bucket %d, where it does not belong", e.ID, w.number)))
		}
		if dayOf(e.At) > w.outline.Closed {
			return
		}
		slot := w.slot(e.ID)
		w.slots.rows[slot] -= w.hashRow(e.ID, e.At)
		for i := range len(e.Leaves) / sha256.Size {
			w.slots.moves[slot] -= w.hashLeaf(e.ID, int64(i), e.leaf(i))
		}
		if derived := digestOf(e.ID, e.At, e.Leaves, e.Destination); e.Version != ledger.DigestVersion ||
			!bytes.Equal(derived, e.Digest) {
			w.slots.rows[slot] += w.hash(e.ID, e.Digest) - w.hash(e.ID, derived, e.Digest)
		}
		if len(e.Destination) > 0 {
			w.slots.goes[slot] += w.hashRequest(e.ID, e.At, e.Leaves, e.Destination)
		}
	})
}

// leaf is the i-th leaf, or what there is of it.
func (e *Entry) leaf(i int) []byte {
	from, to := min(i*sha256.Size, len(e.Leaves)), min((i+1)*sha256.Size, len(e.Leaves))
	return e.Leaves[from:to]
}

// countWithdrawals subtracts the bucket's withdrawals from the slots of their entries.
func (w *worker) countWithdrawals() error {
	return w.books.Withdrawals(func(x *Withdrawal) {
		if dayOf(x.At) <= w.outline.Closed {
			w.slots.goes[w.slot(x.ID)] -= w.hashRequest(x.ID, x.At, x.leaf(), destinationOf(x.To))
		}
	})
}

// slot is the number of an entry's slot.
func (w *worker) slot(id string) uint32 {
	w.line = append(w.line[:0], id...)
	w.slots.used = true
	return slotOf(mix(w.line))
}

// hashRow is an entry in its slot: its ID and time.
func (w *worker) hashRow(id string, at int64) uint64 {
	w.line = append(append(w.line[:0], id...), 0)
	w.line = binary.BigEndian.AppendUint64(w.line, uint64(at))
	return maphash.Bytes(w.seed, w.line)
}

// hash is a number for some parts of an entry, bound to its ID, so that the errors of two
// entries cannot cancel out.
func (w *worker) hash(id string, parts ...[]byte) uint64 {
	w.line = append(w.line[:0], id...)
	for _, part := range parts {
		w.line = binary.BigEndian.AppendUint64(w.line, uint64(len(part)))
		w.line = append(w.line, part...)
	}
	return maphash.Bytes(w.seed, w.line)
}

// hashLeaf is a move of an entry in its slot.
func (w *worker) hashLeaf(id string, number int64, leaf []byte) uint64 {
	var b [binary.MaxVarintLen64]byte
	return w.hash(id, binary.AppendVarint(b[:0], number), leaf)
}

// hashRequest is a withdrawal, or an income, in the slot of its entry.
func (w *worker) hashRequest(id string, at int64, leaves, destination []byte) uint64 {
	var b [binary.MaxVarintLen64]byte
	return w.hash(id, binary.AppendVarint(b[:0], at), leaves, destination)
}

func dayOf(millis int64) staking.Day { return staking.DayOf(time.UnixMilli(millis)) }

func stamp(millis int64) string {
	return ledger.FormatTime(time.UnixMilli(millis))
}
