package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// A piece of news is kept as a byte that says in which form, and records one after
// the other, each with a byte that says what it is about. Texts have their length
// before them; numbers are varints. The forms that were ever written stay readable.
const (
	newsForm = 1

	aboutEntry   = 1
	aboutPaid    = 2
	aboutSettled = 3
)

// newsSize is how many bytes of news go into one row, but for the last record in it.
const newsSize = 1 << 20

// newsBodies are what goes into the rows.
type newsBodies [][]byte

// add puts a record into the last row, or a new one where that is full.
func (b *newsBodies) add(record func([]byte) []byte) {
	n := len(*b) - 1
	if n < 0 || len((*b)[n]) >= newsSize {
		*b = append(*b, []byte{newsForm})
		n++
	}
	(*b)[n] = record((*b)[n])
}

func (b *newsBodies) entry(e PostedEntry) {
	b.add(func(to []byte) []byte {
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

func (b *newsBodies) paid(p PaidBatch) {
	b.add(func(to []byte) []byte {
		to = append(to, aboutPaid)
		to = binary.AppendVarint(to, int64(p.Bucket))
		to = appendDue(to, p.Due)
		return binary.AppendVarint(to, p.PaidAt.UnixMilli())
	})
}

func (b *newsBodies) settled(d staking.Due) {
	b.add(func(to []byte) []byte { return appendDue(append(to, aboutSettled), d) })
}

func appendDue(to []byte, d staking.Due) []byte {
	return appendString(binary.AppendVarint(to, int64(d.Day)), d.Asset)
}

func appendString(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}

// readNews reads what a row's body says.
func readNews(k NewsKey, body []byte) (News, error) {
	n, r := News{NewsKey: k}, newsReader{rest: body}
	if form := r.byte(); form != newsForm && r.err == nil {
		return n, fmt.Errorf("news of %s is in form %d, and this softstake knows %d; use a newer softstake", stamp(k.At.UnixMilli()), form, newsForm)
	}
	for r.err == nil && len(r.rest) > 0 {
		switch about := r.byte(); about {
		case aboutEntry:
			n.Entries = append(n.Entries, r.entry())
		case aboutPaid:
			n.Paid = append(n.Paid, PaidBatch{Bucket: int(r.number()), Due: r.due(), PaidAt: timeOf(r.number())})
		case aboutSettled:
			n.Settled = append(n.Settled, r.due())
		default:
			r.err = fmt.Errorf("a record about %d is unknown", about)
		}
	}
	if r.err != nil {
		return n, fmt.Errorf("news of %s cannot be read: %w", stamp(k.At.UnixMilli()), r.err)
	}
	return n, nil
}

// newsReader reads a body from its front. After an error all it reads is nothing.
type newsReader struct {
	rest []byte
	err  error
}

var errShort = errors.New("it ends too early, or a number in it is too large")

// take is the next n bytes.
func (r *newsReader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errShort
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *newsReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *newsReader) number() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *newsReader) count() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, errShort
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *newsReader) text() string { return string(r.take(r.count())) }

func (r *newsReader) due() staking.Due {
	day := r.number()
	return staking.Due{Day: staking.Day(day), Asset: r.text()}
}

func (r *newsReader) entry() PostedEntry {
	e := PostedEntry{ID: r.text(), Kind: ledger.Kind(r.text()), At: timeOf(r.number())}
	for n := r.count(); n > 0 && r.err == nil; n-- {
		e.Balances = append(e.Balances, PostedBalance{
			Account: ledger.Account(r.text()), Asset: r.text(), Change: ledger.Amount(r.number()), Balance: ledger.Amount(r.number()),
		})
	}
	return e
}
