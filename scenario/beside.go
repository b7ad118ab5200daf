package scenario

import (
	"fmt"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// besideToken is what a campaign of a town pays, and what nobody else earns.
const besideToken = "TON"

// offer makes the terms of a token those of a town with campaigns: the accounts of an owner share
// the limits of BNB, and SOL is measured by the smallest balance of a day.
func (w Town) offer(terms *staking.Terms) {
	if terms.Asset == "BNB" {
		terms.PerOwner = true
	} else {
		terms.Measure = staking.Lowest
	}
}

// addBeside makes campaigns of all days but the first, one in another token, by the smallest balance, and one for the
// first that enrolled, gives some holders an owner or labels, and excludes some for days.
func (w Town) addBeside(t testing.TB, db *store.DB) {
	t.Helper()
	ctx, day2, lowest := t.Context(), w.First()+1, staking.Lowest
	for _, c := range []staking.Campaign{
		{ID: "other", Title: "in another token", Asset: besideToken, Pool: 1_234_567_891,
			Parts: staking.EqualParts(1_234_567_891, townTokens), Measure: &lowest,
			Multipliers: []staking.Multiplier{{Label: "vip", Percent: 150}, {Label: "new", Percent: 33}}},
		{ID: "first", Title: "for the first", Asset: "SOL", Pool: 777_777, Members: int64(w.Holders) / 3,
			Parts: staking.EqualParts(777_777, []string{"BNB"})},
	} {
		c.First, c.Last = day2, w.Last+1 // its last day is not paid
		if _, err := db.PostCampaign(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	var excluded []store.ExclusionRequest
	for n := range min(w.Holders, 90) {
		a := w.Holder(n)
		_, _, err := db.SetOwner(ctx, a, fmt.Sprintf("owner-%d", n/3), 0)
		if label := []string{"vip", "new"}[n%2]; err == nil && n%5 == 0 {
			_, _, err = db.AddLabel(ctx, a, label, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%7 == 0 {
			x := staking.Exclusion{Account: a, Asset: townTokens[n%2], Product: "Launchpool", From: day2, Until: day2 + 1}
			excluded = append(excluded, store.ExclusionRequest{Exclusion: x})
		}
	}
	outcomes, err := db.Exclude(ctx, excluded)
	for _, o := range outcomes {
		if err == nil {
			err = o.Err
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// besideTokens are the tokens that only campaigns pay.
func (w Town) besideTokens() []staking.Token {
	asset := ledger.Asset{Symbol: besideToken, Scale: 8, MaxSupply: 1_000_000_000_00000000}
	return []staking.Token{{Asset: asset, Terms: staking.Terms{Asset: asset.Symbol, From: w.First(), Cap: 1}}}
}
