package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Hidden is bytes that no message, log or JSON shows.
type Hidden []byte

const hidden = "(hidden)"

// Format writes that something is hidden, whatever the verb.
func (Hidden) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText is what logs and JSON show.
func (Hidden) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// sealKeyLength is the length in bytes of the key that secrets are sealed with: AES-256.
const sealKeyLength = 32

// Sealer seals secrets with a key that is not in the database, so that a copy of
// the database alone does not give them away. It may be used by several goroutines.
type Sealer struct {
	key  Hidden
	aead cipher.AEAD
}

// NewSealer makes a Sealer from the text of a key, as NewSealKey makes it. Its
// errors never show the text.
func NewSealer(text string) (*Sealer, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != sealKeyLength {
		return nil, fmt.Errorf("the key that secrets are sealed with is not %d bytes in base64", sealKeyLength)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{key, aead}, nil
}

// Derive is a secret of 32 bytes for another purpose, by HKDF-SHA256 [RFC 5869]: it is
// the same in every process that has the key, and does not give the key away.
func (s *Sealer) Derive(purpose string) (Hidden, error) {
	if s == nil {
		return nil, errNoSealer
	}
	return hkdf.Key(sha256.New, s.key, nil, purpose, sha256.Size)
}

// NewSealKey makes a key to seal secrets with, in base64. random is
// crypto/rand.Reader outside of tests.
func NewSealKey(random io.Reader) (string, error) {
	key := make([]byte, sealKeyLength)
	if _, err := io.ReadFull(random, key); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return base64.StdEncoding.EncodeToString(key), nil
}

// Format keeps the key out of messages and logs.
func (Sealer) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// Seal encrypts a secret for what it is named by.
func (s *Sealer) Seal(secret []byte, name string) ([]byte, error) {
	if s == nil {
		return nil, errNoSealer
	}
	return s.aead.Seal(nil, nil, secret, []byte(name)), nil
}

// Open is the secret that was sealed for the name.
func (s *Sealer) Open(sealed []byte, name string) ([]byte, error) {
	if s == nil {
		return nil, errNoSealer
	}
	secret, err := s.aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return nil, errors.New("it was sealed with another key; give the one that these books were made with")
	}
	return secret, nil
}

var errNoSealer = errors.New("the key that secrets are sealed with is missing")

// Seal gives the key its secret, sealed for it alone.
func (k *Key) Seal(s *Sealer, secret string) (err error) {
	k.Secret, err = s.Seal([]byte(secret), k.sealedFor())
	return err
}

// Opens says whether a Sealer opens what the key has sealed, or why not. A key
// that has nothing sealed is opened by any.
func (k Key) Opens(s *Sealer) error {
	if k.Type != HMAC {
		return nil
	}
	_, err := k.open(s)
	return err
}

func (k Key) open(s *Sealer) ([]byte, error) {
	secret, err := s.Open(k.Secret, k.sealedFor())
	if err != nil {
		return nil, fmt.Errorf("the secret of %s cannot be read: %w", k, err)
	}
	return secret, nil
}

// sealedFor binds a sealed secret to its key and account: in another's row it cannot be opened.
func (k Key) sealedFor() string { return "api key " + k.Key + " of " + string(k.Account) }
