// Package factor is what a person proves with who it is: passkeys (WebAuthn), codes of an authenticator app (TOTP), and
// recovery codes. It knows nothing of accounts, of SQL or of HTTP.
package factor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/softstake/softstake/access"
)

// Site is what passkeys are bound to: a passkey of one site confirms nothing on another.
type Site struct {
	Origin string // "https://pay.example.com", as a browser states it
	Name   string // that a browser shows
}

// Passkey is a key pair whose private half an authenticator keeps. It is discoverable: the authenticator finds it
// without being given a name.
type Passkey struct {
	ID         string // the credential's, in base64url
	Handle     []byte // the random name of its owner; 64 bytes
	Label      string
	Credential string // the public key and what it was registered with, as JSON
	Count      int64  // the authenticator's signature counter; 0: it has none
	Added      time.Time
	Used       time.Time // zero: never
}

// HandleLength is the length of an owner's handle in bytes.
const HandleLength = 64

// Assertion is what an authenticator has answered to a challenge. Nothing of it is verified.
type Assertion struct {
	ID        string // of the passkey
	Handle    []byte // of its owner; nil: the authenticator does not say
	Challenge []byte
	parsed    *protocol.ParsedCredentialAssertionData
}

// owner is the user of the library.
type owner struct {
	handle   []byte
	name     string
	passkeys []Passkey
}

func (o owner) WebAuthnID() []byte          { return o.handle }
func (o owner) WebAuthnName() string        { return o.name }
func (o owner) WebAuthnDisplayName() string { return o.name }

// WebAuthnCredentials are the owner's credentials as they were registered. One that is damaged is none.
func (o owner) WebAuthnCredentials() (all []webauthn.Credential) {
	for _, p := range o.passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(p.Credential), &c); err != nil {
			continue
		}
		c.Authenticator.SignCount = uint32(p.Count)
		all = append(all, c)
	}
	return all
}

// Named reports whether a passkey can be of the site: browsers keep none for an address of numbers.
func (s Site) Named() bool {
	at, err := url.Parse(s.Origin)
	return err == nil && net.ParseIP(at.Hostname()) == nil
}

// party is the site as the library has it. Users are always verified, by a PIN or a finger, and not just present.
func (s Site) party() (*webauthn.WebAuthn, error) {
	at, err := url.Parse(s.Origin)
	if err != nil {
		return nil, fmt.Errorf("read the origin of the site: %w", err)
	}
	if !s.Named() {
		return nil, access.ErrUnknown.In("", "a passkey is of a site with a name, and %s is an address", at.Hostname())
	}
	return webauthn.New(&webauthn.Config{
		RPID: at.Hostname(), RPDisplayName: s.Name, RPOrigins: []string{s.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
	})
}

// CreationOptions is what a browser makes a passkey by, as JSON: navigator.credentials.create. name is shown beside the
// passkey; an authenticator that has one of existing makes no other.
func (s Site) CreationOptions(challenge, handle []byte, name string, existing []Passkey) ([]byte, error) {
	party, err := s.party()
	if err != nil {
		return nil, err
	}
	var exclude []protocol.CredentialDescriptor
	for _, c := range (owner{passkeys: existing}).WebAuthnCredentials() {
		exclude = append(exclude, c.Descriptor())
	}
	creation, _, err := party.BeginRegistration(owner{handle: handle, name: name}, webauthn.WithExclusions(exclude),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = challenge
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("make the options of a passkey: %w", err)
	}
	return json.Marshal(creation.Response)
}

// Registration is a passkey that a browser has made, as it answered to a challenge. Nothing of it is verified.
type Registration struct {
	Challenge []byte
	parsed    *protocol.ParsedCredentialCreationData
}

// ParseRegistration reads the answer of a browser: PublicKeyCredential.toJSON. Its error is access.ErrUnknown.
func ParseRegistration(answer []byte) (r Registration, err error) {
	if r.parsed, err = protocol.ParseCredentialCreationResponseBytes(answer); err != nil {
		return r, refused("it is no answer of a browser that has made a passkey", err)
	}
	r.Challenge, err = challengeIn(r.parsed.Response.CollectedClientData)
	return r, err
}

// Register is the passkey of a registration for an owner's handle. Its error is access.ErrUnknown: the registration is
// of another site, or its user was not verified. The caller has checked the challenge.
func (s Site) Register(r Registration, handle []byte) (p Passkey, err error) {
	party, err := s.party()
	if err != nil {
		return p, err
	}
	made, err := party.CreateCredential(owner{handle: handle}, webauthn.SessionData{
		Challenge: encode(r.Challenge), UserID: handle, UserVerification: protocol.VerificationRequired,
		CredParams: webauthn.CredentialParametersDefault(),
	}, r.parsed)
	if err != nil {
		return p, refused("the passkey is not one of this site", err)
	}
	p = Passkey{ID: encode(made.ID), Handle: handle, Count: int64(made.Authenticator.SignCount)}
	made.Attestation = webauthn.CredentialAttestation{} // who made the device is nothing that is decided by
	text, err := json.Marshal(made)
	p.Credential = string(text)
	return p, err
}

// RequestOptions is what a browser answers a challenge by, as JSON: navigator.credentials.get. It may answer with one
// of the passkeys or, where there are none, with any of this site.
func (s Site) RequestOptions(challenge []byte, passkeys []Passkey) ([]byte, error) {
	party, err := s.party()
	if err != nil {
		return nil, err
	}
	var of []protocol.CredentialDescriptor
	for _, c := range (owner{passkeys: passkeys}).WebAuthnCredentials() {
		of = append(of, c.Descriptor())
	}
	request, _, err := party.BeginDiscoverableLogin(webauthn.WithChallenge(challenge), webauthn.WithAllowedCredentials(of))
	if err != nil {
		return nil, fmt.Errorf("make the options of a log-in: %w", err)
	}
	return json.Marshal(request.Response)
}

// ParseAssertion reads the answer of a browser: PublicKeyCredential.toJSON. Its error is access.ErrUnknown.
func ParseAssertion(answer []byte) (a Assertion, err error) {
	if a.parsed, err = protocol.ParseCredentialRequestResponseBytes(answer); err != nil {
		return a, refused("it is no answer of a passkey", err)
	}
	a.ID, a.Handle = encode(a.parsed.RawID), a.parsed.Response.UserHandle
	a.Challenge, err = challengeIn(a.parsed.Response.CollectedClientData)
	return a, err
}

// Verify returns the authenticator's new signature counter if the passkey has signed the assertion's challenge on this
// site for a verified user. Its error is access.ErrUnknown; because of ReasonCloned where the counter has not grown:
// there may be a copy of the authenticator. The caller has checked the challenge.
func (s Site) Verify(a Assertion, p Passkey) (count int64, err error) {
	party, err := s.party()
	if err != nil {
		return 0, err
	}
	by := owner{handle: p.Handle, passkeys: []Passkey{p}}
	c, err := party.ValidateLogin(by, webauthn.SessionData{
		Challenge: encode(a.Challenge), UserID: p.Handle, UserVerification: protocol.VerificationRequired,
	}, a.parsed)
	if err != nil {
		return 0, refused("the passkey did not sign it", err)
	}
	if c.Authenticator.CloneWarning {
		return 0, access.ErrUnknown.In("", "the passkey %s has a counter that went back", p.ID).Because(ReasonCloned)
	}
	return int64(c.Authenticator.SignCount), nil
}

// The reasons why a factor is refused: of access.ErrUnknown.
const (
	ReasonCloned = "passkey-cloned" // its counter has not grown
	ReasonUsed   = "factor-used"    // the code or the challenge was used before
)

// refused is access.ErrUnknown with what the library says.
func refused(what string, err error) error {
	var detail *protocol.Error
	if errors.As(err, &detail) && detail.DevInfo != "" {
		return access.ErrUnknown.In("", "%s: %s: %s", what, detail.Details, detail.DevInfo)
	}
	return access.ErrUnknown.In("", "%s: %v", what, err)
}

// challengeIn is the challenge that a browser states it was given.
func challengeIn(data protocol.CollectedClientData) ([]byte, error) {
	challenge, err := base64.RawURLEncoding.DecodeString(data.Challenge)
	if err != nil || !bytes.Equal([]byte(encode(challenge)), []byte(data.Challenge)) {
		return nil, access.ErrUnknown.In("", "the challenge is not in base64url")
	}
	return challenge, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
