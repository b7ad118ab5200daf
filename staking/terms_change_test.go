package staking_test

import (
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func TestChangeOfTermsKeepsWhatIsNotGiven(t *testing.T) {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000 * 100_000_000}
	fixed := staking.Terms{Asset: "BNB", From: 7, Offered: true, APR: 150_000, Min: 5, Cap: 1000, Fee: 30_000_000,
		Measure: staking.Lowest, PerOwner: true, GrossAPR: 410_000}
	share := fixed
	share.Mode, share.APR, share.GrossAPR = staking.Share, 0, 0
	text := func(s string) *string { return &s }
	with := func(t staking.Terms, change func(*staking.Terms)) staking.Terms { change(&t); return t }
	for _, c := range []struct {
		name   string
		before staking.Terms
		change staking.TermsChange
		want   staking.Terms
		field  string // of the error
	}{
		{"nothing", fixed, staking.TermsChange{}, fixed, ""},
		{"the measure", fixed, staking.TermsChange{Measure: text("average")},
			with(fixed, func(t *staking.Terms) { t.Measure = staking.Average }), ""},
		{"limits of each account", fixed, staking.TermsChange{PerOwner: new(bool)},
			with(fixed, func(t *staking.Terms) { t.PerOwner = false }), ""},
		{"the gross rate is not stated any more", fixed, staking.TermsChange{GrossAPR: text("0")},
			with(fixed, func(t *staking.Terms) { t.GrossAPR = 0 }), ""},
		{"share takes the rates away", fixed, staking.TermsChange{Mode: text("share")}, share, ""},
		{"share with a rate", fixed, staking.TermsChange{Mode: text("share"), APR: text("0.01")}, fixed, "apr"},
		{"share with a gross rate", fixed, staking.TermsChange{Mode: text("share"), GrossAPR: text("0.01")}, fixed,
			"grossApr"},
		{"back without a rate", share, staking.TermsChange{Mode: text("fixed")}, fixed, "apr"},
		{"back with a rate", share, staking.TermsChange{Mode: text("fixed"), APR: text("0.0015")},
			with(fixed, func(t *staking.Terms) { t.GrossAPR = 0 }), ""},
		{"a gross rate below the rate", fixed, staking.TermsChange{GrossAPR: text("0.001")}, fixed, "grossApr"},
		{"no mode", fixed, staking.TermsChange{Mode: text("pool")}, fixed, "mode"},
		{"no measure", fixed, staking.TermsChange{Measure: text("median")}, fixed, "measure"},
		{"no rate", fixed, staking.TermsChange{Fee: text("much")}, fixed, "fee"},
	} {
		got, err := c.change.Apply(bnb, c.before)
		if c.field == "" && (err != nil || got != c.want) || c.field != "" && fieldOf(err) != c.field {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
	first := staking.Terms{
		Asset: "BNB", From: 9, Offered: true, Mode: staking.Share, Min: 100_000_000, Cap: 200_000_000,
	}
	if got, err := (staking.TermsChange{Min: text("1"), Cap: text("2"), Mode: text("share")}).First(bnb, 9); err != nil ||
		got != first {
		t.Errorf("first terms in the mode share: %+v, %v", got, err)
	}
	for _, c := range []staking.TermsChange{{Min: text("1"), Cap: text("2")}, {APR: text("0.1")}} {
		if got, err := c.First(bnb, 9); err == nil {
			t.Errorf("first terms without a figure: %+v", got)
		}
	}
}
