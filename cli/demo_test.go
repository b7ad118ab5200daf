package cli

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// runDemo runs the command as it is typed; env says where books are without --db.
func runDemo(env string, args ...string) (stdout, stderr string, status int) {
	var out, errs strings.Builder
	status = run(&Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Context: context.Background(), Random: rand.Reader,
		Now: func() time.Time { return time.Date(2025, time.December, 24, 18, 0, 0, 0, time.UTC) },
		Getenv: func(name string) string {
			if name == "SOFTSTAKE_DB" {
				return env
			}
			return ""
		},
	}, append([]string{"demo"}, args...))
	return out.String(), errs.String(), status
}

// Its testdata is made again with
//
//	go run . demo --report --holders 20 --days 8 > cli/testdata/demo.txt
func TestDemoPrintsItsReport(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "demo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	books := filepath.Join(t.TempDir(), "books.db")
	stdout, stderr, status := runDemo("sqlite:"+books, "--report", "--holders", "20", "--days", "8")
	if status != 0 || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if diff := cmp.Diff(string(want), stdout); diff != "" {
		t.Errorf("it prints something else (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(books); !os.IsNotExist(err) {
		t.Errorf("the books of the environment were touched: %v", err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("it left %s behind", left[0].Name())
	}
}

// What it names to try next works on the books that were kept.
func TestDemoKeepsBooksThatCanBeLookedInto(t *testing.T) {
	books := "sqlite:" + filepath.Join(t.TempDir(), "town.db")
	stdout, stderr, status := runDemo("", "--report", "--holders", "12", "--days", "3", "--db", books)
	if status != 0 || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	_, next, _ := strings.Cut(stdout, "Try next:\n")
	tried := 0
	for _, line := range strings.Split(next, "\n") {
		words := strings.Fields(line)
		if !slices.Contains(words, books) {
			continue
		}
		tried++
		var out, stderr strings.Builder
		if status := run(&Env{
			Stdout: &out, Stderr: &stderr, Context: context.Background(), Now: time.Now,
			Getenv: func(string) string { return "" },
		}, words[3:]); status != 0 || out.Len() == 0 {
			t.Errorf("%s: status %d: %s", line, status, stderr.String())
		}
	}
	if tried != 5 {
		t.Errorf("%d commands to look into the books:\n%s", tried, next)
	}
	if _, stderr, status := runDemo("", "--report", "--db", books); status != 1 ||
		!strings.Contains(stderr, "began on 2025-10-28") {
		t.Errorf("a second town in the same books: status %d: %s", status, stderr)
	}
}

func TestDemoIsGivenWrongly(t *testing.T) {
	for _, c := range []struct {
		args, says string
	}{
		{"--holders 9", "10 to 100000"},
		{"--days 2", "3 to 366"},
		{"--last 2025-12-24 --db sqlite:" + filepath.Join(t.TempDir(), "x.db"), "--last 2025-12-24 is not over"},
		{"--last yesterday", "is not a day"},
		{"--seed -1", "--seed"},
	} {
		if _, stderr, status := runDemo("", strings.Fields(c.args)...); status == 0 || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: status %d: %s", c.args, status, stderr)
		}
	}
}

// On paper the opening and the changes, times the seconds left, add up to the average's line.
func TestPaperAddsUp(t *testing.T) {
	report, err := os.ReadFile(filepath.Join("testdata", "demo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	days := 0
	for _, line := range strings.Split(string(report), "\n") {
		words := strings.Fields(line)
		if !strings.Contains(line, "  =  ") {
			continue
		}
		product, err := ledger.ParseDecimal(words[len(words)-1], 11)
		if err != nil {
			t.Fatal(err)
		}
		if words[0] != "average" {
			sum += product
			continue
		}
		if sum != product {
			t.Errorf("%s: the lines before it add up to %s", line, ledger.FormatDecimal(sum, 11))
		}
		sum, days = 0, days+1
	}
	if days != 3 {
		t.Errorf("%d days are worked out", days)
	}
}

func TestPaperAboveTheCap(t *testing.T) {
	var out strings.Builder
	if err := writePaper(&out, reports.Explanation{
		Asset: ledger.Asset{Symbol: "BNB", Scale: 8},
		Terms: staking.Terms{Min: 50_000_000, Cap: 100_000_000},
		Measured: staking.Accrual{
			Day: staking.DayOf(time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC)), Opening: 200_000_000,
			Average: 200_000_000, Eligible: 100_000_000, APR: 3_650_000, Reward: 10_000, Before: staking.Unit / 2,
			Carry: staking.Unit / 2,
		},
	}); err != nil {
		t.Fatal(err)
	}
	const want = `2026-11-22: above the cap; it earns on 1
  00:00:00.000  opening  2  ×  86400  =  172800
                average  2  ×  86400  =  172800
  1 × 0.0365 ÷ 365                  0.0001
  + carried from the reward before  0.000000005
  = paid, rounded down              0.0001
    carried to the next             0.000000005
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
