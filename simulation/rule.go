package simulation

import (
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// accrue applies the rule to a day of a position: with the day's smallest balance where the
// terms measure by it, and with minimum and cap shared with the owner's other accounts where
// they are theirs together. sum is the integral of all of them; nil: the account is alone.
func accrue(d staking.Day, t staking.Terms, h staking.Holding, lowest ledger.Amount,
	sum *staking.Integral) (staking.Accrual, bool) {
	h.Integral = measured(t, h, lowest)
	if sum != nil {
		t, h.Integral = limitTogether(t, h.Integral, *sum)
	}
	return staking.Accrue(d, t, h)
}

// measured is the integral that earns, by the measure of the terms.
func measured(t staking.Terms, h staking.Holding, lowest ledger.Amount) staking.Integral {
	if t.Measure == staking.Lowest {
		return staking.IntegralOf(lowest, staking.DayMillis)
	}
	return h.Integral
}

// limitTogether compares the sum of an owner's accounts with minimum and cap. Above the cap,
// an account earns with its part of it, rounded down to a unit-millisecond. The terms are
// those that are left to the account alone.
func limitTogether(t staking.Terms, own, sum staking.Integral) (staking.Terms, staking.Integral) {
	if sum.Less(staking.IntegralOf(t.Min, staking.DayMillis)) {
		t.Offered = false
		return t, own
	}
	t.Min = 0
	limit := staking.IntegralOf(t.Cap, staking.DayMillis)
	if !limit.Less(sum) || own.Less(staking.Integral{}) {
		return t, own
	}
	return t, limit.Portion(own, sum)
}
