package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// What a listing does to its residents is done bucket by bucket, each in a transaction
// of its own, so that none grows with the number of residents. Presses wait while a
// bucket is done, and so none comes between what is read of an account and what is
// written. Doing a bucket again has no further effect.

// finishListing does what is left of a listing. It is ErrEnded if another removes it
// while it is being added.
func (db *DB) finishListing(ctx context.Context, l Listing) error {
	for bucket := 0; bucket < ledger.Buckets && l.unfinished; bucket++ {
		if err := db.workListing(ctx, l, bucket); err != nil {
			return fmt.Errorf("%w; what is left is done by calling it again, or by the next run", err)
		}
	}
	return db.engine.Write(ctx, func(t tx) error {
		if err := db.lockListsAlone(t); err != nil {
			return err
		}
		n, err := t.Exec("UPDATE listings SET unfinished = 0 WHERE code = $1 AND number = $2 AND removed = $3",
			string(l.Region), int64(l.Number), millisOf(l.Removed))
		if err == nil && n == 0 {
			err = ledger.ErrEnded.In("", "it was removed while it was being added")
		}
		return err
	})
}

// finishListings completes what was interrupted of any listing.
func (db *DB) finishListings(ctx context.Context) error {
	var left []Listing
	err := db.engine.Read(ctx, func(t view) (err error) {
		left, err = ListingsWhere(t, "WHERE unfinished = 1")
		return err
	})
	for _, l := range left {
		if err == nil {
			err = db.finishListing(ctx, l)
		}
		if errors.Is(err, ledger.ErrEnded) {
			err = nil // another is removing it, and completes that
		}
	}
	if err != nil {
		return fmt.Errorf("complete the listing of regions: %w", err)
	}
	return nil
}

// workListing ends or restores the enrollments of a listing in a bucket.
func (db *DB) workListing(ctx context.Context, l Listing, bucket int) error {
	if err := db.ensureDays(ctx); err != nil {
		return err
	}
	return db.engine.Write(ctx, func(t tx) error {
		open, err := db.firstOpen(t)
		if err == nil {
			err = db.lockOpenDay(t, max(open, min(l.From, staking.DayOf(db.clock()))), bucket)
		}
		if err != nil {
			return err
		}
		if err := db.lockListsAlone(t); err != nil {
			return err
		}
		listings, err := ListingsWhere(t, "WHERE removed = 0 OR unfinished = 1")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(listings, func(other Listing) bool { return other.Region == l.Region && other.Number == l.Number })
		switch {
		case i < 0 || !listings[i].unfinished || !listings[i].Removed.Equal(l.Removed):
			return nil // another has finished or removed it
		case l.Removed.IsZero():
			l.From = max(l.From, open) // what is closed stays as it is
			return db.endListed(t, l, bucket)
		case l.From < open:
			return nil
		}
		return db.restoreListed(t, l, bucket, listings)
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

// countEnding counts the enrollments that a listing ends.
func countEnding(t tx, region staking.Region, from staking.Day) (n int64, err error) {
	every := append(EveryBucket(from), texts("code", repeat(string(region), ledger.Buckets)))
	err = t.QueryEach(func(r row) error { n += r.Int(0); return nil }, "SELECT count(*)"+lasting, every)
	return n, err
}

// countRestored counts the enrollments that the undoing of a listing lets go on.
func countRestored(t tx, l Listing, others []Listing) (n int64, err error) {
	every := append(EveryBucket(0)[:1], texts("code", repeat(string(l.Region), ledger.Buckets)), ints("number", slices.Repeat([]int64{int64(l.Number)}, ledger.Buckets)))
	err = t.QueryEach(func(r row) error {
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
	account ledger.Account
	from    staking.Day // of the enrollment
	until   staking.Day // when it is to end
	by      Listing     // where it ends because of another listing
}

// endListed ends the enrollments of a listing's residents in a bucket.
func (db *DB) endListed(t tx, l Listing, bucket int) error {
	var residents []listedOut
	var accounts []ledger.Account
	err := t.Query(func(r row) error {
		residents = append(residents, listedOut{account: ledger.Account(r.Text(0)), from: staking.Day(r.Int(1)), by: l})
		accounts = append(accounts, ledger.Account(r.Text(0)))
		return nil
	}, "SELECT e.account, e.from_day"+lasting+" ORDER BY e.account", int64(bucket), int64(l.From), string(l.Region))
	if err != nil || residents == nil {
		return err
	}
	if err := endEnrollments(t, bucket, accounts, l.From); err != nil {
		return err
	}
	if err := rememberListedOut(t, bucket, residents); err != nil {
		return err
	}
	return keepPresses(t, accounts, db.now(), offFor(l.Region, l.From, staking.DayOf(db.clock())), staking.Client{})
}

// rememberListedOut keeps which enrollments end because of listings. Of an enrollment
// that had an end to come for another, the one that ends it earlier is kept.
func rememberListedOut(t tx, bucket int, out []listedOut) error {
	n := len(out)
	if n == 0 {
		return nil
	}
	accounts, codes := make([]string, n), make([]string, n)
	froms, numbers := make([]int64, n), make([]int64, n)
	for i, o := range out {
		accounts[i], codes[i], froms[i], numbers[i] = string(o.account), string(o.by.Region), int64(o.from), int64(o.by.Number)
	}
	_, err := t.Set(nil, `INSERT INTO listed_out (bucket, account, from_day, code, number)
	                      SELECT r.bucket, r.account, r.from_day, r.code, r.number FROM {rows} WHERE true
	                      ON CONFLICT (bucket, account) DO UPDATE SET from_day = excluded.from_day, code = excluded.code, number = excluded.number`,
		set{
			ints("bucket", slices.Repeat([]int64{int64(bucket)}, n)), texts("account", accounts),
			ints("from_day", froms), texts("code", codes), ints("number", numbers),
		})
	return err
}

// forgetListedOut takes an account out of those that the undoing of a listing restores.
func forgetListedOut(t tx, id ledger.Account) error {
	_, err := t.Exec("DELETE FROM listed_out WHERE bucket = $1 AND account = $2", int64(id.Bucket()), string(id))
	return err
}

// restoreListed restores in a bucket the enrollments that a listing ended, which is
// being undone. Who lives in another region that is listed does not earn from its day on.
func (db *DB) restoreListed(t tx, l Listing, bucket int, listings []Listing) error {
	var back, kept []listedOut
	var on []ledger.Account
	err := t.Query(func(r row) error {
		o := listedOut{account: ledger.Account(r.Text(0)), from: staking.Day(r.Int(1))}
		o.until, o.by = limitOf(staking.Region(r.Text(2)), listings)
		if o.until == staking.Forever {
			on = append(on, o.account)
		} else {
			o.until = max(o.until, o.from)
			kept = append(kept, o)
		}
		back = append(back, o)
		return nil
	}, "SELECT o.account, o.from_day, a.region"+outBy+" ORDER BY o.account", int64(bucket), string(l.Region), int64(l.Number))
	if err != nil || back == nil {
		return err
	}
	if err := setUntil(t, bucket, back); err != nil {
		return err
	}
	if _, err := t.Exec("DELETE FROM listed_out WHERE bucket = $1 AND code = $2 AND number = $3", int64(bucket), string(l.Region), int64(l.Number)); err != nil {
		return err
	}
	if err := rememberListedOut(t, bucket, kept); err != nil || on == nil {
		return err
	}
	return keepPresses(t, on, db.now(), pressOn+regionMark+string(l.Region), staking.Client{})
}

// setUntil sets when enrollments of a bucket end.
func setUntil(t tx, bucket int, out []listedOut) error {
	n := len(out)
	accounts, froms, untils := make([]string, n), make([]int64, n), make([]int64, n)
	for i, o := range out {
		accounts[i], froms[i], untils[i] = string(o.account), int64(o.from), int64(o.until)
	}
	_, err := t.Set(nil, `UPDATE enrollments SET until_day = r.until_day FROM {rows}
	                       WHERE enrollments.bucket = r.bucket AND enrollments.account = r.account AND enrollments.from_day = r.from_day`,
		set{
			ints("bucket", slices.Repeat([]int64{int64(bucket)}, n)), texts("account", accounts),
			ints("from_day", froms), ints("until_day", untils),
		})
	if err != nil {
		return fmt.Errorf("restore enrollments: %w", err)
	}
	return nil
}
