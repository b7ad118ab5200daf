package staking_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func bigOver(balance ledger.Amount, millis int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(balance)), big.NewInt(millis))
}

// Sums of integrals agree with math/big, through zero and back.
func TestIntegralsAddAndSubtract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sum, want := staking.Integral{}, new(big.Int)
		for range rapid.IntRange(1, 30).Draw(t, "terms") {
			balance := ledger.Amount(rapid.Int64().Draw(t, "balance"))
			millis := rapid.Int64Range(0, staking.DayMillis).Draw(t, "millis")
			if part := staking.IntegralOf(balance, millis); rapid.Bool().Draw(t, "add") {
				sum = sum.Add(part)
				want.Add(want, bigOver(balance, millis))
			} else {
				sum = sum.Sub(part)
				want.Sub(want, bigOver(balance, millis))
			}
		}
		if below := sum.Less(staking.Integral{}); below != (want.Sign() < 0) {
			t.Fatalf("%v below zero is %t; it is %s", sum, below, want)
		}
		limit := bigOver(math.MaxInt64, staking.DayMillis)
		if want.Sign() < 0 || want.Cmp(limit) > 0 {
			return
		}
		average, rest := sum.Average()
		got := bigOver(average, staking.DayMillis)
		if got.Add(got, big.NewInt(rest)); got.Cmp(want) != 0 || rest < 0 || rest >= staking.DayMillis {
			t.Fatalf("average %d and rest %d make %s; want %s", average, rest, got, want)
		}
	})
}

func TestIntegralsCompare(t *testing.T) {
	amounts := []ledger.Amount{math.MinInt64, -1 << 62, -1, 0, 1, 2, 1 << 62, math.MaxInt64}
	lengths := []int64{0, 1, 2, staking.DayMillis - 1, staking.DayMillis}
	for _, a := range amounts {
		for _, b := range amounts {
			for _, m := range lengths {
				for _, n := range lengths {
					want := bigOver(a, m).Cmp(bigOver(b, n)) < 0
					if got := staking.IntegralOf(a, m).Less(staking.IntegralOf(b, n)); got != want {
						t.Errorf("%d × %d ms < %d × %d ms is %t", a, m, b, n, got)
					}
				}
			}
		}
	}
}

func TestAverageRoundsDown(t *testing.T) {
	for _, c := range []struct {
		integral      staking.Integral
		average, rest int64
	}{
		{staking.Integral{}, 0, 0},
		{staking.IntegralOf(1, 1), 0, 1},
		{staking.IntegralOf(1, staking.DayMillis-1), 0, staking.DayMillis - 1},
		{staking.IntegralOf(1, staking.DayMillis), 1, 0},
		{staking.IntegralOf(3, staking.DayMillis/2), 1, staking.DayMillis / 2},
		{staking.IntegralOf(math.MaxInt64, staking.DayMillis), math.MaxInt64, 0},
		{staking.IntegralOf(math.MaxInt64, staking.DayMillis).Sub(staking.IntegralOf(1, 1)), math.MaxInt64 - 1,
			staking.DayMillis - 1},
	} {
		if average, rest := c.integral.Average(); int64(average) != c.average || rest != c.rest {
			t.Errorf("%v averages %d, rest %d; want %d, %d", c.integral, average, rest, c.average, c.rest)
		}
	}
}
