package staking

import (
	"cmp"
	"math/bits"

	"github.com/softstake/softstake/ledger"
)

// Candidate is a token that may bear the tag: what a holder has of it, and what
// that is worth.
type Candidate struct {
	Terms  Terms         // of today
	Free   ledger.Amount // now
	Worth  ledger.Amount // of what is free, in USDT and in 1e-8
	Priced bool          // the price is known; else Worth is not looked at
}

// Qualifies says whether a balance reaches what a token asks for today. Of a token
// without a minimum it is anything above zero.
func (t Terms) Qualifies(free ledger.Amount) bool {
	return t.Offered && free > 0 && free >= t.Min
}

// Tag is the token that bears the tag, and only one does: of those that qualify,
// the one worth most in USDT; without a price: last; equal: by symbol (rules: the
// switch). false: none qualifies.
func Tag(candidates []Candidate) (asset string, found bool) {
	var best Candidate
	for _, c := range candidates {
		if c.Terms.Qualifies(c.Free) && (!found || c.before(best)) {
			best, found = c, true
		}
	}
	return best.Terms.Asset, found
}

// before says whether c bears the tag rather than d.
func (c Candidate) before(d Candidate) bool {
	if c.Priced != d.Priced {
		return c.Priced
	}
	if c.Priced && c.Worth != d.Worth {
		return c.Worth > d.Worth
	}
	return cmp.Less(c.Terms.Asset, d.Terms.Asset)
}

// Estimate is what a balance earns in a day and in a year of 365 days if neither it
// nor the terms change, each rounded down from the exact figure, and without what
// former rewards carried. It is zero where the balance does not qualify. Its error
// is ledger.ErrOverflow.
func Estimate(t Terms, free ledger.Amount) (day, year ledger.Amount, err error) {
	if !t.Qualifies(free) {
		return 0, 0, nil
	}
	if a, earns := Accrue(t.From, t, Now("", t.Asset, free, 0)); earns {
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
