package staking_test

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// randomCampaign has 1 to 12 days and 1 to 3 tokens.
func randomCampaign(r *rand.Rand) staking.Campaign {
	tokens := []string{"BNB", "SOL", "TON"}[:1+r.IntN(3)]
	pool := ledger.Amount(r.Uint64()>>(2+r.IntN(60))) + ledger.Amount(len(tokens))
	c := staking.Campaign{ID: "c", Title: "t", Asset: "SUI", Pool: pool, First: 20_000,
		Parts:       staking.EqualParts(pool, tokens),
		Multipliers: []staking.Multiplier{{Label: "vip", Percent: 1 + r.Int64N(10_000)}}}
	c.Last = c.First + staking.Day(r.IntN(12))
	c.End = c.Last
	return c
}

// campaignDay is a day of a token's part: the weights of some accounts, and their shares by
// arbitrary precision.
type campaignDay struct {
	weights []staking.Integral
	shares  []*big.Int
}

// randomCampaignDay: on some days nobody earns, on some a single holder.
func randomCampaignDay(r *rand.Rand, c staking.Campaign, left *big.Int, days int64) (d campaignDay) {
	var eligible []staking.Integral
	if n := r.IntN(7); n > 0 {
		eligible = randomWeights(r, n)
	}
	all := new(big.Int)
	weights := make([]*big.Int, len(eligible))
	for i, e := range eligible {
		percent := pick(r, staking.Once, staking.Once, c.Percent("vip"))
		weights[i] = new(big.Int).Mul(bigIntegral(e), big.NewInt(percent))
		all.Add(all, weights[i])
		d.weights = append(d.weights, e.Times(percent))
	}
	budget := new(big.Int).Set(left)
	if days > 1 { // rounded down to a smallest unit
		unit := big.NewInt(int64(staking.Unit))
		budget.Quo(budget, new(big.Int).Mul(unit, big.NewInt(days)))
		budget.Mul(budget, unit)
	}
	for _, w := range weights {
		share := new(big.Int)
		if all.Sign() > 0 {
			share.Quo(share.Mul(budget, w), all)
		}
		d.shares = append(d.shares, share)
	}
	return d
}

// TestCampaignsAgainstBigIntegers compares the shares of 100,000 random days of campaigns with those
// of arbitrary precision: what is paid and what is left are always the pool.
func TestCampaignsAgainstBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 6))
	for days := 0; days < 100_000; {
		c := randomCampaign(r)
		if err := c.Check(sui); err != nil {
			t.Fatal(err)
		}
		for _, part := range c.Parts {
			paid, left := staking.Exact{}, parts(staking.Exact{Units: part.Amount})
			for d := c.First; d <= c.Last; d++ {
				days++
				x := randomCampaignDay(r, c, left, int64(c.Last-d)+1)
				v := staking.BudgetOf(c, d, part.Token, paid, sumOf(x.weights))
				divider, today := v.Divider(), staking.Exact{}
				for i, w := range x.weights {
					share := divider.Share(w)
					if parts(share).Cmp(x.shares[i]) != 0 {
						t.Fatalf("%+v on %s: a share is %+v, want %s", c, d, share, x.shares[i])
					}
					today = today.Add(share)
				}
				if budget := v.Pool().Sub(today); budget.Units < 0 {
					t.Fatalf("%+v on %s: %+v more than the budget was paid", c, d, budget)
				}
				paid = paid.Add(today)
				left.Sub(left, parts(today))
			}
			whole := staking.Exact{Units: part.Amount}
			if rest := whole.Sub(paid); parts(rest).Cmp(left) != 0 || rest.Units < 0 {
				t.Fatalf("%+v: %+v is left, want %s", c, rest, left)
			}
		}
	}
}

// TestWholePoolIsPaid: where somebody earns on the last day, less than a 1/Unit of a smallest unit per
// account and day is left.
func TestWholePoolIsPaid(t *testing.T) {
	c := staking.Campaign{Pool: 1000, First: 10, Last: 12, End: 12, Parts: staking.EqualParts(1000, []string{"BNB"})}
	one, two := staking.IntegralOf(1, staking.DayMillis), staking.IntegralOf(2, staking.DayMillis)
	paid := staking.Exact{}
	for d, want := range map[staking.Day]ledger.Amount{10: 333, 11: 333, 12: 334} {
		before := staking.Exact{Units: 333 * ledger.Amount(d-10)}
		if got := staking.BudgetOf(c, d, "BNB", before, one).Pool(); got != (staking.Exact{Units: want}) {
			t.Errorf("the budget of %d is %+v", d, got)
		}
	}
	for d := c.First; d <= c.Last; d++ {
		v := staking.BudgetOf(c, d, "BNB", paid, one.Add(two))
		divider := v.Divider()
		paid = paid.Add(divider.Share(one)).Add(divider.Share(two))
	}
	if rest := (staking.Exact{Units: 1000}).Sub(paid); rest.Units != 0 || rest.Part > 3 {
		t.Errorf("%+v is left", rest)
	}
}

func TestEqualParts(t *testing.T) {
	for pool, want := range map[ledger.Amount]string{
		9: "[{A 3} {B 3} {C 3}]", 10: "[{A 4} {B 3} {C 3}]", 11: "[{A 4} {B 4} {C 3}]",
	} {
		if got := fmt.Sprint(staking.EqualParts(pool, []string{"A", "B", "C"})); got != want {
			t.Errorf("%d: %s, want %s", pool, got, want)
		}
	}
}

// sui has two decimals, so that a part of a pool in its smallest units is seen.
var sui = ledger.Asset{Symbol: "SUI", Scale: 2, MaxSupply: 1_000_000}

// TestErrorsOfPartsAreInTokens: what is wrong with a part of the pool is written in the units of the token.
func TestErrorsOfPartsAreInTokens(t *testing.T) {
	for want, amounts := range map[string][2]ledger.Amount{
		"the parts of the pool are not all of it: 0.01 SUI is in none":     {4, 5},
		"the part of SOL is 0.07 SUI, and 0.06 of the pool is left for it": {4, 7},
		"the part of BNB is 0 SUI; it must be above zero":                  {0, 10},
	} {
		c := staking.Campaign{ID: "spring", Title: "Spring", Asset: "SUI", Pool: 10, First: 100, Last: 109,
			Parts: []staking.Part{{Token: "BNB", Amount: amounts[0]}, {Token: "SOL", Amount: amounts[1]}}}
		if err := c.Check(sui); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCampaignsAreChecked(t *testing.T) {
	good := func() staking.Campaign {
		return staking.Campaign{ID: "spring", Title: "Spring", Asset: "SUI", Pool: 10, First: 100, Last: 109,
			Parts:       []staking.Part{{Token: "BNB", Amount: 4}, {Token: "SOL", Amount: 6}},
			Multipliers: []staking.Multiplier{{Label: "vip", Percent: 150}}, Members: 3}
	}
	if err := good().Check(sui); err != nil {
		t.Fatal(err)
	}
	for field, changes := range map[string][]func(*staking.Campaign){
		"id": {func(c *staking.Campaign) { c.ID = "" }, func(c *staking.Campaign) { c.ID = "a/b" },
			func(c *staking.Campaign) { c.ID = ".." }, func(c *staking.Campaign) { c.ID = fmt.Sprintf("%065d", 1) }},
		"title": {func(c *staking.Campaign) { c.Title = " " }, func(c *staking.Campaign) { c.Title = "a\nb" }},
		"pool":  {func(c *staking.Campaign) { c.Pool = 0 }, func(c *staking.Campaign) { c.Pool = -1 }},
		"first": {func(c *staking.Campaign) { c.First = -1 }},
		"last":  {func(c *staking.Campaign) { c.Last = 99 }, func(c *staking.Campaign) { c.Last = 4000 }},
		"members": {func(c *staking.Campaign) { c.Members = -1 },
			func(c *staking.Campaign) { c.Members = 1_000_001 }},
		"tokens": {func(c *staking.Campaign) { c.Parts = nil }, func(c *staking.Campaign) { c.Parts[1].Amount = 5 },
			func(c *staking.Campaign) { c.Parts[1].Amount = 7 }, func(c *staking.Campaign) { c.Parts[1].Token = "BNB" },
			func(c *staking.Campaign) { c.Parts[0].Amount, c.Parts[1].Amount = 0, 10 }},
		"multipliers": {func(c *staking.Campaign) { c.Multipliers[0].Percent = 0 },
			func(c *staking.Campaign) { c.Multipliers[0].Percent = 10_001 },
			func(c *staking.Campaign) { c.Multipliers[0].Label = "VIP" },
			func(c *staking.Campaign) { c.Multipliers = append(c.Multipliers, c.Multipliers[0]) }},
	} {
		for i, change := range changes {
			c := good()
			change(&c)
			var e *ledger.Error
			if err := c.Check(sui); !errors.As(err, &e) || !errors.Is(err, ledger.ErrInvalid) || e.Field != field {
				t.Errorf("%s %d: %v", field, i, err)
			}
		}
	}
}

// TestWeighedDay: in the mode fixed an accrual says exactly what is eligible only where a campaign
// weighs the day.
func TestWeighedDay(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 1_000_000, Cap: 1 << 40}
	h := staking.HoldingAt("alice", "BNB", 7, 0)
	h.Rewind(7, 1)
	plain, _ := staking.Accrue(10, terms, h)
	h.Weighed = true
	weighed, earned := staking.Accrue(10, terms, h)
	if !earned || plain.EligibleRest != 0 || weighed.EligibleIntegral() != h.Integral {
		t.Errorf("%+v, and weighed %+v", plain, weighed)
	}
	weighed.EligibleRest = 0
	if plain != weighed {
		t.Errorf("%+v, and weighed %+v", plain, weighed)
	}
}
