package staking_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

func TestRegionIn(t *testing.T) {
	for _, c := range []struct {
		region, listed staking.Region
		want           bool
	}{
		{"US", "US", true}, {"US-CA", "US", true}, {"UA-43", "UA-43", true}, {"UA", "UA", true},
		{"UA", "UA-43", false}, {"UA-4", "UA-43", false}, {"UA-43", "UA-4", false}, {"UM", "US", false},
		{"DE", "US", false}, {"", "US", false}, {"US", "", false}, {"", "DE", false},
	} {
		if got := c.region.In(c.listed); got != c.want {
			t.Errorf("%q in %q: %t", c.region, c.listed, got)
		}
	}
}

// rules.md, the switch.
func TestShippedRegions(t *testing.T) {
	want := []staking.Region{
		"US", "AS", "GU", "MP", "PR", "UM", "VI", "CU", "IR", "KP", "SY", "UA-14", "UA-09", "UA-43", "UA-40",
	}
	if got := staking.ShippedRegions(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, r := range staking.ShippedRegions() {
		if got, err := staking.ParseRegion(string(r)); err != nil || got != r {
			t.Errorf("%s is read as %s, %v", r, got, err)
		}
	}
}

// ISO 3166 has 249 countries. What is reserved, withdrawn, left to users, or is what
// geo-IP databases and Cloudflare say of an unknown place, is not one of them.
func TestParseRegionKnowsWhatExists(t *testing.T) {
	countries := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if staking.Region([]rune{a, b}).Exists() {
				countries++
			}
		}
	}
	if countries != 249 {
		t.Errorf("there are %d countries", countries)
	}
	for _, s := range []string{
		"DE", "de", "GB", "GR", "TL", "MM", "CD", "RS", "ME", "SS", "BQ", "CW", "SX", "AX", "HK", "MO", "TW", "PS",
		"EH", "UM", "AQ", "US-CA", "us-ny", "US-PR", "GB-ENG", "FR-IDF", "FR-75C", "DE-BE", "DE-BY", "UA-43", "CA-QC",
		"CH-ZH", "CN-BJ", "IN-OD", "AU-NSW", "BR-SP", "JP-13", "NO-46", "KZ-75",
	} {
		if got, err := staking.ParseRegion(s); err != nil || string(got) != strings.ToUpper(s) {
			t.Errorf("%q is read as %q, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"XX", "ZZ", "UK", "EU", "QQ", "T1", "XK", "A1", "A2", "O1", "AA", "QM", "XA", "EZ", "UN", "AC", "IC", "EA",
		"DG", "TA", "CP", "FX", "SU", "DD", "YU", "CS", "ZR", "TP", "BU", "AN", "001", "276", "840", "USA", "DEU",
		"US-ZZ", "US-", "DE-1", "DE-99", "DE-BEX", "UA-4", "UA-99", "XX-01", "UK-ENG", "GB-UK", "DK-101", "AI-01",
		"VA-01", " DE", "DE ", "D", "", "-CA",
	} {
		if got, err := staking.ParseRegion(s); !errors.Is(err, ledger.ErrInvalid) || got != "" {
			t.Errorf("%q is read as %q, %v", s, got, err)
		}
	}
	if _, err := staking.ParseRegion("uk"); err == nil || !strings.Contains(err.Error(), "GB") {
		t.Errorf("the message names GB: %v", err)
	}
	if _, err := staking.ParseRegion("DE-99"); err == nil || !strings.Contains(err.Error(), "DE exists") {
		t.Errorf("what is wrong is the part: %v", err)
	}
}

var regionForm = regexp.MustCompile(`^[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?$`)

func FuzzParseRegion(f *testing.F) {
	for _, s := range []string{
		"DE", "de", "Us-ca", "UA-43", "GB-ENG", "US-", "USA", "U", "", "-", "-43", "UA-1234", "UA-4 ", "UA 43", "U1",
		"UA-43-1", "ÄÖ", "ıR", "ſY", "K", "UA_43", "A-", "a\x00", "US-\n", "A1B", "UA-4-",
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
		if upper := staking.Region(strings.ToUpper(s)); !upper.Exists() {
			if !errors.Is(err, ledger.ErrInvalid) || got != "" {
				t.Fatalf("%q does not exist, and is read as %q, %v", s, got, err)
			}
			return
		} else if err != nil || got != upper {
			t.Fatalf("%q is read as %q, %v", s, got, err)
		}
		if country := got[:2]; !got.In(country) || (got != country && country.In(got)) {
			t.Fatalf("%s and %s: the part lies in the whole", got, country)
		}
	})
}
