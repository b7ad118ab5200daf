package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/softstake/softstake/ledger"
)

// idBytes is how many random bytes the ID of a form has.
const idBytes = 16

// newID names a form that moves something: however often it is sent, it moves once.
func newID(random io.Reader) (string, error) {
	b := make([]byte, idBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}

func isID(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == idBytes
}

// entryID is the ID of the entry that an account's form posts. It is made of both
// and shows neither: so no account is called too long for it, nor as the names begin
// that are kept for our own entries, and nobody can take another's.
func entryID(account ledger.Account, form string) string {
	sum := sha256.Sum256([]byte("web\x00" + string(account) + "\x00" + form))
	return "web-" + hex.EncodeToString(sum[:16])
}
