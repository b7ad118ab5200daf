package binance_test

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestNothingIsStakedOfWhatIsExcluded: while another product has a token, none of it counts,
// and the switch is on all the same.
func TestNothingIsStakedOfWhatIsExcluded(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d1", "alice", 2, "BNB")
		f.toggle(true, success)
		x := staking.Exclusion{
			Account: "alice", Asset: "BNB", Product: "Launchpool", From: staking.DayOf(noon), Until: staking.DayOf(noon) + 1,
		}
		if o := testkit.Must(f.db.Exclude(t.Context(), []store.ExclusionRequest{{Exclusion: x}}))(t); o[0].Err != nil {
			t.Fatal(o[0].Err)
		}
		staked := func(amount string) {
			t.Helper()
			r := f.get(listPath, "asset=BNB")
			if !strings.Contains(r.body, `{"status":true,`) || !strings.Contains(r.body, `"stakedAmount":"`+amount+`"`) {
				t.Errorf("%s is wanted: %s", amount, r.body)
			}
		}
		staked("0")
		f.clock.Set(2, "00:00")
		staked("2")
	})
}
