package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestColumnsAreFoundByName(t *testing.T) {
	tests := []struct{ name, text string }{
		{"old", oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"},
		{"new", newHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"},
		{"without the first", "UTC_Time,Account,Operation,Coin,Change,Remark\n" +
			"2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"},
		{"other case, space and underscore",
			"utc time, ACCOUNT ,operat_ion,Coin,change\n2025-07-24 21:30:41,Spot,Deposit,BNB,2\n"},
		{"another order", "Change,Coin,Operation,Account,Time\n2,BNB,Deposit,Spot,2025-07-24 21:30:41\n"},
		{"quoted", `"User_ID","UTC_Time","Account","Operation","Coin","Change","Remark"` + "\n" +
			`"1","2025-07-24 21:30:41","Spot","Deposit","BNB","2",""` + "\n"},
		{"byte-order mark", "\ufeff" + oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"},
		{"byte-order mark and quotes", "\ufeff\"UTC_Time\",Account,Operation,Coin,Change\n" +
			"2025-07-24 21:30:41,Spot,Deposit,BNB,2\n"},
		{"CRLF and blank lines",
			"\r\n" + strings.ReplaceAll(oldHeader+"\n1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n\n", "\n", "\r\n")},
		{"no trailing columns", oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2\n"},
		{"more columns than the header", oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,remark,more"},
		{"year of two digits", newHeader + "1,25-07-24 21:30:41,Spot,Deposit,BNB,2,\n"},
		{"account in another case, with spaces", oldHeader + "1, 2025-07-24 21:30:41 , SPOT ,Deposit, BNB , 2 ,\n"},
		{"UTC_Time beside Time", "Time,UTC_Time,Account,Operation,Coin,Change\n" +
			"x,2025-07-24 21:30:41,Spot,Deposit,BNB,2\n"},
		{"remark with quotes, commas and lines",
			oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\"a \"\"b\"\", c\r\nd\n\ne\"\n"},
		{"remark with a quote inside", oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,5\" thing\n"},
	}
	want := Row{
		At: time.Date(2025, 7, 24, 21, 30, 41, 0, time.UTC), Coin: "BNB", Operation: "Deposit", Change: 2_00000000,
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, test.text)
			if len(f.Skipped) != 0 || len(f.Rows) != 1 {
				t.Fatalf("rows %v, skipped %v", f.Rows, f.Skipped)
			}
			if d := cmp.Diff(want, f.Rows[0], cmpopts.IgnoreFields(Row{}, "Line")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestNoExportIsRefusedInOneLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "h.csv is not a Transaction History export: it is empty"},
		{"blank", "\n \n\ufeff", "h.csv is not a Transaction History export: " +
			"its header has no column UTC_Time or Time, Account, Operation, Coin, Change"},
		{"trades", "Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n",
			"its header has no column Account, Operation, Coin, Change"},
		{"deposits", "Time,Coin,Network,Amount,Address,TXID,Status\n",
			"its header has no column Account, Operation, Change"},
		{"a column twice", "Time,Account,Operation,Coin,Change,coin\n", `its header has the column "coin" twice`},
		{"zip in a zip", "PK\x03\x04\x14\x00", "it is a ZIP file; unpack it"},
		{"gzip", "\x1f\x8b\x08\x00", "it is a gzip file; unpack it"},
		{"xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is a workbook of a spreadsheet (XLS); download the CSV again"},
		{"pdf", "%PDF-1.7", "it is a PDF; download the CSV again"},
		{"no text", "\x7fELF\x02\x01\x01\x00", "it is not text"},
		{"CR alone", strings.ReplaceAll(oldHeader+"1,2", "\n", "\r"), "its lines end with CR alone"},
		{"a very long line", strings.Repeat("x", maxLine+1), "the line is longer than 65536 bytes"},
		{"a quote", "\"Time,Account,Operation,Coin,Change\n", "a quote is not closed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.text), "h.csv", Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}

func TestReadingFails(t *testing.T) {
	for _, r := range []error{errors.New("disk"), os.ErrClosed} {
		if _, err := Read(iotest.ErrReader(r), "h.csv", Options{}); !errors.Is(err, r) {
			t.Errorf("%v; want %v", err, r)
		}
	}
	long := oldHeader + strings.Repeat("1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n", 5000)
	if _, err := Read(iotest.TimeoutReader(strings.NewReader(long)), "h.csv", Options{}); !errors.Is(err,
		iotest.ErrTimeout) {
		t.Errorf("%v; want a timeout", err)
	}
}

func TestRowsThatCannotBeRead(t *testing.T) {
	const good = "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"
	tests := []struct{ name, row, want string }{
		{"no time", "1,,Spot,Deposit,BNB,2,", "it has no time"},
		{"another time", "1,24/07/2025 21:30,Spot,Deposit,BNB,2,", `its time "24/07/2025 21:30" is not one such as`},
		{"hour 24", "1,2025-07-24 24:00:00,Spot,Deposit,BNB,2,", "is not one such as"},
		{"no such day", "1,2025-02-29 00:00:00,Spot,Deposit,BNB,2,", "is not one such as"},
		{"no seconds", "1,2025-07-24 21:30,Spot,Deposit,BNB,2,", "is not one such as"},
		{"two digits of a year in another form", "1,25/07/24 21:30:41,Spot,Deposit,BNB,2,", "is not one such as"},
		{"a zone past 14 hours", "1,2025-07-24T21:30:41+15:00,Spot,Deposit,BNB,2,", "is not one such as"},
		{"decimal comma", `1,2025-07-24 21:30:41,Spot,Deposit,BNB,"4,2",`, `its amount "4,2" is not a number`},
		{"thousands or decimals", `1,2025-07-24 21:30:41,Spot,Deposit,BNB,"1,200",`,
			`its amount "1,200" can be read in two ways`},
		{"before 1970", "1,1969-12-31 23:59:59,Spot,Deposit,BNB,2,", "is not between 1970 and 9999"},
		{"no coin", "1,2025-07-24 21:30:41,Spot,Deposit,,2,", "it has no coin"},
		{"no amount", "1,2025-07-24 21:30:41,Spot,Deposit,BNB,,", "it has no amount"},
		{"cut off", "1,2025-07-24 21:30:41,Spot", "it has no coin"},
		{"no number", "1,2025-07-24 21:30:41,Spot,Deposit,BNB,two,", `its amount "two" is not a number`},
		{"past 63 bits", "1,2025-07-24 21:30:41,Spot,Deposit,BNB,92233720368.54775808,",
			"does not fit 63 bits at 8 decimals"},
		{"past 63 bits, another coin", "1,2025-07-24 21:30:41,Spot,Deposit,SHIB,9223372036854775808,",
			"does not fit 63 bits at 0 decimals"},
		{"exponent", "1,2025-07-24 21:30:41,Spot,Deposit,BNB,1e-41,", "exponent past 40"},
		{"another account", "1,2025-07-24 21:30:41,Funding,Deposit,BNB,,", "it has no amount"},
		{"second header", strings.TrimSpace(oldHeader), "its time \"UTC_Time\""},
		{"quote not closed", `1,2025-07-24 21:30:41,Spot,Deposit,"BNB,2,`, "a quote is not closed"},
		{"quote closed too early", `1,2025-07-24 21:30:41,Spot,Deposit,"B"NB,2,`,
			"a quote is not closed, or closed before"},
		{"very long", "1,2025-07-24 21:30:41,Spot,Deposit,BNB,2," + strings.Repeat("x", maxLine),
			"longer than 65536 bytes"},
		{"commas only", ",,,,,,", "it has no time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := oldHeader + good + test.row + "\n" + good + good
			f := read(t, text)
			if len(f.Rows) != 3 || len(f.Skipped) != 1 {
				t.Fatalf("rows %v, skipped %v", f.Rows, f.Skipped)
			}
			if s := f.Skipped[0]; s.Line != 3 || !strings.Contains(s.Reason, test.want) {
				t.Errorf("skipped %v; want line 3: %s", s, test.want)
			}
			if f.Rows[1].Line != 4 {
				t.Errorf("the row after it stands on line %d; want 4", f.Rows[1].Line)
			}
			_, err := Read(strings.NewReader(text), "h.csv", Options{Assets: shipped(t).Assets, Strict: true})
			if f.Unreadable == 0 { // no row of a history
				if err != nil {
					t.Errorf("strict: %v", err)
				}
				return
			}
			if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "h.csv, line 3: ") ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

func TestALineAfterAFieldOfSeveral(t *testing.T) {
	f := read(t, oldHeader+"1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\"a\nb\nc\"\n1,,Spot,Deposit,BNB,2,\n")
	if len(f.Rows) != 1 || len(f.Skipped) != 1 || f.Skipped[0].Line != 5 {
		t.Errorf("rows %v, skipped %v", f.Rows, f.Skipped)
	}
}

func TestWhatCountsAsSpot(t *testing.T) {
	f := read(t, oldHeader+
		"1,2025-07-24 10:00:00,Funding,Deposit,BNB,5,\n"+
		"1,2025-07-25 10:00:00,Spot,Anything at all,BNB,2,\n"+
		"1,2025-07-26 10:00:00,Spot,Deposit,SHIB,1e12,\n"+
		"1,2025-07-27 10:00:00,Spot,bnb sOFT sTAKING rewards,BNB,0.000000014,\n"+
		"1,2025-07-28 10:00:00,Earn,Soft Staking,BNB,1,\n"+
		"1,2025-07-24 11:00:00,Spot,Deposit,BTC,1,\n"+
		"1,2025-07-24 12:00:00,Spot,Deposit,SHIB,-0.5,\n")
	h := merged(t, f)
	if len(h.Rows) != 5 || f.Away != 2 || f.Rounded != 1 {
		t.Errorf("spot %d, away %d, rounded %d", len(h.Rows), f.Away, f.Rounded)
	}
	if want := map[string]int{"SHIB": 2, "BTC": 1}; !reflect.DeepEqual(h.Others, want) {
		t.Errorf("others %v", h.Others)
	}
	if r := f.Rows[4]; !r.Reward || r.Change != 1 {
		t.Errorf("reward %+v", r)
	}
	// A coin of any kind switches on, and a reward that was really paid is a Spot row like others.
	if w := h.Window(); w.First != day(t, "2025-07-25") || w.Last != day(t, "2025-07-27") {
		t.Errorf("window %v", w)
	}
}

func TestZone(t *testing.T) {
	two := Offset(2 * time.Hour)
	tests := []struct {
		name, header string
		asked        *Offset
		want         Zone
	}{
		{"h.csv", newHeader, nil, Zone{0, ByDefault}},
		{"h(UTC+1).csv", newHeader, nil, Zone{Offset(time.Hour), ByName}},
		{"Transaction-History-202603230400(UTC--6)_ab12.csv", newHeader, nil, Zone{-Offset(6 * time.Hour), ByName}},
		{"h(UTC-6) (1).csv", newHeader, nil, Zone{-Offset(6 * time.Hour), ByName}},
		{"h(utc+5:30).csv", newHeader, nil, Zone{Offset(330 * time.Minute), ByName}},
		{"h(UTC).csv", newHeader, nil, Zone{0, ByName}},
		{"h(UTC+0).csv", newHeader, nil, Zone{0, ByName}},
		{"h(UTC+1).csv", newHeader, &two, Zone{two, ByCaller}},
		{"h(UTC+1).csv", oldHeader, nil, Zone{0, ByColumn}},
		{"h.csv", oldHeader, &two, Zone{0, ByColumn}},
	}
	for _, test := range tests {
		f, err := Read(strings.NewReader(test.header+"1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"), test.name,
			Options{Offset: test.asked})
		if err != nil {
			t.Fatal(err)
		}
		want := time.Date(2025, 7, 24, 21, 30, 41, 0, time.UTC).Add(-time.Duration(test.want.Offset))
		if f.Zone != test.want || !f.Rows[0].At.Equal(want) {
			t.Errorf("%s: %v, %v; want %v, %v", test.name, f.Zone, f.Rows[0].At, test.want, want)
		}
	}
	_, err := Read(strings.NewReader(newHeader), "h(UTC+25).csv", Options{})
	if !zoneUnknown(err) {
		t.Errorf("a zone that cannot be read: %v", err)
	}
	const early = "1,1970-01-01 00:30:00,Spot,Deposit,BNB,2,\n1,1970-01-02 00:30:00,Spot,Deposit,BNB,2,\n"
	if f := readNamed(t, "h(UTC+1).csv", newHeader+early); len(f.Skipped) != 1 {
		t.Errorf("a time before 1970 in UTC: %v", f.Rows)
	}
}

func TestOffset(t *testing.T) {
	tests := []struct{ text, want string }{
		{"Z", "UTC"}, {"+01:00", "UTC+1"}, {"-06:00", "UTC-6"}, {"+5:30", "UTC+5:30"}, {"-03_30", "UTC-3:30"},
		{"+1", "UTC+1"}, {"-00:00", "UTC"}, {"+14:00", "UTC+14"}, {"-00:30", "UTC-0:30"},
	}
	for _, test := range tests {
		var o Offset
		if err := o.UnmarshalText([]byte(test.text)); err != nil || o.String() != test.want {
			t.Errorf("%s: %s, %v; want %s", test.text, o, err, test.want)
		}
	}
	for _, bad := range []string{
		"", "1", "01:00", "+", "+1:0", "+14:01", "+15", "+01:60", "+001", "+0530", "CET", "+1 ", "++1",
	} {
		if o, err := ParseOffset(bad); err == nil {
			t.Errorf("%q was read as %s", bad, o)
		}
	}
}

// FuzzRead reads anything, and must not fail in any other way than with an error;
// what it keeps must hang together.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(paths) == 0 {
		f.Fatal("no sample in testdata", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), filepath.Base(path))
	}
	f.Add(oldHeader+"1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\"a\nb\"\n\"\n"+
		"1,25-07-24 21:30:41,Spot,Soft Staking,BNB,-9e10,\n", "(UTC--6)")
	f.Fuzz(func(t *testing.T, text, name string) {
		offer := shipped(t)
		file, err := Read(strings.NewReader(text), name, Options{Assets: offer.Assets})
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(name, "\n") {
				t.Fatalf("the message has lines: %q", err)
			}
			return
		}
		if err := consistent(file); err != nil {
			t.Fatal(err)
		}
		h, err := Merge([]*File{file, file}, offer.Assets)
		if err != nil {
			t.Fatal(err)
		}
		statements, err := h.Statements()
		if err != nil {
			return
		}
		window := h.Window()
		accruals, _, err := Estimate(statements, offer, window)
		if err != nil {
			return
		}
		for _, a := range accruals {
			if a.Reward < 0 || a.Opening < 0 {
				t.Fatalf("accrual %+v", a)
			}
			if a.Day < window.First || a.Day > window.Last {
				t.Fatalf("an accrual outside of the window: %+v", a)
			}
		}
	})
}

func consistent(f *File) error {
	if f.Rounded > len(f.Rows) || len(f.Skipped) > f.LeftOut || f.Unreadable > f.LeftOut {
		return fmt.Errorf("%d rows, %d rounded, %d left out, %d of them rows",
			len(f.Rows), f.Rounded, f.LeftOut, f.Unreadable)
	}
	for i := 1; i < len(f.Rows); i++ {
		if f.Rows[i].At.Before(f.Rows[i-1].At) {
			return fmt.Errorf("row %+v is out of order", f.Rows[i])
		}
	}
	for i := 1; i < len(f.Skipped); i++ {
		if f.Skipped[i].Line <= f.Skipped[i-1].Line {
			return fmt.Errorf("skipped %v after %v", f.Skipped[i], f.Skipped[i-1])
		}
	}
	return nil
}
