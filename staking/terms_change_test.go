package staking_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func TestChangeOfTermsKeepsWhatIsNotGiven(t *testing.T) {
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000 * 100_000_000}
	fixed := staking.Terms{Asset: "BNB", From: 7, Offered: true, APR: 150_000, Min: 5, Cap: 1000, Fee: 30_000_000,
		Measure: staking.Lowest, PerOwner: true, GrossAPR: 214_286}
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
		{"a gross rate without the fee that makes it so", fixed, staking.TermsChange{GrossAPR: text("0.0041")}, fixed,
			"grossApr"},
		{"a fee that the gross rate contradicts", fixed, staking.TermsChange{Fee: text("0.2")}, fixed, "grossApr"},
		{"an APR that the gross rate contradicts", fixed, staking.TermsChange{APR: text("0.00150001")}, fixed,
			"grossApr"},
		{"the APR follows, rounded down", fixed, staking.TermsChange{GrossAPR: text("0.041"), Fee: text("0.33333333")},
			with(fixed, func(t *staking.Terms) { t.APR, t.GrossAPR, t.Fee = 2_733_333, 4_100_000, 33_333_333 }), ""},
		{"back, and the APR follows", share, staking.TermsChange{Mode: text("fixed"), GrossAPR: text("0.041"),
			Fee: text("0.3")},
			with(fixed, func(t *staking.Terms) { t.APR, t.GrossAPR = 2_870_000, 4_100_000 }), ""},
		{"a fee, and no gross rate any more", fixed, staking.TermsChange{GrossAPR: text("0"), Fee: text("0.2")},
			with(fixed, func(t *staking.Terms) { t.GrossAPR, t.Fee = 0, 20_000_000 }), ""},
		{"a fee above 1", fixed, staking.TermsChange{GrossAPR: text("0.041"), Fee: text("2")}, fixed, "fee"},
		{"a gross rate out of range", fixed, staking.TermsChange{GrossAPR: text("92233720368"), Fee: text("0.3")}, fixed,
			"grossApr"},
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

// TestContradictionNamesWhatAgrees: the error of a gross rate that fee and APR contradict has all three, and what
// would agree: the APR, and where there is one the fee.
func TestContradictionNamesWhatAgrees(t *testing.T) {
	asset := ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1_000_000_000 * 100_000_000}
	for _, c := range []struct {
		terms staking.Terms
		want  string
	}{
		{staking.Terms{APR: 800_000, GrossAPR: 1_200_000},
			"the gross rate 0.012 less a fee of 0 is 0.012, and not the APR 0.008; set the APR to 0.012 or the fee to " +
				"0.33333333, or do not state the gross rate"},
		{staking.Terms{APR: 2_870_001, GrossAPR: 4_100_000, Fee: 30_000_000},
			"the gross rate 0.041 less a fee of 0.3 is 0.0287, and not the APR 0.02870001; set the APR to 0.0287 or the " +
				"fee to 0.29999975, or"},
		// The next fee of 8 decimals changes ten such rates by more than the smallest unit.
		{staking.Terms{APR: 500_000_003, GrossAPR: 1_000_000_000},
			"is 10, and not the APR 5.00000003; set the APR to 10, or"},
	} {
		c.terms.Asset, c.terms.Cap, c.terms.Offered = "SOL", 1, true
		err := c.terms.Check(asset)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// TestEveryFeeThatIsNamedAgrees: with the fee of the error the terms can be set.
func TestEveryFeeThatIsNamedAgrees(t *testing.T) {
	asset := ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1_000_000_000 * 100_000_000}
	chance := rand.New(rand.NewPCG(12, 7))
	named := regexp.MustCompile(`the fee to ([0-9.]+)`)
	for range 100_000 {
		x := staking.Terms{Asset: "SOL", Cap: 1, Offered: true, GrossAPR: 1 + staking.Rate(chance.IntN(1<<27))}
		x.APR, x.Fee = staking.Rate(chance.IntN(int(x.GrossAPR)+1)), staking.Rate(chance.IntN(int(staking.Whole)+1))
		err := x.Check(asset)
		if err == nil {
			continue
		}
		words := named.FindStringSubmatch(err.Error())
		if words == nil {
			if x.GrossAPR <= staking.Whole { // a step of the fee is at most one of the rate
				t.Fatalf("%+v: no fee is named: %v", x, err)
			}
			continue
		}
		if x.Fee, err = staking.ParseRate(words[1]); err != nil {
			t.Fatal(err)
		}
		if err := x.Check(asset); err != nil {
			t.Fatalf("with the fee that was named: %v", err)
		}
	}
}

// TestRiseInPercent: a limit's sentence has the rates as a person writes them.
func TestRiseInPercent(t *testing.T) {
	l := staking.Limit{Asset: "SOL", MaxChange: 2_550}
	want := "the income gives SOL a rate of 4.1% a year, more than 25.5% above 2.87% before"
	if got := l.Risen(4_100_000, 2_870_000); got != want {
		t.Errorf("got %q", got)
	}
}
