package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// An event is stored as a byte that says in which format, and records one after the
// other, each with a byte that says what it is about. Texts have their length before
// them; numbers are varints. The formats that were ever written stay readable.
const (
	format = 1

	aboutEntry   = 1
	aboutPaid    = 2
	aboutSettled = 3
)

// maxBody is how many bytes of records go into one event, but for the last record in it.
const maxBody = 1 << 20

// Records are what a transaction did: the bodies of its events, one up to a MiB. nil: it has none.
type Records [][]byte

// add puts a record into the last event, or into a new one where that is full.
func (r *Records) add(record func([]byte) []byte) {
	n := len(*r) - 1
	if n < 0 || len((*r)[n]) >= maxBody {
		*r = append(*r, []byte{format})
		n++
	}
	(*r)[n] = record((*r)[n])
}

// Entry adds an entry that was posted.
func (r *Records) Entry(e PostedEntry) {
	r.add(func(to []byte) []byte {
		to = append(to, aboutEntry)
		to = appendString(to, e.ID)
		to = appendString(to, string(e.Kind))
		to = binary.AppendVarint(to, e.At.UnixMilli())
		to = binary.AppendUvarint(to, uint64(len(e.Balances)))
		for _, l := range e.Balances {
			to = appendString(to, string(l.Account))
			to = appendString(to, l.Asset)
			to = binary.AppendVarint(to, int64(l.Change))
			to = binary.AppendVarint(to, int64(l.Balance))
		}
		return to
	})
}

// Paid adds the rewards of a bucket.
func (r *Records) Paid(p PaidBatch) {
	r.add(func(to []byte) []byte {
		to = append(to, aboutPaid)
		to = binary.AppendVarint(to, int64(p.Bucket))
		to = appendDue(to, p.Due)
		return binary.AppendVarint(to, p.PaidAt.UnixMilli())
	})
}

// Settled adds a token's day that is paid in every bucket.
func (r *Records) Settled(d staking.Due) {
	r.add(func(to []byte) []byte { return appendDue(append(to, aboutSettled), d) })
}

func appendDue(to []byte, d staking.Due) []byte {
	return appendString(binary.AppendVarint(to, int64(d.Day)), d.Asset)
}

func appendString(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}

// decode reads the body of an event.
func decode(number int64, at time.Time, body []byte) (Event, error) {
	e, d := Event{Number: number, At: at}, decoder{rest: body}
	if f := d.byte(); f != format && d.err == nil {
		return e, fmt.Errorf("outbox event %d is in format %d, and this softstake knows %d; use a newer softstake",
			number, f, format)
	}
	for d.err == nil && len(d.rest) > 0 {
		switch about := d.byte(); about {
		case aboutEntry:
			e.Entries = append(e.Entries, d.entry())
		case aboutPaid:
			e.Paid = append(e.Paid, PaidBatch{Bucket: int(d.number()), Due: d.due(), PaidAt: db.TimeOf(d.number())})
		case aboutSettled:
			e.Settled = append(e.Settled, d.due())
		default:
			d.err = fmt.Errorf("a record about %d is unknown", about)
		}
	}
	if d.err != nil {
		return e, fmt.Errorf("outbox event %d cannot be read: %w", number, d.err)
	}
	return e, nil
}

// decoder reads a body from its front. After an error all it reads is nothing.
type decoder struct {
	rest []byte
	err  error
}

var errShort = errors.New("it ends too early, or a number in it is too large")

// take is the next n bytes.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.rest, d.err = nil, errShort
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) number() int64 { return decodeVarint(d, binary.Varint) }

func (d *decoder) count() uint64 { return decodeVarint(d, binary.Uvarint) }

func decodeVarint[N int64 | uint64](d *decoder, read func([]byte) (N, int)) N {
	v, n := read(d.rest)
	if n <= 0 {
		d.rest, d.err = nil, errShort
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) text() string { return string(d.take(d.count())) }

func (d *decoder) due() staking.Due {
	day := d.number()
	return staking.Due{Day: staking.Day(day), Asset: d.text()}
}

func (d *decoder) entry() PostedEntry {
	e := PostedEntry{ID: d.text(), Kind: ledger.Kind(d.text()), At: db.TimeOf(d.number())}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		e.Balances = append(e.Balances, PostedBalance{
			Account: ledger.Account(d.text()), Asset: d.text(), Change: ledger.Amount(d.number()),
			Balance: ledger.Amount(d.number()),
		})
	}
	return e
}
