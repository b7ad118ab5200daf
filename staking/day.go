package staking

import (
	"time"

	"github.com/softstake/softstake/ledger"
)

// Day is a UTC calendar day: the number of days since 1 January 1970.
type Day int32

// DayMillis is the length of a day in milliseconds.
const DayMillis = 86_400_000

// Forever is the Until of an enrollment that has no end.
const Forever Day = 1 << 30

// DayOf is the UTC day that t lies in. Midnight belongs to the day it begins.
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	d := seconds / 86400
	if seconds%86400 < 0 {
		d--
	}
	return Day(d)
}

// Start is the day's 00:00:00.000 UTC.
func (d Day) Start() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Millis is Start in milliseconds since 1970.
func (d Day) Millis() int64 { return int64(d) * DayMillis }

// String writes the day as 2006-01-02.
func (d Day) String() string { return d.Start().Format(time.DateOnly) }

// MarshalText writes the day as String does.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDay reads, with its errors.
func (d *Day) UnmarshalText(text []byte) error {
	day, err := ParseDay(string(text))
	*d = day
	return err
}

// ParseDay reads 2006-01-02, of the years 1970 to 9999. Its errors are ledger.ErrInvalid.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 {
		return 0, ledger.ErrInvalid.In("", "%q is not a day such as 2026-11-22", ledger.Clip(s))
	}
	return DayOf(t), nil
}
