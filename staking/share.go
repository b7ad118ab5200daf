package staking

import (
	"cmp"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/holiman/uint256"

	"github.com/softstake/softstake/ledger"
)

// Mode is where a token's rewards come from.
type Mode int

// The modes.
const (
	Fixed Mode = iota // a rate a year on the eligible average, from the pool
	Share             // the net income of a period, in proportion to the eligible integrals of its days
)

var modes = [...]string{Fixed: "fixed", Share: "share"}

// String is "fixed" or "share".
func (m Mode) String() string {
	if !m.known() {
		return fmt.Sprintf("mode %d", int(m))
	}
	return modes[m]
}

func (m Mode) known() bool { return m >= 0 && int(m) < len(modes) }

// ParseMode reads what String writes. Its errors are ledger.ErrInvalid.
func ParseMode(s string) (Mode, error) {
	for m, name := range modes {
		if s == name {
			return Mode(m), nil
		}
	}
	return 0, ledger.ErrInvalid.In("mode", "%q is no mode; it is one of %v", ledger.Clip(s), modes)
}

// Exact is an amount that is not rounded: Units smallest units and Part/Unit of one. Below
// zero Units is rounded down, so that Part is always from 0 to Unit−1.
type Exact struct {
	Units ledger.Amount
	Part  Fraction
}

// Add returns e+x. The sum must fit an amount.
func (e Exact) Add(x Exact) Exact {
	e.Units += x.Units
	if e.Part += x.Part; e.Part >= Unit { // two parts fit 63 bits
		e.Part -= Unit
		e.Units++
	}
	return e
}

// Sub returns e−x. The difference must fit an amount.
func (e Exact) Sub(x Exact) Exact {
	e.Units -= x.Units
	if e.Part -= x.Part; e.Part < 0 {
		e.Part += Unit
		e.Units--
	}
	return e
}

// RoundedUp is e in whole smallest units, towards plus infinity.
func (e Exact) RoundedUp() ledger.Amount {
	if e.Part > 0 {
		return e.Units + 1
	}
	return e.Units
}

// Distribution divides the net income of a token's period among those whose eligible
// integrals its days have. Its rewards take effect at the end of Day, with all others.
type Distribution struct {
	Asset       string
	Day         Day           // on which the income was entered
	First, Last Day           // the period: at most Day
	Gross       ledger.Amount // the period's income
	Net         ledger.Amount // less the fee; both are below zero after a slashing
	Before      Exact         // what the token's distribution before left
	Weight      Integral      // everybody's eligible integrals of the period's days

	// Of a campaign, what it has for the day that is weighed, First; nil: the distribution is of an income.
	Budget *Budget
}

// Compare is the order in which distributions of incomes of one token take effect: by day, losses first, so that
// nobody gets what is lost, then by period.
func (d Distribution) Compare(o Distribution) int {
	loss := func(d Distribution) int {
		if d.Net < 0 {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(d.Day, o.Day), cmp.Compare(loss(d), loss(o)), cmp.Compare(d.First, o.First),
		cmp.Compare(d.Last, o.Last))
}

// Pool is what there is to divide, with what was left before; of a campaign, the day's budget.
func (d Distribution) Pool() Exact {
	if d.Budget != nil {
		return d.Budget.Amount()
	}
	return d.Before.Add(Exact{Units: d.Net})
}

// Pays reports whether there is anything to divide, and anybody to get it. A period that earned
// nothing, or lost, pays nothing, whatever was left before: that stays for the next.
func (d Distribution) Pays() bool {
	pool := d.Pool()
	return (d.Net > 0 || d.Budget != nil) && pool.Units >= 0 && pool != (Exact{}) && (Integral{}).Less(d.Weight)
}

// Divider works out the shares of a distribution. It is not safe for concurrent use.
type Divider struct {
	everybody    Integral
	pool, weight uint256.Int // the pool in 1/Unit, zero if there is nothing to divide; everybody's weight
	share        uint256.Int
}

// Divider returns the distribution's.
func (d Distribution) Divider() *Divider {
	v := &Divider{everybody: d.Weight, weight: d.Weight.wide()}
	if pool := d.Pool(); d.Pays() {
		v.pool.Mul(uint256.NewInt(uint64(pool.Units)), uint256.NewInt(uint64(Unit)))
		v.pool.AddUint64(&v.pool, uint64(pool.Part))
	}
	return v
}

// Share is what a weight, of everybody's, gets of the pool: pool × weight / everybody's,
// rounded down to 1/Unit of a smallest unit. What the rounding leaves stays in the pool for
// the next distribution. The weight is the sum of an account's eligible integrals over the
// days of the period. One that is more than everybody's, in books that were changed by hand,
// gets the whole pool: the sum of the shares is then more than it, and is refused.
func (v *Divider) Share(weight Integral) Exact {
	if v.pool.IsZero() || weight == (Integral{}) {
		return Exact{}
	}
	if v.everybody.Less(weight) {
		weight = v.everybody
	}
	mine := weight.wide()
	v.share.Mul(&v.pool, &mine) // 125 bits × 127 bits
	v.share.Div(&v.share, &v.weight)
	units, part := bits.Div64(v.share[1], v.share[0], uint64(Unit)) // at most the pool's units, which fit
	return Exact{ledger.Amount(units), Fraction(part)}
}

// wide is the integral, which is zero or above, in 256 bits.
func (i Integral) wide() uint256.Int { return uint256.Int{i.lo, i.hi} }

// big sets n to the integral, which is zero or above.
func (i Integral) big(n *big.Int) *big.Int {
	if bits.UintSize == 64 {
		return n.SetBits(append(n.Bits()[:0], big.Word(i.lo), big.Word(i.hi)))
	}
	n.SetUint64(i.hi)
	n.Lsh(n, 64)
	return n.Or(n, new(big.Int).SetUint64(i.lo))
}

// String is the integral, zero or above, as a decimal number of unit-milliseconds.
func (i Integral) String() string { return i.big(new(big.Int)).String() }

// ParseIntegral reads what String writes. Its errors are ledger.ErrInvalid.
func ParseIntegral(s string) (Integral, error) {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 127 {
		return Integral{}, ledger.ErrInvalid.In("", "%q is no integral of a balance", ledger.Clip(s))
	}
	return integralOfBig(n), nil
}

// EligibleIntegral is the part of the day's integral that earns.
func (a Accrual) EligibleIntegral() Integral {
	return IntegralOf(a.Eligible, DayMillis).Add(IntegralOf(ledger.Amount(a.EligibleRest), 1))
}

// YearlyRate is the rate a year that an amount is of a weight: amount × 365 days / weight,
// in 1e-8, rounded down. ok is false if the weight is not above zero or the rate is out of
// range.
func YearlyRate(amount ledger.Amount, weight Integral) (r Rate, ok bool) {
	if amount < 0 || !(Integral{}).Less(weight) {
		return 0, false
	}
	n := new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(int64(Unit)))
	n.Quo(n, weight.big(new(big.Int)))
	return Rate(n.Int64()), n.IsInt64()
}
