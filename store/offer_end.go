package store

import (
	"context"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// When a day begins on which a token is not offered any more, its terms saying so, those who earned with it the day
// before are notified. It is done when that day has begun, since terms of a day to come may be set again; by the run,
// after it has paid, some holders in a transaction, and each of them once: a row says how far it is.

const (
	// offerEndsKept is for how many days a notice of an offer that has ended is written: none is mailed that is older
	// (people.MailLife).
	offerEndsKept = 3
	// notifiedAtOnce is how many holders a transaction notifies at most.
	notifiedAtOnce = 1000
)

// offerEnd is a token that is not offered any more from a day on.
type offerEnd struct {
	asset string
	day   staking.Day
	least ledger.Amount // what earned the day before
}

// Notify writes the notices of offers that have ended: to those who were enrolled the day before and have what earned
// then. Where it is interrupted, the next call goes on. Idempotent, and safe in several processes at the same time.
func (b *DB) Notify(ctx context.Context, now time.Time) error {
	ends, err := read(ctx, b, func(t db.View) ([]offerEnd, error) { return offerEnds(t, staking.DayOf(now)) })
	for _, e := range ends {
		for more := true; more && err == nil; {
			err = b.engine.Write(ctx, func(t db.Tx) (err error) {
				more, err = b.notifyOfEnd(t, e)
				return err
			})
		}
	}
	return annotate(err, "notify holders of offers that have ended")
}

// offerEnds are the offers that have ended lately, are not offered again, and of which some holders are not notified.
func offerEnds(t db.View, today staking.Day) (ends []offerEnd, err error) {
	days, err := db.All(t, readDay, `SELECT DISTINCT t.from_day FROM terms t WHERE t.from_day > $1 AND t.from_day <= $2 AND t.offered = 0
	      AND NOT EXISTS (SELECT 1 FROM offer_ends o WHERE o.asset = t.asset AND o.day = t.from_day AND o.bucket = $3)
	    ORDER BY t.from_day`, int64(today-offerEndsKept), int64(today), int64(ledger.Buckets))
	if err != nil || days == nil {
		return nil, err
	}
	last, err := TermsAt(t, today)
	for _, day := range days {
		var before, from map[string]staking.Terms
		if err == nil {
			before, err = TermsAt(t, day-1)
		}
		if err == nil {
			from, err = TermsAt(t, day)
		}
		for asset, terms := range before {
			if !terms.Offered || from[asset].Offered || from[asset].From != day || last[asset].Offered {
				continue
			}
			e := offerEnd{asset, day, max(terms.Min, 1)}
			if terms.PerOwner { // the owner's other accounts may have had the rest
				e.least = 1
			}
			ends = append(slices.DeleteFunc(ends, func(o offerEnd) bool { return o.asset == asset }), e) // the last end counts
		}
	}
	return ends, err
}

// notifyOfEnd notifies the next holders, and reports whether there may be more.
func (b *DB) notifyOfEnd(t db.Tx, e offerEnd) (more bool, err error) {
	if _, err := t.Exec("INSERT INTO offer_ends (asset, day, bucket, account) VALUES ($1, $2, 0, '') "+
		"ON CONFLICT DO NOTHING", e.asset, int64(e.day)); err != nil {
		return false, err
	}
	bucket, after := 0, ""
	if err := t.Query(func(r db.Row) error { bucket, after = int(r.Int(0)), r.Text(1); return nil },
		"SELECT bucket, account FROM offer_ends WHERE asset = $1 AND day = $2"+t.Lock(), e.asset, int64(e.day)); err != nil {
		return false, err
	}
	var notified []ledger.Account
	for bucket < ledger.Buckets && len(notified) < notifiedAtOnce {
		most := notifiedAtOnce - len(notified)
		next, err := db.All(t, func(r db.Row) (ledger.Account, error) { return ledger.Account(r.Text(0)), nil },
			`SELECT e.account FROM enrollments e JOIN accounts a ON a.bucket = e.bucket AND a.account = e.account
			   JOIN balances b ON b.bucket = e.bucket AND b.account = e.account AND b.asset = $4
			  WHERE e.bucket = $1 AND e.account > $2 AND e.from_day < $3 AND e.until_day >= $3 AND a.closed = 0 AND b.balance >= $5
			  ORDER BY e.account LIMIT $6`, int64(bucket), after, int64(e.day), e.asset, int64(e.least), int64(most))
		if err != nil {
			return false, err
		}
		notified = append(notified, next...)
		if bucket, after = bucket+1, ""; len(next) == most {
			bucket, after = bucket-1, string(next[most-1])
		}
	}
	if _, err := t.Exec("UPDATE offer_ends SET bucket = $1, account = $2 WHERE asset = $3 AND day = $4", int64(bucket),
		after, e.asset, int64(e.day)); err != nil {
		return false, err
	}
	return bucket < ledger.Buckets, b.People().NotifyAll(t, notified, people.NoticeOffer, e.asset, e.day.String())
}
