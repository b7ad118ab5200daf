package staking_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// A year is an account's life over many days: what it did, in milliseconds since
// the first midnight, and the terms of each day. It begins with nothing.
type year struct {
	changes []event
	terms   []staking.Terms
	carry   staking.Fraction // left from before
}

// randomYear has 365 or 366 days, on some of which the account earns nothing.
func randomYear(r *rand.Rand) year {
	most := pick[int64](r, 1_000, 3*int64(bnb), 5_000*int64(bnb), 1<<58)
	y := year{carry: randomCarry(r)}
	balance := ledger.Amount(0)
	for d := range int64(365 + r.IntN(2)) {
		low := upTo(r, most/2)
		y.terms = append(y.terms, staking.Terms{
			Asset: "BNB", Offered: r.IntN(40) > 0,
			APR: pick[staking.Rate](r, 0, 150_000, 150_000, 3_650_000, 120_000_000),
			Min: ledger.Amount(low), Cap: ledger.Amount(max(low, 1, upTo(r, most))),
		})
		times := make([]int64, r.IntN(3))
		for i := range times {
			times[i] = d*staking.DayMillis + r.Int64N(staking.DayMillis)
		}
		slices.Sort(times)
		for _, at := range times {
			next := ledger.Amount(upTo(r, most))
			y.changes = append(y.changes, event{at, next - balance})
			balance = next
		}
	}
	return y
}

// settle runs the year's days in order, as somebody does who settles a day so
// many milliseconds after its end: the balance is what the account has then, and
// all that changed since the day began is taken out. A reward takes effect at
// the end of its day whenever it is credited.
func (y year) settle(late int64) []staking.Accrual {
	var accruals []staking.Accrual
	var rewards []event
	carry := y.carry
	for d, terms := range y.terms {
		start := int64(d) * staking.DayMillis
		now := start + staking.DayMillis + late
		var balance ledger.Amount
		var since []event
		for _, e := range slices.Concat(y.changes, rewards) {
			if e.at > now {
				continue
			}
			balance += e.change
			if e.at >= start {
				since = append(since, e)
			}
		}
		h := staking.HoldingAt("alice", "BNB", balance, carry)
		for _, e := range since {
			h.Rewind(e.change, e.at-start)
		}
		a, earned := staking.Accrue(staking.Day(d), terms, h)
		if !earned {
			continue
		}
		carry = a.Carry
		accruals = append(accruals, a)
		rewards = append(rewards, event{start + staking.DayMillis, a.Reward})
	}
	return accruals
}

// owed adds up what the year exactly earns, as a numerator over Unit, forward
// from nothing; the rewards are the product's own, for they earn in turn.
func (y year) owed(rewards map[staking.Day]ledger.Amount) *big.Int {
	owed, balance := new(big.Int), ledger.Amount(0)
	next := 0
	for d, terms := range y.terms {
		start := int64(d) * staking.DayMillis
		h := history{before: balance + rewards[staking.Day(d-1)], terms: terms}
		balance = h.before
		for ; next < len(y.changes) && y.changes[next].at < start+staking.DayMillis; next++ {
			e := y.changes[next]
			h.events = append(h.events, event{e.at - start, e.change})
			balance += e.change
		}
		if v := judge(h); v.earned {
			owed.Add(owed, v.numerator)
		}
	}
	return owed
}

// Over a year not one unit is lost or made: rewards and the last carry are
// exactly what was earned, and the first carry.
func TestCarriesOverAYearAddUpToTheExactValue(t *testing.T) {
	seed := fromEnv(t, "SEED", 1)
	for i := range uint64(60) {
		y := randomYear(rand.New(rand.NewPCG(seed, i)))
		accruals := y.settle(5 * 60_000)
		if len(accruals) < 100 {
			t.Fatalf("SEED=%d, year %d: only %d days earned; the test shows little", seed, i, len(accruals))
		}
		paid, carry := new(big.Int), y.carry
		rewards := map[staking.Day]ledger.Amount{}
		for _, a := range accruals {
			if a.Before != carry || a.Carry < 0 || a.Carry >= staking.Unit {
				t.Fatalf("SEED=%d, year %d, %s: carries %d and leaves %d; the day before left %d",
					seed, i, a.Day, a.Before, a.Carry, carry)
			}
			carry = a.Carry
			rewards[a.Day] = a.Reward
			paid.Add(paid, big.NewInt(int64(a.Reward)))
		}
		paid.Mul(paid, big.NewInt(int64(staking.Unit)))
		paid.Add(paid, big.NewInt(int64(carry)))
		owed := y.owed(rewards)
		owed.Add(owed, big.NewInt(int64(y.carry)))
		if paid.Cmp(owed) != 0 {
			t.Fatalf("SEED=%d, year %d: paid %s of %s", seed, i, paid, owed)
		}
	}
}

// A year settled day by day, each day a week late, or all of it two years later
// comes to the same figures.
func TestALateRunGivesTheSameFigures(t *testing.T) {
	seed := fromEnv(t, "SEED", 1)
	for i := range uint64(20) {
		y := randomYear(rand.New(rand.NewPCG(seed, i)))
		punctual := y.settle(5 * 60_000)
		for _, late := range []int64{0, 1, 7 * staking.DayMillis, 2 * 366 * staking.DayMillis} {
			if !slices.Equal(y.settle(late), punctual) {
				t.Errorf("SEED=%d, year %d, settled %d ms late: other figures", seed, i, late)
			}
		}
	}
}
