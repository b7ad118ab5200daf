// Package webhook is the sending side of Standard Webhooks: secrets and signatures, when a message is retried, which
// addresses it may be sent to, and one attempt to send it. It knows no books, and keeps nothing.
//
// The specification is https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
package webhook

import (
	"cmp"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// Scheme is how a message is signed, as the signature names it.
type Scheme string

// The schemes of the specification.
const (
	HMAC    Scheme = "v1"  // HMAC-SHA256: both sides have the secret
	Ed25519 Scheme = "v1a" // the receiver has the public key alone, with which nobody signs
)

// ParseScheme reads a scheme by its name: "hmac" or "ed25519". Its error is ledger.ErrInvalid.
func ParseScheme(s string) (Scheme, error) {
	switch s {
	case "hmac":
		return HMAC, nil
	case "ed25519":
		return Ed25519, nil
	}
	return "", ledger.ErrInvalid.In("", "%q is no way to sign; it is one of hmac, ed25519", ledger.Clip(s))
}

// Name is what ParseScheme reads.
func (s Scheme) Name() string {
	if s == Ed25519 {
		return "ed25519"
	}
	return "hmac"
}

// The prefixes of the texts of secrets and public keys.
const (
	hmacPrefix    = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// hmacLength is the length in bytes of a secret of HMAC; the specification wants 24 to 64.
const hmacLength = 32

// Secret is what messages are signed with. No message, log or JSON shows it.
type Secret struct {
	Scheme Scheme
	key    access.Hidden // of HMAC the secret, of Ed25519 the private key
}

// NewSecret makes one. random is crypto/rand.Reader outside of tests.
func NewSecret(s Scheme, random io.Reader) (Secret, error) {
	length := hmacLength
	if s == Ed25519 {
		length = ed25519.SeedSize
	}
	key := make([]byte, length)
	if _, err := io.ReadFull(random, key); err != nil {
		return Secret{}, fmt.Errorf("read random bytes: %w", err)
	}
	if s == Ed25519 {
		key = ed25519.NewKeyFromSeed(key)
	}
	return Secret{s, key}, nil
}

// NewSealed makes a secret for an endpoint, and seals it for that endpoint alone.
func NewSealed(sealer *access.Sealer, endpoint string, s Scheme, random io.Reader) (made Secret, sealed []byte,
	err error) {
	if made, err = NewSecret(s, random); err == nil {
		sealed, err = sealer.Seal([]byte(made.Text()), Sealed(endpoint))
	}
	return made, sealed, err
}

// ParseSecret reads what Text has written. Its error does not show it.
func ParseSecret(text string) (Secret, error) {
	for _, kind := range []struct {
		prefix string
		scheme Scheme
		length int
	}{{hmacPrefix, HMAC, hmacLength}, {privatePrefix, Ed25519, ed25519.PrivateKeySize}} {
		if body, is := strings.CutPrefix(text, kind.prefix); is {
			key, err := base64.StdEncoding.DecodeString(body)
			if err == nil && len(key) == kind.length {
				return Secret{kind.scheme, key}, nil
			}
		}
	}
	return Secret{}, ledger.ErrInvalid.In("", "it is no secret of a webhook")
}

// Text is the secret as the specification writes it: "whsec_…", or "whsk_…" of Ed25519.
func (s Secret) Text() string {
	if s.Scheme == Ed25519 {
		return privatePrefix + base64.StdEncoding.EncodeToString(s.key)
	}
	return hmacPrefix + base64.StdEncoding.EncodeToString(s.key)
}

// Receiver is what the receiver verifies with: the public key "whpk_…" of Ed25519, and of HMAC the secret itself.
func (s Secret) Receiver() string {
	return cmp.Or(s.PublicKey(), s.Text())
}

// PublicKey is the public key of a secret of Ed25519, "whpk_…"; "" of HMAC.
func (s Secret) PublicKey() string {
	if s.Scheme != Ed25519 {
		return ""
	}
	public, _ := ed25519.PrivateKey(s.key).Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public)
}

// Sign is the signature of a message: "v1,…" or "v1a,…". It covers the ID, the time of the attempt and the body.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	text := append([]byte(id+"."+strconv.FormatInt(at.Unix(), 10)+"."), body...)
	var signature []byte
	if s.Scheme == Ed25519 {
		signature = ed25519.Sign(ed25519.PrivateKey(s.key), text)
	} else {
		h := hmac.New(sha256.New, s.key)
		h.Write(text)
		signature = h.Sum(nil)
	}
	return string(s.Scheme) + "," + base64.StdEncoding.EncodeToString(signature)
}

// Signatures are those of several secrets, as the header webhook-signature has them: while a secret is replaced, the
// former one signs too.
func Signatures(secrets []Secret, id string, at time.Time, body []byte) string {
	all := make([]string, len(secrets))
	for i, s := range secrets {
		all[i] = s.Sign(id, at, body)
	}
	return strings.Join(all, " ")
}

// Sealed is the name that the secrets of an endpoint are sealed with: in another row they cannot be opened.
func Sealed(endpoint string) string { return "webhook " + endpoint }
