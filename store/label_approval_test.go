package store_test

import (
	"testing"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// byLabelAndOwner makes what labels and owners need approval for: a campaign that multiplies by a label that dora has,
// and a token with limits per owner.
func byLabelAndOwner(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	_, _, err := db.AddLabel(ctx, "dora", "vip", 0)
	ok(t, err)
	testkit.Must(db.PostCampaign(ctx, staking.Campaign{ID: "members", Title: "Members", Asset: "BNB", Pool: unit,
		First: day1 + 3, Last: day1 + 4, Parts: []staking.Part{{Token: "BNB", Amount: unit}},
		Multipliers: []staking.Multiplier{{Label: "vip", Percent: 150}}}))(t)
	ok(t, db.SetTerms(ctx, staking.Terms{Asset: "ADA", From: day1 + 3, Offered: true, APR: 1, Min: 1, Cap: unit,
		PerOwner: true}))
}

// TestLabelsAndOwnersThatChangeNothing need no approval: no campaign multiplies by the label on those days, and no
// token has limits per owner.
func TestLabelsAndOwnersThatChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "dora")
		byLabelAndOwner(t, db)
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: "ADA", From: day1 + 4, Offered: true, APR: 1, Min: 1, Cap: unit}))
		ok(t, db.As(proposer).SetFourEyes(ctx, true))
		label := func(name string, from staking.Day) error {
			_, _, err := db.As(proposer).AddLabel(ctx, "dora", name, from)
			return err
		}
		owner := func(from staking.Day) error {
			_, _, err := db.As(proposer).SetOwner(ctx, "dora", "c-1", from)
			return err
		}
		_, _, err := db.As(proposer).RemoveLabel(ctx, "dora", "vip", 0)
		wants(t, err, control.ErrNeedsApproval)
		_, _, err = db.As(proposer).RemoveLabel(ctx, "dora", "vip", day1+5) // the campaign is over by then
		ok(t, err)
		ok(t, label("gold", 0))
		wants(t, owner(0), control.ErrNeedsApproval)
		ok(t, owner(day1+4))
	})
}
