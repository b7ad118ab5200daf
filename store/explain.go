package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"softstake/ledger"
	"softstake/staking"
)

// Explanation says how a reward came about, or why there was none.
type Explanation struct {
	Asset      ledger.Asset
	Terms      staking.Terms // of the day
	TermsKnown bool
	Enrolled   bool            // the switch covers the day
	Over       bool            // the day has ended
	Measured   staking.Accrual // as stored; where nothing was earned, day, account, opening, average, rest and eligible as measured
	Earned     bool            // it is, or will be, a reward
	Stored     bool            // the figures are those written by the run
	Paid       bool
	PaidAt     time.Time
	Changes    []Change // of the free balance, that day, in order
	Reason     string   // why there is no reward, or not yet; a sentence
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
func (db *DB) Explain(ctx context.Context, id ledger.Account, d staking.Day, symbol string) (Explanation, error) {
	asset, err := db.Asset(ctx, symbol)
	if err != nil {
		return Explanation{}, err
	}
	if _, err := db.Account(ctx, id); err != nil {
		return Explanation{}, err
	}
	today := staking.DayOf(db.clock())
	if d > today {
		return Explanation{}, fmt.Errorf("%w: %s has not begun; it can be explained from its first moment on, 00:00 UTC", ledger.ErrInvalid, d)
	}
	if d < db.first {
		return Explanation{}, fmt.Errorf("%w: %s is not a day of these books, which began on %s", ledger.ErrInvalid, d, db.first)
	}
	var e Explanation
	err = db.engine.read(ctx, func(t tx) error {
		e = Explanation{Asset: asset, Over: d < today}
		for _, step := range []func() error{
			func() error { return e.readTerms(t, id, d) },
			func() error { return e.measure(t, id, d) },
			func() error { return e.readStored(t, id, d) },
			func() error { return e.judge(db, t, d) },
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

func (e *Explanation) readTerms(t tx, id ledger.Account, d staking.Day) error {
	terms, err := termsOn(t, d)
	if err != nil {
		return err
	}
	e.Terms, e.TermsKnown = terms[e.Asset.Symbol]
	n, err := count(t, "SELECT count(*) FROM enrollments WHERE bucket = $1 AND account = $2 AND from_day <= $3 AND until_day > $3",
		int64(id.Bucket()), string(id), int64(d))
	e.Enrolled = n > 0
	return err
}

// measure counts back from the balance now: the changes since the day began, and
// the rewards that take effect after it.
func (e *Explanation) measure(t tx, id ledger.Account, d staking.Day) error {
	var balance, carry int64
	if _, err := one(t, []*int64{&balance, &carry}, "SELECT balance, carry FROM balances WHERE bucket = $1 AND account = $2 AND asset = $3",
		int64(id.Bucket()), string(id), e.Asset.Symbol); err != nil {
		return err
	}
	h := staking.Now(id, e.Asset.Symbol, ledger.Amount(balance), staking.Fraction(carry))
	err := t.query(func(r row) error {
		h.Undo(ledger.Amount(r.int(0)), staking.DayMillis)
		return nil
	}, `SELECT a.reward FROM days d CROSS JOIN accruals a CROSS JOIN payments p
	     WHERE d.bucket = $1 AND d.day >= $2 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $3 AND a.asset = $4
	       AND p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset`, int64(id.Bucket()), int64(d), string(id), e.Asset.Symbol)
	if err != nil {
		return err
	}
	err = t.query(func(r row) error {
		at, amount := r.int(0), ledger.Amount(r.int(1))
		h.Undo(amount, at-d.Millis())
		if staking.DayOf(timeOf(at)) == d {
			e.Changes = append(e.Changes, Change{At: timeOf(at), Amount: amount, Entry: r.text(2), Kind: ledger.Kind(r.text(3)), Other: ledger.Account(r.text(4))})
		}
		return nil
	}, `SELECT p.at, p.amount, p.entry, p.kind, p.other FROM days d CROSS JOIN postings p
	     WHERE d.bucket = $1 AND d.day >= $2 AND p.bucket = d.bucket AND p.day = d.day AND p.account = $3 AND p.asset = $4`,
		int64(id.Bucket()), int64(d), string(id), e.Asset.Symbol)
	if err != nil {
		return err
	}
	slices.SortStableFunc(e.Changes, func(a, b Change) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entry, b.Entry)) })
	running := h.Opening
	for i := range e.Changes {
		if c := &e.Changes[i]; !c.At.Equal(d.Start()) {
			running += c.Amount
		}
		e.Changes[i].Balance = running
	}
	var earned bool
	e.Measured, earned = staking.Accrue(d, e.Terms, h)
	e.Earned = earned && e.TermsKnown && e.Enrolled
	if !earned {
		average, rest := h.Integral.Average()
		e.Measured = staking.Accrual{Day: d, Account: id, Asset: e.Asset.Symbol, Opening: h.Opening, Average: average, Rest: rest}
	}
	return nil
}

// readStored puts what the run wrote in the place of what was measured.
func (e *Explanation) readStored(t tx, id ledger.Account, d staking.Day) error {
	err := t.query(func(r row) error {
		e.Measured, e.Earned, e.Stored = readAccrual(r), true, true
		return nil
	}, "SELECT "+accrualColumns+" FROM accruals a WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND a.asset = $4",
		int64(id.Bucket()), int64(d), string(id), e.Asset.Symbol)
	if err != nil {
		return err
	}
	var paidAt int64
	paid, err := one(t, []*int64{&paidAt}, "SELECT paid_at FROM payments WHERE bucket = $1 AND day = $2 AND asset = $3", int64(id.Bucket()), int64(d), e.Asset.Symbol)
	if e.Paid = paid && e.Stored; e.Paid {
		e.PaidAt = timeOf(paidAt)
	}
	return err
}

// judge finds the sentence for a day without a reward, or whose reward has not come yet.
func (e *Explanation) judge(db *DB, t tx, d staking.Day) error {
	if e.Paid {
		return nil
	}
	token := e.Asset.Symbol
	switch {
	case !e.TermsKnown || !e.Terms.Offered:
		e.Reason = fmt.Sprintf("%s was not on offer on %s.", token, d)
	case !e.Enrolled:
		e.Reason = fmt.Sprintf("Soft Staking was not on for the whole of %s: it earns from the day after it is switched on, until the day before it is switched off.", d)
	case !e.Earned && !e.Over:
		e.Reason = fmt.Sprintf("%s is not over: as it stands its average would be %s %s, below the minimum of %s.",
			d, e.Asset.Format(e.Measured.Average), token, e.Asset.Format(e.Terms.Min))
	case !e.Earned:
		e.Reason = fmt.Sprintf("The average of %s %s was below the minimum of %s.", e.Asset.Format(e.Measured.Average), token, e.Asset.Format(e.Terms.Min))
	case !e.Over:
		e.Reason = fmt.Sprintf("%s is not over: this is what it would pay if nothing moved any more. It is paid after midnight UTC.", d)
	default:
		why, err := db.whyUnpaid(t, token, d)
		e.Reason = why
		return err
	}
	return nil
}

// whyUnpaid says in a sentence what a day that is over waits for.
func (db *DB) whyUnpaid(t tx, token string, d staking.Day) (string, error) {
	through, err := count(t, "SELECT min(paid_through) FROM progress WHERE asset = $1", token)
	if err != nil {
		return "", err
	}
	oldest := staking.Day(through) + 1
	why, err := db.waiting(t, token, oldest)
	switch {
	case err != nil:
		return "", err
	case why != "" && oldest < d:
		return fmt.Sprintf("Waiting behind %s: %s.", oldest, why), nil
	case why != "":
		return fmt.Sprintf("Waiting: %s.", why), nil
	}
	return fmt.Sprintf("%s has not been settled yet: %s is paid through %s.", d, token, staking.Day(through)), nil
}
