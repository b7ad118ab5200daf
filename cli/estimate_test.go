package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const exportHeader = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n"

// runEstimate runs the command as it is typed, with a text on its standard input.
func runEstimate(stdin string, args ...string) (stdout, stderr string, status int) {
	var out, errs strings.Builder
	status = run(&Env{
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Context: context.Background(),
		Now: time.Now, Getenv: func(string) string { return "" },
	}, append([]string{"estimate"}, args...))
	return out.String(), errs.String(), status
}

// written puts a text into a file of the given name.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const smallHistory = exportHeader +
	"1,2020-10-28 10:00:00,Spot,Buy,BNB,2.0000000049,\n" +
	"1,2020-10-28 10:00:00,Spot,Buy,USDT,-100,\n" +
	"1,2020-10-29 12:00:00,Spot,Withdraw,BNB,-1,\n" +
	"1,2020-10-29 13:00:00,Spot,Withdraw,BNB,x,\n" +
	"1,2020-10-29 14:00:00,Spot,Withdraw,SOL,-0.25,\n" +
	"1,2020-10-30 03:00:00,Spot,Soft Staking Rewards,BNB,6e-6,\n"

const smallMessages = `line 5: its amount "x" is not a number; the row is left out
Times are read as UTC: the column says so.
1 row has more decimals than the token keeps: each is rounded, half away from zero.
1 Spot row is of coins without terms: USDT 1.
The rows of SOL spend more than they bring: an opening balance of 0.25 is assumed.
`

const smallMissing = "1 row could not be read and is missing in this estimate.\n"

const smallPaid = "BNB: really paid 0.000006 on 1 day, estimated 0.00001027 on 2 days.\n"

func TestEstimateFormats(t *testing.T) {
	tests := []struct{ format, stdout, stderr string }{
		{"json", `[
 {"day":"2020-10-29","asset":"BNB","opening":"2","average":"1.5","eligible":"1.5","apr":"0.0015","reward":"0.00000616"},
 {"day":"2020-10-30","asset":"BNB","opening":"1.00000616","average":"1.00000616","eligible":"1.00000616","apr":"0.0015","reward":"0.00000411"}
]
`, smallMessages + smallPaid + smallMissing},
		{"csv", `day,asset,opening,average,eligible,apr,reward,reallyPaid
2020-10-29,BNB,2,1.5,1.5,0.0015,0.00000616,0.000006
2020-10-30,BNB,1.00000616,1.00000616,1.00000616,0.0015,0.00000411,
`, smallMessages + smallPaid + smallMissing},
		{"table", `day         token     opening     average    eligible  APR %      reward  really paid
──────────  ─────  ──────────  ──────────  ──────────  ─────  ──────────  ───────────
2020-10-29  BNB    2           1.5         1.5          0.15  0.00000616     0.000006
2020-10-30  BNB    1.00000616  1.00000616  1.00000616   0.15  0.00000411     –

token  days  would have been paid  days  really paid
─────  ────  ────────────────────  ────  ───────────
BNB       2            0.00001027     1     0.000006
`, smallMessages + smallMissing + "\n"},
	}
	path := written(t, "history.csv", smallHistory)
	for _, test := range tests {
		t.Run(test.format, func(t *testing.T) {
			stdout, stderr, status := runEstimate("", path, "--format", test.format)
			if status != 0 {
				t.Fatalf("exit status %d", status)
			}
			if diff := cmp.Diff(test.stdout, stdout); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.stderr, stderr); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEstimateOfNothing(t *testing.T) {
	tests := []struct{ format, want string }{
		{"json", "[]\n"},
		{"csv", "day,asset,opening,average,eligible,apr,reward,reallyPaid\n"},
		{"table", "No day reached the minimum of a token: nothing would have been paid.\n"},
	}
	for _, test := range tests {
		stdout, stderr, status := runEstimate(exportHeader, "-", "--from", "2020-10-29", "--to", "2020-10-30", "--format",
			test.format)
		if status != 0 || stdout != test.want || !strings.Contains(stderr, "There is no Spot row") {
			t.Errorf("%s: exit status %d, %q, %q", test.format, status, stdout, stderr)
		}
	}
}

func TestEstimateFlags(t *testing.T) {
	named := written(t, "history(UTC+1).csv", strings.Replace(smallHistory, "UTC_Time", "Time", 1))
	terms := written(t, "terms.csv", "from,asset,apr,min,cap\n2020-10-30,BNB,0.0365,0.5,0.75\n")
	shared := written(t, "shared.csv", "from,asset,apr,min,cap,mode,measure,fee,gross_apr\n"+
		"2020-10-20,BNB,,0.5,1000,share,daily-minimum,0.3,0.05214286\n")
	tests := []struct {
		args           []string
		stdin          string
		stdout, stderr string
	}{
		{[]string{"-", "--terms", shared}, smallHistory, `"average":"1","eligible":"1","apr":"0.0365","reward":"0.0001"`,
			"BNB from 2020-10-20 on: gross 5.214286 %, fee 30 %, you get 3.65 %.\nBNB shares staking income: its rate is " +
				"that of the file, and what it comes to is an estimate.\n"},
		{[]string{named}, "", `"day":"2020-10-29","asset":"BNB","opening":"2","average":"1.45833333"`, "Times are read as UTC+1: the file's name says so."},
		{[]string{named, "--utc-offset", "+00:00"}, "", `"average":"1.5"`, "Times are read as UTC: as asked."},
		{[]string{named, "--utc-offset=-06:00"}, "", `"average":"1.75"`, "Times are read as UTC-6: as asked."},
		{[]string{"-", "--utc-offset", "+01:00"}, smallHistory, `"average":"1.5"`, "--utc-offset was not needed and is ignored."},
		{[]string{"-", "--from", "2020-10-30"}, smallHistory, `"day":"2020-10-30","asset":"BNB","opening":"1","average":"1"`, "BNB: 0.000006 was really paid for days that are not measured here."},
		{[]string{"-", "--to", "2020-10-31"}, smallHistory, `"day":"2020-10-31","asset":"BNB","opening":"1.00001027"`, ""},
		{[]string{"-", "--to", "2020-10-20"}, smallHistory, "[]\n", ""},
		{[]string{"-", "--terms", terms}, smallHistory,
			"[\n {\"day\":\"2020-10-30\",\"asset\":\"BNB\",\"opening\":\"1\",\"average\":\"1\",\"eligible\":\"0.75\"," +
				"\"apr\":\"0.0365\",\"reward\":\"0.000075\"}\n]\n",
			"2 Spot rows are of coins without terms: SOL 1, USDT 1."},
	}
	for _, test := range tests {
		stdout, stderr, status := runEstimate(test.stdin, append(test.args, "--format", "json")...)
		if status != 0 || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("%v: exit status %d\n%s\n%s", test.args, status, stdout, stderr)
		}
	}
}

func TestEstimateRefuses(t *testing.T) {
	path := written(t, "history.csv", smallHistory)
	other := written(t, "trades.csv", "Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n")
	tests := []struct {
		args   []string
		want   string
		status int
	}{
		{[]string{path, "--strict"}, `history.csv, line 5: its amount "x" is not a number; download the CSV again, or leave such rows out by estimating without --strict`, 1},
		{[]string{other}, "trades.csv is not a Transaction History export", 1},
		{[]string{path, "--terms", other}, "trades.csv holds no terms", 1},
		{[]string{path + ".gone"}, "no such file", 1},
		{[]string{path, "--terms", path + ".gone"}, "no such file", 1},
		{[]string{filepath.Dir(path)}, "is a folder", 1},
		{[]string{path, "--from", "2020-10-31", "--to", "2020-10-30"}, "--from 2020-10-31 is after --to 2020-10-30", 2},
		{[]string{}, "<file>", 2},
		{[]string{path, "--to", "yesterday"}, `"yesterday" is not a day`, 2},
		{[]string{path, "--from", "1969-12-31"}, `"1969-12-31" is not a day`, 2},
		{[]string{path, "--utc-offset", "+15:00"}, "from -14:00 to +14:00", 2},
		{[]string{path, "--format", "xml"}, "--format", 2},
	}
	for _, test := range tests {
		stdout, stderr, status := runEstimate("", test.args...)
		if status != test.status || !strings.Contains(stderr, test.want) || stdout != "" {
			t.Errorf("%v: exit status %d, %q, and on standard output %q", test.args, status, stderr, stdout)
		}
	}
}

func TestWhatIsNoTextIsNoExport(t *testing.T) {
	for text, want := range map[string]string{
		"\x7fELF\x02\x01\x01\x00\x00\"\x1b[2J,,\n": "it is not text; give the CSV file, saved in UTF-8",
		"U\x00T\x00C\x00": "its header has no column UTC_Time or Time, Account, Operation, " +
			"Coin, Change",
	} {
		out, stderr, status := runEstimate(text, "-")
		if status != 1 || out != "" || stderr != "softstake: standard input is not a Transaction History export: "+want+"\n" {
			t.Errorf("%q: exit status %d, %q, %q", text, status, out, stderr)
		}
	}
}
