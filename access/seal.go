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
	"sync"
)

// Hidden is bytes that no message, log or JSON shows.
type Hidden []byte

const hidden = "(hidden)"

// Format writes "(hidden)" for every verb.
func (Hidden) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText writes "(hidden)", for logs and JSON.
func (Hidden) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// sealKeyLength is the length in bytes of the key that secrets are sealed with: AES-256.
const sealKeyLength = 32

// MaxSealKeys is how many keys the text of a Sealer has at most.
const MaxSealKeys = 16

// Sealer encrypts secrets with a key that is not in the database, so that a copy of the
// database alone does not reveal them. During a rotation it has several keys: the first
// seals, and all of them open. It is safe for concurrent use.
type Sealer struct{ keys *sealKeys }

type sealKeys struct {
	mu     sync.Mutex
	text   string                          // that the keys were read from
	aeads  []cipher.AEAD                   // at least one, the one that seals first
	keys   []Hidden                        // the keys themselves, in that order
	source func() (text string, err error) // nil: the keys never change
}

// NewSealer makes a Sealer from the text of one or more keys, each as NewSealKey makes
// it, separated by white space. Its errors never show the text.
func NewSealer(text string) (*Sealer, error) {
	keys, aeads, err := parseSealKeys(text)
	if err != nil {
		return nil, err
	}
	return &Sealer{&sealKeys{text: text, keys: keys, aeads: aeads}}, nil
}

// Watch makes the Sealer read its keys again from source before it seals, and if it cannot
// open something: for a process that runs during a rotation.
func (s *Sealer) Watch(source func() (text string, err error)) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.keys.source = source
}

// refresh reads the keys again.
func (k *sealKeys) refresh() ([]cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.source == nil {
		return k.aeads, nil
	}
	text, err := k.source()
	if err != nil || text == k.text {
		return k.aeads, err
	}
	keys, aeads, err := parseSealKeys(text)
	if err == nil {
		k.text, k.keys, k.aeads = text, keys, aeads
	}
	return k.aeads, err
}

// Derive is a secret of 32 bytes for another purpose, by HKDF-SHA256 [RFC 5869] from the
// key that seals. It is the same in every process that has the key, does not reveal the
// key, and changes when the process reads a changed key.
func (s *Sealer) Derive(purpose string) (Hidden, error) {
	if s == nil {
		return nil, errNoSealer
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	return hkdf.Key(sha256.New, s.keys.keys[0], nil, purpose, sha256.Size)
}

// DeriveEach is Derive from each of the keys, in their order: during a rotation there are several. again reads the keys
// again before.
func (s *Sealer) DeriveEach(purpose string, again bool) (secrets []Hidden, err error) {
	if s == nil {
		return nil, errNoSealer
	}
	if again {
		if _, err := s.keys.refresh(); err != nil {
			return nil, err
		}
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	for _, key := range s.keys.keys {
		secret, err := hkdf.Key(sha256.New, key, nil, purpose, sha256.Size)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// known are the keys as they were last read.
func (k *sealKeys) known() []cipher.AEAD {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.aeads
}

func parseSealKeys(text string) (keys []Hidden, aeads []cipher.AEAD, err error) {
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > MaxSealKeys {
		return nil, nil, fmt.Errorf("there are %d keys that secrets are sealed with, not 1 to %d",
			len(words), MaxSealKeys)
	}
	for _, word := range words {
		key, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(key) != sealKeyLength {
			return nil, nil, fmt.Errorf("the key that secrets are sealed with is not %d bytes in base64", sealKeyLength)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, nil, err
		}
		keys, aeads = append(keys, key), append(aeads, aead)
	}
	return keys, aeads, nil
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

// Seal encrypts a secret with the first key, bound to a name.
func (s *Sealer) Seal(secret []byte, name string) ([]byte, error) {
	if s == nil {
		return nil, errNoSealer
	}
	aeads, err := s.keys.refresh()
	if err != nil {
		return nil, err
	}
	return aeads[0].Seal(nil, nil, secret, []byte(name)), nil
}

// Open decrypts a secret that was sealed with the name.
func (s *Sealer) Open(sealed []byte, name string) ([]byte, error) {
	if s == nil {
		return nil, errNoSealer
	}
	if secret, _, opened := open(s.keys.known(), sealed, name); opened {
		return secret, nil
	}
	aeads, err := s.keys.refresh()
	if err != nil {
		return nil, err
	}
	if secret, _, opened := open(aeads, sealed, name); opened {
		return secret, nil
	}
	return nil, errors.New("it was sealed with another key; give the one that these books were made with")
}

// open tries each key in turn; by is the index of the one that opens.
func open(aeads []cipher.AEAD, sealed []byte, name string) (secret []byte, by int, opened bool) {
	for i, aead := range aeads {
		if secret, err := aead.Open(nil, nil, sealed, []byte(name)); err == nil {
			return secret, i, true
		}
	}
	return nil, 0, false
}

var errNoSealer = errors.New("the key that secrets are sealed with is missing")

// Seal sets the key's secret, sealed and bound to the key.
func (k *Key) Seal(s *Sealer, secret string) (err error) {
	k.Secret, err = s.Seal([]byte(secret), k.sealedFor())
	return err
}

// Reseal seals the key's secret with the Sealer's first key. changed is false if it is
// already, or if the key has no secret. It fails if no key of the Sealer opens the secret.
func (k *Key) Reseal(s *Sealer) (changed bool, err error) {
	if k.Type != HMAC || len(k.Secret) == 0 { // erased with the person
		return false, nil
	}
	again, changed, err := s.Reseal(k.Secret, k.sealedFor())
	if err != nil {
		return false, fmt.Errorf("the secret of %s cannot be read: %w", k, err)
	}
	if changed {
		k.Secret = again
	}
	return changed, nil
}

// Reseal seals with the first key what was sealed with the name; it reads the keys again. changed is false if it is
// already.
func (s *Sealer) Reseal(sealed []byte, name string) (again []byte, changed bool, err error) {
	if s != nil {
		_, err = s.keys.refresh()
	}
	if err != nil {
		return nil, false, err
	}
	secret, err := s.Open(sealed, name)
	if err != nil {
		return nil, false, err
	}
	if _, by, opened := open(s.keys.known(), sealed, name); opened && by == 0 {
		return sealed, false, nil
	}
	again, err = s.Seal(secret, name)
	return again, err == nil, err
}

// AppSecret is the name that the secret of a subject's authenticator app is sealed with: in another row it cannot be
// opened.
func AppSecret(subject string) string { return "authenticator app of " + subject }

// Opens returns an error if a Sealer cannot open the key's secret. A key without a secret
// has none.
func (k Key) Opens(s *Sealer) error {
	if k.Type != HMAC || len(k.Secret) == 0 {
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

// sealedFor binds a sealed secret to its key and account: in another row it cannot be opened.
func (k Key) sealedFor() string { return "api key " + k.Key + " of " + string(k.Account) }
