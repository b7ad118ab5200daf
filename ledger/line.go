package ledger

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// IsLine reports whether a text is one line of plain text: valid UTF-8 without a rune that
// Steers. Texts from outside are stored only as such lines, so that nobody can forge a line
// of a log, or make an address look like another.
func IsLine(text string) bool { return utf8.ValidString(text) && !strings.ContainsFunc(text, Steers) }

// Steers reports whether a character changes how text is displayed and is not displayed
// itself: control characters, bidirectional controls, and line ends.
func Steers(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// MaxText is the length in characters of the longest reason, label or name of a client.
const MaxText = 200

// CheckText returns ErrInvalid unless a text is one line of at most MaxText characters.
func CheckText(what, text string) error { return CheckLine(what, text, MaxText) }

// CheckLine is CheckText with another limit, in characters.
func CheckLine(what, text string, most int) error {
	switch {
	case !IsLine(text):
		return ErrInvalid.In("", "%s %q is not a line of plain text", what, Clip(text))
	case utf8.RuneCountInString(text) > most:
		return ErrInvalid.In("", "%s has more than %d characters", what, most)
	}
	return nil
}

// FormatTime writes a moment in UTC, to the millisecond: 2026-11-22T12:00:00.000Z.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
