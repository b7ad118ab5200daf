package history

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Part names the part of an export that a file is. A long export comes in several
// files, which may be cut within a second: their rows add up. Rows of different exports
// overlap.
type Part struct {
	Export string // the export, by the names of its files; the same for all of its parts
	Number int    // from 0 or 1; -1: the file is the whole export
	Of     int    // how many parts there are; 0: not known
}

var (
	// partOfMany is how the exchange names parts: "…-part1-of2.csv".
	partOfMany = regexp.MustCompile(`(?i)[-_ .]*part[-_ ]*([0-9]{1,4})[-_ ]*of[-_ ]*([0-9]{1,4})`)
	// partNumber is how older exports name them: "part-00000-5d0e….csv".
	partNumber = regexp.MustCompile(`(?i)^part[-_]([0-9]{5})[-_]`)
	// copyName is what browsers and systems add to the name of a file that is there already.
	copyName = regexp.MustCompile(`(?i)( ?\([0-9]{1,3}\)|[ _-]+(copy|kopie|copie|copia)( ?[0-9]{1,3})?|-[0-9]{1,2})$`)
	// partHash is what the exchange adds to the name of a part.
	partHash = regexp.MustCompile(`(?i)^_[0-9a-f]{4,}$`)
	// nameMarks are what systems replace with one another in names.
	nameMarks = regexp.MustCompile(`[^\pL\pN+-]+`)
)

// partOf finds the part in a file's name; archive is the name of the ZIP file that it
// lies in, which names the export where the file's own name does not.
func partOf(name, archive string) Part {
	name = withoutEnding(plainText(name))
	p := Part{Export: name, Number: -1}
	if at := partOfMany.FindStringSubmatchIndex(name); at != nil {
		p.Number, p.Of = number(name[at[2]:at[3]]), number(name[at[4]:at[5]])
		p.Export = nameMarks.ReplaceAllString(name[:at[0]], "_")
		if rest := name[at[1]:]; !partHash.MatchString(rest) {
			p.Export += rest
		}
		p.Export = strings.ToLower(strings.Trim(p.Export, "_")) + " of " + strconv.Itoa(p.Of)
		name = name[:at[0]]
	} else if at := partNumber.FindStringSubmatchIndex(name); at != nil {
		p.Number = number(name[at[2]:at[3]])
		p.Export = "part " + name[at[1]:]
		name = name[at[1]:]
	}
	if archive != "" && p.Number >= 0 && !strings.ContainsFunc(name, unicode.IsDigit) {
		p.Export = withoutEnding(plainText(archive)) + "/" + p.Export
	}
	p.Export = Key(p.Export)
	return p
}

func withoutEnding(name string) string {
	if at := strings.LastIndexByte(name, '.'); at > 0 && len(name)-at <= len(".csv") {
		name = name[:at]
	}
	for range 3 { // a copy of a copy
		name = copyName.ReplaceAllString(name, "")
	}
	return name
}

// number reads digits, of which there are at most five.
func number(digits string) int {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

// maxKey is the length in bytes of the longest text that identifies something as it is.
const maxKey = 120

// Key is a text of a file as it identifies something in the books: the text itself, or
// its SHA-256 where it is long or cannot be stored as text.
func Key(text string) string {
	if len(text) <= maxKey && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}
