package access

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/softstake/softstake/ledger"
)

// longestEmail is the length in bytes of the longest e-mail address there is [RFC 5321].
const longestEmail = 254

// ParseEmail normalizes an e-mail address as it is stored: in small letters, without white
// space around it. Its error is ledger.ErrInvalid.
func ParseEmail(s string) (string, error) {
	if len(s) > 4*longestEmail || !utf8.ValidString(s) {
		return "", noEmail(s)
	}
	email := norm.NFC.String(strings.ToLower(strings.TrimSpace(s)))
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || len(email) > longestEmail || strings.ContainsFunc(email, notInEmail) {
		return "", noEmail(s)
	}
	return email, nil
}

func noEmail(s string) error {
	return ledger.ErrInvalid.In("", "%q is not an e-mail address such as alice@example.com", ledger.Clip(s))
}

// notInEmail reports characters that the grammar allows and no real address has: invisible
// ones, and those that quote a name or a machine's address.
func notInEmail(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`"\[]`, r)
}
