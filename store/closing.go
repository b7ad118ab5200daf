package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Closings say how long past their end days take late entries, the oldest first.
func (db *DB) Closings(ctx context.Context) (closings staking.Closings, err error) {
	err = db.engine.Read(ctx, func(t view) error {
		closings, err = ClosingsOf(t)
		return err
	})
	return closings, err
}

func ClosingsOf(t view) (closings staking.Closings, err error) {
	err = t.Query(func(r row) error {
		c := staking.Closing{From: staking.Day(r.Int(0)), After: time.Duration(r.Int(1)) * time.Millisecond}
		if last := len(closings) - 1; last >= 0 && closings[last].From == c.From {
			closings = closings[:last] // a later revision
		}
		closings = append(closings, c)
		return nil
	}, "SELECT from_day, millis FROM close_after ORDER BY from_day, revision")
	if err != nil {
		return nil, fmt.Errorf("read how long days take late entries: %w", err)
	}
	return closings, nil
}

// checkOver refuses to close a day that takes late entries still. It shares a lock
// that a change of that time takes exclusively.
func (db *DB) checkOver(t tx, d staking.Day) error {
	if err := t.Query(nil, "SELECT from_day FROM close_after ORDER BY from_day, revision LIMIT 1"+t.Share()); err != nil {
		return err
	}
	closings, err := ClosingsOf(t)
	if err == nil && closings.LastOver(db.clock()) < d {
		err = ledger.ErrInvalid.In("", "%s takes late entries until %s UTC, and is not closed before", d, closings.ClosesAt(d).Format(time.DateTime))
	}
	return err
}

// SetCloseAfter sets for how long past their end days take late entries, from a day on.
// That day must not be closed, nor such that it could be closed by now. What was set for
// a later day still holds from there on. Safe to call twice. Its errors are ErrInvalid.
func (db *DB) SetCloseAfter(ctx context.Context, c staking.Closing) error {
	if err := staking.CheckCloseAfter(c.After); err != nil {
		return err
	}
	err := db.engine.Write(ctx, func(t tx) error {
		if _, err := t.Exec("UPDATE close_after SET set_at = set_at WHERE from_day = (SELECT min(from_day) FROM close_after) AND revision = 1"); err != nil {
			return err
		}
		first, err := db.firstOpen(t)
		if err != nil {
			return err
		}
		closings, err := ClosingsOf(t)
		if err != nil {
			return err
		}
		if first = max(first, closings.LastOver(db.clock())+1); c.From < first {
			return ledger.ErrInvalid.In("", "%s is over; the first day for which it can be set is %s", c.From, first)
		}
		was := closings.After(c.From)
		if was == c.After {
			return nil
		}
		if err := db.writeClosing(t, c); err != nil {
			return err
		}
		return db.logLine(t, "days set-close-after", "books", fmt.Sprintf("%s from %s; it was %s", c.After, c.From, was))
	})
	if err != nil {
		return fmt.Errorf("set how long days take late entries: %w", err)
	}
	return nil
}

func (db *DB) writeClosing(t tx, c staking.Closing) error {
	revisions, err := count(t, "SELECT count(*) FROM close_after WHERE from_day = $1", int64(c.From))
	if err == nil {
		_, err = t.Exec("INSERT INTO close_after (from_day, revision, millis, set_at) VALUES ($1, $2, $3, $4)", int64(c.From), revisions+1, c.After.Milliseconds(), db.now())
	}
	return err
}
