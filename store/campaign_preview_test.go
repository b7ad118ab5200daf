package store_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestCampaignIsPreviewed: those who have a share of a campaign, and no balance of its token yet, are in the preview
// of its first day that pays, Day 3; carol has no switch on that day any more, and dave is excluded on it.
func TestCampaignIsPreviewed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		testkit.Must(db.Fund(t.Context(), "pool", bnb, 100_00000000, false))(t)
		testkit.Must(db.PostCampaign(t.Context(), spring()))(t)
		for i, id := range []ledger.Account{"alice", "bob", "carol", "dave"} {
			open(t, db, id)
			on(t, db, id)
			deposit(t, db, "d-"+string(id), id, int64(i)+1, bnb, noon)
		}
		settleThrough(t, db, clock, 1, 1, false)
		clock.Set(2, "12:00")
		off(t, db, "carol")
		x := staking.Exclusion{Account: "dave", Product: "Launchpool", From: day1 + 2, Until: day1 + 3}
		testkit.Must(db.Exclude(t.Context(), []store.ExclusionRequest{{Exclusion: x}}))(t)
		settleThrough(t, db, clock, 2, 2, false)
		rs := reports.New(db.Reader())
		closed := map[string]ledger.Amount{}
		holders := map[string]int64{}
		for _, p := range testkit.Must(rs.PreviewOpen(t.Context()))(t) {
			closed[p.Asset], holders[p.Asset] = p.Total, p.Holders
		}
		clock.Set(4, "00:10")
		for _, p := range testkit.Must(rs.Preview(t.Context()))(t) {
			if p.Total != closed[p.Asset] || p.Holders != holders[p.Asset] {
				t.Errorf("%s: %d for %d, and %d for %d while the day was open", p.Asset, p.Total, p.Holders, closed[p.Asset],
					holders[p.Asset])
			}
		}
		settleThrough(t, db, clock, 3, 3, false)
		for _, total := range testkit.Must(rs.DayTotals(t.Context(), day1+2, day1+2))(t) {
			if total.Total != closed[total.Asset] || total.Holders != holders[total.Asset] {
				t.Errorf("%+v; previewed %d for %d", total, closed[total.Asset], holders[total.Asset])
			}
		}
		if holders[sol] < 2 {
			t.Errorf("%d have a share", holders[sol])
		}
		audited(t, db)
	})
}
