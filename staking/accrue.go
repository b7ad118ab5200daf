// Package staking says who earns what: days, terms, enrollments, and the one rule. It knows nothing of SQL or of HTTP.
package staking

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Fraction is the part of a smallest unit that a reward leaves to the account's
// next reward in the same token: so many 365 × 86,400,000 × 10^8ths of a unit.
type Fraction int64

// Unit is the Fraction that would be a whole smallest unit; every Fraction is below it.
const Unit Fraction = 365 * DayMillis * 100_000_000

// Holding is what an account had of a token on a day, free of orders and
// withdrawals, and the fraction that its last reward left.
type Holding struct {
	Account  ledger.Account
	Asset    string
	Opening  ledger.Amount // at 00:00, with the changes of that very millisecond
	Integral Integral      // of the free balance, over the day
	Carry    Fraction
}

// Now begins to count back from the balance that an account has now, or has
// after any moment past the day: each later change is then taken out with Undo.
func Now(account ledger.Account, asset string, balance ledger.Amount, carry Fraction) Holding {
	return Holding{Account: account, Asset: asset, Opening: balance, Integral: Over(balance, DayMillis), Carry: carry}
}

// Undo takes out a change of the free balance that was made so many milliseconds
// after the day began, 0 or more: the part of the day before it did not have it.
// The order of changes does not matter. A change in the day's first millisecond
// belongs to the whole day and to its opening.
func (h *Holding) Undo(change ledger.Amount, millis int64) {
	if millis <= 0 {
		return
	}
	h.Opening -= change
	h.Integral = h.Integral.Sub(Over(change, min(millis, DayMillis)))
}

// Change puts in a change of the free balance that is made so many milliseconds
// after the day began, 0 or more, and that the holding does not have yet: the rest
// of the day has it. What Undo takes out it puts in.
func (h *Holding) Change(change ledger.Amount, millis int64) {
	if millis <= 0 {
		h.Opening += change
	}
	h.Integral = h.Integral.Add(Over(change, DayMillis-min(max(millis, 0), DayMillis)))
}

// Accrual is what an account earned with a token on a day, with every figure it
// came about by.
type Accrual struct {
	Day      Day
	Account  ledger.Account
	Asset    string
	Opening  ledger.Amount // balance at 00:00
	Average  ledger.Amount // rounded down
	Rest     int64         // what that rounding left, in unit-milliseconds, below DayMillis
	Eligible ledger.Amount // min(average, cap), rounded down
	APR      Rate
	Reward   ledger.Amount // rounded down
	Before   Fraction      // carried from the reward before
	Carry    Fraction      // left to the next
}

// EntryID is the name under which the reward stands in the journal. Only the run
// posts under it, and so each is posted once.
func (a Accrual) EntryID() string {
	return fmt.Sprintf("reward/%s/%s/%s", a.Day, a.Asset, a.Account)
}

// Accrue says what a holding earned on a day (rules: what is earned), or false
// where it earned nothing: not offered, or on average below the minimum. An entry that
// another ledger decided may leave a balance below zero for a part of the day: that part
// counts against the rest, and a day whose sum is below zero earns nothing, whatever the
// minimum. The
// terms must have passed Check, and the balance must fit the asset's supply.
//
//	reward + carry = min(integral, cap × day) × APR / 365 + carry before
func Accrue(d Day, t Terms, h Holding) (Accrual, bool) {
	if !t.Offered || h.Integral.Less(Over(t.Min, DayMillis)) || h.Integral.Less(Integral{}) {
		return Accrual{}, false
	}
	average, rest := h.Integral.Average()
	a := Accrual{
		Day: d, Account: h.Account, Asset: h.Asset,
		Opening: h.Opening, Average: average, Rest: rest, Eligible: min(average, t.Cap),
		APR: t.APR, Before: h.Carry,
	}
	earning := h.Integral
	if limit := Over(t.Cap, DayMillis); limit.Less(earning) {
		earning = limit
	}
	a.Reward, a.Carry = earning.earn(t.APR, h.Carry)
	return a, true
}

// AppendLine appends the accrual as one line of text, of which the digest of a
// paid bucket is made (SHA-256 over the lines of one bucket, token and day, by account):
// day, asset, account, opening, average, rest, eligible, APR in 1e-8, reward,
// fraction before, fraction left; between spaces, amounts in smallest units.
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
	return append(b, '\n')
}

// earn is the integral's interest at a yearly rate, with a carried fraction: the
// whole units, rounded down, and the fraction left. 2^62 units over a day (89
// bits) × a rate (30 bits) + a fraction (62 bits) fit 120 bits, and divided by a
// Unit (62 bits) 63 again.
func (i Integral) earn(r Rate, carry Fraction) (ledger.Amount, Fraction) {
	over, lo := bits.Mul64(i.lo, uint64(r))
	hi := i.hi*uint64(r) + over
	lo, c := bits.Add64(lo, uint64(carry), 0)
	units, left := bits.Div64(hi+c, lo, uint64(Unit))
	return ledger.Amount(units), Fraction(left)
}
