package staking_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

var limited = ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: ledger.MaxSupply}

// A day's total stops when it is above the limit, not when it reaches it; against
// the day before either way.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		what          string
		limit         staking.Limit
		total, before ledger.Amount
		known         bool
		stops         bool
	}{
		{"no limit", staking.Limit{}, math.MaxInt64, 1, true, false},
		{"total at the limit", staking.Limit{MaxTotal: 100}, 100, 0, false, false},
		{"total above the limit", staking.Limit{MaxTotal: 100}, 101, 0, false, true},
		{"up by a tenth", staking.Limit{MaxChange: 1_000}, 110, 100, true, false},
		{"up by more", staking.Limit{MaxChange: 1_000}, 111, 100, true, true},
		{"down by a tenth", staking.Limit{MaxChange: 1_000}, 90, 100, true, false},
		{"down by more", staking.Limit{MaxChange: 1_000}, 89, 100, true, true},
		{"down to nothing", staking.Limit{MaxChange: 9_999}, 0, 100, true, true},
		{"the first day", staking.Limit{MaxChange: 1}, 111, 0, false, false},
		{"up from nothing", staking.Limit{MaxChange: 1_000_000}, 1, 0, true, true},
		{"nothing again", staking.Limit{MaxChange: 1}, 0, 0, true, false},
	} {
		c.limit.Asset = "BNB"
		got := c.limit.Exceeded(limited, c.total, c.before, c.known)
		if (got != "") != c.stops || (c.stops && !strings.Contains(got, "BNB")) {
			t.Errorf("%s: %q", c.what, got)
		}
	}
}

func TestLimitOfChangeAgreesWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{10, 10_000, math.MaxInt64}).Draw(t, "most")
		total, before := rapid.Int64Range(0, most).Draw(t, "total"), rapid.Int64Range(0, most).Draw(t, "before")
		limit := rapid.Int64Range(1, most).Draw(t, "limit")
		change := big.NewInt(total - before)
		change.Abs(change).Mul(change, big.NewInt(10_000))
		allowed := new(big.Int).Mul(big.NewInt(before), big.NewInt(limit))
		got := staking.Limit{Asset: "BNB", MaxChange: limit}.Exceeded(limited, ledger.Amount(total),
			ledger.Amount(before), true)
		if (got != "") != (change.Cmp(allowed) > 0) {
			t.Fatalf("%s against %s: %q", change, allowed, got)
		}
	})
}
