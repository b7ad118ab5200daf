// Package evidence makes a record of each day that is closed: hashes of the rows that the day wrote, chained, and
// signed with a key that is not in the database. Who changes such a row later is found by them. It knows no store.
package evidence

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Quiet is how long after the end of a day its record is made at the earliest: what a transaction dates when it begins
// is committed by then.
const Quiet = 15 * time.Minute

// Books are what records need of the books.
type Books interface {
	// FirstDay is the day of the first record.
	FirstDay() staking.Day
	// Log writes a line of the log.
	Log(t db.Tx, action, subject, detail string) error
}

// Records are the records of books. All methods are safe for concurrent use, also by several processes.
type Records struct {
	Reader
	db    *db.DB
	books Books
	clock func() time.Time
}

// New is the records of books.
func New(d *db.DB, books Books, clock func() time.Time) *Records {
	return &Records{Reader{d.Read, books.FirstDay()}, d, books, clock}
}

// Reader reads the records, and has no way to write them.
type Reader struct {
	read  reader
	first staking.Day
}

// reader runs a function in a snapshot.
type reader func(ctx context.Context, fn func(db.View) error) error

// batch is how many records are made at once: what was stopped begins with the batch again.
var batch = 32 // tests make it smaller

// Make makes the records of the days that are closed and are over since Quiet, and returns how many it has made. A day
// is in order after the one before. Repeating has no further effect: a record is written once.
func (r *Records) Make(ctx context.Context) (made int64, err error) {
	for {
		s, err := r.due(ctx)
		if err != nil || len(s.settled) == 0 {
			return made, annotate(err, "see which records are to be made")
		}
		groups, err := readRows(ctx, r.db.Read, s)
		if err != nil {
			return made, err
		}
		trees, err := readLiabilities(ctx, r.db.Read, s, newSalt)
		if err != nil {
			return made, err
		}
		n, err := r.write(ctx, s, groups, trees)
		if err != nil {
			return made, annotate(err, "write the records of %s to %s", s.from, s.through())
		}
		made += n
	}
}

// due is the next records to make, or none.
func (r *Records) due(ctx context.Context) (s span, err error) {
	err = r.db.Read(ctx, func(t db.View) error {
		s = span{from: r.books.FirstDay(), layout: layout, before: map[string]staking.Day{}}
		last, found, err := db.First(t, recordOf, "SELECT body FROM records ORDER BY day DESC LIMIT 1")
		if err != nil {
			return err
		}
		if found {
			s.from, s.former, s.before = last.Day+1, last.Layout, last.Settled
		}
		closed, err := db.Count(t, "SELECT coalesce(max(day), -1) FROM days WHERE bucket = $1 AND closed = 1",
			int64(ledger.Buckets-1))
		if err != nil {
			return err
		}
		through := min(staking.Day(closed), staking.DayOf(r.clock().Add(-Quiet))-1, s.from+staking.Day(batch)-1)
		if through < s.from {
			return nil
		}
		if err := checkSettlements(t); err != nil {
			return err
		}
		rows, err := settlements(t)
		s.settled = settledThrough(rows, s.before, s.from, int(through-s.from)+1)
		return err
	})
	return s, err
}

func recordOf(r db.Row) (Record, error) { return ParseRecord(r.Text(0)) }

// write writes records, unless another has written some of them in the meantime.
func (r *Records) write(ctx context.Context, s span, groups [][]group, trees []map[string]*tokenTree) (made int64,
	err error) {
	err = r.db.Write(ctx, func(t db.Tx) error {
		made = 0
		for i, of := range groups {
			record := Record{Day: s.from + staking.Day(i), Layout: s.layout, Settled: s.settled[i], Kinds: kindsOf(of)}
			if record.Liabilities, record.OutOfRange, err = liabilities(trees[i]); err != nil {
				return err
			}
			n, err := t.Exec("INSERT INTO records (day, body, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
				int64(record.Day), record.String(), r.clock().UnixMilli())
			if err != nil || n == 0 {
				return err // another goes on from here
			}
			if err := writeBeside(t, record.Day, of, trees[i]); err != nil {
				return err
			}
			made++
		}
		return nil
	})
	return made, err
}

// writeBeside writes what lies beside a record: the hashes of its buckets, and those of its sum trees.
func writeBeside(t db.Tx, d staking.Day, groups []group, trees map[string]*tokenTree) error {
	for bucket, text := range groupTexts(groups) {
		if _, err := t.Exec("INSERT INTO record_groups (bucket, day, body) VALUES ($1, $2, $3)", int64(bucket), int64(d),
			text); err != nil {
			return err
		}
	}
	for asset, tree := range trees {
		if tree.outOfRange {
			continue
		}
		if _, err := t.Exec("INSERT INTO liabilities (day, asset, salt, roots) VALUES ($1, $2, $3, $4)", int64(d), asset,
			tree.salt, encodeRoots(tree.roots)); err != nil {
			return err
		}
	}
	return nil
}

// All are the records from the first day on, in the form that is signed.
func (r Reader) All(ctx context.Context) (texts []string, err error) {
	err = r.read(ctx, func(t db.View) (err error) {
		texts, err = db.All(t, db.TextOf, "SELECT body FROM records ORDER BY day")
		return err
	})
	return texts, annotate(err, "read the records")
}

func annotate(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
