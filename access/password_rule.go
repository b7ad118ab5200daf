package access

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/softstake/softstake/ledger"
)

// Why a password is refused that is to be set. Each is ledger.ErrInvalid, and a
// sentence for the person who set it.
var (
	ErrPasswordLength  = ledger.ErrInvalid.In("", "a password has %d to %d characters", shortestPassword, longestPassword)
	ErrPasswordCommon  = ledger.ErrInvalid.In("", "this password is one of the most common, or one of them with digits and signs added; choose one that nobody guesses, such as a few words")
	ErrPasswordEmail   = ledger.ErrInvalid.In("", "the password contains the name in the e-mail address; choose one without it")
	ErrPasswordProduct = ledger.ErrInvalid.In("", "the password contains the product's name; choose one without it")
)

// productNames are what a password must not contain, in small letters, without spaces and hyphens.
var productNames = []string{"softstake", "softstaking"}

// shortestLocalPart is how many letters and digits the name in an e-mail address has at
// least of which a password must be free: two letters stand in many good passwords.
const shortestLocalPart = 3

// CheckNewPassword reports whether a person may set a password: nil, or the first of
// ErrPasswordLength, ErrPasswordCommon, ErrPasswordEmail and ErrPasswordProduct that
// applies. email is the address that the person logs in with. Capitals, compatibility
// forms of characters [NFKC] and what stands between letters make no difference. A
// password that was set earlier stays valid, whatever this says of it. The rule that
// common passwords and context-specific words are refused is that of NIST SP 800-63B, 5.1.1.2.
func CheckNewPassword(email, password string) error {
	if err := checkPasswordLength(password); err != nil {
		return err
	}
	folded := fold(password)
	if isCommon(folded) {
		return ErrPasswordCommon
	}
	for _, name := range localParts(email) {
		if strings.Contains(folded, name) || strings.Contains(lettersAndDigits(folded), lettersAndDigits(name)) {
			return ErrPasswordEmail
		}
	}
	for _, name := range productNames {
		if strings.Contains(lettersAndDigits(folded), name) {
			return ErrPasswordProduct
		}
	}
	return nil
}

func checkPasswordLength(password string) error {
	n := utf8.RuneCountInString(norm.NFC.String(password))
	if !utf8.ValidString(password) || n < shortestPassword || n > longestPassword {
		return ErrPasswordLength
	}
	return nil
}

// localParts are the name in an e-mail address as it stands there and without what
// follows a "+", folded; only those that are long enough.
func localParts(email string) (names []string) {
	local := fold(email)
	if at := strings.LastIndex(local, "@"); at >= 0 {
		local = local[:at]
	}
	user, _, _ := strings.Cut(local, "+")
	for _, name := range []string{local, user} {
		if utf8.RuneCountInString(lettersAndDigits(name)) >= shortestLocalPart {
			names = append(names, name)
		}
	}
	return names
}

// fold writes a text so that texts which a person takes for the same are the same:
// without capitals, in compatibility forms, and without characters that are not seen.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	return norm.NFKC.String(cases.Fold().String(s))
}

// lettersAndDigits is a text without all else.
func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return r
		}
		return -1
	}, s)
}
