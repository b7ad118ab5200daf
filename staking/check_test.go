package staking_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func TestClientIsKept(t *testing.T) {
	c := staking.Client{Platform: "iOS", Version: "3.2.0", Address: "192.0.2.7", Country: "de"}
	if err := c.Check(); err != nil || c.App() != "ios 3.2.0" || c.Origin() != "192.0.2.7 DE" {
		t.Errorf("%q, %q: %v", c.App(), c.Origin(), err)
	}
	if none := (staking.Client{}); none.Check() != nil || none.App() != "" || none.Origin() != "" {
		t.Errorf("a client that says nothing is %q, %q", none.App(), none.Origin())
	}
	for _, bad := range []staking.Client{
		{Platform: "ios\n"}, {Address: strings.Repeat("x", ledger.MaxText+1)}, {Country: "XX1"},
	} {
		if err := bad.Check(); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestOrderOfActivation: region, then the app's version, then the documents.
func TestOrderOfActivation(t *testing.T) {
	old := staking.Client{Platform: "ios", Version: "3.0.9"}
	current := map[string]int{staking.RiskWarning: 2}
	for _, c := range []struct {
		residence staking.Region
		client    staking.Client
		accepted  map[string]int
		want      error
	}{
		{"US", old, nil, staking.ErrRegion},
		{"DE", old, nil, staking.ErrUpdateApp},
		{"DE", staking.Client{}, map[string]int{staking.RiskWarning: 1}, staking.ErrDocuments},
		{"DE", staking.Client{}, current, nil},
	} {
		if err := staking.CheckActivation(c.residence, c.client, []staking.Region{"US"}, current, c.accepted); !errors.Is(err,
			c.want) {
			t.Errorf("%s, %+v: %v, want %v", c.residence, c.client, err, c.want)
		}
	}
}

func TestEnrollmentsDoNotOverlap(t *testing.T) {
	next := staking.Enrollment{Account: "alice", From: 10, Until: staking.Forever}
	before, empty := staking.Enrollment{Account: "alice", From: 3, Until: 10},
		staking.Enrollment{Account: "alice", From: 12, Until: 12}
	ends := staking.Enrollment{Account: "alice", From: 5, Until: 12}
	if err := next.CheckFree([]staking.Enrollment{before, empty, ends}, ends); err != nil {
		t.Errorf("beside its former part: %v", err)
	}
	if err := next.CheckFree([]staking.Enrollment{ends}, before); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("over another: %v", err)
	}
}

func TestTokenChecks(t *testing.T) {
	asset := ledger.Asset{Symbol: "SOL", Scale: 8, MaxSupply: 1000}
	terms := staking.Terms{Asset: "SOL", From: 9, Offered: true, APR: 150_000, Min: 1, Cap: 100}
	if err := (staking.Token{Asset: asset, Terms: terms}).Check(); err != nil {
		t.Error(err)
	}
	other, wrong := terms, asset
	other.Asset, wrong.Scale = "BNB", 19
	for _, bad := range []staking.Token{{Asset: asset, Terms: other}, {Asset: wrong, Terms: terms}, {Asset: asset}} {
		if err := bad.Check(); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	later, dearer := terms, terms
	later.From, dearer.APR = 20, 1
	if !terms.Same(later) || terms.Same(dearer) {
		t.Error("terms are compared by their day, or not by their rate")
	}
	if got := terms.Describe(asset); got != "from 1970-01-10 offered, APR 0.0015, minimum 0.00000001, cap 0.000001" {
		t.Errorf("described is %q", got)
	}
	terms.Offered, terms.Mode, terms.Fee = false, staking.Share, 30_000_000
	if got := terms.Describe(asset); !strings.HasPrefix(got, "from 1970-01-10 not offered") ||
		!strings.HasSuffix(got, ", mode share, fee 0.3") {
		t.Errorf("described is %q", got)
	}
}

// TestEligibleIntegral is what was eligible before it was rounded.
func TestEligibleIntegral(t *testing.T) {
	a := staking.Accrual{Eligible: 7, EligibleRest: 5}
	want := staking.IntegralOf(7, staking.DayMillis).Add(staking.IntegralOf(5, 1))
	if got := a.EligibleIntegral(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := staking.IntegralOf(9, 1000).AverageOver(2000); got != 4 {
		t.Errorf("the average is %d", got)
	}
}
