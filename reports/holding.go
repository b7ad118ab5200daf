package reports

import (
	"slices"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
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
		if err := r.findLowest(t); err != nil {
			return err
		}
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
		err = r.accrueToday()
	}
	return err
}

// findLowest finds whether one of the days of a token's holdings has the measure Lowest.
func (r *reading) findLowest(t *token) error {
	for d := r.first; d <= r.Today; d++ {
		terms, err := r.termsOn(d)
		if err != nil {
			return err
		}
		t.lowest = t.lowest || terms[t.Asset].Measure == staking.Lowest
	}
	return nil
}

// takeOut takes a change out of a token's holdings.
func (r *reading) takeOut(t *token, at int64, change ledger.Amount) {
	t.moved = true
	if t.lowest {
		t.changes = append(t.changes, staking.Change{Millis: at - r.first.Millis(), Amount: change})
	}
	for i := range t.holdings {
		t.holdings[i].Rewind(change, at-(r.first+staking.Day(i)).Millis())
	}
	if millis := at - r.Today.Millis(); millis > 0 {
		t.sofar = t.sofar.Sub(staking.IntegralOf(change, min(millis, r.elapsed())))
	}
}

// holdingOn is a token's holding of a day, by the day's measure.
func (r *reading) holdingOn(d staking.Day, t *token, measure staking.Measure) staking.Holding {
	h := t.holdings[d-r.first]
	if measure == staking.Lowest {
		h.MeasureLowest(r.changesOn(d, t))
	}
	return h
}

// changesOn are the changes of a token on a day, where its measure is Lowest.
func (r *reading) changesOn(d staking.Day, t *token) (changes []staking.Change) {
	before := int64(d-r.first) * staking.DayMillis
	for _, c := range t.changes {
		if millis := c.Millis - before; millis > 0 && millis < staking.DayMillis {
			changes = append(changes, staking.Change{Millis: millis, Amount: c.Amount})
		}
	}
	return changes
}

// accrueToday says what today has come to.
func (r *reading) accrueToday() (err error) {
	for i := range r.Tokens {
		o := &r.Tokens[i]
		t := r.token(o.Terms.Asset)
		o.Holding = r.holdingOn(r.Today, t, o.Terms.Measure)
		o.Holding.Absent = o.Excluded != ""
		o.SoFar = o.Holding.Opening
		if o.Terms.Measure == staking.Lowest {
			o.changes = r.changesOn(r.Today, t)
			o.SoFar = max(staking.SmallestBalance(o.SoFar, o.changes), 0)
		} else if r.elapsed() > 0 && !t.sofar.Less(staking.Integral{}) {
			o.SoFar = t.sofar.AverageOver(r.elapsed())
		}
		if o.Terms.PerOwner {
			if o.Holding.OwnerIntegral, err = r.ownerToday(o); err != nil {
				return err
			}
		}
		o.Measured, o.Reached = comesTo(r.Today, o.Terms, o.Holding)
		o.Awaited = r.firstMeasured(t.Asset, t.paid+1, r.Yesterday())
	}
	return nil
}

// ownerToday is what the account's owner holds together today. An account that is not measured is added: its figures
// are those of a day that is.
func (r *reading) ownerToday(o *OfferedToken) (staking.Integral, error) {
	sum, err := holding.OwnerIntegral(r.t, r.id, r.Today, o.Terms)
	own := o.Holding.Integral
	if none := (staking.Integral{}); sum != none && !r.Measures(o.Terms.Asset, r.Today) && none.Less(own) {
		sum = sum.Add(own)
	}
	return sum, err
}

// Together is what minimum and cap are compared with today, where that is what several accounts of the owner are
// measured at: the sum, rounded down, as Measured has this account's. is is false where there are no others, and where
// Accruals is not read.
func (t OfferedToken) Together() (sum ledger.Amount, is bool) {
	own, all := t.Holding.Integral, t.Holding.OwnerIntegral
	if !(staking.Integral{}).Less(own) || !own.Less(all) {
		return 0, false
	}
	sum, _ = all.Average()
	return sum, true
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
	h, millis := t.Holding, at.UnixMilli()-t.Measured.Day.Millis()
	h.Change(change, millis)
	if t.Terms.Measure == staking.Lowest {
		h.MeasureLowest(append(slices.Clone(t.changes), staking.Change{Millis: millis, Amount: change}))
	}
	return comesTo(t.Measured.Day, t.Terms, h)
}

// Estimate is what the token's day would come to in the mode share, if nothing moves any more,
// at the net rate of the last paid period, rounded down: it promises nothing. known is false in
// other modes, before the first such period, and where the day does not earn.
func (t OfferedToken) Estimate() (units ledger.Amount, known bool) {
	if t.Terms.Mode != staking.Share || !t.Rate.Known || !t.Reached {
		return 0, false
	}
	return staking.EstimateDay(t.Measured.EligibleIntegral(), t.Rate.Net)
}
