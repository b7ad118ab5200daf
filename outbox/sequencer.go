package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/backoff"
	"github.com/softstake/softstake/db"
)

const (
	// numberedAtOnce is how many events get their numbers in one transaction at most.
	numberedAtOnce = 1000
	// idleTimeout is how long PostgreSQL waits for a sequencer in the middle of its transaction: one whose
	// machine went away keeps the others waiting for no longer.
	idleTimeout = "10s"
)

// Number gives numbers to events that are committed and have none, to 1,000 at most, in the order in which
// they were written, and returns to how many. Numbers are dense, and never change. Several processes may
// call it at the same time: the row of the outbox in the table sequences is locked by one at a time until
// its numbers are visible, and an event that becomes visible however late is found by the next one. Where ctx ends
// while PostgreSQL waits for a synchronous standby, it returns when the standby has answered: nobody reads
// a number that a failover takes back.
func (o *Outbox) Number(ctx context.Context) (n int, err error) {
	var waiting int64
	err = o.db.Look(ctx, func(t db.View) (err error) {
		waiting, err = db.Count(t, "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE number = 0 ORDER BY written LIMIT 1) w")
		return err
	})
	if err == nil && waiting > 0 {
		err = o.db.WriteUninterrupted(ctx, func(t db.Tx) (err error) {
			n, err = o.number(t)
			return err
		})
	}
	if err != nil {
		return 0, fmt.Errorf("number the events of the outbox: %w", err)
	}
	if n > 0 {
		o.shared.numbered.send()
	}
	return n, nil
}

// number numbers a batch. Each statement sees what is committed when it begins, and so the second one all
// that the holders of the lock before this one have done.
func (o *Outbox) number(t db.Tx) (int, error) {
	s, err := o.lock(t)
	if err != nil {
		return 0, err
	}
	n, err := t.Exec(`UPDATE outbox SET number = $1 + w.place FROM (
	      SELECT bucket, at, nonce, row_number() OVER (ORDER BY written, at, nonce) AS place FROM (
	        SELECT bucket, at, nonce, written FROM outbox WHERE number = 0 ORDER BY written, at, nonce LIMIT $2) b) w
	     WHERE outbox.bucket = w.bucket AND outbox.at = w.at AND outbox.nonce = w.nonce`, s.Newest, int64(numberedAtOnce))
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = t.Exec("UPDATE sequences SET last = $1 WHERE name = 'outbox'", s.Newest+n)
	return int(n), err
}

// lock locks the numbers of the outbox exclusively, and says how far they are.
func (o *Outbox) lock(t db.Tx) (State, error) {
	if o.db.Postgres() {
		if _, err := t.Exec("SET LOCAL idle_in_transaction_session_timeout = '" + idleTimeout + "'"); err != nil {
			return State{}, err
		}
	}
	if _, err := t.Exec(`INSERT INTO sequences (name, last, removed) VALUES ('outbox', 0, 0)
	      ON CONFLICT (name) DO UPDATE SET last = sequences.last`); err != nil {
		return State{}, err
	}
	return numbers(t)
}

// Pace is how often a sequencer works.
type Pace struct {
	Poll time.Duration // how often it looks for what other processes have committed
	// Share limits for which part of the time it works in the long run: one over Share, so that posting is not
	// slowed. Up to 100 ms of work that others left it are done at once.
	Share int
}

const (
	// burst is how much work is done without a pause, after a time with less.
	burst = 100 * time.Millisecond
	// longestPause is how long a sequencer pauses at most, however long its work has taken.
	longestPause = 500 * time.Millisecond
)

// Sequence numbers events until ctx ends: at once what this process commits, and every poll what others
// do. Any number of processes may run it: one that ends, however it ends, is replaced at once. report is
// given the outcome of each round, nil or an error; a round that failed is repeated after a poll.
func (o *Outbox) Sequence(ctx context.Context, pace Pace, report func(error)) {
	share := time.Duration(pace.Share)
	debt, ended := time.Duration(0), time.Now() // work that is not made up for by pauses, at a moment
	for ctx.Err() == nil {
		written, began := o.shared.written.next(), time.Now()
		n, err := o.Number(ctx)
		if ctx.Err() != nil {
			return
		}
		report(err)
		debt = max(debt-began.Sub(ended)/share, 0)
		if ended = time.Now(); n > 0 {
			debt = min(debt+ended.Sub(began), burst+longestPause/share)
		}
		switch {
		case err != nil:
			backoff.Pause(ctx, pace.Poll)
		case n == numberedAtOnce: // there are more: those who post have half of the time
			backoff.Pause(ctx, min(ended.Sub(began), longestPause))
		default:
			backoff.Pause(ctx, (debt-burst)*share)
			timer := time.NewTimer(pace.Poll)
			select {
			case <-ctx.Done():
			case <-written:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
}

// grace is how much longer an event is there than it is promised: whoever has begun to
// read at the very end of the time finds all of it.
const grace = time.Hour

// prunedAtOnce is how many events are removed in one transaction at most.
const prunedAtOnce = 1000

// Prune removes the events whose time is over, in small transactions and in the order of their numbers:
// what is kept has no gap. An event without a number is never removed. Repeating it has no further effect,
// and several processes may call it at the same time.
func (o *Outbox) Prune(ctx context.Context) error {
	before := o.now() - (Kept + grace).Milliseconds()
	for more := true; more; {
		err := o.db.Write(ctx, func(t db.Tx) (err error) {
			more, err = o.pruneBatch(t, before)
			return err
		})
		if err != nil {
			return fmt.Errorf("remove old events of the outbox: %w", err)
		}
	}
	return nil
}

// pruneBatch removes the next events that were written before a moment, and reports whether there may be more.
func (o *Outbox) pruneBatch(t db.Tx, before int64) (more bool, err error) {
	s, err := o.lock(t)
	if err != nil {
		return false, err
	}
	// The first that is kept, among the next: those before it are removed.
	end, err := db.Count(t, `SELECT coalesce(min(CASE WHEN at >= $1 THEN number - 1 END), max(number), 0) FROM (
	      SELECT number, at FROM outbox WHERE number > 0 AND number > $2 ORDER BY number LIMIT $3) k`,
		before, s.Removed, int64(prunedAtOnce))
	if err != nil || end <= s.Removed {
		return false, err
	}
	if _, err := t.Exec("DELETE FROM outbox WHERE number > 0 AND number > $1 AND number <= $2", s.Removed,
		end); err != nil {
		return false, err
	}
	_, err = t.Exec("UPDATE sequences SET removed = $1 WHERE name = 'outbox'", end)
	return end == s.Removed+prunedAtOnce, err
}

// Restart removes all events, and has the next one get a number that was given in no earlier life of the
// books: books that are restored from a snapshot are behind what was read of them. A reader that comes
// with an older number gets ErrNotKept. The numbers go on from the microseconds since 1970: faster than
// events are made, so that those of two restores do not meet.
func (o *Outbox) Restart(ctx context.Context) error {
	err := o.db.Write(ctx, func(t db.Tx) error {
		s, err := o.lock(t)
		if err != nil {
			return err
		}
		if _, err := t.Exec("DELETE FROM outbox"); err != nil {
			return err
		}
		_, err = t.Exec("UPDATE sequences SET last = $1, removed = $1 WHERE name = 'outbox'", max(s.Newest+1, o.now()*1000))
		return err
	})
	if err != nil {
		return fmt.Errorf("empty the outbox: %w", err)
	}
	return nil
}
