package staking

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"softstake/ledger"
)

// Why activation is refused, in the order in which it is looked at.
var (
	ErrRegion    = errors.New("not offered in this region")
	ErrUpdateApp = errors.New("update the app")
	ErrDocuments = errors.New("documents not accepted")
)

// Region is a country or a part of one: ISO 3166-1 alpha-2 ("DE") or ISO 3166-2 ("UA-43").
type Region string

// ParseRegion reads a region, in capitals or not. Its errors are ledger.ErrInvalid.
func ParseRegion(s string) (Region, error) {
	upper := strings.ToUpper(s)
	country, part, dash := strings.Cut(upper, "-")
	ascii := len(upper) == len(s) // "ı" is no I, though I is its capital
	if !ascii || !capitals(country) || len(country) != 2 || (dash && (len(part) < 1 || len(part) > 3 || !alphanumeric(part))) {
		return "", fmt.Errorf("%w: %q is not a region such as DE or UA-43", ledger.ErrInvalid, ledger.Clip(s))
	}
	return Region(upper), nil
}

func capitals(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func alphanumeric(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// In says whether r lies in a listed region: US-CA lies in US, UA does not lie in UA-43.
func (r Region) In(listed Region) bool {
	return r == listed || strings.HasPrefix(string(r), string(listed)+"-")
}

// Client is what a holder pressed the switch with.
type Client struct {
	Platform string // "ios" or "android", in any words (Platform); others have no version gate
	Version  string // of the app: 3.1.0
	Address  string // network address, as told
	Country  Region // where the request comes from, if the operator supplies it
}

// CheckRegion refuses activation to residents of a restricted region, to those
// without a verified residence, and to requests from such a region, with ErrRegion.
func CheckRegion(residence Region, c Client, restricted []Region) error {
	if residence == "" {
		return fmt.Errorf("%w: the account has no verified residence; set it with \"softstake account set-region\"", ErrRegion)
	}
	for _, r := range restricted {
		if residence.In(r) {
			return fmt.Errorf("%w: the account's residence is %s", ErrRegion, residence)
		}
		if c.Country != "" && c.Country.In(r) {
			return fmt.Errorf("%w: the request comes from %s", ErrRegion, c.Country)
		}
	}
	return nil
}

// Document is one version of a text that a holder accepts.
type Document struct {
	Name      string
	Version   int // from 1
	Published time.Time
	Text      string
}

// CheckDocuments refuses activation with ErrDocuments unless the current version
// of each document, by name, is among those accepted.
func CheckDocuments(current, accepted map[string]int) error {
	var missing []string
	for _, name := range DocumentNames {
		if accepted[name] < current[name] {
			missing = append(missing, fmt.Sprintf("%s version %d", name, current[name]))
		}
	}
	if missing != nil {
		return fmt.Errorf("%w: accept first: %s", ErrDocuments, strings.Join(missing, ", "))
	}
	return nil
}
