// Package staking says who earns what: days, terms, enrollments, and the one rule. It knows nothing of SQL or of HTTP.
package staking

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Fraction is the part of a smallest unit that a reward leaves to the account's next
// reward in the same token, counted in 1/Unit of a smallest unit.
type Fraction int64

// Unit is the Fraction of a whole smallest unit; every Fraction is from 0 to Unit−1.
const Unit Fraction = 365 * DayMillis * 100_000_000

// Holding is what an account had of a token on a day, free of orders and
// withdrawals, and the fraction that its last reward left.
type Holding struct {
	Account  ledger.Account
	Asset    string
	Opening  ledger.Amount // at 00:00, with the changes of that very millisecond
	Integral Integral      // of the free balance, over the day; by the measure Lowest, its smallest × 24 h
	Carry    Fraction
	Shared   Exact // its shares of the distributions of the day
	Absent   bool  // it is not enrolled on the day, or excluded: only Shared counts
	Weighed  bool  // a campaign weighs the day: the accrual says exactly what is eligible
	// The sum of its owner's accounts, where there are several: what earns of each. Zero: it is its own owner.
	OwnerIntegral Integral
	// By the measure that the terms do not have, where a campaign takes it; or nil. Change does not move it.
	Other *Other
}

// Other is a holding by the measure that the token's terms do not have.
type Other struct{ Integral, OwnerIntegral Integral }

// ByOther is the holding by the other measure, which it must have. Its accrual says what is eligible in the campaigns
// that take that measure, with the minimum and the cap of the token's terms, and nothing of what the day earned.
func (h Holding) ByOther() Holding {
	h.Integral, h.OwnerIntegral, h.Shared, h.Weighed = h.Other.Integral, h.Other.OwnerIntegral, Exact{}, true
	return h
}

// HoldingAt starts from an account's balance at any moment at or after the end of the day,
// and from the fraction carried at the start of the day. Rewind then takes out each later
// change. balance is in smallest units.
func HoldingAt(account ledger.Account, asset string, balance ledger.Amount, carry Fraction) Holding {
	return Holding{
		Account: account, Asset: asset, Opening: balance, Integral: IntegralOf(balance, DayMillis), Carry: carry,
	}
}

// Rewind takes out a change of the free balance that was made millis milliseconds after
// the day began: the part of the day before the change did not have it. The order of
// calls does not matter. A change at 0 belongs to the whole day and to its opening.
func (h *Holding) Rewind(change ledger.Amount, millis int64) {
	if millis <= 0 {
		return
	}
	h.Opening -= change
	h.Integral = h.Integral.Sub(IntegralOf(change, min(millis, DayMillis)))
}

// Change adds a change of the free balance that is made millis milliseconds after the day
// began and that the holding does not have yet: the rest of the day has it, and so has its owner. It is
// the inverse of Rewind.
func (h *Holding) Change(change ledger.Amount, millis int64) {
	if millis <= 0 {
		h.Opening += change
	}
	others := h.OwnerIntegral.Sub(h.Integral.orZero())
	h.Integral = h.Integral.Add(IntegralOf(change, DayMillis-min(max(millis, 0), DayMillis)))
	if h.OwnerIntegral != (Integral{}) {
		h.OwnerIntegral = others.Add(h.Integral.orZero())
	}
}

// Accrual is what an account earned with a token on a day, with every figure it
// came about by.
type Accrual struct {
	Day      Day
	Account  ledger.Account
	Asset    string
	Opening  ledger.Amount // balance at 00:00
	Average  ledger.Amount // rounded down; by the measure Lowest, the smallest balance
	Rest     int64         // what that rounding left, in unit-milliseconds, below DayMillis
	Eligible ledger.Amount // min(average, cap) or a part of the owner's cap, rounded down
	// What the rounding of Eligible left, in unit-milliseconds; zero unless the mode is Share or a campaign
	// weighs the day.
	EligibleRest int64
	APR          Rate
	Reward       ledger.Amount // rounded down
	Before       Fraction      // carried from the reward before
	Carry        Fraction      // left to the next
}

// EntryID is the reward's name in the journal. Only the run posts under it, so a reward is
// posted at most once.
func (a Accrual) EntryID() string {
	return fmt.Sprintf("reward/%s/%s/%s", a.Day, a.Asset, a.Account)
}

// Accrue returns what a holding earned on a day (rules: what is earned), or false if it
// earned nothing: the token is not offered, or the average (with Terms.PerOwner, that of the
// owner's accounts together) is below the minimum, and it has no share of a distribution. By
// the measure Lowest the holding has the smallest balance where it else has the average
// (Holding.MeasureLowest). An entry
// that another ledger decided may leave a balance below zero for a part of the day: that
// part counts against the rest, and a day whose sum is below zero earns nothing, whatever
// the minimum. The terms must have passed Check, and the balance must fit the asset's
// supply. It is pure: no clock, no store.
//
//	reward + carry = min(integral, cap × day) × APR / 365 + shares + carry before
//
// Of an owner above the cap, the first factor is cap × day × integral / the owner's.
//
// In the mode Share the first part is zero, and the eligible integral is what the day
// weighs in the distribution of its period.
func Accrue(d Day, t Terms, h Holding) (Accrual, bool) {
	together := t.together(h.Integral, h.OwnerIntegral)
	earns := t.Offered && !h.Absent && !together.Less(IntegralOf(t.Min, DayMillis)) && !h.Integral.Less(Integral{})
	if !earns && h.Shared == (Exact{}) {
		return Accrual{}, false
	}
	a := Accrual{Day: d, Account: h.Account, Asset: h.Asset, Opening: h.Opening, APR: t.APR, Before: h.Carry}
	earned := h.Shared.Add(Exact{Part: h.Carry})
	if earns {
		earning := t.eligible(h.Integral, h.OwnerIntegral)
		a.Average, a.Rest = h.Integral.Average()
		a.Eligible, a.EligibleRest = earning.Average()
		if t.Mode == Fixed {
			if !h.Weighed {
				a.EligibleRest = 0
			}
			earned = earned.Add(earning.interest(t.APR))
		}
	}
	a.Reward, a.Carry = earned.Units, earned.Part
	return a, true
}

// AppendLine appends the accrual as one line of text. The digest of a paid bucket is the
// SHA-256 over the lines of one bucket, token and day, by account. The fields, separated
// by spaces: day, asset, account, opening, average, rest, eligible, APR in 1e-8, reward,
// fraction before, fraction left, and the eligible rest unless it is zero; amounts in
// smallest units.
func (a Accrual) AppendLine(b []byte) []byte {
	b = a.Day.Start().AppendFormat(b, time.DateOnly)
	b = append(append(b, ' '), a.Asset...)
	b = append(append(b, ' '), a.Account...)
	for _, n := range [...]int64{
		int64(a.Opening), int64(a.Average), a.Rest, int64(a.Eligible), int64(a.APR),
		int64(a.Reward), int64(a.Before), int64(a.Carry),
	} {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	if a.EligibleRest != 0 {
		b = strconv.AppendInt(append(b, ' '), a.EligibleRest, 10)
	}
	return append(b, '\n')
}

// interest is what the integral earns at a yearly rate. 2^62 units over a day (89 bits) × a
// rate (30 bits) fit 119 bits; divided by Unit (62 bits) they fit 63.
func (i Integral) interest(r Rate) Exact {
	over, lo := bits.Mul64(i.lo, uint64(r))
	units, left := bits.Div64(i.hi*uint64(r)+over, lo, uint64(Unit))
	return Exact{ledger.Amount(units), Fraction(left)}
}
