package staking_test

import (
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Alice deposits 2 BNB at noon, and so holds 1 BNB on average. What the rounding down of a
// reward leaves is carried to the next: on the second day it makes a whole unit.
func ExampleAccrue() {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000_00000000}
	first := staking.DayOf(time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC))
	terms, err := staking.ParseTerms(bnb, first, "0.0015", "0.5", "1000") // APR, minimum, cap
	if err != nil {
		fmt.Println(err)
		return
	}
	balance, carry := ledger.Amount(2_00000000), staking.Fraction(0)
	for d := first; d < first+2; d++ {
		holding := staking.HoldingAt("alice", "BNB", balance, carry)
		if d == first {
			holding.Rewind(2_00000000, staking.DayMillis/2)
		}
		a, earned := staking.Accrue(d, terms, holding)
		fmt.Println(a.EntryID(), earned)
		fmt.Printf("average %s, reward %s, carried %d %% of a unit\n",
			bnb.Format(a.Average), bnb.Format(a.Reward), a.Carry/(staking.Unit/100))
		balance, carry = balance+a.Reward, a.Carry
	}
	// Output:
	// reward/2026-11-22/BNB/alice true
	// average 1, reward 0.0000041, carried 95 % of a unit
	// reward/2026-11-23/BNB/alice true
	// average 2.0000041, reward 0.00000822, carried 87 % of a unit
}

// On average 0.4 BNB is below the minimum: nothing is earned, and there is no record.
func ExampleAccrue_belowTheMinimum() {
	terms := staking.Terms{Asset: "BNB", Offered: true, APR: 150_000, Min: 50_000_000, Cap: 1000_00000000}
	_, earned := staking.Accrue(20_779, terms, staking.HoldingAt("alice", "BNB", 40_000_000, 0))
	fmt.Println(earned)
	// Output: false
}

// A day takes late entries for five minutes after its end, and is then closed.
func ExampleClosings() {
	closings := staking.Closings{{From: 20_000, After: staking.UsualCloseAfter}}
	now := time.Date(2026, time.November, 23, 0, 4, 59, 0, time.UTC)
	fmt.Println(closings.LastOver(now))
	fmt.Println(closings.LastOver(now.Add(time.Second)))
	// Output:
	// 2026-11-21
	// 2026-11-22
}
