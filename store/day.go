package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// AllBuckets are the numbers of all buckets, ascending: Post locks them in this order.
func AllBuckets() []int {
	buckets := make([]int, ledger.Buckets)
	for b := range buckets {
		buckets[b] = b
	}
	return buckets
}

// everyBucket is a set with a row for each bucket, ascending, with the same values in each.
func everyBucket(same ...db.Field[int]) db.Set {
	return db.SetOf(AllBuckets(), append([]db.Field[int]{db.Int("bucket", func(b int) int64 { return int64(b) })},
		same...)...)
}

func sameInt(name string, v int64) db.Field[int] { return db.Int(name, func(int) int64 { return v }) }
func sameText(name, v string) db.Field[int]      { return db.Text(name, func(int) string { return v }) }

// EveryBucket is a set with a row for each bucket, ascending, and a day: bucket, day.
func EveryBucket(d staking.Day) db.Set { return everyBucket(sameInt("day", int64(d))) }

// readDay scans a row of one day.
func readDay(r db.Row) (staking.Day, error) { return staking.Day(r.Int(0)), nil }

// dayNumber is a day as the books keep it.
func dayNumber(d staking.Day) int64 { return int64(d) }

// ensureDays makes the rows of all days up to tomorrow, in every bucket. Idempotent.
func (b *books) ensureDays(ctx context.Context) error {
	through := staking.DayOf(b.clock()) + 1
	if staking.Day(b.opened.Load()) >= through {
		return nil
	}
	err := b.engine.Write(ctx, func(t db.Tx) error { return b.makeDays(t, through) })
	if err != nil {
		return fmt.Errorf("open the days through %s: %w", through, err)
	}
	b.opened.Store(int32(through)) // after the commit: what was rolled back is made again
	return nil
}

// makeDays makes the rows of days that are missing up to and including a day.
func (b *books) makeDays(t db.Tx, through staking.Day) error {
	next, err := b.dayAfter(t, "SELECT day FROM days WHERE bucket = 0 ORDER BY day DESC LIMIT 1")
	if err != nil {
		return err
	}
	missing := daysBetween(max(next, b.first), through)
	if missing == nil {
		return nil
	}
	for _, day := range missing {
		if _, err := insert(t, "days", everyBucket(sameInt("day", int64(day)), sameInt("closed", 0))); err != nil {
			return err
		}
	}
	return nil
}

// daysBetween are the days from one through another; nil: there are none.
func daysBetween(from, through staking.Day) (days []staking.Day) {
	for d := from; d <= through; d++ {
		days = append(days, d)
	}
	return days
}

// firstOpen is the first day that still takes entries.
func (b *books) firstOpen(t db.View) (staking.Day, error) {
	first, err := b.dayAfter(t, "SELECT day FROM closings ORDER BY day DESC LIMIT 1")
	return first, annotate(err, "read the closed days")
}

// dayAfter is the day after the one that a query finds or, where it finds none, the first of
// the books.
func (b *books) dayAfter(t db.View, sql string, args ...any) (staking.Day, error) {
	last, found, err := db.First(t, readDay, sql, args...)
	if !found {
		return b.first, err
	}
	return last + 1, err
}

// CloseDays closes every open day up to and including through: no entry is taken for
// it any more. It commits the intent first, which Post checks before it locks,
// so that a stream of late entries cannot keep it waiting; then it takes the exclusive
// locks of the days' rows. What a region's listing ends by then is ended first. It refuses
// a day that still takes late entries, or waits for events (ErrInvalid). Idempotent, also from several
// processes at the same time.
func (b *DB) CloseDays(ctx context.Context, through staking.Day, now time.Time) error {
	if err := b.ensureDays(ctx); err != nil {
		return err
	}
	err := errListing
	for errors.Is(err, errListing) {
		if err = b.finishListings(ctx); err == nil {
			err = b.intendToClose(ctx, through, now)
		}
	}
	if err == nil {
		err = b.closeBuckets(ctx, through)
	}
	return annotate(err, "close the days through %s", through)
}

// errListing says that a day cannot be closed yet: a region is listed from it on, and
// enrollments there are still to be ended.
var errListing = errors.New("a region's listing is not complete")

// intendToClose commits the intent to close the open days up to and including through.
func (b *DB) intendToClose(ctx context.Context, through staking.Day, now time.Time) error {
	return b.engine.Write(ctx, func(t db.Tx) error {
		first, err := b.firstOpen(t)
		if err != nil {
			return err
		}
		days := daysBetween(first, through)
		if days == nil {
			return nil
		}
		if err := lockLists(t); err != nil {
			return err
		}
		left, err := db.Count(t, "SELECT count(*) FROM listings WHERE unfinished = 1 AND from_day <= $1", int64(through))
		if err == nil && left > 0 {
			err = errListing
		}
		if err == nil {
			err = b.checkOver(t, through)
		}
		if err == nil {
			err = checkDelivered(t, through)
		}
		if err != nil {
			return err
		}
		n, err := insert(t, "closings", db.SetOf(days, db.Int("day", dayNumber),
			db.Int("closed_at", func(staking.Day) int64 { return now.UnixMilli() })))
		if err != nil || n == 0 {
			return err
		}
		return b.logLine(t, "day close", through.String(), "all days from "+first.String())
	})
}

// closeBuckets closes the rows of days whose closing is intended, in all buckets,
// ascending as Post locks them. It waits for what is being posted to these days.
func (b *DB) closeBuckets(ctx context.Context, through staking.Day) error {
	return b.engine.Write(ctx, func(t db.Tx) error {
		from, err := b.dayAfter(t, "SELECT day FROM days WHERE bucket = 0 AND day <= $1 AND closed = "+
			"1 ORDER BY day DESC LIMIT 1", int64(through))
		if err != nil || from > through {
			return err
		}
		return t.Each(nil, "UPDATE days SET closed = 1 WHERE bucket = $1 AND day BETWEEN $2 AND $3 AND closed = 0",
			everyBucket(sameInt("first", int64(from)), sameInt("through", int64(through))))
	})
}

// Closings are for how long past their end days take late entries, the oldest first.
func (b *DB) Closings(ctx context.Context) (staking.Closings, error) { return read(ctx, b, ClosingsOf) }

// ClosingsOf is Closings, in a snapshot.
func ClosingsOf(t db.View) (closings staking.Closings, err error) {
	err = t.Query(func(r db.Row) error {
		c := staking.Closing{From: staking.Day(r.Int(0)), After: time.Duration(r.Int(1)) * time.Millisecond}
		if last := len(closings) - 1; last >= 0 && closings[last].From == c.From {
			closings = closings[:last] // a later revision
		}
		closings = append(closings, c)
		return nil
	}, "SELECT from_day, millis FROM close_after ORDER BY from_day, revision")
	return closings, annotate(err, "read how long days take late entries")
}

// checkOver refuses to close a day that still takes late entries. It takes a shared lock
// of which a change of that time takes the exclusive one.
func (b *DB) checkOver(t db.Tx, d staking.Day) error {
	if err := t.Query(nil, "SELECT from_day FROM close_after ORDER BY from_day, revision LIMIT 1"+t.Share()); err != nil {
		return err
	}
	closings, err := ClosingsOf(t)
	if err == nil && closings.LastOver(b.clock()) < d {
		err = ledger.ErrInvalid.In("", "%s takes late entries until %s UTC, and is not closed before", d,
			closings.ClosesAt(d).Format(time.DateTime))
	}
	return err
}

// SetCloseAfter sets for how long past their end days take late entries, from a day on.
// That day must not be closed, nor such that it could be closed by now. What was set for
// a later day still holds from there on. Idempotent. Its errors are ErrInvalid.
func (b *DB) SetCloseAfter(ctx context.Context, c staking.Closing) error {
	if err := staking.CheckCloseAfter(c.After); err != nil {
		return err
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if _, err := t.Exec("UPDATE close_after SET set_at = set_at WHERE from_day = (SELECT min(from_day) FROM " +
			"close_after) AND revision = 1"); err != nil {
			return err
		}
		first, err := b.firstOpen(t)
		if err != nil {
			return err
		}
		closings, err := ClosingsOf(t)
		if err != nil {
			return err
		}
		if first = max(first, closings.LastOver(b.clock())+1); c.From < first {
			return ledger.ErrInvalid.In("", "%s is over; the first day for which it can be set is %s", c.From, first)
		}
		was := closings.After(c.From)
		if was == c.After {
			return nil
		}
		if err := b.writeClosing(t, c); err != nil {
			return err
		}
		effect := fmt.Sprintf("%s from %s; it was %s", c.After, c.From, was)
		if err := b.permit(t, control.SetCloseAfter, c, "books", effect); err != nil {
			return err
		}
		return b.logLine(t, string(control.SetCloseAfter), "books", effect)
	})
	return annotate(err, "set how long days take late entries")
}

func (b *DB) writeClosing(t db.Tx, c staking.Closing) error {
	revisions, err := db.Count(t, "SELECT count(*) FROM close_after WHERE from_day = $1", int64(c.From))
	if err == nil {
		_, err = t.Exec("INSERT INTO close_after (from_day, revision, millis, set_at) VALUES ($1, $2, $3, $4)", int64(c.From),
			revisions+1, c.After.Milliseconds(), b.now())
	}
	return err
}
