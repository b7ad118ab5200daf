package reports

import (
	"math/big"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Where minimum and cap are those of an owner, an explanation has the sum of its accounts alone. What each of the
// others holds, and which they are, is not read from it.

// readTogether reads what the accounts of the owner held, where that counts.
func (e *Explanation) readTogether(t db.View, id ledger.Account, d staking.Day) (err error) {
	if e.Terms.PerOwner && e.Measures() {
		e.Together, err = holding.OwnerIntegral(t, id, d, e.Terms)
	}
	return err
}

// compareTogether leaves the sum out where it is no more than what this account held: then it is compared alone.
func (e *Explanation) compareTogether() {
	own := e.own()
	if !(staking.Integral{}).Less(own) || !own.Less(e.Together) {
		e.Together = staking.Integral{}
	}
}

// own is what the account was measured at.
func (e *Explanation) own() staking.Integral {
	return staking.IntegralOf(e.Measured.Average, staking.DayMillis).Add(staking.IntegralOf(1, e.Measured.Rest))
}

// together reports whether minimum and cap are compared with what several accounts held.
func (e *Explanation) together() bool { return e.Together != (staking.Integral{}) }

// Compared is what is compared with the minimum and the cap: the average or, by the measure Lowest, the smallest
// balance. Where they are those of an owner, it is the sum over its accounts. It is rounded down; rest is what that
// left, in unit-milliseconds.
func (e Explanation) Compared() (average ledger.Amount, rest int64) {
	if e.together() {
		return e.Together.Average()
	}
	return e.Measured.Average, e.Measured.Rest
}

// Below reports whether what is compared does not reach the minimum.
func (e Explanation) Below() bool {
	average, _ := e.Compared()
	return average < e.Terms.Min
}

// Above reports whether what is compared is more than the cap.
func (e Explanation) Above() bool {
	average, rest := e.Compared()
	return average > e.Terms.Cap || average == e.Terms.Cap && rest > 0
}

// CapShared reports whether the account has a part of a cap that its owner's accounts reach together.
func (e Explanation) CapShared() bool { return e.together() && e.Above() }

// comparedInWords is what is compared with the minimum, in English.
func (e *Explanation) comparedInWords() string {
	lowest := e.Terms.Measure == staking.Lowest
	switch {
	case lowest && e.together():
		return "sum of the smallest balances of the owner's accounts"
	case lowest:
		return "smallest balance"
	case e.together():
		return "average of the owner's accounts together"
	}
	return "average"
}

// sumOf is what is compared with the cap, of what the account held by itself.
func (e Explanation) sumOf(own *big.Int) *big.Int {
	if all, is := new(big.Int).SetString(e.Together.String(), 10); is && all.Sign() > 0 {
		return all
	}
	return own
}
