package staking

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Why activation is refused, in the order in which it is looked at.
var (
	ErrRegion         = errors.New("not offered in this region")
	ErrUnknownCountry = errors.New("the country of the request is not known")
	ErrUpdateApp      = errors.New("update the app")
	ErrDocuments      = errors.New("documents not accepted")
)

// Client is what a holder pressed the switch with.
type Client struct {
	// Platform is as the client names it; Platform() decides whether it is iOS or Android.
	// Others have no minimum version.
	Platform string
	Version  string // of the app: 3.1.0
	Address  string // network address, as told
	Country  Region // where the request comes from, if the operator supplies it

	NeedCountry bool // refuse to switch on while Country is ""
}

// CheckRegion refuses activation to residents of a restricted region, to those
// without a verified residence, and to requests from such a region, with ErrRegion. A
// residence that does not exist in ISO 3166 is no verified one. A request whose country
// must be known and is not is refused with ErrUnknownCountry.
func CheckRegion(residence Region, c Client, restricted []Region) error {
	if residence == "" {
		return fmt.Errorf("%w: the account has no verified residence; set it with \"softstake account set-region\"", ErrRegion)
	}
	if !residence.Exists() {
		return fmt.Errorf("%w: the account's residence %s is not a code of ISO 3166, and counts as none; set it with \"softstake account set-region\"", ErrRegion, residence)
	}
	for _, r := range restricted {
		if residence.In(r) {
			return fmt.Errorf("%w: the account's residence is %s", ErrRegion, residence)
		}
		if c.Country != "" && c.Country.In(r) {
			return fmt.Errorf("%w: the request comes from %s", ErrRegion, c.Country)
		}
	}
	if c.NeedCountry && c.Country == "" {
		return fmt.Errorf("%w: Soft Staking is switched on only from a country that is known", ErrUnknownCountry)
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
