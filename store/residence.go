package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// regionMark parts, in a kept press, what was done from the region that did it.
const regionMark = ": region "

// offFor is how it is kept that a region has switched an account off, from a day on:
// "off: region FR", and "off: region FR from 2026-12-01" where that day is to come.
// Without a residence there is no region to name.
func offFor(region staking.Region, from, today staking.Day) string {
	switch {
	case region == "":
		return pressOff + ": region"
	case from > today:
		return pressOff + regionMark + string(region) + " from " + from.String()
	}
	return pressOff + regionMark + string(region)
}

// SetRegion sets an account's verified residence; "" clears it, and there is none any
// more. Where that ends its enrollment, ends is the first day that it does not earn:
// today, or the day from which a listing of the region holds; else 0. Idempotent.
func (db *DB) SetRegion(ctx context.Context, id ledger.Account, region staking.Region) (ends staking.Day, err error) {
	a := Account{ID: id, Region: region}
	if err := a.check(); err != nil {
		return 0, err
	}
	err = db.press(ctx, id, time.Time{}, func(t tx, s *switching) (err error) {
		ends, err = db.setRegion(t, s, a.Region)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("set the region of %s: %w", id, err)
	}
	return ends, nil
}

func (db *DB) setRegion(t tx, s *switching, region staking.Region) (ends staking.Day, err error) {
	if s.account.Region != region {
		if _, err := t.Exec("UPDATE accounts SET region = $1 WHERE bucket = $2 AND account = $3", string(region), int64(s.id.Bucket()), string(s.id)); err != nil {
			return 0, err
		}
		if err := forgetListedOut(t, s.id); err != nil {
			return 0, err
		}
	}
	listings, err := ListingsWhere(t, "WHERE removed = 0")
	if err != nil {
		return 0, err
	}
	until := endsFor(region, s.day, listings)
	detail := fmt.Sprintf("%q, before %q", region, s.account.Region)
	if until < s.running.Until {
		ends = until
		detail += fmt.Sprintf("; Soft Staking ends on %s", until)
		if err := s.endBy(until, region); err != nil {
			return 0, err
		}
	}
	if s.account.Region == region && ends == 0 {
		return 0, nil
	}
	return ends, db.logLine(t, "account set-region", string(s.id), detail)
}

// endBy ends the running enrollment on a day because of the residence.
func (s *switching) endBy(until staking.Day, region staking.Region) error {
	if err := s.end(until); err != nil {
		return err
	}
	return s.keep(offFor(region, until, s.day), staking.Client{})
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
