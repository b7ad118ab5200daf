package testkit

import (
	"crypto/ecdsa"
	"crypto/x509"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// Authenticator is a passkey in software: what a browser and a device do, for tests without a browser.
type Authenticator struct {
	Origin string // of the page that asks
	Site   string // the host that passkeys are of
	Count  uint32 // the signature counter of the last answer; it grows with each

	// Unverified is a device that asks for no PIN and no finger.
	Unverified bool

	key    virtualwebauthn.Credential
	handle []byte
}

// NewAuthenticator is one in a browser on a page of the origin "https://HOST".
func NewAuthenticator(host string) *Authenticator {
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for !hasWholeCoordinates(key) {
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return &Authenticator{Origin: "https://" + host, Site: host, key: key}
}

// hasWholeCoordinates reports whether no coordinate of a public key begins with a byte that is zero: of one that does,
// the library leaves that byte out, and so sends no key of COSE (RFC 9053, 7.1.1). It is one key of 128.
func hasWholeCoordinates(c virtualwebauthn.Credential) bool {
	parsed, err := x509.ParsePKCS8PrivateKey(c.Key.Data)
	if err != nil {
		panic(err) // the library has just written it
	}
	key, err := parsed.(*ecdsa.PrivateKey).PublicKey.ECDH()
	if err != nil {
		panic(err)
	}
	point := key.Bytes() // 4, X of 32 bytes, Y of 32 bytes
	return point[1] != 0 && point[33] != 0
}

func (a *Authenticator) party() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: a.Site, Name: "test", Origin: a.Origin}
}

func (a *Authenticator) device() virtualwebauthn.Authenticator {
	return virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{
		UserHandle: a.handle, UserNotVerified: a.Unverified,
	})
}

// Create answers the options of a new passkey: PublicKeyCredential.toJSON of navigator.credentials.create.
func (a *Authenticator) Create(t *testing.T, options []byte) string {
	t.Helper()
	asked := Must(virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(options) + `}`))(t)
	a.handle = []byte(asked.UserID)
	return virtualwebauthn.CreateAttestationResponse(a.party(), a.device(), a.key, *asked)
}

// Get answers the options of a log-in: PublicKeyCredential.toJSON of navigator.credentials.get.
func (a *Authenticator) Get(t *testing.T, options []byte) string {
	t.Helper()
	a.Count++
	a.key.Counter = a.Count
	asked := Must(virtualwebauthn.ParseAssertionOptions(`{"publicKey":` + string(options) + `}`))(t)
	return virtualwebauthn.CreateAssertionResponse(a.party(), a.device(), a.key, *asked)
}
