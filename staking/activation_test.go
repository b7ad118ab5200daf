package staking_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/softstake/softstake/staking"
)

func TestCheckRegion(t *testing.T) {
	restricted := staking.ShippedRegions()
	for _, c := range []struct {
		residence, country staking.Region
		ok                 bool
	}{
		{"DE", "", true}, {"DE", "FR", true}, {"UA", "", true}, {"UA-30", "UA-63", true}, {"GB", "CA", true},
		{"", "", false}, {"", "DE", false}, {"US", "", false}, {"US-CA", "DE", false}, {"DE", "US", false},
		{"DE", "US-NY", false}, {"PR", "", false},
		{"CU", "", false}, {"IR", "", false}, {"KP", "", false}, {"SY", "", false}, {"UA-43", "", false},
		{"UA-09", "", false}, {"UA-14", "", false}, {"UA-40", "DE", false},
		{"DE", "SY", false}, {"AS", "", false}, {"GU", "", false}, {"MP", "", false}, {"UM", "", false},
		{"VI", "", false},
	} {
		err := staking.CheckRegion(c.residence, staking.Client{Country: c.country}, restricted)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, staking.ErrRegion)) {
			t.Errorf("a resident of %q from %q: %v", c.residence, c.country, err)
		}
	}
	for _, residence := range []staking.Region{"XX", "ZZ", "UK", "EU", "QQ", "T1", "US-ZZ", "DE-99", "de"} {
		if err := staking.CheckRegion(residence, staking.Client{}, nil); !errors.Is(err, staking.ErrRegion) {
			t.Errorf("a residence %s that does not exist is none: %v", residence, err)
		}
	}
	if err := staking.CheckRegion("US", staking.Client{}, nil); err != nil {
		t.Errorf("the list is the operator's; it may be empty: %v", err)
	}
	if err := staking.CheckRegion("", staking.Client{}, nil); !errors.Is(err, staking.ErrRegion) {
		t.Errorf("without a verified residence nobody is let in: %v", err)
	}
}

func TestCheckDocuments(t *testing.T) {
	current := map[string]int{staking.TermsOfUse: 2, staking.SoftStakingTerms: 1, staking.RiskWarning: 3}
	for _, c := range []struct {
		what     string
		accepted map[string]int
		missing  []string
	}{
		{"all", map[string]int{staking.TermsOfUse: 2, staking.SoftStakingTerms: 1, staking.RiskWarning: 3}, nil},
		{"none", nil, []string{"terms-of-use version 2", "soft-staking-terms version 1", "risk-warning version 3"}},
		{"an old version of one", map[string]int{
			staking.TermsOfUse: 1, staking.SoftStakingTerms: 1, staking.RiskWarning: 3,
		}, []string{"terms-of-use version 2"}},
		{"one never", map[string]int{staking.TermsOfUse: 2, staking.SoftStakingTerms: 1},
			[]string{"risk-warning version 3"}},
		{"others", map[string]int{"cookies": 9},
			[]string{"terms-of-use version 2", "soft-staking-terms version 1", "risk-warning version 3"}},
	} {
		err := staking.CheckDocuments(current, c.accepted)
		if (err == nil) != (c.missing == nil) || (err != nil && !errors.Is(err, staking.ErrDocuments)) {
			t.Errorf("%s accepted: %v", c.what, err)
		}
		if err != nil && !strings.HasSuffix(err.Error(), ": "+strings.Join(c.missing, ", ")) {
			t.Errorf("%s accepted: %v; missing are %v", c.what, err, c.missing)
		}
	}
}
