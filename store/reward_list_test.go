package store_test

import (
	"testing"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestDaysThatOnlyWeighAreNoRewards: in the mode share a day that pays nothing is in no list of rewards, and can be
// explained; the day that pays for it is a reward.
func TestDaysThatOnlyWeighAreNoRewards(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		shareMode(t, db)
		open(t, db, "alice")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 3, bnb, noon)
		settleThrough(t, db, clock, 1, 3, false)
		clock.Set(4, "12:00")
		enter(t, db, "i", 2, 3, 1_000_000)
		settleThrough(t, db, clock, 4, 5, false)
		rs := reports.New(db.Reader())
		asked := reports.RewardsAsked{From: day1, To: day1 + 9}
		days := func() (found []staking.Day) {
			for _, r := range testkit.Must(rs.RewardPage(t.Context(), "alice", asked, nil, 10))(t) {
				found = append(found, r.Day)
			}
			return found
		}
		same(t, "rewards", days(), []staking.Day{day1 + 3})
		asked.Weighed = true
		same(t, "days that weigh", days(), []staking.Day{day1 + 1, day1 + 2, day1 + 3, day1 + 4})
		before, after, err := rs.NearRewards(t.Context(), "alice", day1+1, bnb)
		ok(t, err)
		same(t, "before", before, 0)
		same(t, "after", after, day1+3)
		e := testkit.Must(rs.Explain(t.Context(), "alice", day1+1, bnb))(t)
		if e.Weighing == nil || !e.Stored || !e.Paid {
			t.Errorf("the day that weighs is explained as %+v", e)
		}
		h := testkit.Must(rs.Holder(t.Context(), "alice", staking.Client{}, reports.LastDay))(t)
		if len(h.Paid) > 0 {
			t.Errorf("the last day paid %v", h.Paid)
		}
	})
}
