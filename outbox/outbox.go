// Package outbox keeps in the database what each transaction did, written in that transaction, for
// those who publish it. It knows no books.
package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Kept is how long events are kept to be read again.
const Kept = 7 * 24 * time.Hour

// Lag is how long after the time it bears an event may become visible: a reader that has
// come to a moment looks again at what is this much older. A third of it is for the
// transaction that writes, which starts over if it takes longer; the rest is for its
// commit, and for the clocks of several processes, which must not differ by more than ten
// seconds.
const Lag = 30 * time.Second

// Key names an event. Events are in order of At, then of Nonce: what one process wrote
// about a balance is in the order in which it happened.
type Key struct {
	At    time.Time // when it was written, by the clock of the process that wrote it
	Nonce string    // distinguishes those of one moment; "" comes before all others
}

// After reports whether the key comes after another.
func (k Key) After(other Key) bool {
	return k.At.After(other.At) || k.At.Equal(other.At) && k.Nonce > other.Nonce
}

// bucket is where the event is stored: its key is spread as that of an entry is.
func (k Key) bucket() int64 { return int64(ledger.Entry{ID: k.Nonce}.Bucket()) }

// Event is what one transaction did, or a part of that where it is much.
type Event struct {
	Key
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

// Outbox is the table of events. All methods may be called from several goroutines at
// the same time, and from several processes.
type Outbox struct {
	db     *db.DB
	clock  func() time.Time
	stamps *db.Stamps
}

// New is the outbox of a database. stamps are those of all who write into it in this process.
func New(d *db.DB, clock func() time.Time, stamps *db.Stamps) *Outbox {
	return &Outbox{d, clock, stamps}
}

// now is the clock's time in milliseconds since 1970.
func (o *Outbox) now() int64 { return o.clock().UnixMilli() }

// Write runs a transaction and writes, as its last statement, what fn says that it did:
// the time that the events bear is then nearly that of the commit. Where it was a while
// before the commit could be seen, readers may have gone past it: then the events are
// written again. fn may be called several times.
func (o *Outbox) Write(ctx context.Context, fn func(db.Tx) (Records, error)) error {
	var records Records
	var at int64
	err := o.db.Write(ctx, func(t db.Tx) (err error) {
		if records, err = fn(t); err == nil {
			at, err = o.insert(t, records)
		}
		return err
	})
	for err == nil && records != nil && o.now()-at > 2*Lag.Milliseconds()/3 {
		err = o.db.Write(ctx, func(t db.Tx) (err error) {
			at, err = o.insert(t, records)
			return err
		})
	}
	return err
}

// insert writes events, and says which time the first of them bears. Where writing took
// long, the transaction starts over, so that readers need not look back further.
func (o *Outbox) insert(t db.Tx, records Records) (first int64, err error) {
	for i, body := range records {
		at, nonce := o.stamps.Next(o.now())
		if i == 0 {
			first = at
		}
		if _, err := t.Exec("INSERT INTO outbox (bucket, at, nonce, body) VALUES ($1, $2, $3, $4)",
			Key{Nonce: nonce}.bucket(), at, nonce, body); err != nil {
			return first, fmt.Errorf("write into the outbox: %w", err)
		}
		if took := o.now() - at; took > Lag.Milliseconds()/3 {
			return first, fmt.Errorf("%w: writing into the outbox took %d ms", db.ErrRetry, took)
		}
	}
	return first, nil
}

// Keys are the keys of the events after a key, in order, at most limit.
func (o *Outbox) Keys(ctx context.Context, after Key, limit int) (keys []Key, err error) {
	err = o.db.Read(ctx, func(t db.View) (err error) {
		keys, err = db.All(t, func(r db.Row) (Key, error) {
			return Key{db.TimeOf(r.Int(0)), r.Text(1)}, nil
		}, "SELECT at, nonce FROM outbox WHERE (at, nonce) > ($1, $2) ORDER BY at, nonce LIMIT $3", after.At.UnixMilli(),
			after.Nonce, int64(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look into the outbox: %w", err)
	}
	return keys, nil
}

// Events are the events of some keys, in their order, without those that were removed.
// One may have a MiB.
func (o *Outbox) Events(ctx context.Context, keys []Key) (events []Event, err error) {
	err = o.db.Read(ctx, func(t db.View) (err error) {
		events, err = db.AllEach(t, func(r db.Row) (Event, error) {
			return decode(Key{db.TimeOf(r.Int(0)), r.Text(1)}, r.Bytes(2))
		}, "SELECT at, nonce, body FROM outbox WHERE bucket = $1 AND at = $2 AND nonce = $3", db.SetOf(keys,
			db.Int("bucket", Key.bucket),
			db.Int("at", func(k Key) int64 { return k.At.UnixMilli() }),
			db.Text("nonce", func(k Key) string { return k.Nonce })))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return events, nil
}

// grace is how much longer an event is there than it is promised: whoever has begun to
// read at the very end of the time finds all of it.
const grace = time.Hour

// old is an event whose time is over.
type old struct {
	bucket, at int64
	nonce      string
}

// Prune removes the events whose time is over, in small transactions: some of each bucket.
// Repeating it has no further effect, and several processes may call it at the same time.
func (o *Outbox) Prune(ctx context.Context) error {
	buckets := make([]int64, ledger.Buckets)
	for b := range buckets {
		buckets[b] = int64(b)
	}
	before := o.now() - (Kept + grace).Milliseconds()
	each := db.SetOf(buckets, db.Int("bucket", func(b int64) int64 { return b }),
		db.Int("before", func(int64) int64 { return before }))
	err := o.db.Prune(ctx, func(t db.View, _ int) (db.Set, error) {
		over, err := db.AllEach(t, func(r db.Row) (old, error) {
			return old{r.Int(0), r.Int(1), r.Text(2)}, nil
		}, "SELECT bucket, at, nonce FROM outbox WHERE bucket = $1 AND at < $2 ORDER BY at LIMIT 16", each)
		return db.SetOf(over,
			db.Int("bucket", func(e old) int64 { return e.bucket }),
			db.Int("at", func(e old) int64 { return e.at }),
			db.Text("nonce", func(e old) string { return e.nonce })), err
	}, "DELETE FROM outbox WHERE bucket = $1 AND at = $2 AND nonce = $3")
	if err != nil {
		return fmt.Errorf("remove old events of the outbox: %w", err)
	}
	return nil
}
