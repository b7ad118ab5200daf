package staking_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// judgeLowest finds the smallest balance of the day, forward over the moments at which it changes, and what it
// comes to by the terms.
func judgeLowest(h history) verdict {
	v := verdict{opening: big.NewInt(int64(h.before))}
	moments := map[int64]*big.Int{}
	for _, e := range h.events {
		v.isLate = v.isLate || e.at >= day.Int64()
		if e.at >= day.Int64() {
			continue
		}
		if e.at == 0 {
			v.opening.Add(v.opening, big.NewInt(int64(e.change)))
			continue
		}
		if moments[e.at] == nil {
			moments[e.at] = new(big.Int)
		} else {
			v.changesInOneMs = true
		}
		moments[e.at].Add(moments[e.at], big.NewInt(int64(e.change)))
	}
	times := []int64{}
	for at := range moments {
		times = append(times, at)
	}
	slices.Sort(times)
	lowest, balance := new(big.Int).Set(v.opening), new(big.Int).Set(v.opening)
	for _, at := range times {
		if balance.Add(balance, moments[at]); balance.Cmp(lowest) < 0 {
			lowest.Set(balance)
		}
	}
	v.integral = new(big.Int).Mul(lowest, day)
	return v.under(h.terms, h.carry)
}

// lowestHistory is a balance that wanders, sometimes below zero, with terms near its smallest.
func lowestHistory(r *rand.Rand) history {
	most := pick[int64](r, 1, 1_000, 214_000_000, 1<<40, 1<<53, 1<<62-1, 1<<62)
	h := history{before: ledger.Amount(upTo(r, most)), carry: randomCarry(r)}
	h.events = randomEvents(r, h.before, most)
	if n := len(h.events); n > 0 && r.IntN(6) == 0 { // another ledger decides: below zero until the next change
		i, below := r.IntN(n), ledger.Amount(1+upTo(r, min(most, 1<<40)))
		h.events[i].change -= below
		if i+1 < n {
			h.events[i+1].change += below
		}
	}
	if n := len(h.events); n > 0 && r.IntN(3) == 0 { // there and back in one millisecond
		i, back := r.IntN(n), ledger.Amount(upTo(r, min(most, 1<<40)))
		at := h.events[i].at
		h.events = slices.Insert(h.events, i, event{at, -back}, event{at, back})
	}
	h.terms = staking.Terms{Asset: "BNB", Offered: r.IntN(50) > 0, APR: randomRate(r), Cap: 1, Measure: staking.Lowest}
	lowest := new(big.Int).Quo(judgeLowest(h).integral, day).Int64()
	near := pick(r, 0, lowest-1, lowest, lowest+1, upTo(r, most))
	h.terms.Min = ledger.Amount(min(max(near, 0), most))
	near = pick(r, lowest-1, lowest, lowest+1, most, upTo(r, most))
	h.terms.Cap = max(ledger.Amount(min(near, most)), h.terms.Min, 1)
	return h
}

// checkLowest puts both to one history, whose changes come in any order.
func checkLowest(r *rand.Rand, h history) (verdict, string) {
	holding := h.counted(r.Perm(len(h.events)))
	var changes []staking.Change
	for _, i := range r.Perm(len(h.events)) {
		changes = append(changes, staking.Change{Millis: h.events[i].at, Amount: h.events[i].change})
	}
	holding.MeasureLowest(changes)
	v := judgeLowest(h)
	a, earned := staking.Accrue(20_000, h.terms, holding)
	return v, v.disagreement(h, a, earned)
}

// The smallest balance agrees with math/big on 200,000 random days, and the days do lie
// where it is hard. SEED chooses others, HISTORIES how many.
func TestTheSmallestBalanceAgreesWithTheOracle(t *testing.T) {
	seed, histories := fromEnv(t, "SEED", 1), fromEnv(t, "HISTORIES", 200_000)
	seen := map[string]uint64{}
	for i := range histories {
		r := rand.New(rand.NewPCG(seed, i))
		h := lowestHistory(r)
		v, wrong := checkLowest(r, h)
		if wrong != "" {
			t.Fatalf("SEED=%d, day %d: %+v\n%s", seed, i, h, wrong)
		}
		v.tally(h, seen)
		for what, is := range map[string]bool{
			"below zero":              v.integral.Sign() < 0,
			"smallest at midnight":    v.earned && new(big.Int).Mul(v.opening, day).Cmp(v.integral) == 0,
			"average above the limit": v.earned && judge(h).integral.Cmp(v.limit) > 0 && v.integral.Cmp(v.limit) < 0,
			"last millisecond": slices.ContainsFunc(h.events, func(e event) bool {
				return e.at == staking.DayMillis-1 && e.change < 0
			}),
		} {
			if is {
				seen[what]++
			}
		}
	}
	t.Logf("seen: %v", seen)
	for _, what := range []string{
		"below zero", "smallest at midnight", "average above the limit", "last millisecond", "earning", "earning nothing",
		"exactly the minimum", "exactly the cap", "above the cap", "changes in one millisecond", "settled late",
		"many changes", "opened by a change at midnight",
	} {
		if seen[what] < histories/200 {
			t.Errorf("SEED=%d: only %d of %d days were %q", seed, seen[what], histories, what)
		}
	}
}

// A reward of a day before moves every balance of the day, and so its smallest.
func TestAChangeAtMidnightMovesTheSmallestBalance(t *testing.T) {
	h := staking.HoldingAt("alice", "BNB", 10, 0)
	h.Rewind(-5, 1000)
	h.MeasureLowest([]staking.Change{{Millis: 1000, Amount: -5}})
	h.Change(3, 0)
	if h.Opening != 18 || h.Integral != staking.IntegralOf(13, staking.DayMillis) {
		t.Errorf("got %+v", h)
	}
}
