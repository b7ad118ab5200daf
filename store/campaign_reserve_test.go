package store_test

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// pool is a campaign of 1000 smallest units of BNB for those who hold BNB, on Days 5 to 8.
func pool() staking.Campaign {
	c := spring()
	c.ID, c.Asset, c.First, c.Last, c.Parts = "pool", bnb, day1+4, day1+7, staking.EqualParts(1000, []string{bnb})
	return c
}

// TestALossSparesCampaigns: a loss of income is taken from income and from what the operator has put in, and never from
// the pool of a campaign, which nobody takes out either.
func TestALossSparesCampaigns(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		testkit.Must(db.PostCampaign(ctx, pool()))(t)
		testkit.Must(db.MoveFees(ctx, "fees", bnb, 150, true))(t)
		refused := failure(db.PostIncome(ctx, incomeOf("slashing", 3, 3, -500)))
		wants(t, refused, ledger.ErrInsufficient)
		if !strings.Contains(refused.Error(), "income and campaigns") {
			t.Errorf("got %v", refused)
		}
		testkit.Must(db.Fund(ctx, "funds", bnb, 350, false))(t)
		enter(t, db, "slashing", 3, 3, -500)
		wants(t, failure(db.Fund(ctx, "out", bnb, 1, true)), ledger.ErrInsufficient)
		settleThrough(t, db, clock, 4, 9, false)
		for _, id := range []ledger.Account{"alice", "bob"} {
			got := paidTo(t, db, id)
			if got[6]+got[7]+got[8]+got[9] < 499 {
				t.Errorf("%s has %v", id, got)
			}
		}
		audited(t, db)
	})
}

// TestACampaignIsNotEndedInThePast: a clock that was set back takes no day away that is divided.
func TestACampaignIsNotEndedInThePast(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		sharing(t, db, clock, "alice", "bob")
		clock.Set(4, "12:00")
		testkit.Must(db.PostCampaign(t.Context(), pool()))(t)
		settleThrough(t, db, clock, 4, 7, false)
		clock.Set(5, "12:00")
		wants(t, failure(db.EndCampaign(t.Context(), "pool", day1+4)), ledger.ErrDayClosed)
		settleThrough(t, db, clock, 8, 9, false)
		audited(t, db)
	})
}

// TestAMultiplierIsOfALabel: a multiplier of what no account can have as a label would never count.
func TestAMultiplierIsOfALabel(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		for _, label := range []string{"VIP", "a:b", strings.Repeat("a", 33)} {
			c := spring()
			c.Multipliers = []staking.Multiplier{{Label: label, Percent: 150}}
			wants(t, failure(db.PostCampaign(t.Context(), c)), ledger.ErrInvalid)
		}
	})
}
