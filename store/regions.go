package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Listing says that the product is not offered in a region from a day on. Nobody in a
// listed region can switch it on, also before that day.
type Listing struct {
	Region    staking.Region
	Number    int         // of the region's listings, from 1
	From      staking.Day // the first day on which its residents do not earn
	Added     time.Time
	AddedBy   string
	Reason    string
	Ended     int64     // how many enrollments it ended
	Removed   time.Time // zero: it is listed
	RemovedBy string
	Restored  int64 // how many of these enrollments were restored when it was undone

	unfinished bool // some buckets are left in which its enrollments are to be ended, or restored
}

// undoable reports whether removing the listing on a day undoes it: before its first day,
// and on that day where it was added on it.
func (l Listing) undoable(today staking.Day) bool {
	return today < l.From || today == l.From && today == staking.DayOf(l.Added)
}

// Undone reports whether the removal of the listing undid it.
func (l Listing) Undone() bool { return !l.Removed.IsZero() && l.undoable(staking.DayOf(l.Removed)) }

// listsLock names the row that a change of the list of regions locks exclusively and
// that every press shares: no press works with a list that is being changed.
const listsLock = "regions_changed"

func lockLists(t tx) error {
	if err := t.Query(nil, "SELECT value FROM meta WHERE name = $1"+t.Share(), listsLock); err != nil {
		return fmt.Errorf("lock the list of regions: %w", err)
	}
	return nil
}

// lockListsAlone keeps presses waiting until the commit.
func (db *DB) lockListsAlone(t tx) error {
	if _, err := t.Exec("UPDATE meta SET value = $1 WHERE name = $2", stamp(db.now()), listsLock); err != nil {
		return fmt.Errorf("lock the list of regions: %w", err)
	}
	return nil
}

// RegionsAt are those where the product is not offered, or will not be from a coming
// day on, in order.
func RegionsAt(t view) ([]staking.Region, error) {
	listings, err := ListingsWhere(t, "WHERE removed = 0")
	regions := make([]staking.Region, len(listings))
	for i, l := range listings {
		regions[i] = l.Region
	}
	return regions, err
}

// ListingsWhere reads the listings that a condition chooses.
func ListingsWhere(t view, where string, args ...any) ([]Listing, error) {
	listings, err := db.All(t, func(r row) (Listing, error) {
		return Listing{
			Region: staking.Region(r.Text(0)), Number: int(r.Int(1)), From: staking.Day(r.Int(2)),
			Added: timeOf(r.Int(3)), AddedBy: r.Text(4), Reason: r.Text(5), Ended: r.Int(6),
			Removed: timeOrNever(r.Int(7)), RemovedBy: r.Text(8), Restored: r.Int(9), unfinished: r.Int(10) != 0,
		}, nil
	}, `SELECT code, number, from_day, added, added_by, reason, ended, removed, removed_by, restored, unfinished
	      FROM listings `+where+" ORDER BY code, number", args...)
	if err != nil {
		return nil, fmt.Errorf("read the restricted regions: %w", err)
	}
	return listings, nil
}

// listedAs is the last listing of a region, or nothing if it never had one.
func listedAs(t tx, region staking.Region) (l Listing, found bool, err error) {
	all, err := ListingsWhere(t, "WHERE code = $1", string(region))
	if n := len(all); n > 0 {
		return all[n-1], true, err
	}
	return l, false, err
}

// AddRegion lists a region from a day on, at the earliest today; 0 is tomorrow. Its
// residents do not earn from that day on, and nobody there can switch on from now on.
// The days before are paid. It returns the listing, with how many enrollments it ended.
// Idempotent: a region that is listed stays as it is; from another day than the one
// given it is ErrConflict. Where it was interrupted, call it again; the next run
// completes it as well.
func (db *DB) AddRegion(ctx context.Context, region staking.Region, from staking.Day, reason string) (Listing, error) {
	region, err := staking.ParseRegion(string(region))
	if err == nil {
		err = ledger.At("reason", ledger.CheckText("the reason", reason))
	}
	if err == nil {
		err = db.ensureDays(ctx)
	}
	if err != nil {
		return Listing{}, err
	}
	var l Listing
	err = db.engine.Write(ctx, func(t tx) error {
		if err := db.lockListsAlone(t); err != nil {
			return err
		}
		last, found, err := listedAs(t, region)
		if err != nil {
			return err
		}
		if l = last; found && last.Removed.IsZero() {
			return checkSameDay(last, from)
		}
		l = Listing{Region: region, Number: last.Number + 1, Reason: reason, unfinished: true}
		if l.From, err = db.listingDay(t, from); err != nil {
			return err
		}
		if l.Ended, err = countEnding(t, region, l.From); err != nil {
			return err
		}
		if err := db.list(t, &l); err != nil {
			return err
		}
		return db.logLine(t, "region add", string(region), strings.TrimSuffix(fmt.Sprintf("from %s: %d enrollments end; %s", l.From, l.Ended, reason), "; "))
	})
	if err == nil {
		err = db.finishListing(ctx, l)
	}
	l.unfinished = false
	if err != nil {
		return l, fmt.Errorf("add region %s: %w", region, err)
	}
	return l, nil
}

func checkSameDay(l Listing, from staking.Day) error {
	if from == 0 || from == l.From {
		return nil
	}
	return ledger.ErrConflict.In("", "it is listed from %s, not from %s; remove it first, which restores what it ended where its day has not come",
		l.From, from)
}

// listingDay is the day from which a region is listed that is added now.
func (db *DB) listingDay(t view, from staking.Day) (staking.Day, error) {
	today := staking.DayOf(db.clock())
	if from == 0 {
		from = today + 1
	}
	open, err := db.firstOpen(t)
	if err != nil {
		return 0, err
	}
	if first := max(today, open); from < first || from >= staking.Forever {
		return 0, ledger.ErrInvalid.In("", "a region is listed from today on (%s) or from a later day, not from %s", first, from)
	}
	return from, nil
}

// list writes a listing that is added now.
func (db *DB) list(t tx, l *Listing) error {
	now, unfinished := db.now(), int64(0)
	if l.unfinished {
		unfinished = 1
	}
	l.Added, l.AddedBy = timeOf(now), db.actor.String()
	_, err := t.Exec(`INSERT INTO listings (code, number, from_day, added, added_by, reason, ended, removed, removed_by, restored, unfinished)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 0, $8)`,
		string(l.Region), int64(l.Number), int64(l.From), now, l.AddedBy, l.Reason, l.Ended, unfinished)
	return err
}

// RemoveRegion takes a region off the list: its residents may switch on again. On the
// day on which it was added, or before its first day, this undoes the listing: the
// enrollments that it ended go on, but for those of holders who have switched off or
// moved since, and of those who live in another region that is listed. Later nobody is
// switched on by it. It returns the listing, with how many enrollments were restored.
// ErrNotFound if it is not on the list. One that does not exist in ISO 3166 may be on
// the list of older books, and is removed like any other. Where it was interrupted,
// call it again; the next run completes it as well.
func (db *DB) RemoveRegion(ctx context.Context, region staking.Region) (Listing, error) {
	region, err := staking.ParseRegionCode(string(region))
	if err != nil {
		return Listing{}, err
	}
	var l Listing
	err = db.engine.Write(ctx, func(t tx) error {
		if err := db.lockListsAlone(t); err != nil {
			return err
		}
		last, found, err := listedAs(t, region)
		if err != nil {
			return err
		}
		if l = last; found && last.unfinished && !last.Removed.IsZero() {
			return nil // what was interrupted goes on
		}
		if !found || !last.Removed.IsZero() {
			return ledger.ErrNotFound.In("", "it is not on the list").Because(ReasonUnknownRegion)
		}
		return db.unlist(t, &l)
	})
	if err == nil {
		err = db.finishListing(ctx, l)
	}
	l.unfinished = false
	if err != nil {
		return l, fmt.Errorf("remove region %s: %w", region, err)
	}
	return l, nil
}

// unlist takes a listing off the list.
func (db *DB) unlist(t tx, l *Listing) error {
	now, unfinished := db.now(), int64(0)
	detail := fmt.Sprintf("listed from %s; %d enrollments ended, and none is restored", l.From, l.Ended)
	l.unfinished = l.undoable(staking.DayOf(timeOf(now)))
	if l.Removed, l.RemovedBy = timeOf(now), db.actor.String(); l.unfinished {
		others, err := ListingsWhere(t, "WHERE removed = 0 AND code <> $1", string(l.Region))
		if err != nil {
			return err
		}
		if l.Restored, err = countRestored(t, *l, others); err != nil {
			return err
		}
		detail, unfinished = fmt.Sprintf("listed from %s; undone: %d of %d enrollments restored", l.From, l.Restored, l.Ended), 1
	}
	_, err := t.Exec("UPDATE listings SET removed = $1, removed_by = $2, restored = $3, unfinished = $4 WHERE code = $5 AND number = $6",
		now, l.RemovedBy, l.Restored, unfinished, string(l.Region), int64(l.Number))
	if err != nil {
		return err
	}
	return db.logLine(t, "region remove", string(l.Region), detail)
}
