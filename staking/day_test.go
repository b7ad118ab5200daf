package staking_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Midnight belongs to the day it begins, before 1970 too, and whatever the zone.
func TestDayOf(t *testing.T) {
	for _, c := range []struct {
		at   string
		want staking.Day
	}{
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T23:59:59.999999999Z", 0},
		{"1970-01-02T00:00:00Z", 1},
		{"1969-12-31T23:59:59.999Z", -1},
		{"1969-12-31T23:59:59Z", -1},
		{"1969-12-31T00:00:00Z", -1},
		{"1969-12-30T23:59:59.999999999Z", -2},
		{"2026-11-22T00:00:00Z", 20_779},
		{"2026-11-22T00:30:00+01:00", 20_778},
		{"2026-11-21T23:30:00-01:00", 20_779},
		{"2024-02-29T12:00:00Z", 19_782},
		{"0001-01-01T00:00:00Z", -719_162},
		{"9999-12-31T23:59:59Z", 2_932_896},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := staking.DayOf(at); got != c.want {
			t.Errorf("%s is day %d; want %d", c.at, got, c.want)
		}
	}
}

func TestEveryMomentLiesInItsDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-100_000*staking.DayMillis, 1_000_000*staking.DayMillis).Draw(t, "ms")
		at := time.UnixMilli(ms).Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "ns")))
		d := staking.DayOf(at)
		if at.Before(d.Start()) || !at.Before((d + 1).Start()) {
			t.Fatalf("%s is said to lie in %s", at, d)
		}
		if d.Start().UnixMilli() != d.Millis() || staking.DayOf(d.Start()) != d || d.Start().Location() != time.UTC {
			t.Fatalf("%s starts at %s, %d ms", d, d.Start(), d.Millis())
		}
	})
	if math.MaxInt64-staking.Forever.Millis() < 0 || staking.Forever.Millis() < 0 ||
		staking.DayOf(staking.Forever.Start()) != staking.Forever {
		t.Error("Forever is a day like others")
	}
}

func TestDaysAreReadAsWritten(t *testing.T) {
	for d := range staking.Day(2_932_897) { // all from 1970 to 9999
		if d%97 != 0 && d > 40_000 {
			continue
		}
		if back, err := staking.ParseDay(d.String()); err != nil || back != d {
			t.Fatalf("day %d is written %s and read as %d, %v", d, d, back, err)
		}
	}
}

func TestDayInJSON(t *testing.T) {
	b, err := json.Marshal(map[staking.Day]staking.Day{20_779: -1})
	if err != nil || string(b) != `{"2026-11-22":"1969-12-31"}` {
		t.Errorf("%s, %v", b, err)
	}
	var got struct{ Day staking.Day }
	if err := json.Unmarshal([]byte(`{"Day":"2026-11-22"}`), &got); err != nil || got.Day != 20_779 {
		t.Errorf("read as %s, %v", got.Day, err)
	}
	for _, s := range []string{`{"Day":20779}`, `{"Day":""}`, `{"Day":"1969-12-31"}`, `{"Day":"2026-02-29"}`} {
		if err := json.Unmarshal([]byte(s), &got); err == nil {
			t.Errorf("%s is read as %s", s, got.Day)
		}
	}
}

var dayForm = regexp.MustCompile(`^([0-9]{4})-([0-9]{2})-([0-9]{2})$`)

// countDays says a second time which day it is: by counting the days of the
// years and months since 1970.
func countDays(s string) (staking.Day, bool) {
	part := dayForm.FindStringSubmatch(s)
	if part == nil {
		return 0, false
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(part[i+1]) // digits by the form
	}
	leap := func(year int) int {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 1
		}
		return 0
	}
	months := [12]int{31, 28 + leap(n[0]), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if n[0] < 1970 || n[1] < 1 || n[1] > 12 {
		return 0, false
	}
	if n[2] < 1 || n[2] > months[n[1]-1] {
		return 0, false
	}
	days := n[2] - 1
	for year := 1970; year < n[0]; year++ {
		days += 365 + leap(year)
	}
	for _, length := range months[:n[1]-1] {
		days += length
	}
	return staking.Day(days), true
}

func FuzzParseDay(f *testing.F) {
	for _, s := range []string{
		"2026-11-22", "1970-01-01", "1969-12-31", "9999-12-31", "2024-02-29", "2026-02-29", "2100-02-29", "2000-02-29",
		"2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-2", "26-01-02", "10000-01-01", "-2026-01-01",
		" 2026-11-22", "2026-11-22 ", "2026-11-22T00:00:00Z", "2026/11/22", "", "today",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, ok := countDays(s)
		got, err := staking.ParseDay(s)
		if (err == nil) != ok || got != want || (err != nil && !errors.Is(err, ledger.ErrInvalid)) {
			t.Fatalf("%q is read as day %d, %v; want %d, %t", s, got, err, want, ok)
		}
		if ok && got.String() != s {
			t.Fatalf("%q is written %q", s, got)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Fatalf("a message of %d characters", len(err.Error()))
		}
	})
}

func TestParseDayByCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := fmt.Sprintf("%04d-%02d-%02d", rapid.IntRange(1960, 9999).Draw(t, "y"), rapid.IntRange(0, 13).Draw(t, "m"),
			rapid.IntRange(0, 32).Draw(t, "d"))
		want, ok := countDays(s)
		if got, err := staking.ParseDay(s); (err == nil) != ok || got != want {
			t.Fatalf("%s is read as day %d, %v; want %d, %t", s, got, err, want, ok)
		}
	})
}

// An enrollment covers whole days: from the day after the switch was pressed,
// until and without the day it was pressed again.
func TestEnrollmentCovers(t *testing.T) {
	on := staking.Enrollment{Account: "alice", From: 10, Until: staking.Forever}
	off := staking.Enrollment{Account: "alice", From: 10, Until: 12}
	empty := staking.Enrollment{Account: "alice", From: 10, Until: 9} // switched off on the day it was switched on
	for _, c := range []struct {
		e    staking.Enrollment
		d    staking.Day
		want bool
	}{
		{on, 9, false}, {on, 10, true}, {on, staking.Forever - 1, true},
		{off, 9, false}, {off, 10, true}, {off, 11, true}, {off, 12, false},
		{empty, 8, false}, {empty, 9, false}, {empty, 10, false},
	} {
		if got := c.e.Covers(c.d); got != c.want {
			t.Errorf("%d to %d covers %d: %t", c.e.From, c.e.Until, c.d, got)
		}
	}
	for _, c := range []struct {
		e     staking.Enrollment
		today staking.Day
		want  bool
	}{
		{on, 9, true}, {on, 100, true}, {off, 9, true}, {off, 11, true}, {off, 12, false}, {empty, 9, false},
		{empty, 8, false}, {staking.Enrollment{}, 0, false},
	} {
		if got := c.e.On(c.today); got != c.want {
			t.Errorf("%d to %d is on, on %d: %t", c.e.From, c.e.Until, c.today, got)
		}
	}
}
