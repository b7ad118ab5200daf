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
	Free   ledger.Amount // now; where the minimum is an owner's, what its accounts have together
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

// Earning is what of a balance earns if it stays as it is: up to the cap or, of accounts that are above it together,
// the account's part of the cap, rounded down. together is what the account's owner has in all accounts, where the
// terms' limits are an owner's; else it is as free. Zero: the minimum is not reached.
func (t Terms) Earning(free, together ledger.Amount) ledger.Amount {
	units, _ := t.EarningIntegral(free, together).Average()
	return units
}

// EarningIntegral is Earning exactly: its integral over a day.
func (t Terms) EarningIntegral(free, together ledger.Amount) Integral {
	if free <= 0 || !t.Qualifies(max(free, together)) {
		return Integral{}
	}
	return t.eligible(IntegralOf(free, DayMillis), IntegralOf(together, DayMillis))
}

// Estimate is what a balance earns in a day and in a year of 365 days at a rate a year, if neither it nor the terms
// change: each rounded down from the exact figure, without a carried fraction. The rate may be above those that terms
// can have: in the mode Share it is that of a period that was paid. together is as for Earning. It is zero if the
// balance does not qualify. Its error is ledger.ErrOverflow.
func Estimate(t Terms, free, together ledger.Amount, r Rate) (day, year ledger.Amount, err error) {
	earning := t.EarningIntegral(free, together)
	day, ok := EstimateDay(earning, r)
	if !ok {
		return 0, 0, ledger.ErrOverflow
	}
	const one = DayMillis * int64(Whole) // a smallest unit of the whole year, at the rate of 1
	units := new(big.Int).Mul(earning.big(new(big.Int)), big.NewInt(int64(r)))
	if units.Quo(units, big.NewInt(one)); !units.IsInt64() {
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
