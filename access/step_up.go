package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/softstake/softstake/ledger"
)

// StepUpLife is how long a step-up may be used.
const StepUpLife = 5 * time.Minute

// The reasons of ErrForbidden where an operation is to be confirmed by the person who asks for it.
const (
	ReasonStepUp = "step-up-needed" // with a factor, or again: the step-up was used, is over, or is of something else
	ReasonFactor = "factor-needed"  // the person has no factor, and the operation is not done without one
)

// Method is how a person has confirmed something.
type Method string

// The methods.
const (
	ByPasskey  Method = "passkey"
	ByTOTP     Method = "totp"     // a code of an authenticator app
	ByRecovery Method = "recovery" // a recovery code
	ByPassword Method = "password" // only where the person has no factor
	ByProvider Method = "provider" // a fresh log-in at the OpenID provider; of staff only
)

// LogIn is the digest of the step-up of a log-in.
var LogIn = StepUp("log in")

// StepUp is the digest of an operation and its content, in hexadecimal: a step-up confirms what has the same digest,
// and nothing else. Each text counts after its length, so that no two contents have the same digest.
func StepUp(operation string, content ...string) string {
	h := sha256.New()
	for _, text := range append([]string{operation}, content...) {
		fmt.Fprintf(h, "%d %s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// EntryStepUp is the StepUp of posting an entry: its kind, ID and moves and, of a withdrawal, where it goes.
func EntryStepUp(e ledger.Entry, to ledger.Destination) string {
	content := []string{e.ID, to.Network, to.Address, to.Tag}
	for _, m := range e.Moves {
		content = append(content, string(m.From), string(m.To), m.Asset, strconv.FormatInt(int64(m.Amount), 10))
	}
	return StepUp(string(e.Kind), content...)
}

// StepUp is the StepUp of making the key at now: how many days it lives, and all else but its name and secret.
func (k Key) StepUp(now time.Time) string {
	days, public := "", ""
	if !k.Expires.IsZero() {
		const day = 24 * time.Hour
		days = strconv.FormatInt(int64((k.Expires.Sub(now)+day-1)/day), 10) // some seconds may have passed
	}
	if k.Type != HMAC {
		public = hex.EncodeToString(k.Secret)
	}
	return StepUp("key create", string(k.Account), string(k.Type), FormatPermissions(k.Permissions),
		FormatAddresses(k.Addresses), k.Label, public, days)
}

// PasswordStepUp is the StepUp of setting the password of a login.
func PasswordStepUp(email string) string { return StepUp("login password", email) }

// ApprovalStepUp is the StepUp of approving a proposal whose effect has a digest.
func ApprovalStepUp(proposal, effect string) string {
	return StepUp("proposal approve", proposal, effect)
}

// AddFactorStepUp is the StepUp of adding a factor: a "passkey" with its label, or a "totp".
func AddFactorStepUp(kind, label string) string { return StepUp("factor add", kind, label) }

// RemoveFactorStepUp is the StepUp of removing a factor: a "passkey" by its ID, or a "totp".
func RemoveFactorStepUp(kind, id string) string { return StepUp("factor remove", kind, id) }

// CodesStepUp is the StepUp of replacing the recovery codes.
var CodesStepUp = StepUp("factor codes")

// NewStepUpID is a random ID of a step-up, of 12 characters.
func NewStepUpID(random io.Reader) (string, error) { return randomText(random, tokenID) }
