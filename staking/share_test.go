package staking_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// parts is an exact amount in 1/Unit of a smallest unit.
func parts(e staking.Exact) *big.Int {
	n := new(big.Int).Mul(big.NewInt(int64(e.Units)), big.NewInt(int64(staking.Unit)))
	return n.Add(n, big.NewInt(int64(e.Part)))
}

// randomPool is what there is to divide: mostly above zero, sometimes zero or below.
func randomPool(r *rand.Rand) (net ledger.Amount, before staking.Exact) {
	net = ledger.Amount(r.Uint64() >> (3 + r.IntN(61)))
	switch r.IntN(8) {
	case 0:
		net = -net
	case 1:
		net = 0
	}
	before = staking.Exact{Units: ledger.Amount(r.IntN(3) - 1), Part: staking.Fraction(r.Int64N(int64(staking.Unit)))}
	return net, before
}

// randomWeights are the eligible integrals of some accounts over a period: those of one
// day or of many, of dust or of nearly all there can be.
func randomWeights(r *rand.Rand, n int) []staking.Integral {
	weights := make([]staking.Integral, n)
	for i := range weights {
		if r.IntN(10) == 0 {
			continue
		}
		for range 1 + r.IntN(3) {
			balance := ledger.Amount(r.Uint64() >> (5 + r.IntN(59)))
			weights[i] = weights[i].Add(staking.IntegralOf(balance, staking.DayMillis-r.Int64N(staking.DayMillis)))
		}
	}
	return weights
}

func sumOf(weights []staking.Integral) (sum staking.Integral) {
	for _, w := range weights {
		sum = sum.Add(w)
	}
	return sum
}

// bigIntegral is an integral as a big integer, by its average over a millisecond at a time.
func bigIntegral(i staking.Integral) *big.Int {
	n, step := new(big.Int), staking.IntegralOf(1<<62, staking.DayMillis)
	for step != (staking.Integral{}) && !i.Less(step) {
		i = i.Sub(step)
		n.Add(n, new(big.Int).Lsh(big.NewInt(staking.DayMillis), 62))
	}
	average, rest := i.Average()
	n.Add(n, new(big.Int).Mul(big.NewInt(int64(average)), big.NewInt(staking.DayMillis)))
	return n.Add(n, big.NewInt(rest))
}

// TestSharesAgainstBigIntegers compares the shares of random periods with those of
// arbitrary precision, and shows that they and what is left make the pool.
func TestSharesAgainstBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 2))
	for range 100_000 {
		net, before := randomPool(r)
		weights := randomWeights(r, 1+r.IntN(6))
		d := staking.Distribution{Net: net, Before: before, Weight: sumOf(weights)}
		pool, all := parts(d.Pool()), bigIntegral(d.Weight)
		if want := new(big.Int).Add(parts(before), parts(staking.Exact{Units: net})); pool.Cmp(want) != 0 {
			t.Fatalf("%+v: the pool is %s, want %s", d, pool, want)
		}
		divider, paid := d.Divider(), staking.Exact{}
		for _, w := range weights {
			got := divider.Share(w)
			want := new(big.Int)
			if net > 0 && pool.Sign() > 0 && all.Sign() > 0 { // a loss, or nothing, is not divided
				want.Mul(pool, bigIntegral(w))
				want.Quo(want, all)
			}
			if parts(got).Cmp(want) != 0 || got.Part < 0 || got.Part >= staking.Unit {
				t.Fatalf("%+v: the share of %v is %+v, want %s", d, w, got, want)
			}
			paid = paid.Add(got)
		}
		left := parts(d.Pool().Sub(paid))
		if sum := new(big.Int).Add(left, parts(paid)); sum.Cmp(pool) != 0 {
			t.Fatalf("%+v: paid and left are %s, not the pool of %s", d, sum, pool)
		}
		divided := net > 0 && pool.Sign() > 0 && all.Sign() > 0
		if divided && (left.Sign() < 0 || left.Cmp(big.NewInt(int64(len(weights)))) >= 0) {
			t.Fatalf("%+v: %s is left, for %d accounts", d, left, len(weights))
		}
	}
}

// TestYearOfSharesLosesNothing runs a year of periods of 1 to 5 days, with losses and
// periods without income: rewards, carries and what is left are always all that came in.
func TestYearOfSharesLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 3))
	for range 60 {
		accounts := 1 + r.IntN(40)
		carries := make([]staking.Fraction, accounts)
		var left staking.Exact
		var came, paid ledger.Amount
		for day := 0; day < 365; day += 1 + r.IntN(5) {
			net, _ := randomPool(r)
			net >>= 12 // a year of it fits
			came += net
			weights := randomWeights(r, accounts)
			d := staking.Distribution{Net: net, Before: left, Weight: sumOf(weights)}
			divider := d.Divider()
			left = d.Pool()
			for i, w := range weights {
				share := divider.Share(w)
				left = left.Sub(share)
				a, earned := staking.Accrue(7, staking.Terms{Mode: staking.Share}, staking.Holding{
					Asset: "SOL", Absent: true, Carry: carries[i], Shared: share,
				})
				if !earned {
					continue
				}
				paid += a.Reward
				carries[i] = a.Carry
			}
		}
		sum := new(big.Int).Add(parts(staking.Exact{Units: paid}), parts(left))
		for _, c := range carries {
			sum.Add(sum, big.NewInt(int64(c)))
		}
		if want := parts(staking.Exact{Units: came}); sum.Cmp(want) != 0 {
			t.Fatalf("paid, carried and left are %s; %s came in", sum, want)
		}
	}
}

// TestSharesDoNotDependOnOrder: by whichever order and in whichever parts the weights are
// summed and the shares are worked out.
func TestSharesDoNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 4))
	for range 300 {
		net, before := randomPool(r)
		weights := randomWeights(r, 100)
		shares := func(order []int, buckets int) map[int]staking.Exact {
			sums := make([]staking.Integral, buckets)
			for _, i := range order {
				sums[i%buckets] = sums[i%buckets].Add(weights[i])
			}
			divider := staking.Distribution{Net: net, Before: before, Weight: sumOf(sums)}.Divider()
			found := map[int]staking.Exact{}
			for _, i := range order {
				found[i] = divider.Share(weights[i])
			}
			return found
		}
		if diff := cmp.Diff(shares(r.Perm(100), 1), shares(r.Perm(100), 7)); diff != "" {
			t.Fatalf("in another order (-one +other):\n%s", diff)
		}
	}
}

// TestShareOfOne gets everything, and of two with the same weight each a half.
func TestShareOfOne(t *testing.T) {
	w := staking.IntegralOf(5, staking.DayMillis)
	one := staking.Distribution{Net: 7, Weight: w}.Divider()
	if got := one.Share(w); got != (staking.Exact{Units: 7}) {
		t.Errorf("one gets %+v", got)
	}
	two := staking.Distribution{Net: 7, Weight: w.Add(w)}.Divider()
	if got := two.Share(w); got != (staking.Exact{Units: 3, Part: staking.Unit / 2}) {
		t.Errorf("one of two gets %+v", got)
	}
	if got := (staking.Distribution{Net: 7}).Divider().Share(staking.Integral{}); got != (staking.Exact{}) {
		t.Errorf("where nobody holds anything, one gets %+v", got)
	}
}

// TestAccrueInShareMode: the day weighs what is eligible, exactly, and earns what the
// distributions of the day say; one who is absent keeps only the latter.
func TestAccrueInShareMode(t *testing.T) {
	terms := staking.Terms{Asset: "SOL", Offered: true, Mode: staking.Share, Min: 10, Cap: 20}
	h := staking.HoldingAt("alice", "SOL", 15, 5)
	h.Rewind(1, 1) // 14 in the first millisecond
	h.Shared = staking.Exact{Units: 3, Part: staking.Unit - 2}
	a, earned := staking.Accrue(9, terms, h)
	want := staking.Accrual{
		Day: 9, Account: "alice", Asset: "SOL", Opening: 14, Average: 14, Rest: staking.DayMillis - 1, Eligible: 14,
		EligibleRest: staking.DayMillis - 1, Reward: 4, Before: 5, Carry: 3,
	}
	if diff := cmp.Diff(want, a); diff != "" || !earned {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.Absent = true
	want.Average, want.Rest, want.Eligible, want.EligibleRest = 0, 0, 0, 0
	if a, earned = staking.Accrue(9, terms, h); a != want || !earned {
		t.Errorf("absent: %+v", a)
	}
	h.Shared = staking.Exact{}
	if a, earned = staking.Accrue(9, terms, h); earned {
		t.Errorf("absent and without a share: %+v", a)
	}
	h.Absent, h.Integral = false, staking.IntegralOf(25, staking.DayMillis)
	if a, _ = staking.Accrue(9, terms, h); a.Eligible != 20 || a.EligibleRest != 0 || a.Average != 25 || a.Reward != 0 {
		t.Errorf("above the cap: %+v", a)
	}
}

func TestModes(t *testing.T) {
	for _, m := range []staking.Mode{staking.Fixed, staking.Share} {
		if got, err := staking.ParseMode(m.String()); got != m || err != nil {
			t.Errorf("%s is read as %s: %v", m, got, err)
		}
	}
	if _, err := staking.ParseMode("pool"); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	asset := ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1000}
	for _, c := range []struct {
		terms staking.Terms
		field string
	}{
		{staking.Terms{Mode: 9, Cap: 1}, "mode"},
		{staking.Terms{Mode: staking.Share, APR: 1, Cap: 1}, "apr"},
		{staking.Terms{Fee: staking.Whole + 1, Cap: 1}, "fee"},
		{staking.Terms{Fee: -1, Cap: 1}, "fee"},
	} {
		var e *ledger.Error
		if err := c.terms.Check(asset); !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("%+v: got %v", c.terms, err)
		}
	}
}

func TestYearlyRate(t *testing.T) {
	w := staking.IntegralOf(1_000_000, staking.DayMillis)
	if r, ok := staking.YearlyRate(110, w); r.String() != "0.04015" || !ok { // 110 × 365 of a million
		t.Errorf("got %s, %t", r, ok)
	}
	for _, c := range []struct {
		amount ledger.Amount
		weight staking.Integral
	}{{-1, w}, {1, staking.Integral{}}, {1 << 60, staking.IntegralOf(1, 1)}} {
		if r, ok := staking.YearlyRate(c.amount, c.weight); ok {
			t.Errorf("%d of %v is %s", c.amount, c.weight, r)
		}
	}
}

func TestIntegralsAreWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 5))
	for range 1000 {
		w := sumOf(randomWeights(r, 5))
		if got, err := staking.ParseIntegral(w.String()); got != w || err != nil || w.String() != bigIntegral(w).String() {
			t.Fatalf("%s is read as %s: %v", w, got, err)
		}
	}
	for _, text := range []string{"", "-1", "1.5", "x", "170141183460469231731687303715884105728"} {
		if got, err := staking.ParseIntegral(text); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q is read as %s: %v", text, got, err)
		}
	}
}
