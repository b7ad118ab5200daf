package history

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/ledger"
)

// Offset is how far a zone's clock is ahead of UTC: at most 14 hours, either way.
type Offset time.Duration

const maxOffset = Offset(14 * time.Hour)

var offsetForm = regexp.MustCompile(`^([+-])([0-9]{1,2})(?:[:_]([0-9]{2}))?$`)

// ParseOffset reads "+01:00", "-6" or "Z", and "+5_30", for a file's name may
// have no colon.
func ParseOffset(s string) (Offset, error) {
	if s == "Z" {
		return 0, nil
	}
	parts := offsetForm.FindStringSubmatch(s)
	if parts == nil {
		return 0, fmt.Errorf("%q is not an offset from UTC such as +01:00", s)
	}
	minutes := 0
	hours, err := strconv.Atoi(parts[2])
	if err == nil && parts[3] != "" {
		minutes, err = strconv.Atoi(parts[3])
	}
	o := Offset(time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
	if err != nil || minutes > 59 || o > maxOffset {
		return 0, fmt.Errorf("%q is not an offset from UTC: they go from -14:00 to +14:00", s)
	}
	if parts[1] == "-" {
		o = -o
	}
	return o, nil
}

// UnmarshalText reads what ParseOffset reads.
func (o *Offset) UnmarshalText(text []byte) error {
	offset, err := ParseOffset(string(text))
	*o = offset
	return err
}

// String writes the offset as a zone's name: "UTC", "UTC+1", "UTC-6", "UTC+5:30".
func (o Offset) String() string {
	sign := "+"
	if o < 0 {
		sign, o = "-", -o
	}
	hours, minutes := o/Offset(time.Hour), o%Offset(time.Hour)/Offset(time.Minute)
	switch {
	case hours == 0 && minutes == 0:
		return "UTC"
	case minutes == 0:
		return fmt.Sprintf("UTC%s%d", sign, hours)
	}
	return fmt.Sprintf("UTC%s%d:%02d", sign, hours, minutes)
}

// Source is where the zone of a file's times was found.
type Source string

// The sources, the strongest first.
const (
	ByColumn  Source = "the column says so"
	ByCaller  Source = "as asked"
	ByName    Source = "the file's name says so"
	ByHead    Source = "a line above the header says so"
	ByDefault Source = "neither the file's name nor its columns name another zone"
)

// Zone is the zone that a file's times are in, and where it was found.
type Zone struct {
	Offset Offset
	Source Source
}

// zoneWord finds "UTC" where it is a word of its own, and what follows: the exchange
// writes "(UTC+2)" and, for zones behind UTC, "(UTC-6)" or "(UTC--6)". In capitals it is
// a word also beside small letters, as in "historyUTC2", and in any case before a sign,
// a digit, "plus" or "minus".
var zoneWord = regexp.MustCompile(`(?:^|[^A-Z])UTC($|[^A-Z].*)|(?:^|[^A-Za-z])[Uu][Tt][Cc]($|[^A-Za-z].*)|` +
	`[Uu][Tt][Cc]((?:[-+0-9]|(?i:plus|minus)).*)`)

// zoneForm is what may follow "UTC" to name another zone: up to two signs, hours, and
// minutes, which no zone has but 00, 15, 30 and 45; then no more digits. Systems that take
// "+" out of names leave the digits alone, which are then ahead of UTC, as a zone behind
// it keeps its "-".
var zoneForm = regexp.MustCompile(`^(\+|--?)?([0-9]{1,2})(?:[:_]?(00|15|30|45))?(?:$|[^0-9A-Za-z:]([^0-9].*)?$)`)

// plainZone is what may follow "UTC" where no other zone is meant: the end, a closing
// bracket, the ending of a name, the number of a part or of a copy, a hash, or the word
// "Time". Anything else may be meant for a zone.
var plainZone = regexp.MustCompile(`(?i)^(?:[_ ]*$|[.,;:]$|[,;:)\]}|]|\s\||_*\.[a-z]+$|[_ ]*\([0-9]+\)|` +
	`[-_ ]+(?:part|time)|[-_][a-f][0-9a-f]{3,}(?:$|[^0-9a-z]))`)

// hiddenZone is what may follow a plain zone and still mean another: "UTC: +2".
var hiddenZone = regexp.MustCompile(`^[,;:)\]}|\s]+(?:[-+][0-9]|[0-9]{1,2}(?:$|[^0-9]))`)

// ReasonZone is a reason of ledger.ErrInvalid: the zone of a file's times is not known. The
// caller sets it: see Options.Offset.
const ReasonZone = "unknown-zone"

// errZone means that a text names a zone that cannot be understood.
var errZone = ledger.ErrInvalid.In("", "it names a zone after UTC that cannot be understood").Because(ReasonZone)

// findZone finds the zone that a text names after "UTC". Several must agree. A zone
// that cannot be understood is errZone: taken as UTC, days would begin at the wrong hour.
func findZone(text string) (offset Offset, found bool, err error) {
	text = plainText(text)
	for {
		at := zoneWord.FindStringSubmatchIndex(text)
		if at == nil {
			return offset, found, nil
		}
		after := max(at[2], at[4], at[6])
		opened := after >= len("(utc") && text[after-len("(utc")] == '('
		text = text[after:]
		next, err := zoneAfter(text, opened)
		if err != nil {
			return 0, true, err
		}
		if found && next != offset {
			return 0, true, ledger.ErrInvalid.In("", "it names two zones, %s and %s", offset, next).Because(ReasonZone)
		}
		offset, found = next, true
	}
}

// zoneAfter reads what follows "UTC" in a text, which may be in brackets.
func zoneAfter(text string, opened bool) (Offset, error) {
	if opened {
		inside, after, _ := strings.Cut(text, ")")
		if hiddenZone.MatchString(")" + after) {
			return 0, errZone
		}
		text = inside
		// "+" means a space in a URL, so within brackets a space is a lost "+".
		if digits := strings.TrimLeft(text, " "); digits != text && digits != "" && digits[0] >= '0' &&
			digits[0] <= '9' {
			text = "+" + digits
		}
		text = strings.ReplaceAll(text, " ", "")
	}
	if parts := zoneForm.FindStringSubmatch(text); parts != nil {
		sign := "+"
		if strings.HasPrefix(parts[1], "-") {
			sign = "-"
		}
		hours, minutes := parts[2], parts[3]
		if minutes != "" {
			minutes = ":" + minutes
		}
		if offset, err := ParseOffset(sign + hours + minutes); err == nil {
			return offset, nil
		}
		return 0, errZone
	}
	if plainZone.MatchString(text) && !hiddenZone.MatchString(text) {
		return 0, nil
	}
	return 0, errZone
}

// plainText undoes what browsers and file systems make of a name: percent-encoding,
// full-width characters, and other signs for minus.
func plainText(text string) string {
	for range 3 { // a name may be encoded again on its way
		decoded, err := url.PathUnescape(text)
		if err != nil || decoded == text || !utf8.ValidString(decoded) {
			break
		}
		text = decoded
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c >= '！' && c <= '～':
			return c - '！' + '!'
		case c == '−' || c == '‐' || c == '‑' || c == '–' || c == '—' || c == '﹣':
			return '-'
		case c == '﹢':
			return '+'
		case c == '∶' || c == '꞉':
			return ':'
		case c == '　' || c == '\u00a0':
			return ' '
		}
		return c
	}, text)
}

// zoneText is a text in which a zone may be named.
type zoneText struct {
	what, text string
	source     Source
}

// zoneOf decides which zone the times of a file are in. The column of the times is
// believed first, then the caller. The places must agree where several name a zone.
func zoneOf(column string, asked *Offset, texts []zoneText) (Zone, error) {
	if columnKey(column) == "utctime" {
		return Zone{0, ByColumn}, nil
	}
	offset, found, err := findZone(column)
	if err == nil && found {
		return Zone{offset, ByColumn}, nil
	}
	if asked != nil {
		return Zone{*asked, ByCaller}, nil
	}
	if err != nil {
		return Zone{}, fmt.Errorf("the column %q: %w", ledger.Clip(column), err)
	}
	zone := Zone{0, ByDefault}
	for _, p := range texts {
		offset, found, err := findZone(p.text)
		if err != nil {
			return Zone{}, fmt.Errorf("%s %q: %w", p.what, ledger.Clip(p.text), err)
		}
		if found && zone.Source != ByDefault && offset != zone.Offset {
			return Zone{}, ledger.ErrInvalid.In("", "%s %q names the zone %s, but %s was found before (%s)",
				p.what, ledger.Clip(p.text), offset, zone.Offset, zone.Source).Because(ReasonZone)
		}
		if found && zone.Source == ByDefault {
			zone = Zone{offset, p.source}
		}
	}
	return zone, nil
}
