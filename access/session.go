package access

import (
	"crypto/sha256"
	"io"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

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
}

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
