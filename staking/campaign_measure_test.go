package staking_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// measuredAccount is an account's day, forward from its first moment.
type measuredAccount struct {
	opening ledger.Amount
	changes []staking.Change // by time; several may be of one millisecond
}

// randomAccount holds little enough that three of them fit any supply, and is never below zero.
func randomAccount(r *rand.Rand) measuredAccount {
	a := measuredAccount{opening: ledger.Amount(r.Int64N(1 << (1 + r.IntN(50))))}
	if r.IntN(4) == 0 {
		a.opening = 0
	}
	balance, at := a.opening, int64(0)
	for range r.IntN(5) {
		at = min(at+pick(r, 0, 1, r.Int64N(staking.DayMillis)), staking.DayMillis-1)
		at = max(at, 1)
		change := ledger.Amount(r.Int64N(1 << (1 + r.IntN(50))))
		if r.IntN(2) == 0 {
			change = -ledger.Amount(r.Int64N(int64(balance) + 1))
		}
		balance += change
		a.changes = append(a.changes, staking.Change{Millis: at, Amount: change})
	}
	return a
}

// holding is the day as it is measured: counted back from its end.
func (a measuredAccount) holding(terms staking.Terms) staking.Holding {
	balance := a.opening
	for _, c := range a.changes {
		balance += c.Amount
	}
	h := staking.HoldingAt("alice", terms.Asset, balance, 0)
	for _, c := range a.changes {
		h.Rewind(c.Amount, c.Millis)
	}
	average := h.Integral
	h.MeasureLowest(a.changes)
	h.Other = &staking.Other{Integral: average}
	if terms.Measure == staking.Average {
		h.Other.Integral, h.Integral = h.Integral, average
	}
	return h
}

// held is the integral of the day by a measure, forward, millisecond by millisecond that has changes.
func (a measuredAccount) held(m staking.Measure) *big.Int {
	sum, balance, since := new(big.Int), big.NewInt(int64(a.opening)), int64(0)
	lowest := new(big.Int).Set(balance)
	until := func(at int64) {
		sum.Add(sum, new(big.Int).Mul(balance, big.NewInt(at-since)))
		if at > since && balance.Cmp(lowest) < 0 {
			lowest.Set(balance)
		}
		since = at
	}
	for _, c := range a.changes {
		until(c.Millis)
		balance.Add(balance, big.NewInt(int64(c.Amount)))
	}
	if until(staking.DayMillis); m == staking.Lowest {
		return lowest.Mul(lowest, day)
	}
	return sum
}

// eligibleOf is what is eligible of an account's integral, by arbitrary precision.
func eligibleOf(terms staking.Terms, own, together *big.Int) *big.Int {
	least := new(big.Int).Mul(big.NewInt(int64(terms.Min)), day)
	most := new(big.Int).Mul(big.NewInt(int64(terms.Cap)), day)
	compared := own
	if terms.PerOwner && own.Sign() > 0 && together.Cmp(own) > 0 {
		compared = together
	}
	switch {
	case compared.Cmp(least) < 0:
		return new(big.Int)
	case compared.Cmp(most) <= 0:
		return own
	}
	part := new(big.Int).Mul(most, own)
	return part.Quo(part, compared)
}

// TestCampaignMeasuresAgainstBigIntegers compares what 100,000 random days weigh in campaigns of either measure, over
// tokens of either measure, whose accounts have one owner or none, and their shares, with arbitrary precision.
func TestCampaignMeasuresAgainstBigIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 24))
	differing := 0
	for range 100_000 {
		least := ledger.Amount(r.Int64N(1 << (1 + r.IntN(50))))
		terms := staking.Terms{Asset: "BNB", Offered: true, Min: pick(r, 0, least), PerOwner: r.IntN(2) == 0,
			Measure: pick(r, staking.Average, staking.Lowest), APR: staking.Rate(r.Int64N(1 << 30))}
		terms.Cap = terms.Min + ledger.Amount(r.Int64N(1<<(1+r.IntN(50)))) + 1
		c := randomCampaign(r)
		measure := pick(r, staking.Average, staking.Lowest)
		c.Measure = &measure
		accounts := make([]measuredAccount, 1+r.IntN(3))
		var together, other staking.Integral
		held, sum := make([]*big.Int, len(accounts)), new(big.Int)
		holdings := make([]staking.Holding, len(accounts))
		for i := range accounts {
			accounts[i] = randomAccount(r)
			holdings[i] = accounts[i].holding(terms)
			together, other = together.Add(holdings[i].Integral), other.Add(holdings[i].Other.Integral)
			held[i] = accounts[i].held(measure)
			sum.Add(sum, held[i])
		}
		weights, all, want := make([]staking.Integral, len(accounts)), new(big.Int), make([]*big.Int, len(accounts))
		for i, h := range holdings {
			h.Weighed, h.OwnerIntegral, h.Other.OwnerIntegral = true, together, other
			if c.ByOther(terms.Measure) {
				h = h.ByOther()
			}
			a, _ := staking.Accrue(20_000, terms, h)
			weights[i], want[i] = a.EligibleIntegral().Times(staking.Once), eligibleOf(terms, held[i], sum)
			want[i] = new(big.Int).Mul(want[i], big.NewInt(staking.Once))
			all.Add(all, want[i])
			if bigIntegral(weights[i]).Cmp(want[i]) != 0 {
				t.Fatalf("%+v, campaign by %s, %+v: weighs %s, want %s", terms, measure, accounts, weights[i], want[i])
			}
		}
		if c.ByOther(terms.Measure) && all.Sign() > 0 {
			differing++
		}
		compareShares(t, c, weights, want, all)
	}
	if differing < 10_000 {
		t.Errorf("only %d days were weighed by another measure than that of the terms", differing)
	}
}

// compareShares divides the first day of a campaign's first part.
func compareShares(t *testing.T, c staking.Campaign, weights []staking.Integral, want []*big.Int, all *big.Int) {
	t.Helper()
	v := staking.BudgetOf(c, c.First, c.Parts[0].Token, staking.Exact{}, sumOf(weights))
	divider, budget := v.Divider(), parts(v.Pool())
	for i, w := range weights {
		share := new(big.Int)
		if all.Sign() > 0 {
			share.Quo(share.Mul(budget, want[i]), all)
		}
		if got := parts(divider.Share(w)); got.Cmp(share) != 0 {
			t.Fatalf("%+v: a share is %s, want %s", c, got, share)
		}
	}
}
