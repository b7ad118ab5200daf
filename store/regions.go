package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"softstake/ledger"
	"softstake/staking"
)

// listsLock names the row that a change of the list of regions takes whole and
// that every press shares: no press works with a list that is being changed.
const listsLock = "regions_changed"

func lockLists(t tx) error {
	if err := t.query(nil, "SELECT value FROM meta WHERE name = $1"+t.share(), listsLock); err != nil {
		return fmt.Errorf("lock the list of regions: %w", err)
	}
	return nil
}

// Regions are those where the product is not offered, in order.
func (db *DB) Regions(ctx context.Context) (regions []staking.Region, err error) {
	err = db.engine.read(ctx, func(t tx) error {
		regions, err = regionsOf(t)
		return err
	})
	return regions, err
}

func regionsOf(t tx) (regions []staking.Region, err error) {
	err = t.query(func(r row) error { regions = append(regions, staking.Region(r.text(0))); return nil }, "SELECT code FROM regions ORDER BY code")
	if err != nil {
		return nil, fmt.Errorf("read the restricted regions: %w", err)
	}
	return regions, nil
}

// AddRegion puts a region on the list of those where the product is not offered:
// its residents stop earning from today. What is paid stays paid. Where it was
// interrupted, call it again; safe to call twice.
func (db *DB) AddRegion(ctx context.Context, region staking.Region) error {
	region, err := staking.ParseRegion(string(region))
	if err != nil {
		return err
	}
	today := staking.DayOf(db.clock())
	err = db.engine.write(ctx, func(t tx) error {
		if _, err := t.exec("UPDATE meta SET value = $1 WHERE name = $2", stamp(db.now()), listsLock); err != nil {
			return err
		}
		added, err := addRegion(t, region)
		if err != nil || !added {
			return err
		}
		return db.logLine(t, "region add", string(region), "its residents stop earning from "+today.String())
	})
	for bucket := 0; bucket < ledger.Buckets && err == nil; bucket++ {
		err = db.endResidents(ctx, bucket, region, today)
	}
	if err != nil {
		return fmt.Errorf("add region %s: %w; add it again", region, err)
	}
	return nil
}

func addRegion(t tx, r staking.Region) (added bool, err error) {
	n, err := t.exec("INSERT INTO regions (code) VALUES ($1) ON CONFLICT DO NOTHING", string(r))
	return n > 0, err
}

// endResidents ends the running enrollments of a region's residents in a bucket.
func (db *DB) endResidents(ctx context.Context, bucket int, region staking.Region, today staking.Day) error {
	if err := db.ensureDays(ctx); err != nil {
		return err
	}
	return db.engine.write(ctx, func(t tx) error {
		if err := db.lockOpenDay(t, today, bucket); err != nil {
			return err
		}
		var residents []ledger.Account
		err := t.query(func(r row) error {
			if staking.Region(r.text(1)).In(region) {
				residents = append(residents, ledger.Account(r.text(0)))
			}
			return nil
		}, `SELECT e.account, a.region FROM enrollments e JOIN accounts a ON a.bucket = e.bucket AND a.account = e.account
		     WHERE e.bucket = $1 AND e.until_day = $2`, int64(bucket), int64(staking.Forever))
		if err != nil || residents == nil {
			return err
		}
		if err := endEnrollments(t, bucket, residents, today); err != nil {
			return err
		}
		return keepPresses(t, residents, db.now(), offFor(region), staking.Client{})
	})
}

// offFor is how it is kept that a region has switched an account off.
func offFor(region staking.Region) string {
	return strings.TrimSpace(pressOff + ": region " + string(region))
}

// RemoveRegion takes a region off the list: its residents may switch on again.
// ErrNotFound if it is not on the list. One that does not exist in ISO 3166 may be on
// the list of older books, and is removed like any other.
func (db *DB) RemoveRegion(ctx context.Context, region staking.Region) error {
	region, err := staking.ParseRegionCode(string(region))
	if err != nil {
		return err
	}
	err = db.engine.write(ctx, func(t tx) error {
		n, err := t.exec("DELETE FROM regions WHERE code = $1", string(region))
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: it is not on the list; see \"softstake region list\"", ledger.ErrNotFound)
		}
		if err != nil {
			return err
		}
		return db.logLine(t, "region remove", string(region), "")
	})
	if err != nil {
		return fmt.Errorf("remove region %s: %w", region, err)
	}
	return nil
}

// SetRegion sets an account's verified residence; "" takes it back. Where the
// product is not offered there, or there is no residence any more, the account
// stops earning from today. The same twice is once.
func (db *DB) SetRegion(ctx context.Context, id ledger.Account, region staking.Region) error {
	a := Account{ID: id, Region: region}
	if err := a.check(); err != nil {
		return err
	}
	err := db.press(ctx, id, time.Time{}, func(t tx, s *switching) error {
		if s.account.Region != a.Region {
			if _, err := t.exec("UPDATE accounts SET region = $1 WHERE bucket = $2 AND account = $3", string(a.Region), int64(id.Bucket()), string(id)); err != nil {
				return err
			}
			if err := db.logLine(t, "account set-region", string(id), fmt.Sprintf("%q, before %q", a.Region, s.account.Region)); err != nil {
				return err
			}
		}
		restricted, err := regionsOf(t)
		if err != nil || !s.running.On() || staking.CheckRegion(a.Region, staking.Client{}, restricted) == nil {
			return err
		}
		if err := endEnrollments(t, id.Bucket(), []ledger.Account{id}, s.day); err != nil {
			return err
		}
		return s.keep(offFor(a.Region), staking.Client{})
	})
	if err != nil {
		return fmt.Errorf("set the region of %s: %w", id, err)
	}
	return nil
}
