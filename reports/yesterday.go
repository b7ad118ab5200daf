package reports

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Yesterday says what an account's last day that is over pays, and what is still to
// come of the days before it.
type Yesterday struct {
	Day     staking.Day
	Covered bool        // the switch covered it
	Paid    []Reward    // what it paid, by token
	Due     []DueReward // what is not credited yet, by token
}

// DueReward is the oldest reward of a token that is still to be credited.
type DueReward struct {
	staking.Accrual      // as the run wrote it or, where it has not come to it yet, as measured
	Days            int  // days from it through yesterday that the switch covered: they are credited one after the other
	Waits           bool // for the operator: there are not enough funds, or a limit is exceeded
}

// Yesterday is what became of an account's day before today. It costs some reads by
// key; where a day is not accrued yet, its bucket's postings since then are read, of a
// week at most.
// ErrNotFound if the account was never opened.
func (rs *Reports) Yesterday(ctx context.Context, id ledger.Account) (Yesterday, error) {
	if err := id.CheckHolder(); err != nil {
		return Yesterday{}, err
	}
	var y Yesterday
	err := rs.Read(ctx, func(t db.View) error {
		if _, err := store.FindAccount(t, id); err != nil {
			return err
		}
		// After the first statement, as in Today.
		y = Yesterday{Day: staking.DayOf(db.TimeOf(rs.Now().UnixMilli())) - 1}
		enrollments, err := store.EnrollmentsOf(t, id)
		if err != nil {
			return err
		}
		y.Covered = covers(enrollments, y.Day)
		if err := y.readPaid(t, id); err != nil {
			return err
		}
		o := owing{rs: rs, t: t, id: id, last: y.Day, enrollments: enrollments, terms: map[staking.Day]map[string]staking.Terms{}}
		y.Due, err = o.read()
		return err
	})
	if err != nil {
		return y, fmt.Errorf("read what the day before pays %s: %w", id, err)
	}
	return y, rs.valueRewards(ctx, y.Paid)
}

// covers says whether one of some enrollments covers a day.
func covers(enrollments []staking.Enrollment, d staking.Day) bool {
	return slices.ContainsFunc(enrollments, func(e staking.Enrollment) bool { return e.Covers(d) })
}

func (y *Yesterday) readPaid(t db.View, id ledger.Account) error {
	err := t.Query(func(r db.Row) error {
		y.Paid = append(y.Paid, Reward{Accrual: store.ReadAccrual(r), PaidAt: db.TimeOf(r.Int(11))})
		return nil
	}, `SELECT `+store.AccrualColumns+`, p.paid_at FROM accruals a CROSS JOIN payments p
	     WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND p.bucket = a.bucket AND p.day = a.day AND p.asset = a.asset
	     ORDER BY a.asset`, int64(id.Bucket()), int64(y.Day), string(id))
	if err != nil {
		return err
	}
	return priceRewards(t, y.Paid)
}

// backlog is how many days a token that is behind is measured back for, where the run
// has written nothing yet: what there is to read does not grow with the delay.
const backlog = 7

// owing finds what is still to be credited to an account.
type owing struct {
	rs          *Reports
	t           db.View
	id          ledger.Account
	last        staking.Day // yesterday
	enrollments []staking.Enrollment
	tokens      map[string]*owed
	terms       map[staking.Day]map[string]staking.Terms
}

// owed is a token that is not paid through yesterday in the account's bucket.
type owed struct {
	accrued, paid staking.Day     // through these
	written       staking.Accrual // of the day after paid, or zero
	balance       ledger.Amount
	carry         staking.Fraction
	changes       []Change // of the free balance, since the first day that is measured
}

// read is what is due, by token.
func (o *owing) read() (due []DueReward, err error) {
	if err := o.readTokens(); err != nil || len(o.tokens) == 0 {
		return nil, err
	}
	if err := o.readHoldings(); err != nil {
		return nil, err
	}
	for _, symbol := range slices.Sorted(maps.Keys(o.tokens)) {
		token := o.tokens[symbol]
		oldest, earned, err := o.oldest(symbol, token)
		if err != nil {
			return nil, err
		}
		if !earned {
			continue
		}
		reward := DueReward{Accrual: oldest}
		for d := oldest.Day; d <= o.last; d++ {
			if covers(o.enrollments, d) {
				reward.Days++
			}
		}
		if token.accrued > token.paid { // else the run has not come to it
			why, err := o.rs.Waiting(o.t, symbol, token.paid+1)
			if err != nil {
				return nil, err
			}
			reward.Waits = why != nil
		}
		due = append(due, reward)
	}
	return due, nil
}

// readTokens reads which tokens are not paid through yesterday, of those that the switch covered a day of since.
func (o *owing) readTokens() error {
	o.tokens = map[string]*owed{}
	return o.t.Query(func(r db.Row) error {
		token := &owed{accrued: staking.Day(r.Int(1)), paid: staking.Day(r.Int(2))}
		for _, e := range o.enrollments {
			if max(e.From, token.paid+1) < min(e.Until, o.last+1) {
				o.tokens[r.Text(0)] = token
			}
		}
		return nil
	}, "SELECT asset, accrued_through, paid_through FROM progress WHERE bucket = $1 AND paid_through < $2", int64(o.id.Bucket()), int64(o.last))
}

// readHoldings reads what the run has written and, where it has not, the balances
// now and how they came about.
func (o *owing) readHoldings() error {
	bucket, id, first := int64(o.id.Bucket()), string(o.id), o.last+1
	for symbol, token := range o.tokens {
		err := o.t.Query(func(r db.Row) error { token.written = store.ReadAccrual(r); return nil },
			"SELECT "+store.AccrualColumns+" FROM accruals a WHERE a.bucket = $1 AND a.day = $2 AND a.account = $3 AND a.asset = $4", bucket, int64(token.paid)+1, id, symbol)
		if err != nil {
			return err
		}
		if token.written.Day == 0 {
			first = min(first, max(token.accrued+1, o.last+1-backlog))
		}
	}
	err := o.t.Query(func(r db.Row) error {
		if token := o.tokens[r.Text(0)]; token != nil {
			token.balance, token.carry = ledger.Amount(r.Int(1)), staking.Fraction(r.Int(2))
		}
		return nil
	}, "SELECT asset, balance, carry FROM balances WHERE bucket = $1 AND account = $2", bucket, id)
	if err != nil || first > o.last {
		return err
	}
	return o.t.Query(func(r db.Row) error {
		if token := o.tokens[r.Text(0)]; token != nil {
			token.changes = append(token.changes, Change{At: db.TimeOf(r.Int(1)), Amount: ledger.Amount(r.Int(2))})
		}
		return nil
	}, "SELECT asset, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account = $3", bucket, int64(first), id)
}

// oldest is the oldest reward of a token that is not paid: as it was written, or as measured.
func (o *owing) oldest(symbol string, token *owed) (staking.Accrual, bool, error) {
	if token.written.Day != 0 {
		return token.written, true, nil
	}
	if token.balance == 0 && len(token.changes) == 0 {
		return staking.Accrual{}, false, nil
	}
	for d := max(token.accrued+1, o.last+1-backlog); d <= o.last; d++ {
		if !covers(o.enrollments, d) {
			continue
		}
		terms, err := o.termsOn(d)
		if err != nil {
			return staking.Accrual{}, false, err
		}
		if a, earned := staking.Accrue(d, terms[symbol], token.on(o.id, symbol, d)); earned {
			return a, true, nil
		}
	}
	return staking.Accrual{}, false, nil
}

// termsOn reads each day's terms once.
func (o *owing) termsOn(d staking.Day) (terms map[string]staking.Terms, err error) {
	if o.terms[d] == nil {
		if terms, err = store.TermsAt(o.t, d); err != nil {
			return nil, err
		}
		o.terms[d] = terms
	}
	return o.terms[d], nil
}

// on is the holding of a day that is not accrued, counted back from the balance now.
func (h *owed) on(id ledger.Account, symbol string, d staking.Day) staking.Holding {
	holding := staking.Now(id, symbol, h.balance, h.carry)
	for _, c := range h.changes {
		if millis := c.At.UnixMilli() - d.Millis(); millis >= 0 {
			holding.Undo(c.Amount, millis)
		}
	}
	return holding
}
