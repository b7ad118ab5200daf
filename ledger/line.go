package ledger

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsLine reports whether a text is one line that shows what it says: valid UTF-8 without
// a rune that Steers. Texts from outside are kept only as such lines, so that nobody
// forges a line of a log, or makes an address look like another.
func IsLine(text string) bool { return utf8.ValidString(text) && !strings.ContainsFunc(text, Steers) }

// Steers reports whether a character steers how a text is shown instead of being shown:
// control characters, those that turn the direction of writing, and those that end a line.
func Steers(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
