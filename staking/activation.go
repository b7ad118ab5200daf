package staking

import (
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Why activation is refused, in the order in which it is checked.
const (
	ErrRegion         ledger.ErrorKind = "not offered in this region"
	ErrUnknownCountry ledger.ErrorKind = "the country of the request is not known"
	ErrUpdateApp      ledger.ErrorKind = "update the app"
	ErrDocuments      ledger.ErrorKind = "documents not accepted"
)

// ReasonNoResidence is ErrRegion: the account has no residence, or one that does not exist.
const ReasonNoResidence = "no-residence"

// Client is the app or browser from which a holder switches Soft Staking on or off.
type Client struct {
	// Platform is as the client names it; Platform() decides whether it is iOS or Android.
	// Others have no minimum version.
	Platform string
	Version  string // of the app: 3.1.0
	Address  string // network address, as the caller reports it
	Country  Region // where the request comes from, if the operator supplies it

	NeedCountry bool // refuse to switch on while Country is ""
}

// Check refuses what cannot be kept of a client, and writes its platform in one way and its
// country in capitals. Its errors are ledger.ErrInvalid.
func (c *Client) Check() error {
	for _, s := range []string{c.Platform, c.Version, c.Address} {
		if err := ledger.CheckText("the client", s); err != nil {
			return err
		}
	}
	c.Platform = Platform(c.Platform)
	if c.Country == "" {
		return nil
	}
	country, err := ParseRegion(string(c.Country))
	c.Country = country
	return ledger.At("country", err)
}

// App is what the books keep of the client: "ios 3.2.0".
func (c Client) App() string { return strings.TrimSpace(c.Platform + " " + c.Version) }

// Origin is what the books keep of where the client is: "192.0.2.7 DE".
func (c Client) Origin() string { return strings.TrimSpace(c.Address + " " + string(c.Country)) }

// CheckRegion refuses activation with ErrRegion to residents of a restricted region, to
// those without a verified residence, and to requests from such a region. A residence that
// does not exist in ISO 3166 is not verified. If the country must be known and is not, the
// error is ErrUnknownCountry.
func CheckRegion(residence Region, c Client, restricted []Region) error {
	if residence == "" {
		return ErrRegion.In("", "the account has no verified residence").Because(ReasonNoResidence)
	}
	if !residence.Exists() {
		return ErrRegion.In("", "the account's residence %s is not a code of ISO 3166, and counts as none",
			residence).Because(ReasonNoResidence)
	}
	for _, r := range restricted {
		if residence.In(r) {
			return ErrRegion.In("", "the account's residence is %s", residence)
		}
		if c.Country != "" && c.Country.In(r) {
			return ErrRegion.In("", "the request comes from %s", c.Country)
		}
	}
	if c.NeedCountry && c.Country == "" {
		return ErrUnknownCountry.In("", "Soft Staking is switched on only from a country that is known")
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
		return ErrDocuments.In("", "accept first: %s", strings.Join(missing, ", "))
	}
	return nil
}

// CheckActivation refuses activation to a resident of a region with a client: in this order
// with ErrRegion, ErrUnknownCountry, ErrUpdateApp and ErrDocuments.
func CheckActivation(residence Region, c Client, restricted []Region, current, accepted map[string]int) error {
	if err := CheckRegion(residence, c, restricted); err != nil {
		return err
	}
	if err := c.CheckVersion(); err != nil {
		return err
	}
	return CheckDocuments(current, accepted)
}
