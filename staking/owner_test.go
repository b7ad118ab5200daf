package staking_test

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// randomOwner is what the accounts of an owner held, mostly near the limits of the terms
// together: in all they have about so much, in parts of all sizes.
func randomOwner(r *rand.Rand, terms staking.Terms) []staking.Integral {
	all := staking.IntegralOf(pick(r, terms.Min, terms.Cap, terms.Cap/3, 1<<61), staking.DayMillis)
	rest := bigIntegral(all)
	rest.Add(rest, big.NewInt(r.Int64N(3)-1))
	accounts := make([]staking.Integral, 1+r.IntN(6))
	for i := range accounts {
		part := new(big.Int).Set(rest)
		if i < len(accounts)-1 {
			part.Mul(part, big.NewInt(r.Int64N(1<<40)))
			part.Rsh(part, uint(40+r.IntN(40)))
		}
		rest.Sub(rest, part)
		if r.IntN(12) == 0 {
			part.SetInt64(pick(r, int64(0), -1, -staking.DayMillis*7))
		}
		accounts[i] = integralOf(part)
	}
	return accounts
}

// integralOf makes an integral of a big integer.
func integralOf(n *big.Int) staking.Integral {
	units, rest := new(big.Int).QuoRem(n, big.NewInt(staking.DayMillis), new(big.Int))
	return staking.IntegralOf(ledger.Amount(units.Int64()), staking.DayMillis).Add(
		staking.IntegralOf(ledger.Amount(rest.Int64()), 1))
}

// signed is an integral as a big integer, also below zero.
func signed(i staking.Integral) *big.Int {
	if i.Less(staking.Integral{}) {
		n := bigIntegral(staking.Integral{}.Sub(i))
		return n.Neg(n)
	}
	return bigIntegral(i)
}

// ownerOracle is what earns of each account of an owner, in math/big; nil: it earns nothing.
func ownerOracle(terms staking.Terms, accounts []staking.Integral) []*big.Int {
	sum, least, most := new(big.Int), new(big.Int), new(big.Int)
	for _, own := range accounts {
		if n := signed(own); n.Sign() > 0 {
			sum.Add(sum, n)
		}
	}
	least.Mul(big.NewInt(int64(terms.Min)), day)
	most.Mul(big.NewInt(int64(terms.Cap)), day)
	eligible := make([]*big.Int, len(accounts))
	for i, own := range accounts {
		n := signed(own)
		switch {
		case n.Sign() < 0, n.Sign() == 0 && least.Sign() > 0, sum.Cmp(least) < 0:
		case sum.Cmp(most) <= 0:
			eligible[i] = n
		default:
			n.Mul(n, most)
			eligible[i] = n.Quo(n, sum)
		}
	}
	return eligible
}

// TestAnOwnersAccountsShareMinimumAndCap compares the rule with an oracle, for owners of one
// account or of several, below the minimum, at the limits and above the cap together.
func TestAnOwnersAccountsShareMinimumAndCap(t *testing.T) {
	seed := fromEnv(t, "SEED", 1)
	r := rand.New(rand.NewPCG(seed, 7))
	seen := map[string]int{}
	for try := range 120_000 {
		terms := staking.Terms{Asset: "BNB", Offered: true, Mode: staking.Share, PerOwner: true,
			Cap: 1 + ledger.Amount(r.Uint64()>>(3+r.IntN(60)))}
		terms.Min = pick(r, 0, terms.Cap, ledger.Amount(r.Int64N(int64(terms.Cap))))
		accounts := randomOwner(r, terms)
		var sum staking.Integral
		for _, own := range accounts {
			if (staking.Integral{}).Less(own) {
				sum = sum.Add(own)
			}
		}
		together := new(big.Int)
		for i, want := range ownerOracle(terms, accounts) {
			h := staking.Holding{Account: "alice", Asset: "BNB", Integral: accounts[i], OwnerIntegral: sum}
			a, earned := staking.Accrue(20_000, terms, h)
			got := bigIntegral(a.EligibleIntegral())
			if earned != (want != nil) || earned && got.Cmp(want) != 0 {
				t.Fatalf("SEED=%d try %d, account %d of %d: earned %t %s, want %s", seed, try, i+1, len(accounts), earned,
					got, want)
			}
			together.Add(together, got)
		}
		most := bigIntegral(staking.IntegralOf(terms.Cap, staking.DayMillis))
		if together.Cmp(most) > 0 {
			t.Fatalf("SEED=%d try %d: together %s is above the cap %s", seed, try, together, most)
		}
		left := new(big.Int).Sub(most, together)
		switch {
		case together.Sign() == 0:
			seen["nothing"]++
		case bigIntegral(sum).Cmp(most) <= 0:
			seen["below the cap"]++
		case left.Cmp(big.NewInt(int64(len(accounts)))) >= 0:
			t.Fatalf("SEED=%d try %d: above the cap %s unit-milliseconds are left", seed, try, left)
		case left.Sign() > 0:
			seen["rounded"]++
		default:
			seen["exactly the cap"]++
		}
	}
	t.Logf("seen: %v", seen)
	for _, what := range []string{"nothing", "below the cap", "rounded", "exactly the cap"} {
		if seen[what] < 1000 {
			t.Errorf("only %d times: %s", seen[what], what)
		}
	}
}

// TestOthersAreTheirOwnOwners: without the terms, or without others, a holding is judged by itself.
func TestOthersAreTheirOwnOwners(t *testing.T) {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 3_650_000, Min: 2, Cap: 10}
	h := staking.HoldingAt("alice", "BNB", 1, 0)
	h.OwnerIntegral = staking.IntegralOf(100, staking.DayMillis)
	if a, earned := staking.Accrue(20_000, terms, h); earned {
		t.Errorf("an owner counts by terms that do not name it: %+v", a)
	}
	terms.PerOwner, h.OwnerIntegral = true, staking.Integral{}
	if a, earned := staking.Accrue(20_000, terms, h); earned {
		t.Errorf("it is below the minimum by itself: %+v", a)
	}
}
