package staking

import (
	"cmp"
	"math/bits"

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

// Estimate is what a balance earns in a day and in a year of 365 days if neither it nor
// the terms change: each rounded down from the exact figure, without a carried fraction.
// It is zero if the balance does not qualify. Its error is ledger.ErrOverflow.
func Estimate(t Terms, free ledger.Amount) (day, year ledger.Amount, err error) {
	if !t.Qualifies(free) {
		return 0, 0, nil
	}
	if a, earns := Accrue(t.From, t, HoldingAt("", t.Asset, free, 0)); earns {
		day = a.Reward
	}
	const one = 100_000_000 // the rate of 1 a year
	hi, lo := bits.Mul64(uint64(min(free, t.Cap)), uint64(t.APR))
	if hi >= one {
		return 0, 0, ledger.ErrOverflow
	}
	units, _ := bits.Div64(hi, lo, one)
	if units > uint64(1<<63-1) {
		return 0, 0, ledger.ErrOverflow
	}
	return day, ledger.Amount(units), nil
}

// EstimateDay is what a day's eligible integral comes to at a rate a year, rounded down:
// in the mode Share an estimate, at the rate of a period that was paid. ok is false where
// the rate is out of the range of terms.
func EstimateDay(i Integral, r Rate) (units ledger.Amount, ok bool) {
	if r < 0 || r >= rateLimit {
		return 0, false
	}
	return i.interest(r).Units, true
}

// At are the terms with a fixed rate a year instead of their mode, for estimates: Estimate and
// Accrue then say what would be earned at it. A rate out of range is the nearest in range.
func (t Terms) At(r Rate) Terms {
	t.Mode, t.APR, t.GrossAPR = Fixed, min(max(r, 0), rateLimit-1), 0
	return t
}
