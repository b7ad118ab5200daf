package staking_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"softstake/ledger"
	"softstake/staking"
)

func TestRegionIn(t *testing.T) {
	for _, c := range []struct {
		region, listed staking.Region
		want           bool
	}{
		{"US", "US", true}, {"US-CA", "US", true}, {"UA-43", "UA-43", true}, {"UA", "UA", true},
		{"UA", "UA-43", false}, {"UA-4", "UA-43", false}, {"UA-43", "UA-4", false}, {"UM", "US", false}, {"DE", "US", false}, {"", "US", false}, {"US", "", false}, {"", "DE", false},
	} {
		if got := c.region.In(c.listed); got != c.want {
			t.Errorf("%q in %q: %t", c.region, c.listed, got)
		}
	}
}

func TestCheckRegion(t *testing.T) {
	restricted := staking.ShippedRegions()
	for _, c := range []struct {
		residence, country staking.Region
		ok                 bool
	}{
		{"DE", "", true}, {"DE", "FR", true}, {"UA", "", true}, {"UA-30", "UA-63", true}, {"GB", "CA", true},
		{"", "", false}, {"", "DE", false}, {"US", "", false}, {"US-CA", "DE", false}, {"DE", "US", false}, {"DE", "US-NY", false}, {"PR", "", false},
		{"CU", "", false}, {"IR", "", false}, {"KP", "", false}, {"SY", "", false}, {"UA-43", "", false}, {"UA-09", "", false}, {"UA-14", "", false}, {"UA-40", "DE", false},
		{"DE", "SY", false}, {"AS", "", false}, {"GU", "", false}, {"MP", "", false}, {"UM", "", false}, {"VI", "", false},
	} {
		err := staking.CheckRegion(c.residence, staking.Client{Country: c.country}, restricted)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, staking.ErrRegion)) {
			t.Errorf("a resident of %q from %q: %v", c.residence, c.country, err)
		}
	}
	if err := staking.CheckRegion("US", staking.Client{}, nil); err != nil {
		t.Errorf("the list is the operator's; it may be empty: %v", err)
	}
	if err := staking.CheckRegion("", staking.Client{}, nil); !errors.Is(err, staking.ErrRegion) {
		t.Errorf("without a verified residence nobody is let in: %v", err)
	}
}

// rules.md, the switch.
func TestShippedRegions(t *testing.T) {
	want := []staking.Region{"US", "AS", "GU", "MP", "PR", "UM", "VI", "CU", "IR", "KP", "SY", "UA-14", "UA-09", "UA-43", "UA-40"}
	if got := staking.ShippedRegions(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, r := range staking.ShippedRegions() {
		if got, err := staking.ParseRegion(string(r)); err != nil || got != r {
			t.Errorf("%s is read as %s, %v", r, got, err)
		}
	}
}

var regionForm = regexp.MustCompile(`^[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?$`)

func FuzzParseRegion(f *testing.F) {
	for _, s := range []string{
		"DE", "de", "Us-ca", "UA-43", "GB-ENG", "US-", "USA", "U", "", "-", "-43", "UA-1234", "UA-4 ", "UA 43", "U1", "UA-43-1", "ÄÖ", "ıR", "ſY", "K", "UA_43", "A-", "a\x00", "US-\n", "A1B", "UA-4-",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := staking.ParseRegion(s)
		if !regionForm.MatchString(s) {
			if !errors.Is(err, ledger.ErrInvalid) || got != "" || len(err.Error()) > 400 {
				t.Fatalf("%q is read as %q, %v", s, got, err)
			}
			return
		}
		if err != nil || string(got) != strings.ToUpper(s) {
			t.Fatalf("%q is read as %q, %v", s, got, err)
		}
		if country := got[:2]; !got.In(country) || (got != country && country.In(got)) {
			t.Fatalf("%s and %s: the part lies in the whole", got, country)
		}
	})
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
		{"an old version of one", map[string]int{staking.TermsOfUse: 1, staking.SoftStakingTerms: 1, staking.RiskWarning: 3}, []string{"terms-of-use version 2"}},
		{"one never", map[string]int{staking.TermsOfUse: 2, staking.SoftStakingTerms: 1}, []string{"risk-warning version 3"}},
		{"others", map[string]int{"cookies": 9}, []string{"terms-of-use version 2", "soft-staking-terms version 1", "risk-warning version 3"}},
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
