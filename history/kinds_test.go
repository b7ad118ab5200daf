package history

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
)

func TestNothingReadable(t *testing.T) {
	tests := []struct{ name, rows, want string }{
		{"times of a spreadsheet", "1,21/07/2025 00:30,Spot,Deposit,BNB,2,\n1,22/07/2025 00:30,Spot,Deposit,BNB,2,\n",
			`h.csv: no row could be read; line 2: its time "21/07/2025 00:30"`},
		{"amounts of a spreadsheet", "1,2025-07-24 21:30:41,Spot,Deposit,BNB,\"0,5\",\n",
			`no row could be read; line 2: its amount "0,5" is not a number`},
		{"Spot rows only", "1,2025-07-24 21:30:41,Earn,x,BNB,1,\n1,x,Spot,x,BNB,1,\n",
			`no row of the Spot account could be read; line 3: its time "x"`},
		{"a footer only", "the end\n", "no row could be read"},
	}
	for _, test := range tests {
		for _, strict := range []bool{false, true} {
			_, err := Read(strings.NewReader(newHeader+test.rows), "h.csv", Options{Strict: strict})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", test.name, err)
			} else if !strings.Contains(err.Error(), "was it saved by a spreadsheet") {
				t.Errorf("%s: the message does not say what to do: %v", test.name, err)
			}
		}
	}
	for name, rows := range map[string]string{
		"nothing": "", "other accounts": "1,2025-07-24 21:30:41,Earn,x,BNB,1,\n",
		"other accounts, one of them damaged": "1,2025-07-24 21:30:41,Earn,x,BNB,1,\n1,x,Earn,x,BNB,1,\n",
	} {
		if _, err := Read(strings.NewReader(newHeader+rows), "h.csv", Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThousandsAreKnownByOtherRows(t *testing.T) {
	text := oldHeader + "1,2025-07-24 21:30:41,Spot,Deposit,BNB,\"12,000\",\n" +
		"1,2025-07-24 21:30:42,Spot,Deposit,BNB,\"1,500.25\",\n"
	f := read(t, text)
	var got []ledger.Amount
	for _, row := range f.Rows {
		got = append(got, row.Change)
	}
	if d := cmp.Diff([]ledger.Amount{12_000_00000000, 1500_25000000}, got); d != "" || f.LeftOut != 0 {
		t.Errorf("skipped %v (-want +got):\n%s", f.Skipped, d)
	}
}

func TestReasonsAreCapped(t *testing.T) {
	f := read(t, oldHeader+"1,2025-07-24 21:30:41,Spot,Deposit,BNB,2,\n"+
		strings.Repeat("1,x,Spot,Deposit,BNB,2,\n", 1000))
	if len(f.Skipped) != maxReasons || f.LeftOut != 1000 || f.Unreadable != 1000 {
		t.Errorf("%d reasons of %d rows", len(f.Skipped), f.LeftOut)
	}
}

func TestRewardOperations(t *testing.T) {
	text := oldHeader + row("2025-07-24 10:00:00", "Hold Rewards", "BNB", "1") +
		row("2025-07-24 11:00:00", "Soft Staking", "BNB", "1")
	for _, test := range []struct {
		named []string
		want  string
	}{
		{nil, "false true"}, {[]string{" hold rewards "}, "true false"},
		{[]string{"x", "HOLD REWARDS", "soft staking"}, "true true"},
	} {
		f, err := Read(strings.NewReader(text), "h.csv", Options{Assets: shipped(t).Assets, Rewards: test.named})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(f.Rows[0].Reward, " ", f.Rows[1].Reward); got != test.want {
			t.Errorf("%q: %s; want %s", test.named, got, test.want)
		}
	}
}

func TestAShortageIsReportedOnce(t *testing.T) {
	// A real reward of 3 BNB was spent; the estimated ones are far smaller.
	h := readHistory(t, oldHeader+row("2025-07-24 10:00:00", "Deposit", "BNB", "1")+
		row("2025-07-26 03:00:00", "Soft Staking", "BNB", "3")+
		row("2025-07-27 12:00:00", "Withdraw", "BNB", "-4")+row("2025-07-28 00:00:00", "Deposit", "BNB", "2")+
		row("2025-07-28 12:00:00", "Withdraw", "BNB", "-2"))
	s := statements(t, h)
	if s[0].Opening != 0 {
		t.Errorf("the presumed opening is %d", s[0].Opening)
	}
	accruals, shortages, err := Estimate(s, shipped(t), h.Window())
	if err != nil {
		t.Fatal(err)
	}
	want := "2025-07-25 BNB 1 1 1 0.0015 0.0000041\n2025-07-26 BNB 1.0000041 1.0000041 1.0000041 0.0015 0.00000411\n" +
		"2025-07-27 BNB 1.00000821 0.5000041 0.5000041 0.0015 0.00000206\n" +
		"2025-07-28 BNB 2.00000206 1.00000206 1.00000206 0.0015 0.00000411\n"
	if got := show(t, accruals); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	short := []Shortage{{Asset: "BNB", At: time.Date(2025, 7, 27, 12, 0, 0, 0, time.UTC), Amount: 2_99999179}}
	if d := cmp.Diff(short, shortages); d != "" {
		t.Errorf("shortages (-want +got):\n%s", d)
	}
}

// TestNoRowIsLostUnseen: what looks like a row is read or refuses a strict reading.
func TestNoRowIsLostUnseen(t *testing.T) {
	const good = "1,2026-11-10 10:00:00,Spot,Buy,BNB,1,\n"
	for name, text := range map[string]string{
		"a damaged row in the place of a header": "Ид,Quand,Wo,Was,Muntje,Verschil,Nota\n" +
			"1,2026-11-09 10:00:00,Spot,Withdraw,BNB,−5,\n" + good,
		"a damaged row and no header": "1,09.11.2026,Spot,Withdraw,BNB,-5,\n" + good,
		"rows above the header":       good + newHeader,
		"another separator":           newHeader + good + "1;2026-11-11 10:00:00;Spot;Withdraw;BNB;-4;\n",
		"tabs in one field": newHeader + good +
			"\"1\t2026-11-11 10:00:00\tSpot\tWithdraw\tBNB\t-4\"\n",
		"an unknown account and another time": newHeader + good + "1,07/08/2025 10:00,现货,Deposit,BNB,5,\n",
		"no account":                          newHeader + good + "1,2026-11-11 10:00:00,,Withdraw,BNB,-4,\n",
		"only unknown accounts":               newHeader + "1,2026-11-11 10:00:00,现货,Deposit,BNB,5,\n",
		"a decimal comma without quotes":      newHeader + good + "1,2026-11-10 10:00:00,Spot,Deposit,BNB,1,5,\n",
		"cut off":                             newHeader + good + "1,2026-11-11 10:00:00,Spot,Withdraw,BNB,-1",
		"a quote that swallows rows": newHeader + "1,2026-11-10 10:00:00,Spot,Deposit,BNB,5,\"note\n" + good +
			"1,2026-11-20 10:00:00,Spot,Deposit,BNB,1,end\"\n",
		"CR alone after the first row": newHeader + good + "1,2026-11-11 10:00:00,Spot,Deposit,BNB,5,x\r1,2026-11-12 " +
			"10:00:00,Spot,Withdraw,BNB,-4,\r",
		"the day first": newHeader + "1,08-07-25 10:00:00,Spot,Deposit,BNB,5,\n" +
			"1,31-07-25 10:00:00,Spot,Deposit,BNB,5,\n",
		"points for thousands": strings.ReplaceAll(newHeader, ",", ";") +
			"1;2026-11-10 10:00:00;Spot;Buy;ADA;1.234;\n1;2026-11-10 10:00:00;Spot;Buy;ADA;0,5;\n",
		"columns in another order": "a,b,c,d,e,f,g\n1,2026-11-10 10:00:00,Spot,BNB,Deposit,5,\n",
	} {
		o := Options{Assets: shipped(t).Assets, Strict: true, Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
		if f, err := Read(strings.NewReader(text), "h.csv", o); err == nil {
			t.Errorf("%s: %v", name, f.Rows)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := read(t, newHeader+good+"1,2026-11-11 10:00:00,Spot Wallet,Withdraw,BNB,-0.5,\n"+
		"1,2026-11-11 10:00:00,Moon,Withdraw,BNB,-4,\nthe end,,,,,,\n")
	type counts struct{ Rows, Moon, Unreadable, LeftOut int }
	got := counts{len(f.Rows), f.Unknown["Moon"], f.Unreadable, f.LeftOut}
	if d := cmp.Diff(counts{Rows: 2, Moon: 1, LeftOut: 1}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if f := read(t, newHeader+"1,25-07-20 10:00:00.250,Spot,Deposit,BNB,1,\n"); len(f.Rows) != 1 || f.Cut != 1 {
		t.Errorf("%+v", f)
	}
}
