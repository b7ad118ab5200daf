package access

import (
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Source is who vouches for a member of staff at the log-in.
type Source string

// The sources.
const (
	Local    Source = "local"    // these books: with a passkey
	Provider Source = "provider" // an OpenID provider, whose groups give the role
)

// Staff is a person who works for the operator, and logs in to the console. The e-mail address is the person.
type Staff struct {
	Email    string // as ParseEmail writes it
	Role     Role   // of StaffRoles
	Source   Source
	Subject  string // of a provider's: "ISSUER SUBJECT", which is never another person's; else ""
	Made     time.Time
	MadeBy   string // the credential
	Disabled time.Time

	Invitation Invitation // zero: none is open
}

// IsStaff reports whether the actor has logged in to the console.
func (a Actor) IsStaff() bool { return strings.HasPrefix(a.Credential, ofStaff) }

// Actor is the person who has logged in to the console.
func (s Staff) Actor() Actor {
	return Actor{Role: s.Role, Credential: StaffSubject(s.Email), Person: PersonOf(s.Email)}
}

// Live returns ErrUnknown if the person is disabled.
func (s Staff) Live() error {
	if !s.Disabled.IsZero() {
		return ErrUnknown
	}
	return nil
}

// Valid returns ledger.ErrInvalid unless the person may be stored.
func (s Staff) Valid() error {
	email, err := ParseEmail(s.Email)
	if err == nil && email != s.Email {
		err = ledger.ErrInvalid.In("", "the address %q is not as it is read", ledger.Clip(s.Email))
	}
	if err != nil {
		return ledger.At("email", err)
	}
	if !slices.Contains(StaffRoles, s.Role) {
		return ledger.ErrInvalid.In("role", "%q is no role of staff; it is one of %s", ledger.Clip(string(s.Role)),
			join(StaffRoles))
	}
	if s.Source != Local && s.Source != Provider || (s.Source == Provider) != (s.Subject != "") {
		return ledger.ErrInvalid.In("source", "staff are local, or of a provider which says who they are")
	}
	return nil
}

// InvitationLife is how long a code of an invitation can be used.
const InvitationLife = 24 * time.Hour

// Invitation is a code that was given to a person: staff register a first passkey with it, a holder chooses a password.
type Invitation struct {
	Hash  [32]byte  // SHA-256 of the code: it is random, and needs no slow hash
	Until time.Time // it can be used before
}

const invitationPrefix = "ssi_"

// NewInvitation makes the hash of a code, and its text, which is shown once.
func NewInvitation(random io.Reader) (e Invitation, text string, err error) {
	body, err := randomText(random, tokenSecret)
	if err != nil {
		return e, "", err
	}
	text = invitationPrefix + body
	return Invitation{Hash: sha256.Sum256([]byte(text))}, text, nil
}

// Check returns ErrUnknown unless text is the code, and it can be used at now. It compares in constant time.
func (e Invitation) Check(text string, now time.Time) error {
	return checkText(e.Hash, text, e.Hash != [32]byte{} && now.Before(e.Until))
}

// StaffSession is a person of the staff who has logged in with a browser.
type StaffSession struct {
	ID      string   // 12 characters, the part that may be shown
	Hash    [32]byte // SHA-256 of the whole text
	Email   string
	Client  string // the browser's own name, at most 200 characters; the session is bound to it
	Address string // "192.0.2.7 DE"
	Created time.Time
	Seen    time.Time // the last time it was used, to a minute
	Expires time.Time
}

// How long a session of staff lives without being used, and at all.
const (
	StaffIdle = 15 * time.Minute
	StaffLife = 12 * time.Hour
)

// NewStaffSession makes the ID and hash of a session, and its text, which only the browser keeps.
func NewStaffSession(random io.Reader) (s StaffSession, text string, err error) {
	made, text, err := NewSession(random)
	return StaffSession{ID: made.ID, Hash: made.Hash}, text, err
}

// End is until when the session lives that is used at now.
func (s StaffSession) End(now time.Time) time.Time {
	idle, life := now.Add(StaffIdle), s.Created.Add(StaffLife)
	if idle.Before(life) {
		return idle
	}
	return life
}

// Check returns ErrUnknown unless text is this session's, it comes from the browser that it is bound to, and it is not
// expired at now. It compares in constant time.
func (s StaffSession) Check(text, client string, now time.Time) error {
	return checkText(s.Hash, text, s.Client == client && live(s.Expires, time.Time{}, now))
}
