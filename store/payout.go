package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// payouts is whether what is paid is also to be credited in another ledger.
var payouts = setting{kind: integrity.Payouts, reports: "whether rewards are payouts",
	on:  settingChange{"payouts on", "another ledger is to credit what is paid from now on"},
	off: settingChange{control.EndPayouts, "no other ledger is to credit what is paid from now on"}}

// PayoutsOn reports whether what is paid now is a payout; see DB.SetPayouts.
func PayoutsOn(t db.View) (bool, error) { return payouts.read(t) }

// SetPayouts sets whether rewards and compensations are payouts: to be credited in another ledger too. It counts for
// what is paid from then on. That they are takes effect at once; that they are not any more needs approval
// (control.EndPayouts): holders would not get what the books say. Idempotent.
func (b *DB) SetPayouts(ctx context.Context, on bool) error { return b.set(ctx, payouts, on) }

// payoutKey names a batch of payouts.
type payoutKey struct {
	bucket int64
	staking.Due
	entry string // of a compensation; "": the rewards of the bucket
}

// payoutBatch is a batch of payouts that is written with what it pays.
type payoutBatch struct {
	payoutKey
	count, total int64
}

func payoutFields[T any](of func(T) payoutKey, more ...db.Field[T]) []db.Field[T] {
	return append([]db.Field[T]{
		db.Int("bucket", func(v T) int64 { return of(v).bucket }),
		db.Int("day", func(v T) int64 { return int64(of(v).Day) }),
		db.Text("asset", func(v T) string { return of(v).Asset }),
		db.Text("entry", func(v T) string { return of(v).entry }),
	}, more...)
}

// writePayouts writes batches, in the transaction that pays them, where another ledger is to credit them, and reports
// whether it is. None has its number: see NumberPayouts.
func writePayouts(t db.Tx, now int64, batches []payoutBatch) (on bool, err error) {
	if len(batches) == 0 {
		return false, nil
	}
	if on, err = payouts.read(t); err != nil || !on {
		return false, err
	}
	zero := func(payoutBatch) int64 { return 0 }
	n, err := insert(t, "payout_batches", db.SetOf(batches, payoutFields(
		func(b payoutBatch) payoutKey { return b.payoutKey },
		db.Int("first", zero),
		db.Int("count", func(b payoutBatch) int64 { return b.count }),
		db.Int("total", func(b payoutBatch) int64 { return b.total }),
		db.Int("at", func(payoutBatch) int64 { return now }),
		db.Int("credited", zero), db.Int("refused", zero))...))
	if err == nil && n != int64(len(batches)) {
		err = errTampered
	}
	return true, annotate(err, "write payouts")
}

// writePayouts writes the payouts of the bucket's rewards.
func (p *payment) writePayouts() error {
	var batches []payoutBatch
	large := false
	for _, token := range p.tokens {
		if b := p.batches[token]; b.above > 0 {
			batches = append(batches, payoutBatch{payoutKey{p.bucket, staking.Due{Asset: token, Day: staking.Day(p.day)}, ""},
				b.above, b.total})
			large = large || b.above > PayoutMark
		}
	}
	on, err := writePayouts(p.t, p.written, batches)
	if err != nil || !on || !large {
		return err
	}
	sql, args := p.ours(`INSERT INTO payout_marks (bucket, day, asset, nth, account)
	     SELECT $1, $2, r.asset, r.nth, r.account FROM (SELECT asset, account, row_number() OVER (PARTITION BY asset ORDER BY account) AS nth
	       FROM accruals WHERE bucket = $1 AND day = $2 AND asset IN ({tokens}) AND reward > 0) r WHERE r.nth % ` +
		strconv.Itoa(PayoutMark) + " = 0")
	_, err = p.t.Exec(sql, args...)
	return annotate(err, "write where pages of payouts begin")
}

// PayoutMark is of how many payouts of a batch one has a row in payout_marks: a page that begins inside of the batch
// reads fewer rows than this before its first.
const PayoutMark = 256

// writePayouts writes the payouts of compensations.
func (g *groupCommit) writePayouts() error {
	var batches []payoutBatch
	for _, it := range g.accepted {
		if it.Kind == ledger.Compensation {
			day, asset, _ := it.Compensates()
			m := it.Moves[0]
			batches = append(batches, payoutBatch{payoutKey{int64(m.To.Bucket()),
				staking.Due{Asset: asset, Day: staking.DayOf(day)}, it.ID}, 1, int64(m.Amount)})
		}
	}
	_, err := writePayouts(g.t, g.now, batches)
	return err
}

// numberedBatches is how many batches get their numbers in one transaction at most.
const numberedBatches = 1000

// NumberPayouts gives the payouts that are committed and have no number theirs, in the order in which they were paid,
// and returns to how many. Numbers are dense, and never change; a restore leaves a gap before those that it makes
// again. Several processes may call it at the same time: the row of the payouts in the table sequences is locked by one
// at a time until its numbers are visible. Where ctx ends while PostgreSQL waits for a synchronous standby, it returns
// when the standby has answered: nobody reads a number that a failover takes back.
func (b *DB) NumberPayouts(ctx context.Context) (n int64, err error) {
	for more := true; more && err == nil; {
		var waiting, numbered int64
		err = b.engine.Look(ctx, func(t db.View) (err error) {
			waiting, err = db.Count(t, "SELECT count(*) FROM (SELECT 1 FROM payout_batches WHERE first = 0 LIMIT 1) w")
			return err
		})
		if err != nil || waiting == 0 {
			break
		}
		err = b.engine.WriteUninterrupted(ctx, func(t db.Tx) (err error) {
			numbered, more, err = numberPayouts(t)
			return err
		})
		n += numbered
	}
	return n, annotate(err, "number payouts")
}

// numberPayouts numbers the payouts of some batches, and reports whether there may be more. Each statement sees what is
// committed when it begins, and so the second one all that those who held the lock before have done.
func numberPayouts(t db.Tx) (n int64, more bool, err error) {
	last, err := lockPayoutNumbers(t)
	if err != nil {
		return 0, false, err
	}
	type numbered struct {
		payoutKey
		first int64
	}
	next := last + 1
	batches, err := db.All(t, func(r db.Row) (numbered, error) {
		b := numbered{readPayoutKey(r), next}
		next += r.Int(4)
		return b, nil
	}, "SELECT bucket, day, asset, entry, count FROM payout_batches WHERE first = 0 "+
		"ORDER BY at, day, asset, bucket, entry LIMIT $1", int64(numberedBatches))
	if err != nil || len(batches) == 0 {
		return 0, false, err
	}
	_, err = t.Set(nil, "UPDATE payout_batches SET first = r.first FROM {rows}"+ofPayoutBatch,
		db.SetOf(batches, payoutFields(func(b numbered) payoutKey { return b.payoutKey },
			db.Int("first", func(b numbered) int64 { return b.first }))...))
	if err == nil {
		_, err = t.Exec("UPDATE sequences SET last = $1 WHERE name = 'payouts'", next-1)
	}
	return next - 1 - last, len(batches) == numberedBatches, err
}

// ofPayoutBatch is the condition of an UPDATE over a set with the key of batches.
const ofPayoutBatch = ` WHERE payout_batches.bucket = r.bucket AND payout_batches.day = r.day
	AND payout_batches.asset = r.asset AND payout_batches.entry = r.entry`

// readPayoutKey scans bucket, day, asset and entry.
func readPayoutKey(r db.Row) payoutKey {
	return payoutKey{r.Int(0), staking.Due{Asset: r.Text(2), Day: staking.Day(r.Int(1))}, r.Text(3)}
}

// lockPayoutNumbers locks the numbers of payouts exclusively, and returns the newest.
func lockPayoutNumbers(t db.Tx) (int64, error) {
	if _, err := t.Exec(`INSERT INTO sequences (name, last, removed) VALUES ('payouts', 0, 0)
	      ON CONFLICT (name) DO UPDATE SET last = sequences.last`); err != nil {
		return 0, err
	}
	return db.Count(t, "SELECT last FROM sequences WHERE name = 'payouts'")
}

// restartPayouts has the next payout get a number that was given in no earlier life of the books: those that are
// restored are behind what was read of them, also where they had no payouts yet, and a reader goes on with what they
// pay again. The numbers go on from the microseconds since 1970: faster than payouts are made, so that those of two
// restores do not meet, and below 2^53 until the year 2255, which readers of JSON rely on.
func (b *DB) restartPayouts(ctx context.Context) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		last, err := lockPayoutNumbers(t)
		if err == nil {
			_, err = t.Exec("UPDATE sequences SET last = $1 WHERE name = 'payouts'", max(last, b.now()*1000))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("restart the numbers of payouts: %w", err)
	}
	return nil
}
