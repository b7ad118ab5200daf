package history

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
)

func TestZonesInNames(t *testing.T) {
	hour := func(h, m int) Offset { return Offset(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	for name, want := range map[string]Offset{
		"Binance-Transaction-History-202507250900(UTC+2)-part1-of1.csv": hour(2, 0),
		"Binance-Transaction-History-202507250900UTC2-part1-of1.csv":    hour(2, 0),
		"Binance-Transaction-History-202507250900UTC+2-part1-of1.csv":   hour(2, 0),
		"Binance-Transaction-History-202507250900_UTC+2_-part1-of1.csv": hour(2, 0),
		"Binance-Transaction-History-202507250900_UTC2_-part1-of1.csv":  hour(2, 0),
		"Binance-Transaction-History-202507250900(UTC-3)-part1-of1.csv": hour(-3, 0),
		"Binance-Transaction-History-202507250900UTC-3-part1-of1.csv":   hour(-3, 0),
		"Binance-Transaction-History-202507250900_UTC-3_.csv":           hour(-3, 0),
		"h(UTC--6)_ab12.csv":        hour(-6, 0),
		"hUTC--6_ab12.csv":          hour(-6, 0),
		"h(UTC+5:30).csv":           hour(5, 30),
		"h(UTC+5_30).csv":           hour(5, 30),
		"h_UTC+5_30_-part2-of3.csv": hour(5, 30),
		"h(UTC+05:30).csv":          hour(5, 30),
		"h(UTC+0545).csv":           hour(5, 45),
		"hUTC5:30.csv":              hour(5, 30),
		"h（UTC＋2）-part1.csv":        hour(2, 0),
		"h（ＵＴＣ－３）.csv":              hour(-3, 0),
		"Binance%20Transaction%20History%28UTC%2B2%29.csv": hour(2, 0),
		"h%2528UTC%252B2%2529.csv":                         hour(2, 0),
		"h%EF%BC%88UTC%EF%BC%8B2%EF%BC%89.csv":             hour(2, 0),
		"h(UTC 2).csv":                                     hour(2, 0),
		"h(UTC−3).csv":                                     hour(-3, 0),
		"h(UTC+2) (1).csv":                                 hour(2, 0),
		"historyutc2.csv":                                  hour(2, 0),
		"HISTORYUTC+2.csv":                                 hour(2, 0),
		"h(UTC+5∶30).csv":                                  hour(5, 30),
		"hUTC+5꞉30.csv":                                    hour(5, 30),
		"hUTC_ab12.csv":                                    0,
		"h(UTC).csv":                                       0,
		"h(UTC)_3f9a.csv":                                  0,
		"hUTC-part1-of1.csv":                               0,
		"h UTC (1).csv":                                    0,
		"hUTC.csv":                                         0,
		"h(UTC+0)-BNB.csv":                                 0,
		"h(UTC+14).csv":                                    hour(14, 0),
	} {
		if got, found, err := findZone(name); err != nil || !found || got != want {
			t.Errorf("%s: %s, %v, %v; want %s", name, got, found, err, want)
		}
	}
	for _, name := range []string{
		"h(UTC+25).csv", "h(UTC+2x).csv", "hUTC_2_.csv", "hUTC 2.csv", "hUTC20250725.csv", "h(UTC+-6).csv",
		"h(UTC+).csv", "hUTC-.csv", "h(UTC+5-30).csv", "hUTC+5-45.csv", "hUTC+5 30.csv", "h(UTC+5.5).csv",
		"hUTC+5,5.csv", "hutcplus2.csv", "h-utcplus2.csv", "h(UTCPLUS2).csv", "h_UTC_plus_2.csv", "hUTC minus 3.csv",
		"h(UTC_minus_3).csv", "hUTC_GMT+2.csv", "hUTC-EST.csv", "hUTC-Berlin.csv", "hUTC:2.csv", "hUTC:+2.csv",
		"hUTC,2.csv", "h(UTC)+2.csv", "hUTC020.csv", "hUTC+002.csv", "hUTC+1_2.csv", "hUTC+10-2025.csv", "hUTC-1-2.csv",
		"h(UTC+2:3).csv", "h(UTC+2:75).csv", "h(UTC+15).csv", "h(UTC+2)(UTC+3).csv", "hUTC_3f9a.csv", "h(UTC???).csv",
	} {
		if got, found, err := findZone(name); err == nil {
			t.Errorf("%s was read as %s, %v", name, got, found)
		}
		_, err := Read(strings.NewReader(newHeader+"1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"), name, Options{})
		if !zoneUnknown(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"butch.csv", "history.csv", "Outcome.csv", "autcome(2).csv"} {
		if got, found, err := findZone(name); found || err != nil {
			t.Errorf("%s was read as %s, %v", name, got, err)
		}
	}
}

func TestZonesOutsideOfNames(t *testing.T) {
	const row = "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"
	three := Offset(3 * time.Hour)
	tests := []struct {
		name, head string
		asked      *Offset
		want       Zone
	}{
		{"h.csv", "User ID,Time(UTC+5),Account,Operation,Coin,Change,Remark\n", nil,
			Zone{Offset(5 * time.Hour), ByColumn}},
		{"h.csv", "User ID,Time（UTC＋5）,Account,Operation,Coin,Change,Remark\n", nil,
			Zone{Offset(5 * time.Hour), ByColumn}},
		{"h.csv", "Period (UTC-4),2025-07-01 to 2025-07-25\n" + newHeader, nil, Zone{-Offset(4 * time.Hour), ByHead}},
		{"h(UTC-4).csv", "Period (UTC-4)\n" + newHeader, nil, Zone{-Offset(4 * time.Hour), ByName}},
		{"h.csv", "Period (UTC-4)\n" + newHeader, &three, Zone{three, ByCaller}},
		{"h.csv", "Period (UTC-4)\n" + oldHeader, &three, Zone{0, ByColumn}},
	}
	for _, test := range tests {
		f, err := Read(strings.NewReader(test.head+row), test.name, Options{Offset: test.asked})
		if err != nil || f.Zone != test.want {
			t.Errorf("%s, %q: %v, %v; want %v", test.name, test.head, f, err, test.want)
		}
	}
	for _, head := range []string{"Period (UTC-4)\n", "Zone: UTC+99\n"} {
		_, err := Read(strings.NewReader(head+newHeader+row), "h(UTC+2).csv", Options{})
		if !zoneUnknown(err) {
			t.Errorf("%q: %v", head, err)
		}
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2025-07-24 21:30:41":           "2025-07-24T19:30:41Z",
		"25-07-24 21:30:41":             "2025-07-24T19:30:41Z",
		"2025-07-24 21:30:41.000":       "2025-07-24T19:30:41Z",
		"2025-07-24 21:30:41,999":       "2025-07-24T19:30:41Z cut",
		"2025/07/24 21:30:41":           "2025-07-24T19:30:41Z",
		"2025-07-24T21:30:41":           "2025-07-24T19:30:41Z",
		"2025-07-24T21:30:41Z":          "2025-07-24T21:30:41Z",
		"2025-07-24T21:30:41.123456Z":   "2025-07-24T21:30:41Z cut",
		"2025-07-24 21:30:41 UTC":       "2025-07-24T21:30:41Z",
		"2025-07-24T21:30:41+05:30":     "2025-07-24T16:00:41Z",
		"2025-07-24T21:30:41-0300":      "2025-07-25T00:30:41Z",
		"2025-07-24 21:30:41.5 +01:00":  "2025-07-24T20:30:41Z cut",
		"2025-07-24T21:30:41.000+00:00": "2025-07-24T21:30:41Z",
	} {
		got, cut, err := parseTime(text, Offset(2*time.Hour))
		shown := got.Format(time.RFC3339)
		if cut {
			shown += " cut"
		}
		if err != nil || shown != want {
			t.Errorf("%s: %s, %v; want %s", text, shown, err, want)
		}
	}
	for _, text := range []string{
		"21/07/2025 14:00", "21/07/2025 14:00:00", "7/21/2025 14:00:00", "21.07.2025 00:30:00", "24-07-2025 21:30:41",
		"2025-07-24", "2025-07-24 21:30", "2025-13-01 00:00:00", "1753392641", "2025-07-24T21:30:41+25:00",
		"20250724 213041", "2025-07-24 9:30:41 PM",
	} {
		if got, _, err := parseTime(text, 0); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

// zoneUnknown reports whether an error asks the caller for the zone.
func zoneUnknown(err error) bool {
	e, is := errors.AsType[*ledger.Error](err)
	return is && e.Reason == ReasonZone
}
