package reports

import (
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// elapsed is how many milliseconds of today are over.
func (r *reading) elapsed() int64 { return r.At.UnixMilli() - r.Today.Millis() }

// countBack counts the holdings back from the balances now, as if nothing moved any more, by what has changed them
// since: of today for the tokens on offer, and for those that are owed and not accrued of the days before it as well.
func (r *reading) countBack() error {
	counted := map[string]*token{}
	if r.parts&Accruals != 0 {
		for _, t := range r.Tokens {
			counted[t.Terms.Asset] = r.token(t.Terms.Asset)
		}
	}
	r.first = r.Today
	for _, t := range r.owed {
		if t.written.Day == 0 {
			counted[t.Asset], r.first = t, min(r.first, r.measuredFrom(t))
		}
	}
	if len(counted) == 0 {
		return nil
	}
	for symbol, t := range counted {
		t.moved, t.sofar = t.Free != 0, staking.IntegralOf(t.Free, r.elapsed())
		for range r.Today - r.first + 1 {
			t.holdings = append(t.holdings, staking.HoldingAt(r.id, symbol, t.Free, t.carry))
		}
	}
	err := r.t.Query(func(row db.Row) error {
		if t := counted[row.Text(0)]; t != nil {
			r.takeOut(t, row.Int(1), ledger.Amount(row.Int(2)))
		}
		return nil
	}, "SELECT asset, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account = $3",
		int64(r.id.Bucket()), int64(r.first), string(r.id))
	if err == nil && r.parts&Accruals != 0 {
		r.accrueToday()
	}
	return err
}

// takeOut takes a change out of a token's holdings.
func (r *reading) takeOut(t *token, at int64, change ledger.Amount) {
	t.moved = true
	for i := range t.holdings {
		t.holdings[i].Rewind(change, at-(r.first+staking.Day(i)).Millis())
	}
	if millis := at - r.Today.Millis(); millis > 0 {
		t.sofar = t.sofar.Sub(staking.IntegralOf(change, min(millis, r.elapsed())))
	}
}

// accrueToday says what today has come to.
func (r *reading) accrueToday() {
	for i := range r.Tokens {
		o := &r.Tokens[i]
		t := r.token(o.Terms.Asset)
		o.Holding = t.holdings[r.Today-r.first]
		o.Holding.Absent = o.Excluded != ""
		o.SoFar = o.Holding.Opening
		if r.elapsed() > 0 && !t.sofar.Less(staking.Integral{}) {
			o.SoFar = t.sofar.AverageOver(r.elapsed())
		}
		o.Measured, o.Reached = comesTo(r.Today, o.Terms, o.Holding)
		o.Awaited = r.firstMeasured(t.Asset, t.paid+1, r.Yesterday())
	}
}

// comesTo says what a holding of a whole day comes to: also below the minimum, then
// without eligible, reward and carries, and false.
func comesTo(d staking.Day, terms staking.Terms, h staking.Holding) (a staking.Accrual, reached bool) {
	if a, reached = staking.Accrue(d, terms, h); reached {
		return a, true
	}
	a = staking.Accrual{Day: d, Account: h.Account, Asset: h.Asset, Opening: h.Opening}
	if !h.Integral.Less(staking.Integral{}) {
		a.Average, a.Rest = h.Integral.Average()
	}
	return a, false
}

// After says what the token's day comes to if its free balance changes by so much
// at a moment of it, and nothing else moves any more: what Measured comes to when that is
// posted, and Reached. What would take more than is free comes to an average of zero.
func (t OfferedToken) After(change ledger.Amount, at time.Time) (a staking.Accrual, reached bool) {
	h := t.Holding
	h.Change(change, at.UnixMilli()-t.Measured.Day.Millis())
	return comesTo(t.Measured.Day, t.Terms, h)
}
