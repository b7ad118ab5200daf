package binance_test

import (
	"testing"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// TestTheRateInTheModeShare: the list has the shape of always; its APR is the effective net rate of the
// last paid period, and zero before any.
func TestTheRateInTheModeShare(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		day1 := staking.DayOf(noon)
		ok(t, f.db.SetTerms(t.Context(), staking.Terms{
			Asset: "BNB", From: day1 + 1, Offered: true, Mode: staking.Share, Min: 50_000_000, Cap: 1000_00000000,
			Fee: 3 * staking.Whole / 10,
		}))
		f.deposit("d1", "alice", 365, "BNB")
		f.toggle(true, success)
		f.clock.Set(3, "00:06")
		f.settle()
		f.wants(f.get(listPath, "asset=BNB"),
			`200 {"status":true,"totalRewardsUsdt":"0","rows":[{"asset":"BNB","minAmount":"0.5","maxCap":"1000","apr":"0","stakedAmount":"365","totalProfit":"0"}],"total":1}`)
		f.wants(f.get(recordsPath, ""), `200 {"rows":[],"total":0}`)
		// 365 BNB earn 0.041 of one a day: 4.1 % a year, of which 70 % are theirs.
		testkit.Must(f.db.PostIncome(t.Context(), staking.Income{
			Reference: "e1", Asset: "BNB", Chain: "bsc", Source: "v-1", First: day1 + 1, Last: day1 + 1, Gross: 4_100_000,
			Evidence: "0x1",
		}))(t)
		f.clock.Set(4, "00:06")
		f.settle()
		f.wants(f.get(listPath, "asset=BNB"),
			`200 {"status":true,"totalRewardsUsdt":"0","rows":[{"asset":"BNB","minAmount":"0.5","maxCap":"1000","apr":"0.0287","stakedAmount":"365.0287","totalProfit":"0.0287"}],"total":1}`)
	})
}
