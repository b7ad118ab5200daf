package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
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
// of which every change of a switch takes the shared lock: none works with a list that is being changed.
const listsLock = "regions_changed"

func lockLists(t db.Tx) error {
	err := t.Query(nil, "SELECT value FROM meta WHERE name = $1"+t.Share(), listsLock)
	return annotate(err, "lock the list of regions")
}

// lockListsAlone takes the exclusive lock: changes of a switch wait until the commit.
func (b *DB) lockListsAlone(t db.Tx) error {
	_, err := t.Exec("UPDATE meta SET value = $1 WHERE name = $2", ledger.FormatTime(b.Now()), listsLock)
	return annotate(err, "lock the list of regions")
}

// RegionsAt are those where the product is not offered, or will not be from a coming
// day on, in order.
func RegionsAt(t db.View) ([]staking.Region, error) {
	listings, err := ListingsWhere(t, "WHERE removed = 0")
	regions := make([]staking.Region, len(listings))
	for i, l := range listings {
		regions[i] = l.Region
	}
	return regions, err
}

// ListingsWhere reads the listings that a condition chooses.
func ListingsWhere(t db.View, where string, args ...any) ([]Listing, error) {
	listings, err := db.All(t, func(r db.Row) (Listing, error) {
		return Listing{
			Region: staking.Region(r.Text(0)), Number: int(r.Int(1)), From: staking.Day(r.Int(2)),
			Added: db.TimeOf(r.Int(3)), AddedBy: r.Text(4), Reason: r.Text(5), Ended: r.Int(6),
			Removed: db.TimeOrZero(r.Int(7)), RemovedBy: r.Text(8), Restored: r.Int(9), unfinished: r.Int(10) != 0,
		}, nil
	}, `SELECT code, number, from_day, added, added_by, reason, ended, removed, removed_by, restored, unfinished
	      FROM listings `+where+" ORDER BY code, number", args...)
	return listings, annotate(err, "read the restricted regions")
}

// AddRegion lists a region from a day on, at the earliest today; 0 is tomorrow. Its
// residents do not earn from that day on, and nobody there can switch on from now on.
// The days before are paid. It returns the listing, with how many enrollments it ended.
// Idempotent: a region that is listed stays as it is; from another day than the one
// given it is ErrConflict. Where it was interrupted, call it again; the next run
// completes it as well.
func (b *DB) AddRegion(ctx context.Context, region staking.Region, from staking.Day, reason string) (Listing, error) {
	region, err := staking.ParseRegion(string(region))
	if err == nil {
		err = ledger.At("reason", ledger.CheckText("the reason", reason))
	}
	if err == nil {
		err = b.ensureDays(ctx)
	}
	if err != nil {
		return Listing{}, err
	}
	l, err := b.changeListing(ctx, region, func(t db.Tx, l *Listing) (err error) {
		if l.Number > 0 && l.Removed.IsZero() {
			if from == 0 || from == l.From {
				return nil
			}
			return ledger.ErrConflict.In("", "it is listed from %s, not from %s; remove it first, which restores what it "+
				"ended where its day has not come", l.From, from)
		}
		*l = Listing{Region: region, Number: l.Number + 1, Reason: reason, unfinished: true}
		if l.From, err = b.listingDay(t, from); err != nil {
			return err
		}
		if l.Ended, err = countEnding(t, region, l.From); err != nil {
			return err
		}
		if err := b.list(t, l); err != nil {
			return err
		}
		detail := strings.TrimSuffix(fmt.Sprintf("from %s: %d enrollments end; %s", l.From, l.Ended, reason), "; ")
		if err := b.permit(t, control.AddRegion, regionListing{region, from, reason}, string(region), detail); err != nil {
			return err
		}
		return b.logLine(t, "region add", string(region), detail)
	})
	return l, annotate(err, "add region %s", region)
}

// changeListing changes a region's last listing, which has no number where the region never had
// one, and then does bucket by bucket what follows from it.
func (b *DB) changeListing(ctx context.Context, region staking.Region,
	change func(db.Tx, *Listing) error) (l Listing, err error) {
	err = b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.lockListsAlone(t); err != nil {
			return err
		}
		all, err := ListingsWhere(t, "WHERE code = $1", string(region))
		if err != nil {
			return err
		}
		if l = (Listing{}); len(all) > 0 {
			l = all[len(all)-1]
		}
		return change(t, &l)
	})
	if err == nil {
		err = b.finishListing(ctx, l)
	}
	l.unfinished = false
	return l, err
}

// listingDay is the day from which a region is listed that is added now.
func (b *DB) listingDay(t db.View, from staking.Day) (staking.Day, error) {
	today := staking.DayOf(b.clock())
	if from == 0 {
		from = today + 1
	}
	open, err := b.firstOpen(t)
	if err != nil {
		return 0, err
	}
	if first := max(today, open); from < first || from >= staking.Forever {
		return 0, ledger.ErrInvalid.In("", "a region is listed from today on (%s) or from a later day, not from %s",
			first, from)
	}
	return from, nil
}

func (b *DB) list(t db.Tx, l *Listing) error {
	now := b.now()
	l.Added, l.AddedBy = db.TimeOf(now), b.actor.String()
	_, err := t.Exec(`INSERT INTO listings (code, number, from_day, added, added_by, reason, ended, removed, removed_by, restored, unfinished)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 0, $8)`,
		string(l.Region), int64(l.Number), int64(l.From), now, l.AddedBy, l.Reason, l.Ended, db.Flag(l.unfinished))
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
func (b *DB) RemoveRegion(ctx context.Context, region staking.Region) (Listing, error) {
	region, err := staking.ParseRegionCode(string(region))
	if err != nil {
		return Listing{}, err
	}
	l, err := b.changeListing(ctx, region, func(t db.Tx, l *Listing) error {
		switch {
		case l.unfinished && !l.Removed.IsZero():
			return nil // what was interrupted goes on
		case l.Number == 0 || !l.Removed.IsZero():
			return ledger.ErrNotFound.In("", "it is not on the list").Because(ReasonUnknownRegion)
		}
		return b.unlist(t, l)
	})
	return l, annotate(err, "remove region %s", region)
}

func (b *DB) unlist(t db.Tx, l *Listing) error {
	now := b.now()
	detail := fmt.Sprintf("listed from %s; %d enrollments ended, and none is restored", l.From, l.Ended)
	l.unfinished = l.undoable(staking.DayOf(db.TimeOf(now)))
	if l.Removed, l.RemovedBy = db.TimeOf(now), b.actor.String(); l.unfinished {
		others, err := ListingsWhere(t, "WHERE removed = 0 AND code <> $1", string(l.Region))
		if err != nil {
			return err
		}
		if l.Restored, err = countRestored(t, *l, others); err != nil {
			return err
		}
		detail = fmt.Sprintf("listed from %s; undone: %d of %d enrollments restored", l.From, l.Restored, l.Ended)
	}
	_, err := t.Exec("UPDATE listings SET removed = $1, removed_by = $2, restored = $3, unfinished = $4 WHERE "+
		"code = $5 AND number = $6",
		now, l.RemovedBy, l.Restored, db.Flag(l.unfinished), string(l.Region), int64(l.Number))
	if err != nil {
		return err
	}
	if err := b.permit(t, control.RemoveRegion, l.Region, string(l.Region), detail); err != nil {
		return err
	}
	return b.logLine(t, "region remove", string(l.Region), detail)
}

// regionMark divides, in a recorded switch event, what was done from the region that did it.
const regionMark = ": region "

// offFor is how it is kept that a region has switched an account off, from a day on:
// "off: region FR", and "off: region FR from 2026-12-01" where that day is to come.
// Without a residence there is no region to name.
func offFor(region staking.Region, from, today staking.Day) string {
	switch {
	case region == "":
		return left + ": region"
	case from > today:
		return left + regionMark + string(region) + " from " + from.String()
	}
	return left + regionMark + string(region)
}

// SetRegion sets an account's verified residence; "" clears it, and there is none any
// more. Where that ends its enrollment, ends is the first day that it does not earn:
// today, or the day from which a listing of the region holds; else 0. A back end's token changes as many residences a
// day as switches: access.ErrCeiling. Idempotent.
func (b *DB) SetRegion(ctx context.Context, id ledger.Account, region staking.Region) (ends staking.Day, err error) {
	a := Account{ID: id, Region: region}
	if err := a.check(); err != nil {
		return 0, err
	}
	err = b.changeSwitch(ctx, id, time.Time{}, noLock, func(s *switchChange) (err error) {
		ends, err = b.setRegion(s, a.Region)
		return err
	})
	return ends, annotate(err, "set the region of %s", id)
}

func (b *DB) setRegion(s *switchChange, region staking.Region) (ends staking.Day, err error) {
	if s.account.Region != region {
		if _, err := s.t.Exec("UPDATE accounts SET region = $1 WHERE bucket = $2 AND account = $3", string(region),
			int64(s.account.ID.Bucket()), string(s.account.ID)); err != nil {
			return 0, err
		}
		if err := b.wrote(s.t, integrity.Accounts, string(s.account.ID)); err != nil {
			return 0, err
		}
		if err := forgetListedOut(s.t, s.account.ID); err != nil {
			return 0, err
		}
	}
	listings, err := ListingsWhere(s.t, "WHERE removed = 0")
	if err != nil {
		return 0, err
	}
	until := endsFor(region, s.day, listings)
	detail := fmt.Sprintf("%q, before %q", region, s.account.Region)
	if until < s.running.Until {
		ends = until
		detail += fmt.Sprintf("; Soft Staking ends on %s", until)
		if err := s.endAs(until, offFor(region, until, s.day)); err != nil {
			return 0, err
		}
		why := people.PausedRegion
		if region == "" {
			why = people.PausedResidence
		}
		if err := b.People().NotifyAll(s.t, []ledger.Account{s.account.ID}, people.NoticePaused, why); err != nil {
			return 0, err
		}
	}
	if s.account.Region == region && ends == 0 {
		return 0, nil
	}
	if err := b.permitStaff(s.t, control.SetRegion, newRegion{s.account.ID, region}, string(s.account.ID),
		detail); err != nil {
		return 0, err
	}
	return ends, inOrder(
		func() error { return b.logLine(s.t, string(control.SetRegion), string(s.account.ID), detail) },
		func() error { return b.useCount(s.t, access.OfSwitches, 1) })
}

// endsFor is the first day from today on that a resident of a region does not earn;
// Forever if none is known.
func endsFor(residence staking.Region, today staking.Day, listings []Listing) staking.Day {
	if !residence.Exists() {
		return today
	}
	until, _ := limitOf(residence, listings)
	return max(until, today)
}

// What a listing does to its residents is done bucket by bucket, each in a transaction
// of its own, so that none grows with the number of residents. Changes of a switch wait
// while a bucket is done, and so none comes between what is read of an account and what is
// written. Doing a bucket again has no further effect.

// finishListing does what is left of a listing. It is ErrEnded if another removes it
// while it is being added.
func (b *DB) finishListing(ctx context.Context, l Listing) error {
	for bucket := 0; bucket < ledger.Buckets && l.unfinished; bucket++ {
		if err := b.workListing(ctx, l, bucket); err != nil {
			return fmt.Errorf("%w; what is left is done by calling it again, or by the next run", err)
		}
	}
	return b.engine.Write(ctx, func(t db.Tx) error {
		if err := b.lockListsAlone(t); err != nil {
			return err
		}
		n, err := t.Exec("UPDATE listings SET unfinished = 0 WHERE code = $1 AND number = $2 AND removed = $3",
			string(l.Region), int64(l.Number), db.MillisOf(l.Removed))
		if err == nil && n == 0 {
			err = ledger.ErrEnded.In("", "it was removed while it was being added")
		}
		return err
	})
}

// finishListings completes what was interrupted of any listing.
func (b *DB) finishListings(ctx context.Context) error {
	left, err := read(ctx, b, func(t db.View) ([]Listing, error) { return ListingsWhere(t, "WHERE unfinished = 1") })
	for _, l := range left {
		if err == nil {
			err = b.finishListing(ctx, l)
		}
		if errors.Is(err, ledger.ErrEnded) {
			err = nil // another is removing it, and completes that
		}
	}
	return annotate(err, "complete the listing of regions")
}

// workListing ends or restores the enrollments of a listing in a bucket.
func (b *DB) workListing(ctx context.Context, l Listing, bucket int) error {
	if err := b.ensureDays(ctx); err != nil {
		return err
	}
	return b.engine.Write(ctx, func(t db.Tx) error {
		open, err := b.firstOpen(t)
		if err == nil {
			err = b.lockOpenDay(t, max(open, min(l.From, staking.DayOf(b.clock()))), bucket)
		}
		if err != nil {
			return err
		}
		if err := b.lockListsAlone(t); err != nil {
			return err
		}
		listings, err := ListingsWhere(t, "WHERE removed = 0 OR unfinished = 1")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(listings, func(o Listing) bool { return o.Region == l.Region && o.Number == l.Number })
		switch {
		case i < 0 || !listings[i].unfinished || !listings[i].Removed.Equal(l.Removed):
			return nil // another has finished or removed it
		case l.Removed.IsZero():
			l.From = max(l.From, open) // what is closed stays as it is
			return b.endListed(t, l, bucket)
		case l.From < open:
			return nil
		}
		return b.restoreListed(t, l, bucket, listings)
	})
}

// inRegion is the condition that an account's residence a.region lies in the region
// that is a parameter. A code has none of the letters that LIKE knows.
func inRegion(parameter string) string {
	return fmt.Sprintf("(a.region = %s OR a.region LIKE %s || '-%%')", parameter, parameter)
}

// lasting are a bucket's enrollments ($1) of residents of a region ($3) that cover a day
// ($2) or a later one.
var lasting = ` FROM enrollments e JOIN accounts a ON a.bucket = e.bucket AND a.account = e.account
	WHERE e.bucket = $1 AND e.until_day > $2 AND e.from_day < e.until_day AND ` + inRegion("$3")

func countEnding(t db.Tx, region staking.Region, from staking.Day) (n int64, err error) {
	every := everyBucket(sameInt("from", int64(from)), sameText("code", string(region)))
	err = t.QueryEach(func(r db.Row) error { n += r.Int(0); return nil }, "SELECT count(*)"+lasting, every)
	return n, err
}

// countRestored counts the enrollments that the undoing of a listing lets go on.
func countRestored(t db.Tx, l Listing, others []Listing) (n int64, err error) {
	every := everyBucket(sameText("code", string(l.Region)), sameInt("number", int64(l.Number)))
	err = t.QueryEach(func(r db.Row) error {
		if until, _ := limitOf(staking.Region(r.Text(0)), others); until == staking.Forever {
			n += r.Int(1)
		}
		return nil
	}, "SELECT a.region, count(*)"+outBy+" GROUP BY a.region", every)
	return n, err
}

// outBy are a bucket's enrollments ($1) that the listing of a region ($2) with a number ($3) has ended.
const outBy = ` FROM listed_out o JOIN accounts a ON a.bucket = o.bucket AND a.account = o.account
	WHERE o.bucket = $1 AND o.code = $2 AND o.number = $3 AND a.closed = 0`

// limitOf is the first day from which a residence is restricted, and by which listing;
// Forever if it is not.
func limitOf(residence staking.Region, listings []Listing) (until staking.Day, by Listing) {
	until = staking.Forever
	for _, l := range listings {
		if l.Removed.IsZero() && residence.In(l.Region) && l.From < until {
			until, by = l.From, l
		}
	}
	return until, by
}

// listedOut is an enrollment that ends because of a listing.
type listedOut struct {
	staking.Enrollment
	by Listing
}

// endListed ends the enrollments of a listing's residents in a bucket.
func (b *DB) endListed(t db.Tx, l Listing, bucket int) error {
	out, err := db.All(t, func(r db.Row) (listedOut, error) {
		return listedOut{staking.Enrollment{Account: ledger.Account(r.Text(0)), From: staking.Day(r.Int(1))}, l}, nil
	}, "SELECT e.account, e.from_day"+lasting+" ORDER BY e.account", int64(bucket), int64(l.From), string(l.Region))
	if err != nil || out == nil {
		return err
	}
	accounts, events := make([]ledger.Account, len(out)), make([]switchRow, len(out))
	action := offFor(l.Region, l.From, staking.DayOf(b.clock()))
	for i, o := range out {
		accounts[i], events[i] = o.Account, switchRow{account: o.Account, at: b.now(), action: action}
	}
	return inOrder(
		func() error { return endEnrollments(t, l.From, accounts...) },
		func() error { return rememberListedOut(t, out) },
		func() error { return recordSwitches(t, events...) },
		func() error { return b.People().NotifyAll(t, accounts, people.NoticePaused, people.PausedRegion) })
}

// rememberListedOut keeps which enrollments end because of listings. Of an enrollment
// that had an end to come for another, the one that ends it earlier is kept.
func rememberListedOut(t db.Tx, out []listedOut) error {
	_, err := t.Set(nil, `INSERT INTO listed_out (bucket, account, from_day, code, number)
	                      SELECT r.bucket, r.account, r.from_day, r.code, r.number FROM {rows} WHERE true
	                      ON CONFLICT (bucket, account) DO UPDATE SET from_day = excluded.from_day, code = excluded.code, number = excluded.number`,
		db.SetOf(out, accountFields(func(o listedOut) ledger.Account { return o.Account },
			db.Int("from_day", func(o listedOut) int64 { return int64(o.From) }),
			db.Text("code", func(o listedOut) string { return string(o.by.Region) }),
			db.Int("number", func(o listedOut) int64 { return int64(o.by.Number) }))...))
	return err
}

// forgetListedOut takes accounts out of those that the undoing of a listing restores.
func forgetListedOut(t db.Tx, accounts ...ledger.Account) error {
	return t.Each(nil, "DELETE FROM listed_out WHERE bucket = $1 AND account = $2", accountSet(accounts))
}

// restoreListed restores in a bucket the enrollments that a listing ended, which is
// being undone. Who lives in another region that is listed does not earn from its day on.
func (b *DB) restoreListed(t db.Tx, l Listing, bucket int, listings []Listing) error {
	var back []staking.Enrollment
	var kept []listedOut
	var on []switchRow
	err := t.Query(func(r db.Row) error {
		until, by := limitOf(staking.Region(r.Text(2)), listings)
		e := staking.Enrollment{Account: ledger.Account(r.Text(0)), From: staking.Day(r.Int(1)), Until: until}
		if until == staking.Forever {
			on = append(on, switchRow{account: e.Account, at: b.now(), action: enrolled + regionMark + string(l.Region)})
		} else {
			e.Until = max(until, e.From)
			kept = append(kept, listedOut{e, by})
		}
		back = append(back, e)
		return nil
	}, "SELECT o.account, o.from_day, a.region"+outBy+" ORDER BY o.account", int64(bucket), string(l.Region),
		int64(l.Number))
	if err != nil || back == nil {
		return err
	}
	return inOrder(
		func() error { return writeEnrollments(t, back...) },
		func() error {
			_, err := t.Exec("DELETE FROM listed_out WHERE bucket = $1 AND code = $2 AND number = $3", int64(bucket),
				string(l.Region), int64(l.Number))
			return err
		},
		func() error { return rememberListedOut(t, kept) },
		func() error { return recordSwitches(t, on...) })
}
