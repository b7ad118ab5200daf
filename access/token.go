package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Token is a credential for our own API. A zero time means never.
type Token struct {
	ID      string   // 12 characters, the part of the token that may be shown
	Hash    [32]byte // SHA-256 of the whole token: it is random, and needs no slow hash
	Role    Role
	Parts   Parts          // of the role exchange, at least one; 0 for other roles
	Account ledger.Account // the holder's; "" for other roles
	Label   string
	Person  string // whose it is, as Actor.Person has it; "": nobody's, or not stated
	Created time.Time
	Expires time.Time
	Revoked time.Time

	Authoritative bool // may post authoritative entries (ledger.Entry); only of the role exchange

	Addresses []netip.Prefix // from where it may be used; none: from anywhere
	// Subject is that of the client certificate with which alone it may be used (RFC 8705), in the form of RFC 4514:
	// "CN=back end,O=Example"; "": with any certificate, or none.
	Subject string
	// Ceilings are how much it may do on a day; "": without a ceiling. Only of the role exchange.
	Ceilings Ceilings

	// Lasts is for how long a break-glass credential can be used from its first use on, which is Opened; 0: it is none.
	Lasts  time.Duration
	Opened time.Time // zero: it was not used
}

// BreakGlassPerson is whose a break-glass credential is: what it proposes it cannot approve.
const BreakGlassPerson = "break-glass"

// longestOpen is the longest Lasts.
const longestOpen = 24 * time.Hour

// breakGlass are the roles of a break-glass credential. Its Role is the first.
var breakGlass = []Role{Admin, Operator, Approver}

// As is the token in one of some roles: a break-glass credential in the first that it has, and each other one in its
// own.
func (t Token) As(roles []Role) Token {
	if t.Lasts == 0 {
		return t
	}
	for _, r := range breakGlass {
		if slices.Contains(roles, r) {
			t.Role = r
			return t
		}
	}
	return t
}

// Ends is when the token expires: of a break-glass credential that was opened at most Lasts after that. Zero: never.
func (t Token) Ends() time.Time {
	if end := t.Opened.Add(t.Lasts); !t.Opened.IsZero() && (t.Expires.IsZero() || end.Before(t.Expires)) {
		return end
	}
	return t.Expires
}

// TokenLifetime is how long a token can be used where nobody says otherwise. Ours, as that of UnlimitedTrade.
const TokenLifetime = 90 * 24 * time.Hour

// ExpiresSoon is how long before its end a token is pointed out to operators.
const ExpiresSoon = 14 * 24 * time.Hour

const (
	tokenPrefix = "sst_"
	tokenID     = 12
	tokenSecret = 43 // characters of 62: 256 bits
)

// NewToken makes the ID and hash of a token, and its text, which is shown once.
func NewToken(random io.Reader) (t Token, text string, err error) {
	body, err := randomText(random, tokenID+tokenSecret)
	if err != nil {
		return t, "", err
	}
	text = tokenPrefix + body[:tokenID] + "_" + body[tokenID:]
	return Token{ID: body[:tokenID], Hash: sha256.Sum256([]byte(text))}, text, nil
}

// Valid returns ledger.ErrInvalid unless the token may be stored.
func (t Token) Valid() error {
	switch {
	case !IsTokenID(t.ID) || t.Hash == [32]byte{}:
		return ledger.ErrInvalid.In("id", "a token has an ID of %d characters of A-Z a-z 0-9, and a hash", tokenID)
	case !slices.Contains(Roles, t.Role):
		_, err := ParseRole(string(t.Role))
		return ledger.At("role", err)
	case (t.Role == Exchange) != (t.Parts != 0) || t.Parts > AllParts:
		return ledger.ErrInvalid.In("parts", "a token of the role %s has some of the parts %s, and no other has", Exchange,
			AllParts)
	case t.Authoritative && t.Role != Exchange:
		return ledger.ErrInvalid.In("authoritative", "only a token of the role %s may be authoritative", Exchange)
	case t.Person != PersonOf(t.Person) || t.Role == Holder && t.Person != "":
		return ledger.ErrInvalid.In("person", "the person is as PersonOf writes it, and not that of a holder's token")
	case CheckPerson(t.Person) != nil:
		return ledger.At("person", CheckPerson(t.Person))
	case t.Role == Approver && t.Person == "":
		return ledger.ErrInvalid.In("person", "a token of the role %s says whose it is", Approver)
	case !areParsed(t.Addresses):
		return ledger.ErrInvalid.In("addresses", "the addresses %q are not as ParseAddresses reads them",
			ledger.Clip(FormatAddresses(t.Addresses)))
	case t.Subject != "" && !strings.Contains(t.Subject, "="):
		return ledger.ErrInvalid.In("subject", "%q is not the subject of a certificate, such as CN=back end,O=Example",
			ledger.Clip(t.Subject))
	case (t.Lasts != 0) != (t.Person == BreakGlassPerson),
		t.Lasts != 0 && (t.Role != breakGlass[0] || t.Expires.IsZero() || t.Lasts < time.Minute || t.Lasts > longestOpen):
		return ledger.ErrInvalid.In("lasts", "a break-glass credential is of the role %s and of %s, ends, and can be used "+
			"for 1 minute to 24 hours", breakGlass[0], BreakGlassPerson)
	case t.Ceilings != "" && t.Role != Exchange:
		return ledger.ErrInvalid.In("ceilings", "only a token of the role %s has ceilings", Exchange)
	case t.Ceilings.Check(t.Parts) != nil:
		return t.Ceilings.Check(t.Parts)
	case ledger.CheckText("the subject", t.Subject) != nil:
		return ledger.At("subject", ledger.CheckText("the subject", t.Subject))
	case t.Role == Holder:
		return ledger.At("account", t.Account.CheckHolder())
	case t.Account != "":
		return ledger.ErrInvalid.In("account",
			"only a holder's token has an account; one of the role %s sees all", t.Role)
	}
	return nil
}

// IsTokenID reports whether text has the form of a token's ID. The token need not exist.
func IsTokenID(text string) bool {
	return len(text) == tokenID && strings.Trim(text, keyAlphabet) == ""
}

// TokenID is the ID in a token's text, or false if it is no token.
func TokenID(text string) (string, bool) {
	body, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(body) != tokenID+1+tokenSecret || body[tokenID] != '_' || !IsTokenID(body[:tokenID]) {
		return "", false
	}
	return body[:tokenID], true
}

// Check returns ErrUnknown unless text is this token, and the token is neither revoked nor
// expired at now. It compares in constant time.
func (t Token) Check(text string, now time.Time) error {
	return checkText(t.Hash, text, live(t.Ends(), t.Revoked, now))
}

// checkText returns ErrUnknown unless a text has the hash, compared in constant time, and
// is live.
func checkText(hash [32]byte, text string, live bool) error {
	sum := sha256.Sum256([]byte(text))
	if subtle.ConstantTimeCompare(sum[:], hash[:]) != 1 || !live {
		return ErrUnknown
	}
	return nil
}

// Live returns ErrUnknown if the token is revoked or expired at now.
func (t Token) Live(now time.Time) error {
	if !live(t.Ends(), t.Revoked, now) {
		return ErrUnknown
	}
	return nil
}

// Soon reports whether the token can be used at now, and ends within ExpiresSoon.
func (t Token) Soon(now time.Time) bool {
	return t.Live(now) == nil && !t.Expires.IsZero() && t.Expires.Sub(now) <= ExpiresSoon
}

// CheckCaller returns ErrAddress where the token is not allowed from the caller's address, and ErrUnknown where it
// needs another client certificate than the caller's (RFC 8705, 3).
func (t Token) CheckCaller(c Caller) error {
	if !isWithin(t.Addresses, c.Address) {
		return ErrAddress.In("", "the token is not allowed from this address")
	}
	if t.Subject != "" && t.Subject != c.Subject {
		return ErrUnknown.In("", "the token is valid only with its client certificate")
	}
	return nil
}

// Duty is what the token may do, and whose it is: "deposits,trades, of ann".
func (t Token) Duty() string {
	text := FormatRole(t.Role, t.Parts)
	if t.Account != "" {
		text += " " + string(t.Account)
	}
	if t.Authoritative {
		text += ", authoritative"
	}
	if t.Lasts != 0 {
		return "break-glass: " + join(breakGlass) + ", for " + t.Lasts.String() + " from its first use on"
	}
	if t.Person != "" {
		text += ", of " + t.Person
	}
	return text
}

// Describe is all that limits the token, for the log and for who approves it.
func (t Token) Describe() string {
	text := t.Duty()
	if t.Role == Exchange && t.Ceilings == "" {
		text += ", without a ceiling"
	}
	for _, part := range []struct{ before, text string }{
		{", from ", FormatAddresses(t.Addresses)}, {", with the certificate ", t.Subject}, {", at most ", string(t.Ceilings)},
	} {
		if part.text != "" {
			text += part.before + part.text
		}
	}
	return text
}

// Owns reports whether the token may act on an account: a holder's on its own, the other
// roles on every account, an unknown role on none.
func (t Token) Owns(a ledger.Account) bool {
	if t.Role == Holder {
		return t.Account == a
	}
	return slices.Contains(Roles, t.Role)
}

// Session is a person who has logged in with a browser.
type Session struct {
	ID      string   // 12 characters, the part that may be shown
	Hash    [32]byte // SHA-256 of the whole text: it is random, and needs no slow hash
	Email   string
	Account ledger.Account
	Client  string // the browser's own name, at most 200 characters
	Address string // "192.0.2.7 DE"
	Created time.Time
	Seen    time.Time // the last time it was used, to some minutes
	Expires time.Time

	Stranger bool // it begins in a browser that was not known; the books do not keep this
}

// NewHolder makes a name by which a process claims work in the books: no other process has it. It is no secret.
func NewHolder(random io.Reader) (string, error) { return randomText(random, tokenID) }

// NewSession makes the ID and hash of a session, and its text, which only the browser keeps.
func NewSession(random io.Reader) (s Session, text string, err error) {
	body, err := randomText(random, tokenID+tokenSecret)
	if err != nil {
		return s, "", err
	}
	return Session{ID: body[:tokenID], Hash: sha256.Sum256([]byte(body))}, body, nil
}

// SessionID is the ID in a session's text, or false if it is none.
func SessionID(text string) (string, bool) {
	if len(text) != tokenID+tokenSecret || strings.Trim(text, keyAlphabet) != "" {
		return "", false
	}
	return text[:tokenID], true
}

// Check returns ErrUnknown unless text is this session's, and the session is not expired at
// now. It compares in constant time.
func (s Session) Check(text string, now time.Time) error {
	return checkText(s.Hash, text, live(s.Expires, time.Time{}, now))
}
