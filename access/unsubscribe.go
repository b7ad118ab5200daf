package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// Unsubscriber makes and reads the text in the link by which the reader of a mail unsubscribes without logging in. It
// is an HMAC-SHA256 over the address, so that nobody unsubscribes another. It is safe for concurrent use.
type Unsubscriber struct {
	secret Hidden
}

// NewUnsubscriber signs with a secret of 32 random bytes.
func NewUnsubscriber(secret Hidden) Unsubscriber { return Unsubscriber{secret} }

// Format keeps the secret out of messages and logs.
func (Unsubscriber) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// Text is the text of an e-mail address, which ParseEmail has written: of A-Z a-z 0-9 - _ and a point.
func (u Unsubscriber) Text(email string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(email)) + partSeparator + encode(u.mac(email))
}

// Email is the address of a text, or ErrUnknown if it was not made with this secret. It compares in constant time.
func (u Unsubscriber) Email(text string) (string, error) {
	name, _, _ := strings.Cut(text, partSeparator)
	email, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil || len(text) > 2*longestCookie || !hmac.Equal([]byte(u.Text(string(email))), []byte(text)) {
		return "", ErrUnknown
	}
	return string(email), nil
}

func (u Unsubscriber) mac(email string) []byte {
	h := hmac.New(sha256.New, u.secret)
	fmt.Fprintf(h, "unsubscribe %s", email)
	return h.Sum(nil)
}
