package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"math/bits"
	"time"

	"softstake/ledger"
	"softstake/staking"
)

// Every move has two sides that say the same, and every entry one row and the
// moves it was posted with. The sides of a move lie far apart, and the row
// elsewhere again: to bring them together would take a second journal. Instead
// each is hashed into one of many slots, by its entry, added on one side and
// subtracted on the other. A slot that is not zero in the end holds an entry that
// does not match; only those slots are then read again, and looked at as they are.
// The hash has a key of its own in each audit, so nobody can prepare rows that cancel.
type slots struct {
	sides [slotCount]uint64 // to sides of moves, less from sides
	rows  [slotCount]uint64 // entries by their postings, less entries by their rows
	says  [slotCount]uint64 // what moves say, less the digests of entries
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
		s.says[i] += more.says[i]
	}
}

// wrong are the first n slots that are not zero.
func (s *slots) wrong(n int) map[uint32]bool {
	found := map[uint32]bool{}
	for i := range uint32(slotCount) {
		if len(found) < n && (s.sides[i] != 0 || s.rows[i] != 0 || s.says[i] != 0) {
			found[i] = true
		}
	}
	return found
}

// mix is a number for an entry's ID, the same in every audit.
func mix(id []byte) uint32 { return crc32.ChecksumIEEE(id) }

func slotOf(mixed uint32) uint32 { return mixed >> 16 }

// countPosting puts a side of a move into its entry's slot: as the side, from's
// also as what the move says, and the first also as the entry.
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
	w.slots.says[slotOf(mixed)] += w.weigh(x.Entry, digest(x.Kind, x.Move, move))
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

// countEntries takes the bucket's entries out of their slots.
func (w *worker) countEntries() error {
	return w.books.Entries(func(e *Entry) {
		if (ledger.Entry{ID: e.ID}).Bucket() != w.number {
			w.find(Finding{Day: dayOf(e.At), HasDay: true, What: fmt.Sprintf("the row of entry %s lies in bucket %d, where it does not belong", e.ID, w.number)})
		}
		if dayOf(e.At) > w.outline.Closed {
			return
		}
		w.line = append(w.line[:0], e.ID...)
		mixed := mix(w.line)
		w.slots.used = true
		w.slots.rows[slotOf(mixed)] -= w.hashRow(e.ID, e.At)
		w.slots.says[slotOf(mixed)] -= w.weigh(e.ID, e.Digest)
	})
}

// hashRow is an entry in its slot: its ID and time.
func (w *worker) hashRow(id string, at int64) uint64 {
	w.line = append(append(w.line[:0], id...), 0)
	w.line = binary.BigEndian.AppendUint64(w.line, uint64(at))
	return maphash.Bytes(w.seed, w.line)
}

// weigh binds a digest to its entry, so that what one entry says more cannot be
// made up for by what another says less. A digest is two sums over the moves, and
// so the weighed moves of an entry add up to its weighed digest.
func (w *worker) weigh(id string, digest [16]byte) uint64 {
	weight := maphash.String(w.seed, id)
	return (weight|1)*binary.BigEndian.Uint64(digest[:8]) + (bits.RotateLeft64(weight, 32)|1)*binary.BigEndian.Uint64(digest[8:])
}

// digest is what one move of an entry adds to its digest: the first two times 8
// bytes of the SHA-256 over kind, number, accounts, asset and amount, each text
// after its length, the amount as 8 bytes, the highest first.
func digest(kind ledger.Kind, number int64, m ledger.Move) [16]byte {
	var buffer [256]byte
	text := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b := binary.AppendUvarint(text(buffer[:0], string(kind)), uint64(number))
	b = text(text(text(b, string(m.From)), string(m.To)), m.Asset)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Amount))
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// digestOf is the digest of an entry with all its moves, added lane by lane.
func digestOf(kind ledger.Kind, moves []ledger.Move) (all [16]byte) {
	for i, m := range moves {
		d := digest(kind, int64(i), m)
		for lane := 0; lane < len(all); lane += 8 {
			sum := binary.BigEndian.Uint64(all[lane:]) + binary.BigEndian.Uint64(d[lane:])
			binary.BigEndian.PutUint64(all[lane:], sum)
		}
	}
	return all
}

func dayOf(millis int64) staking.Day { return staking.DayOf(time.UnixMilli(millis)) }

func stamp(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z")
}
