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
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
)

// postgresPosters is how many transactions of postings run at once.
const postgresPosters = 2

// groupLimit is how many entries of several calls share a transaction.
const groupLimit = 2000

// Outcome is what became of one entry.
type Outcome struct {
	At       time.Time // when it counts
	PostedAt time.Time // when it was written
	Repeated bool      // it had been posted before, with the same content
	// Why it was refused: ErrInvalid, ErrInsufficient, ErrConflict, ErrDayClosed, ErrNotFound, ErrFrozen.
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
	outcomes, err := b.post(ctx, &call{entries: entries, whole: true})
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
	entries  []ledger.Entry
	actor    access.Actor
	whole    bool               // atomic: all of the entries or none
	own      bool               // entries of our own making
	note     note               // what the log says of it
	notes    []note             // what the log says of each of its entries; nil: it has one line for all
	goes     ledger.Destination // of the withdrawal that its entry requests, if that is known
	converts *quoted            // what its entry converts, if it was asked for by Convert
	outcomes []Outcome
	err      error
	done     chan struct{}
}

func (b *DB) post(ctx context.Context, c *call) ([]Outcome, error) {
	if len(c.entries) == 0 {
		return nil, nil
	}
	c.actor, c.done = b.actor, make(chan struct{})
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
	life    context.Context
	end     context.CancelFunc
	closed  bool
}

// add puts a call into the queue, and starts a worker if not all are running.
func (q *queue) add(c *call, work func(q *queue)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errors.New("the books are closed")
	}
	q.waiting = append(q.waiting, c)
	if q.workers < q.limit {
		q.workers++
		q.work.Go(func() { work(q) })
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
func (b *DB) work(q *queue) {
	for {
		calls := q.take()
		if len(calls) == 0 {
			return
		}
		b.commit(q.life, calls)
	}
}

// commit posts the calls in one transaction. Where their amounts together do not
// fit 63 bits, the later ones go into a transaction of their own.
func (b *DB) commit(ctx context.Context, calls []*call) {
	for len(calls) > 0 {
		taken, entries := 0, 0
		// Before the transaction: one that waited for a second connection could wait forever.
		assets, err := b.assets(ctx, symbols(calls)...)
		if err == nil {
			err = b.ensureDays(ctx)
		}
		if err == nil {
			err = b.Outbox().Write(ctx, func(t db.Tx) (records outbox.Records, err error) {
				if taken, records, err = b.postIn(t, assets, calls); err != nil {
					return nil, err
				}
				return records, b.writeNotes(t, calls[:taken])
			})
		}
		if err != nil {
			taken = len(calls) // the database's error is every caller's
		} else {
			for _, c := range calls[:taken] {
				entries += len(c.entries)
			}
			b.watch(entries)
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

// note is what the log says of a call of Post; what is empty, the entries say.
type note struct{ action, subject, detail, reason string }

// actions are what the log calls entries of some kinds that are posted alone; all others
// are "post".
var actions = map[ledger.Kind]string{
	ledger.WithdrawalRequest:   "withdrawal request",
	ledger.WithdrawalCompleted: "withdrawal complete",
	ledger.WithdrawalCancelled: "withdrawal cancel",
}

// writeNotes writes a line of the log for each call that has posted something now, or one
// for each of its entries where these have reasons of their own. One line a call keeps the
// log as small as what people did.
func (b *DB) writeNotes(t db.Tx, calls []*call) error {
	var lines []LogLine
	assets := *b.known.Load()
	for _, c := range calls {
		var posted []ledger.Entry
		for i, e := range c.entries {
			switch o := c.outcomes[i]; {
			case o.Err != nil || o.Repeated:
			case c.notes != nil:
				lines = append(lines, c.notes[i].of([]ledger.Entry{e}, c.actor, assets))
			default:
				posted = append(posted, e)
			}
		}
		if len(posted) > 0 {
			lines = append(lines, c.note.of(posted, c.actor, assets))
		}
	}
	return b.writeLog(t, lines)
}

// of is the line of the log about some entries.
func (n note) of(posted []ledger.Entry, by access.Actor, assets map[string]ledger.Asset) LogLine {
	first, action, detail := posted[0], "post", n.detail
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
	if n.reason != "" {
		detail += ": " + n.reason
	}
	return LogLine{Actor: by, Action: cmp.Or(n.action, action), Subject: cmp.Or(n.subject, first.ID), Detail: detail}
}
