package staking

import (
	"cmp"
	"math/big"

	"github.com/softstake/softstake/ledger"
)

// Candidate is a token that may have the tag: what a holder has of it, and what that is
// worth.
type Candidate struct {
	Terms  Terms         // of today
	Free   ledger.Amount // now
	Worth  ledger.Amount // of what is free, in USDT and in 1e-8
	Priced bool          // the price is known; if not, Worth is ignored
}

// Qualifies reports whether a balance reaches the token's minimum, in smallest units. If
// the minimum is zero, any balance above zero does.
func (t Terms) Qualifies(free ledger.Amount) bool {
	return t.Offered && free > 0 && free >= t.Min
}

// Tag is the one token that has the tag: of those that qualify, the one worth most in
// USDT. Tokens without a price come last, equal ones go by symbol (rules: the switch).
// false: none qualifies.
func Tag(candidates []Candidate) (asset string, found bool) {
	var best Candidate
	for _, c := range candidates {
		if c.Terms.Qualifies(c.Free) && (!found || c.before(best)) {
			best, found = c, true
		}
	}
	return best.Terms.Asset, found
}

// before reports whether c has the tag rather than d.
func (c Candidate) before(d Candidate) bool {
	if c.Priced != d.Priced {
		return c.Priced
	}
	if c.Priced && c.Worth != d.Worth {
		return c.Worth > d.Worth
	}
	return cmp.Less(c.Terms.Asset, d.Terms.Asset)
}

// Estimate is what a balance earns in a day and in a year of 365 days at a rate a year, if neither it nor the terms
// change: each rounded down from the exact figure, without a carried fraction. The rate may be above those that terms
// can have: in the mode Share it is that of a period that was paid. It is zero if the balance does not qualify. Its
// error is ledger.ErrOverflow.
func Estimate(t Terms, free ledger.Amount, r Rate) (day, year ledger.Amount, err error) {
	if !t.Qualifies(free) {
		return 0, 0, nil
	}
	eligible := min(free, t.Cap)
	day, ok := EstimateDay(IntegralOf(eligible, DayMillis), r)
	if !ok {
		return 0, 0, ledger.ErrOverflow
	}
	units := new(big.Int).Mul(big.NewInt(int64(eligible)), big.NewInt(int64(r)))
	if units.Quo(units, big.NewInt(int64(Whole))); !units.IsInt64() {
		return 0, 0, ledger.ErrOverflow
	}
	return day, ledger.Amount(units.Int64()), nil
}

// EstimateDay is what a day's eligible integral comes to at a rate a year, rounded down:
// in the mode Share an estimate, at the rate of a period that was paid, however high it is.
// ok is false where the rate is below zero or the result is out of range.
func EstimateDay(i Integral, r Rate) (units ledger.Amount, ok bool) {
	if r >= 0 && r < rateLimit {
		return i.interest(r).Units, true
	}
	n := new(big.Int).Mul(i.big(new(big.Int)), big.NewInt(int64(r)))
	n.Quo(n, big.NewInt(int64(Unit)))
	return ledger.Amount(n.Int64()), r >= 0 && n.IsInt64()
}
