package access

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/softstake/softstake/ledger"
)

// PersonOf is a name as Actor has it: names that differ in case, in spaces or in compatible characters (NFKC) alone are
// of one person. CheckPerson refuses those that only look alike.
func PersonOf(name string) string {
	fold := func(s string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))) }
	return strings.Join(strings.Fields(fold(name)), " ")
}

// scripts are those whose letters must not be mixed; a letter of any other is of the script "".
var scripts = []string{"Latin", "Cyrillic", "Greek", "Armenian", "Cherokee", "Coptic", "Lisu"}

// likeASCII are the letters of Cyrillic and Greek that look like one of ASCII, in small letters or in capitals. After
// Unicode TS 39, table of confusables.
const likeASCII = "асеорхуіјѕһԁԛԝкмтнвгԍьӏ" + "αοιυνρκτχεβηζμγωσ"

// CheckPerson is ledger.ErrInvalid for a name that may be taken for another's: one with letters of two scripts, with
// letters of another script that all look like those of ASCII, or with letters that are made of none of ASCII. "" is
// nobody's name, and valid.
func CheckPerson(name string) error {
	refuse := func(why string) error {
		return ledger.ErrInvalid.In("", "the name %q may be taken for another: %s", ledger.Clip(name), why)
	}
	var found []string
	distinct := false
	for _, r := range norm.NFC.String(PersonOf(name)) {
		switch {
		case r <= unicode.MaxASCII:
			if unicode.IsLetter(r) && !slices.Contains(found, "Latin") {
				found = append(found, "Latin")
			}
			continue
		case !unicode.IsLetter(r):
			return refuse("it has characters that are no letters")
		}
		script := scriptOf(r)
		if !slices.Contains(found, script) {
			found = append(found, script)
		}
		if script == "Latin" && norm.NFD.String(string(r))[0] > unicode.MaxASCII && !strings.ContainsRune("æœøđłþðßŋħ", r) {
			return refuse("it has letters that are made of none of ASCII")
		}
		distinct = distinct || script == "Latin" || !strings.ContainsRune(likeASCII, r)
	}
	switch {
	case len(found) > 1:
		return refuse("it has letters of two scripts")
	case len(found) == 1 && found[0] != "Latin" && !distinct:
		return refuse("all its letters look like those of ASCII")
	}
	return nil
}

// scriptOf is the script of a letter; "" for one that none of ASCII looks like.
func scriptOf(r rune) string {
	for _, name := range scripts {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return ""
}
