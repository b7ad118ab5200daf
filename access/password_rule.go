package access

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
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

// commonPasswords are the most common passwords, one a line, the most common first,
// in small letters: the list of the npm package @zxcvbn-ts/language-common 4.1.3 (MIT
// License, Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc., 2021 @zxcvbn-ts),
// which is counted from passwords that have become public.
//
//go:embed common_passwords.txt
var commonPasswords string

// commonPassword has the lines of commonPasswords and the parts of keyboard rows. It is read
// when the first password is set: most processes never set one.
var commonPassword = sync.OnceValue(func() map[string]bool {
	words := make(map[string]bool, strings.Count(commonPasswords, "\n"))
	for word := range strings.Lines(commonPasswords) {
		words[strings.TrimSuffix(word, "\n")] = true
	}
	for _, row := range keyboardRows {
		backwards := slices.Clone([]rune(row))
		slices.Reverse(backwards)
		for _, keys := range [][]rune{[]rune(row), backwards} {
			for start := range keys {
				for end := start + shortestRow; end <= len(keys); end++ {
					words[string(keys[start:end])] = true
				}
			}
		}
	}
	return words
})

// keyboardRows are the rows of letters of the keyboards that are common in Europe and
// America; the list has only some of those of the American one. A part of one, in either
// direction, is a common password from shortestRow keys on.
var keyboardRows = []string{
	"qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiopü", "asdfghjklöä", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
}

const shortestRow = 4

// The lengths in characters of the shortest and the longest line of commonPasswords.
const (
	shortestCommon = 3
	longestCommon  = 20
)

// lookalikes write letters for the digits and signs that people put in their place.
// 1 stands for two letters.
var lookalikes = []*strings.Replacer{
	strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i"),
	strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "l"),
}

// isCommon reports whether a folded password is a common one, or a common one that was
// only made longer: repeated, or with digits, signs and a few letters before, behind and between. A
// password of digits and signs alone is one too if half of it is common. So is a
// pattern: one character, a row of them, or two in turn.
func isCommon(folded string) bool {
	return isPattern(folded) || extendsCommon(folded) || extendsCommon(lettersAndDigits(folded))
}

// extendsCommon reports whether a common word is all of a password that counts. The
// first letter is part of it: it begins there or earlier.
func extendsCommon(s string) bool {
	runes := []rune(s)
	letter := slices.IndexFunc(runes, unicode.IsLetter)
	for start := range runes {
		if letter >= 0 && start > letter {
			return false
		}
		for end := start + shortestCommon; end <= min(start+longestCommon, len(runes)); end++ {
			if word := string(runes[start:end]); isListed(word) && isRest(s, word) {
				return true
			}
		}
	}
	return false
}

// isListed reports whether a word is in the list, with or without lookalikes.
func isListed(word string) bool {
	words := commonPassword()
	return words[word] || words[lookalikes[0].Replace(word)] || words[lookalikes[1].Replace(word)]
}

// isRest reports whether what a password has beside a common word adds nothing to it:
// no letters, or few, which are with the digits a quarter of all letters and digits at most.
func isRest(s, word string) bool {
	rest := strings.ReplaceAll(s, word, "")
	few, all := utf8.RuneCountInString(lettersAndDigits(rest)), utf8.RuneCountInString(lettersAndDigits(s))
	if 4*few <= all {
		return true
	}
	if strings.ContainsFunc(rest, unicode.IsLetter) {
		return false
	}
	return strings.ContainsFunc(s, unicode.IsLetter) || 2*utf8.RuneCountInString(rest) <= utf8.RuneCountInString(s)
}

// isPattern reports whether the steps from one character to the next are of two kinds at
// most: "aaaaaaaaaa", "abcdefghij", "1212121212", "1122334455".
func isPattern(s string) bool {
	steps := map[rune]bool{}
	before := rune(-1)
	for _, r := range s {
		if before >= 0 {
			steps[r-before] = true
		}
		before = r
	}
	return len(steps) <= 2
}
