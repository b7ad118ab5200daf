package staking

import (
	"math/bits"

	"github.com/softstake/softstake/ledger"
)

// Integral is a balance summed over time: smallest units × milliseconds, exact, in 128
// bits (two's complement). Intermediate sums may be below zero or overflow; the result is
// exact if it fits, and 2^62 units over a day take 89 bits.
type Integral struct{ hi, lo uint64 }

// IntegralOf is the integral of a constant balance over 0 or more milliseconds.
func IntegralOf(balance ledger.Amount, millis int64) Integral {
	n := uint64(balance)
	if balance < 0 {
		n = -n
	}
	hi, lo := bits.Mul64(n, uint64(millis))
	if balance < 0 {
		return Integral{}.Sub(Integral{hi, lo})
	}
	return Integral{hi, lo}
}

// Add returns i+j.
func (i Integral) Add(j Integral) Integral {
	lo, carry := bits.Add64(i.lo, j.lo, 0)
	hi, _ := bits.Add64(i.hi, j.hi, carry)
	return Integral{hi, lo}
}

// Sub returns i−j.
func (i Integral) Sub(j Integral) Integral {
	lo, borrow := bits.Sub64(i.lo, j.lo, 0)
	hi, _ := bits.Sub64(i.hi, j.hi, borrow)
	return Integral{hi, lo}
}

// Less reports whether i < j.
func (i Integral) Less(j Integral) bool {
	if i.hi != j.hi {
		return int64(i.hi) < int64(j.hi)
	}
	return i.lo < j.lo
}

// Average is the average balance of a day's integral, rounded down, and the rest that the
// rounding leaves, 0 to DayMillis−1. The integral must be at least zero and at most 2^63−1
// units over a day.
func (i Integral) Average() (average ledger.Amount, rest int64) {
	q, r := bits.Div64(i.hi, i.lo, DayMillis)
	return ledger.Amount(q), int64(r)
}

// AverageOver is the average balance of an integral over 1 or more milliseconds, rounded
// down. The bounds of Average hold.
func (i Integral) AverageOver(millis int64) ledger.Amount {
	q, _ := bits.Div64(i.hi, i.lo, uint64(millis))
	return ledger.Amount(q)
}
