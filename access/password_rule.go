package access

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/softstake/softstake/ledger"
)

// Why a new password is refused. Each is ledger.ErrInvalid, and a sentence for the person
// who set it.
var (
	ErrPasswordLength = ledger.ErrInvalid.In("", "a password has %d to %d characters",
		shortestPassword, longestPassword)
	ErrPasswordCommon = ledger.ErrInvalid.In("",
		"this password is one of the most common, or one of them with digits and signs added; "+
			"choose one that nobody guesses, such as a few words")
	ErrPasswordEmail = ledger.ErrInvalid.In("",
		"the password contains the name in the e-mail address; choose one without it")
	ErrPasswordProduct = ledger.ErrInvalid.In("", "the password contains the product's name; choose one without it")
)

// productNames are what a password must not contain, in small letters, without spaces and hyphens.
var productNames = []string{"softstake", "softstaking"}

// shortestLocalPart is the least number of letters and digits of a name in an e-mail
// address that a password must not contain: many good passwords contain two given letters.
const shortestLocalPart = 3

// CheckNewPassword returns the first of ErrPasswordLength, ErrPasswordCommon,
// ErrPasswordEmail and ErrPasswordProduct that applies to a new password. email is the
// address that the person logs in with. Case, compatibility forms of characters [NFKC] and
// signs between letters make no difference. It is not for passwords that are set already:
// they stay valid. NIST SP 800-63B, 5.1.1.2, has the rule that common passwords and
// context-specific words are refused.
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

// localParts are the name in an e-mail address, with and without what follows a "+",
// folded; only those that are long enough.
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

// fold normalizes a text, so that texts which look the same are equal: case folded, in
// compatibility forms, and without invisible characters.
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
