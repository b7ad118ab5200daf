package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Explanation says how a reward came about, or why there was none.
type Explanation struct {
	Asset      ledger.Asset
	Terms      staking.Terms // of the day
	TermsKnown bool
	Enrolled   bool // the switch covers the day
	Over       bool // the day has ended
	// As stored; where nothing was earned, day, account, opening, average, rest and eligible as measured.
	Measured staking.Accrual
	Earned   bool // it is, or will be, a reward
	Stored   bool // the figures are those written by the run
	Paid     bool
	PaidAt   time.Time
	Changes  []Change    // of the free balance, that day, in order
	Why      Why         // there is no reward, or not yet; "" where it is paid
	Behind   staking.Day // the older day that a WhyWaits waits behind, or 0
	Waits    error       // what the oldest unpaid day waits for: staking.ErrFunds or ErrLimit, or nil
	Reason   string      // Why as a sentence in English, for operators; ""

	Compensations []store.Compensation // what was made good of it since, in the order of their posting

	measured staking.Holding // of a day that is not stored
}

// Change is a change of an account's free balance.
type Change struct {
	At      time.Time
	Entry   string
	Kind    ledger.Kind
	Amount  ledger.Amount // signed
	Balance ledger.Amount // after it
	Other   ledger.Account
}

// Explain says how an account's reward of a day came about, or why there was
// none. A day that is not over is measured as if nothing moved any more.
func (rs *Reports) Explain(ctx context.Context, id ledger.Account, d staking.Day, symbol string) (Explanation, error) {
	asset, err := rs.Asset(ctx, symbol)
	if err != nil {
		return Explanation{}, err
	}
	if _, err := rs.Account(ctx, id); err != nil {
		return Explanation{}, err
	}
	today := staking.DayOf(rs.Now())
	if d > today {
		return Explanation{}, ledger.ErrInvalid.In("",
			"%s has not begun; it can be explained from its first moment on, 00:00 UTC", d)
	}
	if d < rs.FirstDay() {
		return Explanation{}, ledger.ErrInvalid.In("", "%s is not a day of these books, which began on %s", d, rs.FirstDay())
	}
	var e Explanation
	err = rs.Read(ctx, func(t db.View) error {
		e = Explanation{Asset: asset, Over: d < today}
		for _, step := range []func() error{
			func() error { return e.readTerms(t, id, d) },
			func() error { return e.readStored(t, id, d) },
			func() error { return e.measure(t, id, d) },
			func() error { return e.judge(rs, t, d) },
			func() (err error) {
				e.Compensations, err = compensationsFor(t, id, d, symbol)
				return err
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return e, fmt.Errorf("explain %s of %s on %s: %w", symbol, id, d, err)
	}
	return e, nil
}

func (e *Explanation) readTerms(t db.View, id ledger.Account, d staking.Day) error {
	terms, err := store.TermsAt(t, d)
	if err != nil {
		return err
	}
	e.Terms, e.TermsKnown = terms[e.Asset.Symbol]
	n, err := db.Count(t, "SELECT count(*) FROM enrollments WHERE bucket = $1 AND account = $2 AND from_day <= "+
		"$3 AND until_day > $3",
		int64(id.Bucket()), string(id), int64(d))
	e.Enrolled = n > 0
	return err
}

// measure counts back from the nearest later balance that is known, that a day was
// accrued from, or the one now; and finds what was earned. Of a day that was accrued
// itself only the changes are read.
func (e *Explanation) measure(t db.View, id ledger.Account, d staking.Day) error {
	h, until, err := e.countFrom(t, id, d)
	if err != nil {
		return err
	}
	err = t.Query(func(r db.Row) error {
		h.Rewind(ledger.Amount(r.Int(0)), staking.DayMillis)
		return nil
	}, `SELECT a.reward FROM days d CROSS JOIN rewards a
	     WHERE d.bucket = $1 AND d.day >= $2 AND d.day < $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND a.asset = $5`, int64(id.Bucket()), int64(d), int64(until), string(id), e.Asset.Symbol)
	if err != nil {
		return err
	}
	// What is dated at the first moment of a day is in the balance that it was accrued from.
	last := until.Millis()
	if e.Stored {
		last = (d + 1).Millis() - 1
	}
	err = t.Query(func(r db.Row) error {
		p := readPosting(r)
		h.Rewind(p.Amount, p.At.UnixMilli()-d.Millis())
		if staking.DayOf(p.At) == d {
			e.Changes = append(e.Changes, Change{At: p.At, Amount: p.Amount, Entry: p.Entry, Kind: p.Kind, Other: p.Other})
		}
		return nil
	}, `SELECT `+postingColumns+` FROM days d CROSS JOIN postings p
	     WHERE d.bucket = $1 AND d.day >= $2 AND d.day <= $3 AND p.bucket = d.bucket AND p.day = d.day AND p.at <= $4 AND p.account = $5 AND p.asset = $6`,
		int64(id.Bucket()), int64(d), int64(until), last, string(id), e.Asset.Symbol)
	if err != nil {
		return err
	}
	if !e.Stored {
		var earned bool
		e.measured = h
		e.Measured, earned = comesTo(d, e.Terms, h)
		e.Earned = earned && e.TermsKnown && e.Enrolled
	}
	e.runBalances()
	return nil
}

// countFrom is where to count back from: what a later day was accrued from, and that
// day; or the balance now, and a day that never comes. Of a day that was accrued
// itself nothing is counted back.
func (e *Explanation) countFrom(t db.View, id ledger.Account, d staking.Day) (h staking.Holding, until staking.Day,
	err error) {
	bucket, token := int64(id.Bucket()), e.Asset.Symbol
	if e.Stored {
		return h, d, nil
	}
	var balance, carry, later int64
	if _, err := db.One(t, []*int64{&balance, &carry},
		"SELECT balance, carry FROM balances WHERE bucket = $1 AND account = $2 AND asset = $3", bucket, string(id),
		token); err != nil {
		return h, 0, err
	}
	found, err := db.One(t, []*int64{&later, &balance}, `SELECT a.day, a.opening FROM days d CROSS JOIN accruals a
	     WHERE d.bucket = $1 AND d.day > $2 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $3 AND a.asset = $4
	     ORDER BY d.day LIMIT 1`, bucket, int64(d), string(id), token)
	if !found {
		later = int64(staking.Forever)
	}
	return staking.HoldingAt(id, token, ledger.Amount(balance), staking.Fraction(carry)), staking.Day(later), err
}

// runBalances puts the changes in order, and says what the balance is after each.
func (e *Explanation) runBalances() {
	slices.SortStableFunc(e.Changes, func(a, b Change) int {
		return cmp.Or(a.At.Compare(b.At),
			cmp.Compare(a.Entry, b.Entry))
	})
	running := e.Measured.Opening
	for i := range e.Changes {
		if c := &e.Changes[i]; !c.At.Equal(e.Measured.Day.Start()) { // the opening has those of midnight
			running += c.Amount
		}
		e.Changes[i].Balance = running
	}
}

// readStored reads what the run wrote.
func (e *Explanation) readStored(t db.View, id ledger.Account, d staking.Day) error {
	written, found, err := db.First(t, func(r db.Row) (staking.Accrual, error) { return store.ReadAccrual(r), nil },
		"SELECT "+store.AccrualColumns+" FROM accruals a WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND "+
			"a.asset = $4",
		int64(id.Bucket()), int64(d), string(id), e.Asset.Symbol)
	if err != nil || !found {
		return err
	}
	e.Measured, e.Earned, e.Stored = written, true, true
	var paidAt int64
	e.Paid, err = db.One(t, []*int64{&paidAt}, "SELECT paid_at FROM payments WHERE bucket = $1 AND day = $2 AND asset = $3", int64(id.Bucket()), int64(d), e.Asset.Symbol)
	e.PaidAt = db.TimeOrZero(paidAt)
	return err
}
