package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
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

// TestACampaignSaysWhoIsLabeled: who approves a campaign that multiplies by a label sees how many accounts have it, and
// what these have. A label from before, which needed no approval, is looked at then, and one that comes in between too.
func TestACampaignSaysWhoIsLabeled(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"dora", "emil", "fred"} {
			open(t, db, id)
		}
		label := func(id ledger.Account, from staking.Day) {
			_, _, err := db.As(proposer).AddLabel(ctx, id, "vip", from)
			ok(t, err)
		}
		label("dora", 0)
		label("fred", day1+4) // later than the campaign's first day
		deposit(t, db, "d-1", "dora", 125, "BNB", time.Time{})
		deposit(t, db, "d-2", "dora", 9, "SOL", time.Time{})
		ok(t, db.As(proposer).SetFourEyes(ctx, true))
		campaign := staking.Campaign{ID: "vips", Title: "VIPs", Asset: "BNB", Pool: 2 * unit, First: day1 + 3, Last: day1 + 4,
			Parts:       []staking.Part{{Token: "BNB", Amount: unit}, {Token: "SOL", Amount: unit}},
			Multipliers: []staking.Multiplier{{Label: "vip", Percent: 900}, {Label: "gold", Percent: 200}}}
		proposed := func() control.Draft {
			t.Helper()
			needed, is := errors.AsType[*control.Needed](failure(db.As(proposer).PostCampaign(ctx, campaign)))
			if !is {
				t.Fatal("it needs no approval")
			}
			return needed.Draft
		}
		says := func(what, vips string) {
			t.Helper()
			if d := proposed(); !strings.HasSuffix(d.Effect, "; "+vips+
				"; gold is the label of 0 accounts, which have at least 0 BNB, 0 SOL") {
				t.Errorf("%s: %s", what, d.Effect)
			}
		}
		says("at first", "vip is the label of 1 accounts, which have at least 120 BNB, 9 SOL")
		p := testkit.Must(db.As(proposer).Propose(ctx, proposed(), ""))(t)
		deposit(t, db, "d-3", "dora", 4, "BNB", time.Time{}) // 129: what was looked at is as it was
		same(t, "the effect", proposed().EffectDigest(), p.EffectDigest())
		label("emil", 0)
		says("of two", "vip is the label of 2 accounts, which have at least 120 BNB, 9 SOL")
		wants(t, failure(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest())), control.ErrEffect)
		testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, proposed().EffectDigest()))(t)
	})
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
