package binance_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// TestStakedAmountOfAnOwner: where minimum and cap are those of an owner's accounts together, what is staked of one is
// its part of what earns of them, though it is below the minimum by itself.
func TestStakedAmountOfAnOwner(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		limits := func(from int, minimum, most ledger.Amount) {
			ok(t, f.db.SetTerms(t.Context(), staking.Terms{
				Asset: "ADA", From: staking.DayOf(noon) + staking.Day(from) - 1, Offered: true, APR: 500_000, Min: minimum,
				Cap: most, PerOwner: true,
			}))
		}
		limits(2, 30_00000000, 35_00000000)
		limits(3, 60_00000000, 70_00000000)
		ok(t, f.db.SetTerms(t.Context(), staking.Terms{
			Asset: "ADA", From: staking.DayOf(noon) + 3, Offered: true, APR: 500_000, Min: 30_00000000, Cap: 35_00000000,
		}))
		f.open("ann")
		for id, amount := range map[ledger.Account]ledger.Amount{"alice": 20_07000000, "ann": 20_05000000} {
			f.enter("d-"+string(id), ledger.Deposit, ledger.Custody, id, "ADA", amount)
			_, _, err := f.db.SetOwner(t.Context(), id, "c-7", staking.DayOf(noon)+1)
			ok(t, err)
			testkit.Must(f.db.Enroll(t.Context(), id, staking.Client{}, f.now()))(t)
		}
		staked := func(minimum, most, want string) {
			t.Helper()
			f.wants(f.get(listPath, "asset=ADA"), `200 {"status":true,"totalRewardsUsdt":"0","rows":[{"asset":"ADA","minAmount":"`+
				minimum+`","maxCap":"`+most+`","apr":"0.005","stakedAmount":"`+want+`","totalProfit":"0"}],"total":1}`)
		}
		f.clock.Set(2, "12:00")
		staked("30", "35", "17.50872382") // 35 × 20.07 / 40.12
		f.clock.Set(3, "12:00")
		staked("60", "70", "0") // together they have 40.12
		f.clock.Set(4, "12:00")
		staked("30", "35", "0") // each account for itself
	})
}
