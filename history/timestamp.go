package history

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
)

// timeForm is a time as other programs write it: the year first, always with seconds,
// and with a fraction of them or a zone of its own if need be.
var timeForm = regexp.MustCompile(`^([0-9]{4}|[0-9]{2})[-/]([0-9]{2})[-/]([0-9]{2})` +
	`[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))?` +
	` ?(?:(Z|UTC)|([+-][0-9]{2}):?([0-9]{2})?)?$`)

// parseTime reads "2025-07-24 21:30:41" or "25-07-24 21:30:41", as the exchange writes
// them, or an ISO 8601 time, as a time in UTC; zone holds where the text names none.
// Two digits of a year are those of this century: the exchange is younger. The
// fraction of a second is cut off, which cut reports. A day and a month in another
// order are refused, since they are ambiguous.
func parseTime(s string, zone Offset) (at time.Time, cut bool, err error) {
	if s == "" {
		return time.Time{}, false, errors.New("it has no time")
	}
	full := s
	if len(s) == len("25-07-24 21:30:41") {
		full = "20" + s
	}
	t, err := time.Parse(time.DateTime, full)
	if err != nil || len(full) != len(time.DateTime) {
		var ok bool
		if t, zone, cut, ok = parseForm(s, zone); !ok {
			return time.Time{}, false, fmt.Errorf("its time %q is not one such as 2025-07-24 21:30:41", ledger.Clip(s))
		}
	}
	t = t.Add(-time.Duration(zone))
	if t.Unix() < 0 || t.Year() > 9999 {
		return time.Time{}, false, fmt.Errorf("its time %q is not between 1970 and 9999", ledger.Clip(s))
	}
	return t, cut, nil
}

// parseForm reads what timeForm matches: the time on the clock of a zone.
func parseForm(s string, zone Offset) (t time.Time, in Offset, cut, ok bool) {
	parts := timeForm.FindStringSubmatch(s)
	if parts == nil {
		return t, zone, false, false
	}
	if len(parts[1]) == 2 {
		if !shortYear(s) {
			return t, zone, false, false
		}
		parts[1] = "20" + parts[1]
	}
	t, err := time.Parse(time.DateTime, parts[1]+"-"+parts[2]+"-"+parts[3]+" "+parts[4])
	if err != nil {
		return t, zone, false, false
	}
	switch {
	case parts[6] != "":
		zone = 0
	case parts[7] != "":
		minutes := parts[8]
		if minutes == "" {
			minutes = "00"
		}
		if zone, err = ParseOffset(parts[7] + ":" + minutes); err != nil {
			return t, zone, false, false
		}
	}
	return t, zone, strings.Trim(parts[5], "0") != "", true
}

// shortYear reports whether a time has two digits for its year, as the exchange writes
// it: "25-07-24 …".
func shortYear(s string) bool {
	return len(s) > 8 && s[2] == '-' && s[5] == '-' && s[8] == ' ' && allDigits(s[:2]+s[3:5]+s[6:8])
}

// looseTime matches what a spreadsheet may make of a time, in any order of day, month and year.
var looseTime = regexp.MustCompile(`^[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4},?[ T]+[0-9]{1,2}[:.][0-9]{2}`)

// withoutSeconds matches a time that a spreadsheet has cut to minutes.
var withoutSeconds = regexp.MustCompile(`[ T][0-9]{1,2}:[0-9]{2}( [AaPp][Mm])?$`)
