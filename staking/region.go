package staking

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// Region is a country or a part of one: ISO 3166-1 alpha-2 ("DE") or ISO 3166-2
// ("UA-43"). Books may hold regions that were not checked against ISO 3166 when they
// were written; Exists reports false for them.
type Region string

//go:embed iso3166.txt
var iso3166 string

// regions are the codes that exist.
var regions = readRegions(iso3166)

func readRegions(table string) map[Region]bool {
	codes := make(map[Region]bool)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			continue
		}
		codes[Region(fields[0])] = true
		for _, part := range fields[1:] {
			codes[Region(fields[0]+"-"+part)] = true
		}
	}
	return codes
}

// ParseRegion reads the code of a region that exists in ISO 3166, in capitals or not.
// Codes that are reserved, withdrawn or left to users (UK, EU, XK, XX, ZZ) do not
// exist. Its errors are ledger.ErrInvalid.
func ParseRegion(s string) (Region, error) {
	region, err := ParseRegionCode(s)
	if err != nil {
		return "", err
	}
	if region.Exists() {
		return region, nil
	}
	hint := "use the two letters of a country, such as DE, or the code of a part of one, such as UA-43"
	if country := region.Country(); country.Exists() && country != region {
		hint = fmt.Sprintf("%s exists, and has no such part", country)
	} else if region == "UK" {
		hint = "the United Kingdom is GB"
	}
	return "", ledger.ErrInvalid.In("", "%s is not a code of ISO 3166; %s", region, hint)
}

// ParseRegionCode reads text in the form of a region's code, whether the code exists or
// not: older books may hold regions that do not exist. Its errors are ledger.ErrInvalid.
func ParseRegionCode(s string) (Region, error) {
	upper := strings.ToUpper(s)
	country, part, dash := strings.Cut(upper, "-")
	ascii := len(upper) == len(s) // "ı" is no I, though I is its capital
	if !ascii || !capitals(country) || len(country) != 2 ||
		(dash && (len(part) < 1 || len(part) > 3 || !alphanumeric(part))) {
		return "", ledger.ErrInvalid.In("", "%q is not a region such as DE or UA-43", ledger.Clip(s))
	}
	return Region(upper), nil
}

func capitals(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func alphanumeric(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// Exists reports whether the region is a code of ISO 3166.
func (r Region) Exists() bool { return regions[r] }

// Country is the country that the region is, or is a part of.
func (r Region) Country() Region {
	country, _, _ := strings.Cut(string(r), "-")
	return Region(country)
}

// In reports whether r lies in a listed region: US-CA lies in US, UA does not lie in UA-43.
func (r Region) In(listed Region) bool {
	return r == listed || strings.HasPrefix(string(r), string(listed)+"-")
}
