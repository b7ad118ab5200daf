// Package outbox keeps in the database what each transaction did, written in that transaction, for
// those who publish it. It knows no books.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Kept is how long events are kept to be read again.
const Kept = 7 * 24 * time.Hour

// Event is what one transaction did, or a part of that where it is much.
type Event struct {
	Number  int64         // above zero; each is greater by one than that of the event before it
	At      time.Time     // when it was written, by the clock of the process that wrote it
	Entries []PostedEntry // in the order in which they were posted
	Paid    []PaidBatch
	Settled []staking.Due // days of tokens that are paid in every bucket
}

// PostedEntry is an entry that was posted, with the balances as it left them.
type PostedEntry struct {
	ID       string
	Kind     ledger.Kind
	At       time.Time       // when it counts
	Balances []PostedBalance // of holders' accounts, free and held, that it changed
}

// PostedBalance is what an entry left on a balance.
type PostedBalance struct {
	Account ledger.Account // "alice" or "alice/held"
	Asset   string
	Change  ledger.Amount // not zero
	Balance ledger.Amount
}

// PaidBatch is a bucket's rewards of a token and day, of which some are above zero.
type PaidBatch struct {
	Bucket int
	staking.Due
	PaidAt time.Time // when they were credited
}

// Outbox is the table of events. A transaction writes its events without numbers; Number gives them their
// numbers once they are committed; readers read by number. All methods may be called from several
// goroutines at the same time, and from several processes.
type Outbox struct {
	db     *db.DB
	clock  func() time.Time
	shared *Shared
}

// Shared is what all outboxes of the same books in a process share. The zero Shared is ready.
type Shared struct {
	Stamps   db.Stamps // of all who write rows that are in order of time
	written  signal    // sent when events are committed
	numbered signal    // sent when events are given numbers
}

// New is the outbox of a database.
func New(d *db.DB, clock func() time.Time, shared *Shared) *Outbox { return &Outbox{d, clock, shared} }

// now is the clock's time in milliseconds since 1970.
func (o *Outbox) now() int64 { return o.clock().UnixMilli() }

// Write runs a transaction and writes, as its last statements, what fn says that it did. fn may be
// called several times. The events get their numbers from Number, in this process or another.
func (o *Outbox) Write(ctx context.Context, fn func(db.Tx) (Records, error)) error {
	wrote := false
	err := o.db.Write(ctx, func(t db.Tx) error {
		records, err := fn(t)
		if err == nil {
			wrote = len(records) > 0
			err = o.insert(t, records)
		}
		return err
	})
	if err == nil && wrote {
		o.shared.written.send()
	}
	return err
}

// The order in which events were written. On PostgreSQL the value is drawn while the transaction has its
// locks: whoever waited for one of them draws a later value. SQLite has one writer, which counts on from
// what has no number yet.
const (
	insertPostgres = "INSERT INTO outbox (bucket, at, nonce, body) VALUES ($1, $2, $3, $4)"
	insertSQLite   = "INSERT INTO outbox (bucket, at, nonce, body, written) VALUES ($1, $2, $3, $4, " +
		"(SELECT coalesce(max(written), 0) + 1 FROM outbox WHERE number = 0))"
)

// insert writes events, without numbers.
func (o *Outbox) insert(t db.Tx, records Records) error {
	statement := insertSQLite
	if o.db.Postgres() {
		statement = insertPostgres
	}
	for _, body := range records {
		at, nonce := o.shared.Stamps.Next(o.now())
		bucket := ledger.Entry{ID: nonce}.Bucket() // the keys are spread as those of entries are
		if _, err := t.Exec(statement, int64(bucket), at, nonce, body); err != nil {
			return fmt.Errorf("write into the outbox: %w", err)
		}
	}
	return nil
}

// ErrNotKept says that the events after a number are not known: some of them are not kept any more, or
// the number was never given in these books.
var ErrNotKept = errors.New("the events after this number are not kept")

// page is how many bytes After reads at most, but for the last event.
const page = 8 << 20

// After are the events after a number, at most limit and a few MiB, in the order of their numbers, which
// have no gap. None: the number is the newest one. ErrNotKept.
func (o *Outbox) After(ctx context.Context, number int64, limit int) (events []Event, err error) {
	err = o.db.Read(ctx, func(t db.View) error {
		s, err := numbers(t)
		if err != nil {
			return err
		}
		if number < s.Removed || number > s.Newest {
			return fmt.Errorf("%w: %d; the newest is %d, and those up to %d are removed", ErrNotKept, number, s.Newest,
				s.Removed)
		}
		if number == s.Newest {
			return nil
		}
		end, bytes := number, int64(0)
		err = t.Query(func(r db.Row) error {
			if bytes < page {
				end = r.Int(0)
			}
			bytes += r.Int(1)
			return nil
		}, "SELECT number, length(body) FROM outbox WHERE number > 0 AND number > $1 ORDER BY number LIMIT $2", number,
			int64(limit))
		if err != nil {
			return err
		}
		events, err = db.All(t, func(r db.Row) (Event, error) {
			return decode(r.Int(0), db.TimeOf(r.Int(1)), r.Bytes(2))
		}, "SELECT number, at, body FROM outbox WHERE number > 0 AND number > $1 AND number <= $2 ORDER BY number", number,
			end)
		if err == nil && end == number {
			err = fmt.Errorf("the outbox has no event after %d, and the newest is %d", number, s.Newest)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	for i, e := range events {
		if e.Number != number+int64(i)+1 {
			return nil, fmt.Errorf("the outbox has no event %d, and has event %d", number+int64(i)+1, e.Number)
		}
	}
	return events, nil
}

// Newest is the newest number that is given; 0: none is.
func (o *Outbox) Newest(ctx context.Context) (newest int64, err error) {
	err = o.db.Look(ctx, func(t db.View) error {
		s, err := numbers(t)
		newest = s.Newest
		return err
	})
	return newest, annotate(err)
}

// State is how far the numbers are.
type State struct {
	Newest  int64     // the newest number; 0: none is given
	Removed int64     // events up to this number are not kept any more
	Waiting int64     // events that are committed and have no number yet
	Oldest  time.Time // when the oldest of those was written; zero: there is none
}

// Lag is for how long the oldest event that has no number has been written; 0 where all have one.
func (s State) Lag(now time.Time) time.Duration {
	if s.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(s.Oldest), 0)
}

// State is how far the numbers are now. It counts the events that have none.
func (o *Outbox) State(ctx context.Context) (s State, err error) {
	err = o.db.Read(ctx, func(t db.View) (err error) {
		if s, err = numbers(t); err != nil {
			return err
		}
		var oldest int64
		_, err = db.One(t, []*int64{&s.Waiting, &oldest},
			"SELECT count(*), coalesce(min(at), 0) FROM outbox WHERE number = 0")
		s.Oldest = db.TimeOrZero(oldest)
		return err
	})
	return s, annotate(err)
}

// numbers are how far the numbers are, without what has none.
func numbers(t db.View) (s State, err error) {
	_, err = db.One(t, []*int64{&s.Newest, &s.Removed}, "SELECT last, removed FROM sequences WHERE name = 'outbox'")
	return s, err
}

func annotate(err error) error {
	if err != nil {
		return fmt.Errorf("look into the outbox: %w", err)
	}
	return nil
}

// Wait is a channel that is closed when this process gives events their numbers next.
func (o *Outbox) Wait() <-chan struct{} { return o.shared.numbered.next() }
