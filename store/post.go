package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

// postgresPosters is how many group commits a process runs at the same time on PostgreSQL. SQLite
// has one writer, and so one.
const postgresPosters = 2

// groupLimit is how many entries of several calls share a transaction.
const groupLimit = 2000

// Outcome is what became of one entry.
type Outcome struct {
	At       time.Time // when it counts
	PostedAt time.Time // when it was written
	Repeated bool      // it had been posted before, with the same content
	// Why it was refused: a ledger.Error, of the kind ErrInvalid, ErrInsufficient, ErrConflict, ErrDayClosed,
	// ErrNotFound, ErrFrozen or, of what ends a withdrawal, ErrEnded, ErrNotRequested; of Convert also a
	// *conversion.Error. The other entries of an atomic call have the first refusal, joined to errNotPosted.
	Err error
}

// Post writes entries into the books, in order, each whole or not at all, and
// says of each what became of it. What it returns without an error is durable.
// Idempotent by the entry's ID: repeating has no further effect and answers as the
// first time. A refused entry leaves no trace. Safe for concurrent use: the entries of
// many callers share a commit (group commit). The error is the database's: then nothing
// is known of the entries, and the same call may be made again.
func (b *DB) Post(ctx context.Context, entries []ledger.Entry) ([]Outcome, error) {
	return b.post(ctx, &call{entries: entries})
}

// PostAll writes all of the entries, or none, as Post does: the error is then the first
// refusal.
func (b *DB) PostAll(ctx context.Context, entries []ledger.Entry) ([]Outcome, error) {
	outcomes, err := b.post(ctx, &call{entries: entries, atomic: true})
	return outcomes, cmp.Or(err, firstRefusal(outcomes))
}

// firstRefusal is why a call was refused that is posted whole or not at all, or nil.
func firstRefusal(outcomes []Outcome) error {
	for _, o := range outcomes {
		if o.Err != nil && !errors.Is(o.Err, errNotPosted) {
			return o.Err
		}
	}
	return nil
}

// postOne posts the single entry of a call: the error is its refusal, or the database's.
func (b *DB) postOne(ctx context.Context, c *call) (Outcome, error) {
	outcomes, err := b.post(ctx, c)
	if err != nil {
		return Outcome{}, err
	}
	return outcomes[0], outcomes[0].Err
}

// postMove posts an entry of one move as the single one of a call, and names the move's fields
// as those of the input that it is made of: what is wrong with "moves[0].amount" is wrong with
// the input's "amount".
func (b *DB) postMove(ctx context.Context, e ledger.Entry, c call) (Outcome, error) {
	c.entries = []ledger.Entry{e}
	o, err := b.postOne(ctx, &c)
	if o.Err != nil {
		o.Err = ledger.Inside("moves[0]", o.Err)
		err = o.Err
	}
	return o, err
}

// call is one call of Post, until it is answered.
type call struct {
	entries     []ledger.Entry
	actor       access.Actor       // of the handle of the books that was called; see DB.As
	approval    *approval          // of the same handle
	atomic      bool               // all of the entries or none
	system      bool               // the books' own entries, which may have reserved kinds and IDs
	log         logFields          // what the log says of it
	logs        []logFields        // what the log says of each of its entries; nil: it has one line for all
	destination ledger.Destination // of the withdrawal that its entry requests, if that is given
	converts    *quoted            // what its entry converts, if it is of Convert
	income      *income            // what its entry brings in, if it is of PostIncome
	campaign    *staking.Campaign  // what its entry funds, if it is of PostCampaign
	op          control.Operation  // what needs approval, if it does, and what it was called with
	content     any
	above       bool  // it needs approval above a limit only
	denied      error // what permit said of it: that it needs approval, or is not what was approved
	outcomes    []Outcome
	err         error
	done        chan struct{}
}

// post queues a call and waits for its answer. A DB is an actor, and *books: the queue and the
// assets, which all DBs of the process share.
func (b *DB) post(ctx context.Context, c *call) ([]Outcome, error) {
	if len(c.entries) == 0 {
		return nil, nil
	}
	c.actor, c.approval, c.done = b.actor, b.approval, make(chan struct{})
	if err := b.queue.add(c, b.work); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
		if c.err != nil {
			return nil, fmt.Errorf("post %d entries: %w", len(c.entries), c.err)
		}
		return c.outcomes, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("post %d entries: %w; whether they were posted is not known; post them again", len(c.entries),
			ctx.Err())
	}
}

// queue holds calls of Post until a worker takes them, so that many callers share one commit.
type queue struct {
	mu      sync.Mutex
	waiting []*call
	workers int // that are running
	limit   int // of workers
	work    sync.WaitGroup
	life    context.Context // of the workers' transactions: a caller that goes away does not end them
	end     context.CancelFunc
	closed  bool
}

func newQueue(engine *db.DB) *queue {
	q := &queue{limit: 1}
	if engine.Postgres() {
		q.limit = postgresPosters
	}
	q.life, q.end = context.WithCancel(context.Background())
	return q
}

// add puts a call into the queue, and starts a worker if not all are running.
func (q *queue) add(c *call, work func()) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errors.New("the books are closed")
	}
	q.waiting = append(q.waiting, c)
	if q.workers < q.limit {
		q.workers++
		q.work.Go(work)
	}
	return nil
}

// take returns the calls that share the next transaction, or none: then the worker ends.
func (q *queue) take() []*call {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, entries := 0, 0
	for n < len(q.waiting) && (n == 0 || entries+len(q.waiting[n].entries) <= groupLimit) {
		entries += len(q.waiting[n].entries)
		n++
	}
	calls := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	if n == 0 {
		q.workers--
		q.waiting = nil
	}
	return calls
}

// close waits until what is queued is posted, and refuses what comes after.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.work.Wait()
	q.end()
}

// work posts what is in the queue, transaction after transaction, until it is empty.
func (b *books) work() {
	for {
		calls := b.queue.take()
		if len(calls) == 0 {
			return
		}
		b.commit(b.queue.life, calls)
	}
}

// commit posts the calls in one transaction. Where their amounts together do not
// fit 63 bits, the later ones go into a transaction of their own.
func (b *books) commit(ctx context.Context, calls []*call) {
	for len(calls) > 0 {
		taken, entries := 0, 0
		// Before the transaction: one that waited for a second connection could wait forever.
		assets, err := b.assets(ctx, symbols(calls)...) // from memory, or read again where one is missing
		if err == nil {
			err = b.ensureDays(ctx) // inserts the rows of the table days through tomorrow, once a day
		}
		if err == nil {
			// Outbox.Write is one db.Write, which inserts the records into the table outbox as its last
			// statement: subscribers get all that is committed, and nothing else. It may run the function
			// again. The records get their numbers once they are committed, from Outbox.Number.
			err = b.Outbox().Write(ctx, func(t db.Tx) (records outbox.Records, err error) {
				if taken, records, err = b.postIn(t, assets, calls); err != nil {
					return nil, err
				}
				return records, b.logCalls(t, calls[:taken])
			})
		}
		if err != nil {
			taken = len(calls) // the database's error is every caller's
		} else {
			for _, c := range calls[:taken] {
				entries += len(c.entries)
			}
			b.observe(entries)
		}
		for _, c := range calls[:taken] {
			c.err = err
			close(c.done)
		}
		calls = calls[taken:]
	}
}

// symbols are the assets that the calls' entries name.
func symbols(calls []*call) []string {
	named := map[string]bool{}
	for _, c := range calls {
		for _, e := range c.entries {
			for _, m := range e.Moves {
				named[m.Asset] = true
			}
		}
	}
	return slices.Collect(maps.Keys(named))
}

// logFields are what the log says of a call of Post; what is empty, the entries say.
type logFields struct{ action, subject, detail, reason string }

// actions are what the log calls entries of some kinds that are posted alone; all others
// are "post".
var actions = map[ledger.Kind]string{
	ledger.WithdrawalRequest:   "withdrawal request",
	ledger.WithdrawalCompleted: "withdrawal complete",
	ledger.WithdrawalCancelled: "withdrawal cancel",
}

// logCalls writes a line of the log for each call that has posted something now, or one
// for each of its entries where these have reasons of their own. One line a call keeps the
// log as small as what people did.
func (b *books) logCalls(t db.Tx, calls []*call) error {
	var lines []LogLine
	assets := *b.assetCache.Load()
	for _, c := range calls {
		var posted []ledger.Entry
		for i, e := range c.entries {
			switch o := c.outcomes[i]; {
			case o.Err != nil || o.Repeated:
			case c.logs != nil:
				lines = append(lines, c.fieldsOf(i).line([]ledger.Entry{e}, c.actor, assets))
			default:
				posted = append(posted, e)
			}
		}
		if len(posted) > 0 {
			lines = append(lines, c.log.line(posted, c.actor, assets))
		}
	}
	return b.writeLog(t, lines)
}

// line is the line of the log about some entries.
func (f logFields) line(posted []ledger.Entry, by access.Actor, assets map[string]ledger.Asset) LogLine {
	first, action, detail := posted[0], "post", f.detail
	if len(posted) == 1 {
		action = cmp.Or(actions[first.Kind], action)
	}
	switch {
	case detail != "":
	case len(posted) > 1:
		detail = fmt.Sprintf("%d entries, the last %s", len(posted), posted[len(posted)-1].ID)
	default:
		detail = first.Describe(assets)
	}
	if f.reason != "" {
		detail += ": " + f.reason
	}
	return LogLine{Actor: by, Action: cmp.Or(f.action, action), Subject: cmp.Or(f.subject, first.ID), Detail: detail}
}
