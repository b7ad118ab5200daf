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
	Enrolled   bool   // the switch covers the day
	Excluded   string // the product because of which the day is not measured, or ""
	Over       bool   // the day has ended
	// As stored; where nothing was earned, day, account, opening, average, rest and eligible as measured.
	Measured staking.Accrual
	Earned   bool // it is, or will be, a reward
	Stored   bool // the figures are those written by the run
	Paid     bool
	PaidAt   time.Time
	Changes  []Change    // of the free balance, that day, in order
	Why      Why         // there is no reward, or not yet; "" where it is paid
	Behind   staking.Day // the older day that a WhyWaits waits behind, or 0
	Waits    error       // what the oldest unpaid day waits for: staking.ErrFunds, ErrLimit …, or nil
	Reason   string      // Why as a sentence in English, for operators; ""

	Compensations []store.Compensation // what was made good of it since, in the order of their posting

	Shares     []Share // of the distributions of the day, by their periods: they are part of the reward
	OnlyShares bool    // the day earned nothing by itself; average and rest are measured nevertheless
	// Of a day with OnlyShares: what it earned nothing for by itself, as Why says it, and the same as a sentence in
	// English; else "".
	Itself       Why
	ItselfReason string
	Weighing     *DayWeight // of a day in the mode share that earned; else nil

	// What the accounts of its owner held together, where minimum and cap are those of an owner, and this account and
	// others held something; else zero.
	Together staking.Integral

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
	do := fmt.Sprintf("explain %s of %s on %s", symbol, id, d)
	return read(ctx, rs, do, func(t db.View) (Explanation, error) {
		e := Explanation{Asset: asset, Over: d < today}
		err := e.readTerms(t, id, d)
		if err == nil {
			err = e.readExcluded(t, id, d)
		}
		if err == nil {
			err = e.readTogether(t, id, d)
		}
		if err == nil {
			err = e.readStored(t, id, d)
		}
		if err == nil {
			err = e.readShares(t, id, d)
		}
		if err == nil {
			err = e.measure(t, id, d)
		}
		if err == nil {
			err = e.weigh(rs, t, d)
		}
		if err == nil {
			err = e.judge(rs, t, d)
		}
		if err == nil {
			e.Compensations, err = compensationsFor(t, id, d, symbol)
		}
		return e, err
	})
}

func (e *Explanation) readTerms(t db.View, id ledger.Account, d staking.Day) error {
	terms, err := store.TermsAt(t, d)
	if err != nil {
		return err
	}
	e.Terms, e.TermsKnown = terms[e.Asset.Symbol]
	n, err := db.Count(t, `SELECT count(*) FROM enrollments
	     WHERE bucket = $1 AND account = $2 AND from_day <= $3 AND until_day > $3`, int64(id.Bucket()), string(id), int64(d))
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
	     WHERE d.bucket = $1 AND d.day >= $2 AND d.day < $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND a.asset = $5`,
		int64(id.Bucket()), int64(d), int64(until), string(id), e.Asset.Symbol)
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
		h.Shared, h.Absent = e.shared(), !e.Measures()
		if e.Terms.Measure == staking.Lowest {
			h.MeasureLowest(e.changesOf(d))
		}
		h.OwnerIntegral = e.Together
		e.measured = h
		e.Measured, earned = comesTo(d, e.Terms, h)
		e.Earned = earned && (e.Measures() || e.shared() != (staking.Exact{}))
	}
	e.runBalances()
	e.measureShared()
	e.compareTogether()
	return nil
}

// changesOf are the changes of the day, as the measure Lowest takes them.
func (e *Explanation) changesOf(d staking.Day) (changes []staking.Change) {
	for _, c := range e.Changes {
		changes = append(changes, staking.Change{Millis: c.At.UnixMilli() - d.Millis(), Amount: c.Amount})
	}
	return changes
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
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entry, b.Entry))
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
	written, found, err := db.First(t, scan(readAccrual), "SELECT "+accrualColumns+` FROM accruals a
	     WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND a.asset = $4`,
		int64(id.Bucket()), int64(d), string(id), e.Asset.Symbol)
	if err != nil || !found {
		return err
	}
	e.Measured, e.Earned, e.Stored = written, true, true
	var paidAt int64
	e.Paid, err = db.One(t, []*int64{&paidAt},
		"SELECT paid_at FROM payments WHERE bucket = $1 AND day = $2 AND asset = $3",
		int64(id.Bucket()), int64(d), e.Asset.Symbol)
	e.PaidAt = db.TimeOrZero(paidAt)
	return err
}

// NearRewards are the last day before a day, and the first after it, that an account
// was paid a reward of a token for; 0 where there is none within 366 days.
func (rs *Reports) NearRewards(ctx context.Context, id ledger.Account, d staking.Day,
	token string) (before, after staking.Day, err error) {
	const reach = 366
	find := func(t db.View, from, to staking.Day, order string) (staking.Day, error) {
		day, err := db.Count(t, `SELECT d.day FROM days d CROSS JOIN rewards a
		     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND a.asset = $5
		       AND `+rewarding+`
		     ORDER BY d.day `+order+` LIMIT 1`, int64(id.Bucket()), int64(from), int64(to), string(id), token)
		return staking.Day(day), err
	}
	err = rs.Read(ctx, func(t db.View) (err error) {
		if before, err = find(t, d-reach, d-1, "DESC"); err != nil {
			return err
		}
		after, err = find(t, d+1, d+reach, "ASC")
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("look for the rewards of %s around %s: %w", id, d, err)
	}
	return before, after, nil
}
