package history

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
)

// row is a line of an old export.
func row(at, operation, coin, change string) string {
	return "1," + at + ",Spot," + operation + "," + coin + "," + change + ",\n"
}

func TestEstimate(t *testing.T) {
	tests := []struct{ name, rows, want string }{
		{"no Spot row", "1,2025-07-24 21:30:41,Funding,Deposit,BNB,2,\n", ""},
		{"one day only", row("2025-07-24 00:00:00", "Deposit", "BNB", "2") +
			row("2025-07-24 23:59:59", "Deposit", "BNB", "2"), ""},
		// 3650 × 0.0015 / 365 would be 0.015: capped at 1000 it is 0.00410958904…,
		// whose fraction is carried: the second reward ends with 5, not 4.
		{"the day after the first row, to the day of the last, the reward in the balance after its day",
			row("2025-07-24 21:30:41", "Deposit", "BNB", "3650") + row("2025-07-26 00:00:00", "Buy", "USDT", "1"),
			"2025-07-25 BNB 3650 3650 1000 0.0015 0.00410958\n" +
				"2025-07-26 BNB 3650.00410958 3650.00410958 1000 0.0015 0.00410959\n"},
		{"a row at 00:00:00 belongs to the new day, opening included",
			row("2025-07-24 10:00:00", "Deposit", "BNB", "1") + row("2025-07-25 00:00:00", "Deposit", "BNB", "1"),
			"2025-07-25 BNB 2 2 2 0.0015 0.00000821\n"},
		{"the average is weighted with time and rounded down",
			row("2025-07-24 10:00:00", "Deposit", "BNB", "1") + row("2025-07-25 08:00:00", "Deposit", "BNB", "1"),
			"2025-07-25 BNB 1 1.66666666 1.66666666 0.0015 0.00000684\n"},
		{"below the minimum nothing, compared exactly",
			row("2025-07-24 10:00:00", "Deposit", "BNB", "0.49999999") +
				row("2025-07-25 23:59:59", "Deposit", "BNB", "0.00000001") + row("2025-07-26 00:00:00", "x", "X", "1"),
			"2025-07-26 BNB 0.5 0.5 0.5 0.0015 0.00000205\n"},
		{"a withdrawal in the middle of the history presumes an opening",
			row("2025-07-24 10:00:00", "Buy", "USDT", "1") + row("2025-07-25 12:00:00", "Withdraw", "BNB", "-2"),
			"2025-07-25 BNB 2 1 1 0.0015 0.0000041\n"},
		{"rows of one moment count together, in any order of lines",
			row("2025-07-25 12:00:00", "Sell", "BNB", "-5") + row("2025-07-24 10:00:00", "Deposit", "BNB", "1") +
				row("2025-07-25 12:00:00", "Buy", "BNB", "5"),
			"2025-07-25 BNB 1 1 1 0.0015 0.0000041\n"},
		{"really paid rewards are left out, switch on, and make a last day",
			row("2025-07-23 10:00:00", "Soft Staking Rewards", "BNB", "7") + row("2025-07-23 11:00:00", "Deposit",
				"BNB", "1") + row("2025-07-24 03:00:00", "SOFT STAKING", "SOL", "-7"),
			"2025-07-24 BNB 1 1 1 0.0015 0.0000041\n2025-07-24 SOL 7 7 7 0.008 0.00015342\n"},
		{"each row is rounded before anything is summed",
			row("2025-07-24 10:00:00", "Deposit", "BNB", "1") + row("2025-07-24 10:00:00", "Deposit", "BNB", "5e-9") +
				row("2025-07-24 10:00:00", "Deposit", "BNB", "0.000000005") + row("2025-07-25 00:00:00", "x", "X", "1"),
			"2025-07-25 BNB 1.00000002 1.00000002 1.00000002 0.0015 0.0000041\n"},
		{"by day and then token",
			row("2025-07-24 10:00:00", "Deposit", "SOL", "1") + row("2025-07-24 10:00:00", "Deposit", "BNB", "1") +
				row("2025-07-26 00:00:00", "x", "X", "1"),
			"2025-07-25 BNB 1 1 1 0.0015 0.0000041\n2025-07-25 SOL 1 1 1 0.008 0.00002191\n" +
				"2025-07-26 BNB 1.0000041 1.0000041 1.0000041 0.0015 0.00000411\n" +
				"2025-07-26 SOL 1.00002191 1.00002191 1.00002191 0.008 0.00002192\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := show(t, estimate(t, oldHeader+test.rows)); got != test.want {
				t.Errorf("got:\n%swant:\n%s", got, test.want)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	f := readHistory(t, oldHeader+row("2025-07-24 10:00:00", "Withdraw", "BNB", "-1")+
		row("2025-07-26 06:00:00", "Deposit", "BNB", "2"))
	tests := []struct{ first, last, want string }{
		// The opening was there all along, before the first row too.
		{"2025-07-23", "2025-07-23", "2025-07-23 BNB 1 1 1 0.0015 0.0000041\n"},
		// What happened before the first day is in its opening, and nothing was earned.
		{"2025-07-27", "2025-07-28", "2025-07-27 BNB 2 2 2 0.0015 0.00000821\n" +
			"2025-07-28 BNB 2.00000821 2.00000821 2.00000821 0.0015 0.00000822\n"},
		{"2025-07-24", "2025-07-26", "2025-07-26 BNB 0 1.5 1.5 0.0015 0.00000616\n"},
		{"2025-07-27", "2025-07-26", ""},
	}
	for _, test := range tests {
		if got := show(t, estimateHistory(t, f, Window{day(t, test.first), day(t, test.last)})); got != test.want {
			t.Errorf("%s to %s:\n%swant:\n%s", test.first, test.last, got, test.want)
		}
	}
	_, _, err := Estimate(statements(t, f), shipped(t), Window{day(t, "2025-07-24"), day(t, "9025-07-24")})
	if err == nil || !strings.Contains(err.Error(), "is a year mistyped") {
		t.Errorf("seven thousand years: %v", err)
	}
}

func TestStatements(t *testing.T) {
	f := readHistory(t, oldHeader+
		row("2025-07-26 10:00:00", "Withdraw", "BNB", "-3")+
		row("2025-07-24 10:00:00", "Deposit", "BNB", "1")+
		row("2025-07-25 10:00:00", "Withdraw", "BNB", "-1.5")+
		row("2025-07-25 10:00:00", "Soft Staking", "BNB", "100")+
		row("2025-07-25 10:00:00", "Fee", "BNB", "-0.5")+
		row("2025-07-25 11:00:00", "Buy", "BNB", "2")+
		row("2025-07-25 12:00:00", "Buy", "BNB", "2")+
		row("2025-07-25 12:00:00", "Sell", "BNB", "-2")+
		row("2025-07-27 10:00:00", "Deposit", "SOL", "1"))
	got := ""
	for _, s := range statements(t, f) {
		got += fmt.Sprintf("%s opening %d", s.Asset.Symbol, s.Opening)
		for _, m := range s.Moments {
			got += fmt.Sprintf(", %s %d", m.At.Format("02 15:04"), m.Sum)
		}
		for _, m := range s.Rewards {
			got += fmt.Sprintf(", reward %s %d", m.At.Format("02 15:04"), m.Sum)
		}
		got += "\n"
	}
	want := "BNB opening 0, 24 10:00 100000000, 25 10:00 -200000000, 25 11:00 200000000, 26 10:00 -300000000, " +
		"reward 25 10:00 10000000000\n" +
		"SOL opening 0, 27 10:00 100000000\n"
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestSumsPast63Bits(t *testing.T) {
	const most = "92233720368.54775807"
	tests := []struct{ name, rows string }{
		{"within a moment", row("2025-07-24 10:00:00", "x", "BNB", most) + row("2025-07-24 10:00:00", "x", "BNB", "1")},
		{"balance", row("2025-07-24 10:00:00", "x", "BNB", most) + row("2025-07-24 10:00:01", "x", "BNB", "1")},
		{"below", row("2025-07-24 10:00:00", "x", "BNB", "-"+most) + row("2025-07-24 10:00:01", "x", "BNB", "-1")},
		{"with the opening", row("2025-07-24 10:00:00", "x", "BNB", "-1") +
			row("2025-07-24 10:00:01", "x", "BNB", most) + row("2025-07-24 10:00:02", "x", "BNB", "1")},
		{"rewards", row("2025-07-24 10:00:00", "soft staking", "BNB", most) +
			row("2025-07-24 10:00:00", "Soft Staking", "BNB", "1")},
	}
	for _, test := range tests {
		if _, err := readHistory(t, oldHeader+test.rows).Statements(); !errors.Is(err, ledger.ErrOverflow) ||
			!strings.Contains(err.Error(), "BNB") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// As much as can be, over some days, is estimated; one unit too much with a reward is an error.
	f := readHistory(t, oldHeader+row("2025-07-24 10:00:00", "x", "BNB", most)+
		row("2025-07-25 10:00:00", "x", "X", "1"))
	if _, _, err := Estimate(statements(t, f), shipped(t), f.Window()); !errors.Is(err, ledger.ErrOverflow) {
		t.Errorf("a reward on top of the largest balance: %v", err)
	}
	f = readHistory(t, oldHeader+row("2025-07-24 10:00:00", "x", "BNB", "92233720367")+
		row("2025-07-25 10:00:00", "x", "X", "1"))
	if got, want := show(t, estimateHistory(t, f, f.Window())), "2025-07-25 BNB 92233720367 92233720367 1000 0.0015 "+
		"0.00410958\n"; got != want {
		t.Errorf("more than the supply: %s", got)
	}
}

func TestReadOffer(t *testing.T) {
	o, err := ReadOffer(strings.NewReader("\ufefffrom,asset,apr,min,cap\r\n2025-07-26,BNB,0.01,0,2\n"+
		"2025-07-25, BNB ,0.0365,0.5,1000\n2025-07-25,DOT2,0.0365,1,10\n"), "terms.csv")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read(strings.NewReader(oldHeader+
		row("2025-07-23 10:00:00", "Deposit", "BNB", "10")+row("2025-07-23 10:00:00", "Deposit", "DOT2", "1.000000005")+
		row("2025-07-23 10:00:00", "Deposit", "SOL", "10")+
		row("2025-07-26 10:00:00", "x", "X", "1")), "h.csv", Options{Assets: o.Assets})
	if err != nil {
		t.Fatal(err)
	}
	h, err := Merge([]*File{f}, o.Assets)
	if err != nil {
		t.Fatal(err)
	}
	accruals, _, err := Estimate(statements(t, h), o, h.Window())
	if err != nil {
		t.Fatal(err)
	}
	want := "2025-07-25 BNB 10 10 10 0.0365 0.001\n2025-07-25 DOT2 1.00000001 1.00000001 1.00000001 0.0365 0.0001\n" +
		"2025-07-26 BNB 10.001 10.001 2 0.01 0.00005479\n" +
		"2025-07-26 DOT2 1.00010001 1.00010001 1.00010001 0.0365 0.00010001\n"
	if got := show(t, accruals); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if h.Others["SOL"] != 1 {
		t.Errorf("others %v: SOL has no terms in this file", h.Others)
	}
}

// TestReadOfferWithModes: a period of the mode share has the rate that the file says, net or as gross and fee.
func TestReadOfferWithModes(t *testing.T) {
	o, err := ReadOffer(strings.NewReader("Gross_APR,mode,from,asset,apr,min,cap,measure,fee,per_owner\n"+
		"0.041,share,2025-07-25,SOL,,1,10,daily-minimum,0.3,true\n"+
		",share,2025-08-01,SOL,0.0302,1,10,,,\n"+
		"0.00000003,share,2025-08-09,SOL,,1,10,,0.5,\n"+
		",,2025-07-25,BNB,0.0015,0.5,1000,average,,no"), "terms.csv")
	if err == nil || !strings.Contains(err.Error(), `per_owner "no" is neither true nor false`) {
		t.Fatal(err)
	}
	o, err = ReadOffer(strings.NewReader("Gross_APR,mode,from,asset,apr,min,cap,measure,fee,per_owner\n"+
		"0.041,share,2025-07-25,SOL,,1,10,daily-minimum,0.3,true\n"+
		",share,2025-08-01,SOL,0.0302,1,10,,,\n"+
		"0.00000003,share,2025-08-09,SOL,,1,10,,0.5,\n"+
		"0.002,fixed,2025-07-25,BNB,0.0015,0.5,1000,average,0.25,false"), "terms.csv")
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, symbol := range []string{"BNB", "SOL"} {
		for _, terms := range o.Terms(symbol) {
			got += terms.Describe(o.Assets[symbol]) + "\n"
		}
	}
	want := "from 2025-07-25 offered, APR 0.0015, minimum 0.5, cap 1000, mode fixed, fee 0.25, gross rate 0.002\n" +
		"from 2025-07-25 offered, APR 0.0287, minimum 1, cap 10, mode fixed, fee 0.3, measure daily-minimum, " +
		"minimum and cap per owner, gross rate 0.041\n" +
		"from 2025-08-01 offered, APR 0.0302, minimum 1, cap 10\n" +
		"from 2025-08-09 offered, APR 0.00000001, minimum 1, cap 10, mode fixed, fee 0.5, gross rate 0.00000003\n"
	if got != want || !o.Shared["SOL"] || o.Shared["BNB"] {
		t.Errorf("got:\n%swant:\n%s; shared %v", got, want, o.Shared)
	}
}

func TestReadOfferRefuses(t *testing.T) {
	const (
		header = "from,asset,apr,min,cap\n"
		modes  = "from,asset,apr,min,cap,mode,measure,fee,gross_apr\n"
	)
	tests := []struct{ text, want string }{
		{"", "terms.csv holds no terms: it is empty"},
		{"from,asset,min\n", "terms.csv holds no terms: its header has no column apr, cap"},
		{header + "2025-7-1,BNB,0.01,0,1\n", "terms.csv, line 2: \"2025-7-1\" is not a day"},
		{header + "2025-07-01,bnb,0.01,0,1\n", "made of A-Z and 0-9"},
		{header + "2025-07-01,,0.01,0,1\n", "1 to 20 characters"},
		{"PK\x03\x04", "terms.csv holds no terms: it is a ZIP file; unpack it and give the CSV file in it"},
		{header + "2025-07-01,BNB,-1,0,1\n", "APR -1 is not between"},
		{header + "2025-07-01,BNB,x,0,1\n", "is not a decimal number"},
		{header + "2025-07-01,BNB,0.01,2,1\n", "cap 1 is not between the minimum"},
		{header + "2025-07-01,BNB,0.01,0,300000000\n", "cap 300000000 is not between"},
		{header + "2025-07-01,BNB,0.01,0\n", "is not a decimal number"},
		{header + "2025-07-01,BNB,\"0.01,0\n", "a quote is not closed"},
		{header + "2025-07-01,BNB,,0,1\n", "state the APR, since the mode is fixed"},
		{modes + "2025-07-01,BNB,0.01,0,1,pool,,,\n", "\"pool\" is no mode"},
		{modes + "2025-07-01,BNB,0.01,0,1,,median,,\n", "\"median\" is no measure"},
		{modes + "2025-07-01,BNB,,0,1,share,,0.3,\n", "state apr, the net rate of the days from here on, or gross_apr"},
		{modes + "2025-07-01,BNB,,0,1,share,,2,0.1\n", "fee 2 is not between"},
		{modes + "2025-07-01,BNB,,0,1,share,,0.3,x\n", "is not a decimal number"},
		{modes + "2025-07-01,BNB,0.2,0,1,share,,0.3,0.1\n", "the gross rate 0.1 is below the APR 0.2"},
		{header + "2025-07-01,BNB,0.01,0,1\n\n2025-07-01,BNB,0.02,0,1\n",
			"line 4: these are the second terms of BNB from 2025-07-01"},
	}
	for _, test := range tests {
		if _, err := ReadOffer(strings.NewReader(test.text), "terms.csv"); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v; want %q", test.text, err, test.want)
		}
	}
	if _, err := ReadOffer(iotest.ErrReader(os.ErrClosed), "terms.csv"); !errors.Is(err, os.ErrClosed) ||
		strings.Contains(err.Error(), "holds no terms") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func TestCompare(t *testing.T) {
	f := readHistory(t, oldHeader+
		row("2025-07-24 02:00:00", "Soft Staking", "BNB", "0.5")+ // for the 23rd, before the window
		row("2025-07-24 10:00:00", "Deposit", "BNB", "1")+
		row("2025-07-26 02:00:00", "Soft Staking", "BNB", "0.00000400")+
		row("2025-07-26 03:00:00", "Soft Staking", "BNB", "0.00000010")+
		row("2025-07-26 02:00:00", "Soft Staking", "SOL", "0.00001"))
	w := f.Window()
	c, err := Compare(estimateHistory(t, f, w), statements(t, f), w)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, d := range c.Days {
		got += fmt.Sprintln(d.Day, d.Asset, d.Estimated, d.Accrual.Reward, d.WasPaid, d.Paid)
	}
	for _, total := range c.Totals {
		got += fmt.Sprintln(total.Asset, total.Days, total.Estimated, total.PaidDays, total.Paid,
			total.Only, total.Outside)
	}
	want := "2025-07-25 BNB true 410 true 410\n2025-07-25 SOL false 0 true 1000\n2025-07-26 BNB true 411 false 0\n" +
		"BNB 2 821 1 410 0 50000000\nSOL 0 0 1 1000 1 0\n"
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestCompareAtTheEdges(t *testing.T) {
	f := readHistory(t, oldHeader+
		row("2025-07-24 10:00:00", "Soft Staking", "BNB", "1")+
		row("2025-07-25 10:00:00", "Soft Staking", "BNB", "10")+
		row("2025-07-26 10:00:00", "Soft Staking", "BNB", "100")+
		row("2025-07-27 10:00:00", "Soft Staking", "BNB", "1000"))
	c, err := Compare(nil, statements(t, f), Window{day(t, "2025-07-24"), day(t, "2025-07-25")})
	if err != nil {
		t.Fatal(err)
	}
	want := []Total{{Asset: "BNB", PaidDays: 2, Paid: 110_00000000, Only: 2, Outside: 1001_00000000}}
	if d := cmp.Diff(want, c.Totals); d != "" {
		t.Errorf("totals (-want +got):\n%s", d)
	}
}

// TestSample pins the estimate of a whole, made-up history.
func TestSample(t *testing.T) {
	const name = "Transaction-History-202508011200(UTC+1)_3f9a.csv"
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	f := merged(t, readNamed(t, name, string(text)))
	want := `2025-07-22 BNB 2.339658 2.339658 2.339658 0.0015 0.00000961
2025-07-22 SOL 3.25 2.39352719 2.39352719 0.008 0.00005246
2025-07-23 ADA 420.5 420.5 420.5 0.005 0.00576027
2025-07-23 BNB 2.33966761 2.33966761 2.33966761 0.0015 0.00000962
2025-07-24 ADA 420.50576027 417.52590494 417.52590494 0.005 0.00571953
2025-07-24 BNB 2.33967723 2.34280803 2.34280803 0.0015 0.00000962
2025-07-25 ADA 400.0114798 400.0114798 400.0114798 0.005 0.00547961
2025-07-25 BNB 2.36122531 1.50594753 1.50594753 0.0015 0.00000619
2025-07-26 ADA 400.01695941 400.01695941 400.01695941 0.005 0.00547969
2025-07-27 ADA 400.0224391 400.0224391 400.0224391 0.005 0.00547976
2025-07-27 BNB 0.3612315 1.77789816 1.77789816 0.0015 0.00000731
2025-07-28 ADA 400.02791886 400.02791886 400.02791886 0.005 0.00547983
2025-07-28 BNB 2.36123881 2.36123881 2.36123881 0.0015 0.0000097
2025-07-29 ADA 400.03339869 400.03339869 400.03339869 0.005 0.00547991
2025-07-29 BNB 2.36124851 2.36124851 2.36124851 0.0015 0.00000971
2025-07-29 SOL 2.70518066 2.70518066 2.70518066 0.008 0.00005929
`
	if diff := cmp.Diff(want, show(t, estimateHistory(t, f, f.Window()))); diff != "" {
		t.Error(diff)
	}
}
