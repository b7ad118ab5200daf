package store_test

import (
	"testing"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestChangeSparesCampaigns: what a campaign pays in a token with a rate is no change of what its days cost, and
// does not shorten the days for which the pool lasts.
func TestChangeSparesCampaigns(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.Fund(ctx, "pool", bnb, 100_00000000, false))(t)
		c := spring()
		c.Asset, c.Pool, c.First, c.Last = bnb, 50_000_000, day1+2, day1+3
		c.Parts = staking.EqualParts(c.Pool, []string{bnb})
		testkit.Must(db.PostCampaign(ctx, c))(t)
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 3, bnb, noon)
		settleThrough(t, db, clock, 1, 2, false)
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: bnb, MaxChange: 25_00}))
		for day := 3; day <= 6; day++ { // the shares come on Days 4 and 5
			settleThrough(t, db, clock, day, day, false)
			for _, s := range testkit.Must(reports.New(db.Reader()).TokenStatus(ctx))(t) {
				if s.Asset == bnb && (s.LastTotal == 0 || s.DaysLeft < 1_000_000) {
					t.Errorf("Day %d paid %d, and the pool lasts %d days", day, s.LastTotal, s.DaysLeft)
				}
			}
		}
		if got := paidTo(t, db, "alice"); got[4] < 25_000_000 || got[5] < 25_000_000 || got[6] > 10_000 {
			t.Errorf("alice has %v", got)
		}
		audited(t, db)
	})
}

// TestRateSparesCampaigns: what a campaign pays in a token of the mode share is no rise of its rate.
func TestRateSparesCampaigns(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		ok(t, db.SetLimit(t.Context(), staking.Limit{Asset: bnb, MaxChange: 25_00}))
		clock.Set(4, "12:00")
		enter(t, db, "e1", 2, 3, 1000)
		c := spring()
		c.Asset, c.Pool, c.First, c.Last = bnb, 50_000_000, day1+4, day1+4
		c.Parts = staking.EqualParts(c.Pool, []string{bnb})
		testkit.Must(db.PostCampaign(t.Context(), c))(t)
		settleThrough(t, db, clock, 4, 6, false)
		if got := paidTo(t, db, "alice"); got[4] != 350 || got[6] < 1_000_000 {
			t.Errorf("alice has %v", got)
		}
		audited(t, db)
	})
}
