package access

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/softstake/softstake/ledger"
)

// The lengths of a password in characters.
const (
	shortestPassword = 10
	longestPassword  = 200
)

// argon is a password's hash by Argon2id, and what it was made with.
type argon struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
	salt   []byte
	sum    []byte
}

// ours are the parameters of new hashes: the minimum that OWASP recommends for Argon2id.
func ours() argon {
	return argon{memory: 19 << 10, passes: 2, lanes: 1, salt: make([]byte, 16), sum: make([]byte, 32)}
}

// The limits of a stored hash's parameters: hashes with other parameters than ours are
// checked too, and a damaged one must not exhaust the machine.
const (
	mostMemory = 256 << 10 // KiB
	mostPasses = 16
	mostLanes  = 16
	mostBytes  = 64 // of a salt or a sum
)

// of is the sum of a password. It is normalized to NFC, since keyboards compose the same
// letters differently.
func (a argon) of(password string) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), a.salt, a.passes, a.memory, a.lanes, uint32(len(a.sum)))
}

// String is the hash in the PHC string format.
func (a argon) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.passes, a.lanes,
		base64.RawStdEncoding.EncodeToString(a.salt), base64.RawStdEncoding.EncodeToString(a.sum))
}

// parseArgon is the strict inverse of String. Its error is ledger.ErrInvalid, and does not
// show the hash.
func parseArgon(hash string) (argon, error) {
	damaged := ledger.ErrInvalid.In("", "a password's hash in the books is damaged")
	var a argon
	var version int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return a, damaged
	}
	if n, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d",
		&version, &a.memory, &a.passes, &a.lanes); err != nil || n != 4 {
		return a, damaged
	}
	var errs [2]error
	a.salt, errs[0] = base64.RawStdEncoding.DecodeString(parts[4])
	a.sum, errs[1] = base64.RawStdEncoding.DecodeString(parts[5])
	switch {
	case errs != [2]error{}, a.String() != hash,
		len(a.salt) < 8 || len(a.salt) > mostBytes, len(a.sum) < 16 || len(a.sum) > mostBytes,
		a.memory > mostMemory, a.passes < 1 || a.passes > mostPasses, a.lanes < 1 || a.lanes > mostLanes,
		a.memory < 8*uint32(a.lanes):
		return a, damaged
	}
	return a, nil
}

// HashPassword hashes a password by Argon2id with 19 MiB and two passes [OWASP], in the PHC
// string format. Its error is ErrPasswordLength for a password of fewer than 10 or more
// than 200 characters; CheckNewPassword has the other rules. It takes 19 MiB of memory and
// some 20 ms: callers limit how many run at the same time.
func HashPassword(random io.Reader, password string) (string, error) {
	if err := checkPasswordLength(password); err != nil {
		return "", err
	}
	return RehashPassword(random, password)
}

// RehashPassword is HashPassword of any length, for a password that was just verified: it
// may have been set under other rules.
func RehashPassword(random io.Reader, password string) (string, error) {
	a := ours()
	if _, err := io.ReadFull(random, a.salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	a.sum = a.of(password)
	return a.String(), nil
}

// IsOutdated reports whether a hash that CheckPassword can check was made with other
// parameters than HashPassword uses today.
func IsOutdated(hash string) bool {
	a, err := parseArgon(hash)
	today := ours()
	return err == nil && (a.memory != today.memory || a.passes != today.passes || a.lanes != today.lanes ||
		len(a.salt) != len(today.salt) || len(a.sum) != len(today.sum))
}

// IsPasswordHash reports whether text is one that CheckPassword can check.
func IsPasswordHash(text string) bool {
	_, err := parseArgon(text)
	return err == nil
}

// CheckPassword returns ErrUnknown unless a password is the one that was hashed, and
// ledger.ErrInvalid if the hash is damaged. hash "" is for a person who does not exist, and
// takes as long. It costs as much as HashPassword.
func CheckPassword(hash, password string) error {
	a, err := ours(), error(nil)
	if hash != "" {
		a, err = parseArgon(hash)
	}
	if err != nil {
		return err
	}
	same := subtle.ConstantTimeCompare(a.of(password), a.sum) == 1
	if hash == "" || !same {
		return ErrUnknown
	}
	return nil
}

// passwordLength is the length of a generated password in characters: 119 bits.
const passwordLength = 20

// NewPassword generates a random password. random is crypto/rand.Reader outside of tests.
func NewPassword(random io.Reader) (string, error) { return randomText(random, passwordLength) }
