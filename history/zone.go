package history

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
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

// Source says who told the zone of a file's times.
type Source string

// The sources, the strongest first.
const (
	ByColumn  Source = "the column is UTC_Time"
	ByCaller  Source = "as asked"
	ByName    Source = "the file's name says so"
	ByDefault Source = "neither the file's name nor its columns name another zone"
)

// Zone is the zone that a file's times are in, and who told it.
type Zone struct {
	Offset Offset
	Source Source
}

// zoneInName finds the zone that the exchange writes into the name of an export:
// "…(UTC+1)_1a2b.csv", and for zones behind UTC "(UTC-6)" or "(UTC--6)".
var zoneInName = regexp.MustCompile(`(?i)\(UTC([^()]*)\)`)

// zoneOf decides which zone the times of a file are in. A zone in its name that
// cannot be read is an error: taken as UTC, days would begin at the wrong hour.
func zoneOf(name string, utcColumn bool, asked *Offset) (Zone, error) {
	if utcColumn {
		return Zone{0, ByColumn}, nil
	}
	if asked != nil {
		return Zone{*asked, ByCaller}, nil
	}
	found := zoneInName.FindStringSubmatch(name)
	if found == nil {
		return Zone{0, ByDefault}, nil
	}
	text := strings.Replace(strings.TrimSpace(found[1]), "--", "-", 1)
	if text == "" {
		return Zone{0, ByName}, nil
	}
	offset, err := ParseOffset(text)
	if err != nil {
		return Zone{}, fmt.Errorf("the zone in its name: %w; say which it is with --utc-offset", err)
	}
	return Zone{offset, ByName}, nil
}
