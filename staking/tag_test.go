package staking_test

import (
	"cmp"
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func TestTag(t *testing.T) {
	held := func(asset string, free, minimum, worth ledger.Amount) staking.Candidate {
		return staking.Candidate{
			Terms: staking.Terms{Asset: asset, Offered: true, Min: minimum, Cap: 1000}, Free: free, Worth: worth,
			Priced: true,
		}
	}
	unpriced := func(c staking.Candidate) staking.Candidate { c.Priced = false; return c }
	withdrawn := func(c staking.Candidate) staking.Candidate { c.Terms.Offered = false; return c }
	for _, c := range []struct {
		name       string
		candidates []staking.Candidate
		want       string // "": no tag
	}{
		{"nothing is held", nil, ""},
		{"the one that qualifies", []staking.Candidate{held("ADA", 150, 150, 9), held("BNB", 49, 50, 900)}, "ADA"},
		{"one unit short", []staking.Candidate{held("BNB", 49, 50, 900)}, ""},
		{"the most worth, not the most units",
			[]staking.Candidate{held("ADA", 900, 150, 300), held("BNB", 60, 50, 301)}, "BNB"},
		{"equally worth: by symbol",
			[]staking.Candidate{held("SOL", 100, 1, 77), held("BNB", 100, 1, 77), held("SUI", 100, 1, 77)}, "BNB"},
		{"without a price: last", []staking.Candidate{unpriced(held("ADA", 900, 150, 9999)), held("SOL", 2, 1, 1)},
			"SOL"},
		{"worth nothing, but with a price",
			[]staking.Candidate{unpriced(held("ADA", 900, 150, 0)), held("SOL", 2, 1, 0)}, "SOL"},
		{"none has a price: by symbol",
			[]staking.Candidate{unpriced(held("SOL", 2, 1, 5)), unpriced(held("ADA", 900, 150, 1))}, "ADA"},
		{"not on offer today", []staking.Candidate{withdrawn(held("BNB", 60, 50, 900)), held("SOL", 2, 1, 3)}, "SOL"},
		{"no minimum, and nothing held", []staking.Candidate{held("BNB", 0, 0, 0)}, ""},
		{"above the cap it qualifies all the same", []staking.Candidate{held("BNB", 5000, 50, 900)}, "BNB"},
	} {
		got, found := staking.Tag(c.candidates)
		if got != c.want || found != (c.want != "") {
			t.Errorf("%s: %q %v, want %q", c.name, got, found, c.want)
		}
	}
}

// TestTagIsTheFirstInOrder compares the choice with the rule written as an order:
// what qualifies, sorted, the first.
func TestTagIsTheFirstInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		symbols := rapid.SliceOfNDistinct(rapid.StringMatching("[A-D]{1,2}"), 0, 8, rapid.ID).Draw(t, "symbols")
		var all []staking.Candidate
		for _, symbol := range symbols {
			few := rapid.Int64Range(0, 3)
			all = append(all, staking.Candidate{
				Terms: staking.Terms{
					Asset: symbol, Offered: few.Draw(t, "offered") > 0, Min: ledger.Amount(few.Draw(t, "minimum")),
					Cap: 100,
				},
				Free: ledger.Amount(few.Draw(t, "free")), Worth: ledger.Amount(few.Draw(t, "worth")),
				Priced: few.Draw(t, "priced") > 0,
			})
		}
		qualifying := slices.DeleteFunc(slices.Clone(all), func(c staking.Candidate) bool {
			return !c.Terms.Offered || c.Free == 0 || c.Free < c.Terms.Min
		})
		slices.SortFunc(qualifying, func(a, b staking.Candidate) int {
			worth := func(c staking.Candidate) ledger.Amount {
				if !c.Priced {
					return -1
				}
				return c.Worth
			}
			return cmp.Or(cmp.Compare(worth(b), worth(a)), cmp.Compare(a.Terms.Asset, b.Terms.Asset))
		})
		got, found := staking.Tag(rapid.Permutation(all).Draw(t, "in another order"))
		if found != (len(qualifying) > 0) || found && got != qualifying[0].Terms.Asset {
			t.Fatalf("%q %v of %+v", got, found, all)
		}
	})
}

func TestEstimate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := staking.Terms{
			Asset: "BNB", From: 20_000, Offered: true, Mode: staking.Share,
			Min: ledger.Amount(rapid.Int64Range(0, 1000).Draw(t, "minimum")),
		}
		terms.Cap = max(terms.Min, 1) + ledger.Amount(rapid.Int64Range(0, 1<<61).Draw(t, "cap"))
		free := ledger.Amount(rapid.Int64Range(0, int64(ledger.MaxSupply)).Draw(t, "free"))
		// That of a period of a few dust holders is far above those that terms can have.
		rate := rapid.Int64Range(0, 1<<31).Draw(t, "rate") << rapid.IntRange(0, 31).Draw(t, "shift")
		year := new(big.Int).Mul(big.NewInt(int64(min(free, terms.Cap))), big.NewInt(rate))
		day := new(big.Int).Div(year, big.NewInt(365*100_000_000))
		year.Div(year, big.NewInt(100_000_000))
		if free < terms.Min || free == 0 {
			day, year = new(big.Int), new(big.Int)
		}
		gotDay, gotYear, err := staking.Estimate(terms, free, free, staking.Rate(rate))
		if !year.IsInt64() {
			if !errors.Is(err, ledger.ErrOverflow) {
				t.Fatalf("a year of %s units: %v", year, err)
			}
			return
		}
		if err != nil || int64(gotDay) != day.Int64() || int64(gotYear) != year.Int64() {
			t.Fatalf("%d a day and %d a year, %v; want %s and %s", gotDay, gotYear, err, day, year)
		}
	})
}

// TestEarning: what of a balance earns now is what is eligible of a day on which it and those of its owner's other
// accounts stay as they are.
func TestEarning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, rapid.SampledFrom([]int64{20, 1 << 40, int64(ledger.MaxSupply) / 2}).Draw(t, "size"))
		terms := staking.Terms{
			Asset: "BNB", Offered: rapid.Bool().Draw(t, "offered"), Min: ledger.Amount(amount.Draw(t, "minimum")),
			PerOwner: rapid.Bool().Draw(t, "per owner"),
		}
		terms.Cap = max(terms.Min, 1) + ledger.Amount(amount.Draw(t, "cap"))
		free, together := ledger.Amount(amount.Draw(t, "free")), ledger.Amount(0)
		h := staking.HoldingAt("", "BNB", free, 0)
		if together = free; terms.PerOwner && free > 0 {
			together += ledger.Amount(amount.Draw(t, "others"))
			h.OwnerIntegral = staking.IntegralOf(together, staking.DayMillis)
		}
		a, _ := staking.Accrue(terms.From, terms, h)
		if got := terms.Earning(free, together); got != a.Eligible {
			t.Fatalf("of %d, %d together, %d earns, not %d, of %+v", free, together, got, a.Eligible, terms)
		}
	})
}
