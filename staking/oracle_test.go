package staking_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// A history is what happened to an account's free balance from the midnight a
// day begins with until somebody settles the day, be it weeks later.
type history struct {
	before ledger.Amount // the balance that the midnight found
	events []event       // in the order of time
	terms  staking.Terms
	carry  staking.Fraction
}

type event struct {
	at     int64 // milliseconds since that midnight, 0 or more
	change ledger.Amount
}

// counted is the history as the product sees it: back from the balance now, each
// change taken out again, in any order.
func (h history) counted(order []int) staking.Holding {
	now := h.before
	for _, e := range h.events {
		now += e.change
	}
	holding := staking.HoldingAt("alice", "BNB", now, h.carry)
	for _, i := range order {
		holding.Rewind(h.events[i].change, h.events[i].at)
	}
	return holding
}

var (
	day     = big.NewInt(24 * 60 * 60 * 1000)
	divisor = new(big.Int).Mul(big.NewInt(365*100_000_000), day) // of the numerator: a year in ms × the rate's 1e-8
)

// verdict is what the oracle says of a history: forward in time, in math/big.
type verdict struct {
	opening, integral      *big.Int
	minimum, limit         *big.Int // of the terms, over the day
	earned                 bool
	average, rest          *big.Int
	eligible               *big.Int
	numerator              *big.Int // with the carry
	reward, carry          *big.Int
	changesInOneMs, isLate bool
}

// judge goes forward over the segments of the day between one change and the next.
func judge(h history) verdict {
	v := verdict{opening: big.NewInt(int64(h.before)), integral: new(big.Int)}
	balance, since := big.NewInt(int64(h.before)), int64(0)
	segment := func(until int64) {
		length := big.NewInt(until - since)
		v.integral.Add(v.integral, length.Mul(length, balance))
		since = until
	}
	for i, e := range h.events {
		v.changesInOneMs = v.changesInOneMs || i > 0 && h.events[i-1].at == e.at
		if e.at >= day.Int64() {
			v.isLate = true
			break
		}
		segment(e.at)
		balance.Add(balance, big.NewInt(int64(e.change)))
		if e.at == 0 {
			v.opening.Set(balance)
		}
	}
	segment(day.Int64())
	return v.under(h.terms, h.carry)
}

// under applies the terms: rules.md, what is earned, word for word.
func (v verdict) under(t staking.Terms, carry staking.Fraction) verdict {
	v.minimum = new(big.Int).Mul(big.NewInt(int64(t.Min)), day)
	v.limit = new(big.Int).Mul(big.NewInt(int64(t.Cap)), day)
	v.average, v.rest = new(big.Int).DivMod(v.integral, day, new(big.Int))
	v.earned = t.Offered && v.integral.Cmp(v.minimum) >= 0
	earning := v.integral
	if earning.Cmp(v.limit) > 0 {
		earning = v.limit
	}
	v.eligible = new(big.Int).Div(earning, day)
	v.numerator = new(big.Int).Mul(earning, big.NewInt(int64(t.APR)))
	v.numerator.Add(v.numerator, big.NewInt(int64(carry)))
	v.reward, v.carry = new(big.Int).DivMod(v.numerator, divisor, new(big.Int))
	return v
}

// disagreement says how the product's answer differs from the oracle's, or "".
func (v verdict) disagreement(h history, a staking.Accrual, earned bool) string {
	if earned != v.earned {
		return fmt.Sprintf("earned is %t; the oracle says %t, with an integral of %s", earned, v.earned, v.integral)
	}
	if !earned {
		if a != (staking.Accrual{}) {
			return fmt.Sprintf("nothing is earned, yet there is %+v", a)
		}
		return ""
	}
	want := staking.Accrual{
		Day: 20_000, Account: "alice", Asset: "BNB", APR: h.terms.APR, Before: h.carry,
		Opening: ledger.Amount(v.opening.Int64()), Average: ledger.Amount(v.average.Int64()), Rest: v.rest.Int64(),
		Eligible: ledger.Amount(v.eligible.Int64()), Reward: ledger.Amount(v.reward.Int64()),
		Carry: staking.Fraction(v.carry.Int64()),
	}
	for _, n := range []*big.Int{v.opening, v.average, v.eligible, v.reward, v.carry} {
		if !n.IsInt64() {
			return fmt.Sprintf("the oracle's own figure %s does not fit 63 bits: the history is out of bounds", n)
		}
	}
	if a != want {
		return fmt.Sprintf("\n got %+v\nwant %+v", a, want)
	}
	return ""
}

// checkHistory puts both to one history.
func checkHistory(h history, order []int) (verdict, string) {
	v := judge(h)
	a, earned := staking.Accrue(20_000, h.terms, h.counted(order))
	return v, v.disagreement(h, a, earned)
}

// pick is one of the values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// upTo is a number from 0 to most, often one of the two or beside it.
func upTo(r *rand.Rand, most int64) int64 {
	switch r.IntN(8) {
	case 0:
		return 0
	case 1:
		return most
	case 2:
		return min(1, most)
	case 3:
		return max(most-1, 0)
	}
	return int64(r.Uint64N(uint64(most) + 1))
}

// moment is a time of a change: anywhere in the day, at its edges, or after it.
func moment(r *rand.Rand) int64 {
	switch r.IntN(10) {
	case 0:
		return 0
	case 1:
		return 1
	case 2:
		return day.Int64() - 1
	case 3:
		return day.Int64() + r.Int64N(3)
	case 4:
		return day.Int64() + r.Int64N(30*day.Int64())
	}
	return r.Int64N(day.Int64())
}
