package staking_test

import (
	"cmp"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

const rateMax staking.Rate = 1<<30 - 1

// fromEnv is a number that whoever runs the test may choose.
func fromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	s, set := os.LookupEnv(name)
	if !set {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// The day's arithmetic agrees with math/big on 300,000 random histories, and the
// histories do lie where it is hard. SEED chooses others, HISTORIES how many.
func TestTheDayAgreesWithTheOracle(t *testing.T) {
	seed, histories := fromEnv(t, "SEED", 1), fromEnv(t, "HISTORIES", 300_000)
	seen := map[string]uint64{}
	for i := range histories {
		r := rand.New(rand.NewPCG(seed, i))
		h := randomHistory(r)
		if r.IntN(3) == 0 {
			h = poisedHistory(r)
		}
		v, wrong := checkHistory(h, r.Perm(len(h.events)))
		if wrong != "" {
			t.Fatalf("SEED=%d, history %d: %+v\n%s", seed, i, h, wrong)
		}
		v.tally(h, seen)
	}
	t.Logf("seen: %v", seen)
	for _, what := range hard {
		if seen[what] < histories/200 {
			t.Errorf("SEED=%d: only %d of %d histories were %q", seed, seen[what], histories, what)
		}
	}
}

// randomHistory is a balance that wanders between nothing and a bound, with
// terms near what the day came to.
func randomHistory(r *rand.Rand) history {
	most := pick[int64](r, 1, 1_000, 214_000_000, 1<<40, 1<<53, 1<<62-1, 1<<62, math.MaxInt64)
	h := history{before: ledger.Amount(upTo(r, most)), carry: randomCarry(r)}
	h.events = randomEvents(r, h.before, most)
	average := judge(h).average.Int64()
	low := min(max(pick(r, 0, average-1, average, min(average, math.MaxInt64-1)+1, upTo(r, most)), 0), most)
	high := max(pick(r, low, average-1, average, min(average, math.MaxInt64-1)+1, most, upTo(r, most)), low, 1)
	h.terms = staking.Terms{
		Asset: "BNB", Offered: r.IntN(50) > 0, APR: randomRate(r),
		Min: ledger.Amount(low), Cap: ledger.Amount(high),
	}
	return h
}

func randomCarry(r *rand.Rand) staking.Fraction {
	return staking.Fraction(upTo(r, int64(staking.Unit)-1))
}

func randomRate(r *rand.Rand) staking.Rate {
	return pick(r, 0, 1, 150_000, 1_000_000, 3_650_000, rateMax-1, rateMax, staking.Rate(r.Int64N(int64(rateMax))))
}

// randomEvents are deposits, withdrawals, holds, releases and former rewards: to
// a free balance all are changes. Some come many to a millisecond.
func randomEvents(r *rand.Rand, balance ledger.Amount, most int64) []event {
	times := make([]int64, r.IntN(pick(r, 2, 6, 6, 16)))
	for i := range times {
		times[i] = moment(r)
		if i > 0 && r.IntN(4) == 0 {
			times[i] = times[i-1]
		}
	}
	slices.Sort(times)
	events := make([]event, len(times))
	for i, at := range times {
		next := ledger.Amount(upTo(r, most))
		events[i] = event{at, next - balance}
		balance = next
	}
	return events
}

// poisedHistory swings up and down by as much for as long, so that the day comes
// to exactly the minimum or the cap, or to one unit for one millisecond less or more.
func poisedHistory(r *rand.Rand) history {
	const quarter = staking.DayMillis / 4
	edge := pick[int64](r, 1, 2, 50_000_000, 100_000_000_000, 1<<53, 1<<62-1)
	swing := ledger.Amount(1 + upTo(r, edge-1))
	width := 1 + r.Int64N(quarter)
	up, down := r.Int64N(quarter), 2*quarter+r.Int64N(quarter-1)
	h := history{before: ledger.Amount(edge), carry: randomCarry(r)}
	h.events = []event{{up, swing}, {up + width, -swing}, {down, -swing}, {down + width, swing}}
	if last := pick[ledger.Amount](r, -1, 0, 1); last != 0 {
		h.events = append(h.events, event{staking.DayMillis - 1, last})
	}
	h.events = append(h.events, event{staking.DayMillis + r.Int64N(10), -swing}, event{9 * staking.DayMillis, 7})
	slices.SortStableFunc(h.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	h.terms = staking.Terms{
		Asset: "BNB", Offered: true, APR: randomRate(r), Min: ledger.Amount(edge), Cap: ledger.Amount(edge),
	}
	switch r.IntN(3) {
	case 0:
		h.terms.Min = ledger.Amount(upTo(r, edge))
	case 1:
		h.terms.Cap = math.MaxInt64
	}
	return h
}

// hard are the places that enough histories must have been in.
var hard = []string{
	"earning", "earning nothing", "exactly the minimum", "a unit-millisecond below the minimum",
	"exactly the cap", "a unit-millisecond above the cap", "above the cap", "an integral with a rest",
	"changes in one millisecond", "settled late", "many changes", "opened by a change at midnight",
	"rate 0", "the highest rate", "balances above 2^62", "a unit out of the carry", "earning with a reward of 0",
}

func (v verdict) tally(h history, seen map[string]uint64) {
	count := func(what string, so bool) {
		if so {
			seen[what]++
		}
	}
	aboveMin, aboveCap := new(big.Int).Sub(v.integral, v.minimum), new(big.Int).Sub(v.integral, v.limit)
	carried := v.earned && v.under(h.terms, 0).reward.Cmp(v.reward) < 0
	count("earning", v.earned)
	count("earning nothing", !v.earned)
	count("exactly the minimum", v.earned && aboveMin.Sign() == 0)
	count("a unit-millisecond below the minimum", !v.earned && aboveMin.Cmp(big.NewInt(-1)) == 0)
	count("exactly the cap", v.earned && aboveCap.Sign() == 0)
	count("a unit-millisecond above the cap", v.earned && aboveCap.Cmp(big.NewInt(1)) == 0)
	count("above the cap", v.earned && aboveCap.Sign() > 0)
	count("an integral with a rest", v.earned && v.rest.Sign() > 0)
	count("changes in one millisecond", v.changesInOneMs)
	count("settled late", v.isLate)
	count("many changes", len(h.events) > 8)
	count("opened by a change at midnight", v.opening.Int64() != int64(h.before))
	count("rate 0", h.terms.APR == 0)
	count("the highest rate", h.terms.APR == rateMax)
	count("balances above 2^62", v.earned && v.average.BitLen() > 62)
	count("a unit out of the carry", carried)
	count("earning with a reward of 0", v.earned && v.reward.Sign() == 0)
}

// The same, where a failure shrinks to the least history that shows it.
func TestTheDayAgreesWithTheOracleInTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{3, 1_000, 1 << 62, math.MaxInt64}).Draw(t, "most")
		amount := rapid.Int64Range(0, most)
		h := history{
			before: ledger.Amount(amount.Draw(t, "before")),
			carry:  staking.Fraction(rapid.Int64Range(0, int64(staking.Unit)-1).Draw(t, "carry")),
		}
		times := rapid.SliceOfN(rapid.Int64Range(0, 2*staking.DayMillis), 0, 6).Draw(t, "times")
		slices.Sort(times)
		balance := h.before
		for _, at := range times {
			next := ledger.Amount(amount.Draw(t, "balance"))
			h.events = append(h.events, event{at, next - balance})
			balance = next
		}
		low := rapid.Int64Range(0, most).Draw(t, "min")
		high := rapid.Int64Range(max(low, 1), most).Draw(t, "cap")
		rate := staking.Rate(rapid.Int64Range(0, int64(rateMax)).Draw(t, "rate"))
		h.terms = staking.Terms{
			Asset: "BNB", Offered: true, APR: rate, Min: ledger.Amount(low), Cap: ledger.Amount(high),
		}
		order := make([]int, len(h.events))
		for i := range order {
			order[i] = i
		}
		if _, wrong := checkHistory(h, rapid.Permutation(order).Draw(t, "order")); wrong != "" {
			t.Fatal(wrong)
		}
	})
}
