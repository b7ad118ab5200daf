package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// importBooks are books with one account, a, in a file of their own.
type importBooks struct {
	url string
	now time.Time
}

// newBooks are the files of the books that newImportBooks makes, by their first day.
var newBooks = map[string][]byte{}

// newImportBooks makes books from a day on, two weeks after which it is, or from
// 2026-11-25 with "". They are made once, and then copied.
func newImportBooks(t *testing.T, from string) *importBooks {
	t.Helper()
	path := filepath.Join(t.TempDir(), "books.db")
	b := &importBooks{url: "sqlite:" + path, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	init := []string{"init", "--four-eyes", "off"}
	if from != "" { // fewer days are made much faster
		first, err := time.Parse(time.DateOnly, from)
		if err != nil {
			t.Fatal(err)
		}
		b.now = first.AddDate(0, 0, 14)
		init = append(init, "--from", from)
	}
	if file, made := newBooks[from]; made {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, args := range [][]string{init, {"account", "open", "a", "--region", "DE"}} {
		if printed, status := b.run(args...); status != 0 {
			t.Fatalf("%v: %s", args, printed)
		}
	}
	newBooks[from] = contents(t, path)
	return b
}

func (b *importBooks) run(args ...string) (printed string, status int) {
	var out bytes.Buffer
	status = run(&Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: func() time.Time { return b.now },
		Random: rand.NewChaCha8([32]byte{}), Context: context.Background(),
		Getenv: func(name string) string { return map[string]string{"USER": "olga", "SOFTSTAKE_DB": b.url}[name] },
	}, args)
	return out.String(), status
}

// has holds the balances of a against "2 BNB, 5 SOL", and has the books audited.
func (b *importBooks) has(t *testing.T, want string) {
	t.Helper()
	b.balances(t, "a", want)
}

func (b *importBooks) balances(t *testing.T, account, want string) {
	t.Helper()
	printed, status := b.run("account", "show", account, "--json")
	var shown struct {
		Balances []struct{ Asset, Free, Held string }
	}
	if err := json.Unmarshal([]byte(printed), &shown); err != nil || status != 0 {
		t.Fatalf("exit status %d, %q: %v", status, printed, err)
	}
	var got []string
	for _, x := range shown.Balances {
		if x.Free != "0" || x.Held != "0" {
			got = append(got, x.Free+" "+x.Asset)
		}
	}
	if strings.Join(got, ", ") != want {
		t.Errorf("%s has %v; want %s", account, got, want)
	}
	if printed, status := b.run("audit"); status != 0 {
		t.Errorf("audit: %s", printed)
	}
}

// TestImportOfRealFiles imports files one by one and together, in each order, into books
// whose days are all closed and into books whose days are partly open, and once more.
func TestImportOfRealFiles(t *testing.T) {
	tests := []struct {
		name, want string
		flags      []string
	}{
		{"parts-split-second", "200 ADA, 0.9985 BNB, 10 SOL", nil},
		{"coin-filtered", "2 BNB, 5.2 SOL", nil},
		{"overlap-two-files", "190 ADA", nil},
		{"correct-after-skip", "2 BNB, 5.2 SOL", []string{"--skip-unreadable"}},
		{"years-two-files", "6 BNB", nil},
		{"sell-all-with-rewards", "", nil},
		{"sell-all-with-rewards", "", []string{"--without-rewards"}},
		{"zip-parts", "499.75787602 ADA, 1.49926337 BNB, 3 SOL", nil},
		{"zip-parts", "499.75 ADA, 1.49925 BNB, 3 SOL", []string{"--without-rewards"}},
		{"footer", "499.75787602 ADA, 1.49926337 BNB, 3 SOL", nil},
		{"fee-before-buy", "1.5 BNB", nil},
	}
	for _, test := range tests {
		files := filesOf(t, test.name)
		backwards := slices.Clone(files)
		slices.Reverse(backwards)
		single := func(files []string) (runs [][]string) {
			for _, f := range files {
				runs = append(runs, []string{f})
			}
			return runs
		}
		for _, from := range []string{"", "2025-07-22"} {
			for i, runs := range [][][]string{{files}, single(files), single(backwards), append(single(files), files)} {
				t.Run(fmt.Sprintf("%s %s from %q, %d", test.name, test.flags, from, i), func(t *testing.T) {
					b := newImportBooks(t, from)
					last := ""
					for _, files := range append(runs, runs[len(runs)-1]) {
						printed, status := b.run(slices.Concat([]string{"import", "--account", "a"}, test.flags, files)...)
						if status != 0 {
							t.Fatalf("exit status %d, %s", status, printed)
						}
						last = printed
					}
					if !strings.Contains(last, "entries: posted 0, refused 0;") {
						t.Errorf("the same once more: %s", last)
					}
					b.has(t, test.want)
				})
			}
		}
	}
}

func TestAnUnreadableRowRefusesAnImport(t *testing.T) {
	file := filesOf(t, "excel-mixed-dates")[0]
	b := newImportBooks(t, "2025-07-19")
	printed, status := b.run("import", file, "--account", "a")
	if status != 1 || !strings.Contains(printed, `line 5: its time "21/07/2025 14:00" is not one such as`) || !strings.Contains(printed, "--skip-unreadable") {
		t.Errorf("exit status %d, %s", status, printed)
	}
	b.has(t, "")
	if printed, status := b.run("import", file, "--account", "a", "--skip-unreadable"); status != 0 ||
		!strings.Contains(printed, "1 row could not be read and is missing in this import.") {
		t.Errorf("exit status %d, %s", status, printed)
	}
	// Its right edition completes it.
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := written(t, "whole(UTC+2).csv", strings.Replace(string(text), "21/07/2025 14:00", "2025-07-21 14:00:00", 1))
	if printed, status := b.run("import", whole, "--account", "a"); status != 0 {
		t.Errorf("exit status %d, %s", status, printed)
	}
	b.has(t, "499.75787602 ADA, 1.49926337 BNB, 3 SOL")
}

func TestATokenAddedLaterIsImportedLater(t *testing.T) {
	for _, from := range []string{"", "2025-07-12"} {
		b := newImportBooks(t, from)
		file := written(t, "h.csv", exportHeader+"1,2025-07-22 11:00:00,Spot,Deposit,BNB,3,\n1,2025-07-22 "+
			"11:00:00,Spot,Deposit,XRP,7.123456,\n1,2025-07-23 11:00:00,Spot,Withdraw,XRP,-1,\n")
		for _, args := range [][]string{
			{"import", file, "--account", "a"},
			{"asset", "add", "XRP", "--scale", "6", "--max-supply", "100000000000", "--apr", "0.01", "--min", "1", "--cap",
				"1000"},
			{"import", file, "--account", "a"},
		} {
			if printed, status := b.run(args...); status != 0 {
				t.Fatalf("%v: %s", args, printed)
			}
		}
		b.has(t, "3 BNB, 6.123456 XRP")
	}
}

// TestRewardsAreTakenBackAndPostedAgain imports one history with the rewards that the
// exchange paid and without them, in turn, on open and on closed days.
func TestRewardsAreTakenBackAndPostedAgain(t *testing.T) {
	file := filesOf(t, "zip-parts")[0]
	for _, from := range []string{"", "2025-07-22"} {
		b := newImportBooks(t, from)
		for range 2 {
			for _, c := range []struct {
				flags []string
				want  string
			}{{nil, "499.75787602 ADA, 1.49926337 BNB, 3 SOL"},
				{[]string{"--without-rewards"}, "499.75 ADA, 1.49925 BNB, 3 SOL"}} {
				if printed, status := b.run(append([]string{"import", file, "--account", "a"}, c.flags...)...); status != 0 {
					t.Fatalf("exit status %d, %s", status, printed)
				}
				b.has(t, c.want)
			}
		}
	}
}

// TestAWrongRowIsNotKept corrects a file whose first edition the books could never take.
func TestAWrongRowIsNotKept(t *testing.T) {
	for wrong, want := range map[string]string{
		"1,2026-01-02 10:00:00,Spot,Withdraw,BNB,-2e9,\n": "is more than there can be",
		"1,2026-12-30 10:00:00,Spot,Deposit,BNB,1,\n":     "lies in the future",
	} {
		b := newImportBooks(t, "2026-01-01")
		good := exportHeader + "1,2026-01-02 09:00:00,Spot,Deposit,BNB,2,\n"
		path := written(t, "h.csv", good+wrong)
		if printed, status := b.run("import", path, "--account", "a"); status != 1 || !strings.Contains(printed, want) {
			t.Errorf("exit status %d, %s", status, printed)
		}
		b.has(t, "")
		if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
		if printed, status := b.run("import", path, "--account", "a"); status != 0 {
			t.Errorf("exit status %d, %s", status, printed)
		}
		b.has(t, "2 BNB")
	}
}

// TestALoadedOpeningStandsForItsOwnDay: what came after it is imported, also when its day
// is closed by then.
func TestALoadedOpeningStandsForItsOwnDay(t *testing.T) {
	before := written(t, "before.csv", exportHeader+
		"1,2026-01-03 10:00:00,Spot,Deposit,BNB,7,\n1,2026-01-08 10:00:00,Spot,Deposit,BNB,1,\n")
	later := written(t, "later.csv", exportHeader+"1,2026-01-04 10:00:00,Spot,Deposit,BNB,2,\n")
	load := written(t, "load.csv", "account,region,asset,amount\nb,DE,BNB,30\n")
	for _, closeFirst := range []bool{false, true} {
		b := newImportBooks(t, "2026-01-01")
		steps := [][]string{{"load", load}, {"settle", "--through", "2026-01-06"}, {"import", before, "--account", "b"},
			{"import", later, "--account", "b"}, {"import", before, "--account", "b"}}
		if !closeFirst {
			steps[1], steps[2] = steps[2], steps[1]
		}
		for _, args := range steps {
			if printed, status := b.run(args...); status != 0 || strings.Contains(printed, "by its history") &&
				args[0] != "import" {
				t.Fatalf("%v: exit status %d, %s", args, status, printed)
			}
		}
		b.balances(t, "b", "40 BNB")
	}
}

// TestRewardsAreMarkedByTheLastImport: a slip in --reward-operation is corrected by an
// import without it, and one that comes later holds for the rows that are known.
func TestRewardsAreMarkedByTheLastImport(t *testing.T) {
	b := newImportBooks(t, "2026-01-01")
	deposit := written(t, "a.csv", exportHeader+"1,2026-01-03 10:00:00,Spot,Deposit,BNB,100,\n1,2026-01-03 "+
		"11:00:00,Spot,Bonus,BNB,1,\n")
	bonus := written(t, "b.csv", exportHeader+"1,2026-01-04 10:00:00,Spot,Bonus,BNB,2,\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{deposit, "--reward-operation", "Deposit", "--without-rewards"}, "1 BNB"},
		{[]string{deposit}, "101 BNB"},
		{[]string{deposit, "--without-rewards"}, "101 BNB"},
		{[]string{bonus, "--reward-operation", "bonus", "--without-rewards"}, "100 BNB"},
		{[]string{bonus, "--reward-operation", "bonus"}, "103 BNB"},
	} {
		if printed, status := b.run(append([]string{"import", "--account", "a"}, c.args...)...); status != 0 {
			t.Fatalf("%v: exit status %d, %s", c.args, status, printed)
		}
		b.has(t, c.want)
	}
}

// TestAFileIsReplaced: what was read in a wrong zone is taken back, and only that.
func TestAFileIsReplaced(t *testing.T) {
	for _, from := range []string{"", "2026-01-01"} {
		b := newImportBooks(t, from)
		file := written(t, "h.csv", strings.Replace(exportHeader, "UTC_Time", "Time", 1)+
			"1,2026-01-03 10:00:00,Spot,Deposit,BNB,100,\n1,2026-01-03 11:00:00,Spot,Withdraw,BNB,-1,\n")
		other := written(t, "other.csv", exportHeader+"1,2026-01-04 10:00:00,Spot,Deposit,BNB,2,\n")
		for _, c := range []struct {
			args []string
			want string
			says string
		}{
			{[]string{file}, "99 BNB", ""},
			{[]string{other}, "101 BNB", ""},
			{[]string{file, "--utc-offset=+02:00"}, "200 BNB", "had 2 rows that these have not; they still count"},
			{[]string{file, "--utc-offset=+02:00", "--replace"}, "101 BNB", "No longer counted: 2 rows of earlier imports"},
			{[]string{file, "--utc-offset=+02:00", "--replace"}, "101 BNB", "entries: posted 0, refused 0"},
			{[]string{other}, "101 BNB", "entries: posted 0, refused 0"},
			{[]string{file}, "200 BNB", ""},
		} {
			printed, status := b.run(append([]string{"import", "--account", "a"}, c.args...)...)
			if status != 0 || !strings.Contains(printed, c.says) {
				t.Errorf("%v: exit status %d, %s", c.args, status, printed)
			}
			b.has(t, c.want)
		}
	}
}

// TestAMissingMiddle imports some days between two others, whose entries can only be posted
// with all gains before all losses.
func TestAMissingMiddle(t *testing.T) {
	b := newImportBooks(t, "2026-01-01")
	outer := written(t, "outer.csv", exportHeader+
		"1,2026-01-02 00:00:00,Spot,Deposit,BNB,10,\n1,2026-01-02 00:00:00,Spot,Deposit,SOL,0,\n1,2026-01-05 "+
		"00:00:00,Spot,Withdraw,BNB,-10,\n")
	inner := written(t, "inner.csv", exportHeader+
		"1,2026-01-03 00:00:00,Spot,Convert,BNB,-5,\n1,2026-01-03 00:00:00,Spot,Convert,SOL,4,\n"+
		"1,2026-01-04 00:00:00,Spot,Convert,SOL,-4,\n1,2026-01-04 00:00:00,Spot,Convert,BNB,5,\n")
	for _, file := range []string{outer, inner, outer, inner} {
		if printed, status := b.run("import", file, "--account", "a"); status != 0 {
			t.Fatalf("exit status %d, %s", status, printed)
		}
	}
	b.has(t, "")
}
