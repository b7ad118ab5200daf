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
		{"a small day", staking.Limit{MaxTotal: 10_000, MaxChange: 1}, 99, 0, true, false},
		{"a small day after another", staking.Limit{MaxTotal: 10_000, MaxChange: 1}, 0, 99, true, false},
		{"no small day", staking.Limit{MaxTotal: 10_000, MaxChange: 1}, 100, 0, true, true},
		{"a small day after one that is none", staking.Limit{MaxTotal: 10_000, MaxChange: 1}, 0, 100, true, true},
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

// TestShippedLimits: each token of new books has every limit, and its terms are within them.
func TestShippedLimits(t *testing.T) {
	tokens, err := staking.ShippedTokens(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		l, supply := staking.ShippedLimit(token.Asset), token.Asset.MaxSupply
		want := staking.Limit{Asset: token.Asset.Symbol, MaxTotal: supply / 100_000, MaxChange: 50_00,
			MaxWithdrawal: supply / 1_000_000, MaxAPR: 20_000_000, MaxInflow: supply / 100}
		if l != want || want.MaxWithdrawal == 0 {
			t.Errorf("%+v, not %+v", l, want)
		}
		if err := l.CheckTerms(token.Terms); err != nil {
			t.Error(err)
		}
	}
	l := staking.Limit{Asset: "BNB", MaxAPR: 5}
	for _, c := range []struct {
		apr, gross staking.Rate
		refused    bool
	}{{5, 0, false}, {6, 0, true}, {5, 5, false}, {0, 6, true}} {
		if err := l.CheckTerms(staking.Terms{APR: c.apr, GrossAPR: c.gross}); (err != nil) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
