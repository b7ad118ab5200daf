package cli

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exports are histories as people have them; testdata/exports/NAME holds the files of one,
// and in expected.txt what the estimate of them is, worked out by hand or by other means.
const exports = "testdata/exports"

// filesOf are the files of an export, in order of their names, by absolute paths.
func filesOf(t *testing.T, name string) (files []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(exports, name, "*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %d files, %v", name, len(all), err)
	}
	for _, file := range all {
		if base := filepath.Base(file); strings.HasPrefix(base, "expected") {
			continue
		}
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	return files
}

// estimateLines runs the estimate, and returns day, token, opening, average and reward of each line.
func estimateLines(t *testing.T, files ...string) (lines []string, stderr string, status int) {
	t.Helper()
	stdout, stderr, status := runEstimate("", append(files, "--format", "csv")...)
	records, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		if i > 0 {
			lines = append(lines, strings.Join([]string{r[0], r[1], r[2], r[3], r[6]}, " "))
		}
	}
	return lines, stderr, status
}

// expected are the lines of a file, without comments.
func expected(t *testing.T, path string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestEstimateOfRealFiles(t *testing.T) {
	dirs, err := filepath.Glob(exports + "/*/expected*.txt")
	if err != nil || len(dirs) < 21 {
		t.Fatalf("%d exports: %v", len(dirs), err)
	}
	want := map[string]string{}
	for _, path := range dirs {
		want[filepath.Base(filepath.Dir(path))] = path
	}
	// The same history in other shapes.
	for _, name := range []string{"zip-parts", "dash-change", "excel-utf16-tab", "footer", "plus-sign", "zone-name-minus",
		"zone-name-real"} {
		want[name] = exports + "/reference.txt"
	}
	for name, path := range want {
		t.Run(name, func(t *testing.T) {
			files := filesOf(t, name)
			for range 2 {
				got, stderr, status := estimateLines(t, files...)
				if status != 0 || !slices.Equal(got, expected(t, path)) {
					t.Errorf("exit status %d, %q\n%s", status, stderr, strings.Join(got, "\n"))
				}
				slices.Reverse(files) // in any order
			}
		})
	}
	if got, stderr, status := estimateLines(t, filesOf(t, "header-only")...); status != 0 || got != nil ||
		!strings.Contains(stderr, "There is no Spot row") {
		t.Errorf("header-only: exit status %d, %q, %v", status, stderr, got)
	}
	got, _, status := estimateLines(t, filesOf(t, "thousands")...)
	if want := []string{"2025-07-21 ADA 1500.25 1500.25 0.02055136",
		"2025-07-22 ADA 1500.27055136 1500.27055136 0.02055166"}; status != 0 || !slices.Equal(got, want) {
		t.Errorf("thousands: %v", got)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, want := range map[string]string{
		"excel-semicolon-de": `was it saved by a spreadsheet (columns separated by ';', times without seconds)? Download the CSV again`,
		"excel-uk-date":      `no row could be read; line 2: its time "21/07/2025 00:30" is not one such as 2025-07-24 21:30:41; was it saved by a spreadsheet`,
		"excel-us-date":      `no row could be read; line 2: its time "7/21/2025 0:30" is not one such as 2025-07-24 21:30:41; was it saved by a spreadsheet`,
		"xlsx":               `it is a workbook of a spreadsheet (XLSX); download the CSV again`,
		"wrong-deposits":     `its header has no column Account, Operation, Change`,
	} {
		stdout, stderr, status := runEstimate("", filesOf(t, name)...)
		if status != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, %q, %q", name, status, stdout, stderr)
		}
		b := newImportBooks(t, "")
		if printed, status := b.run(append([]string{"import", "--account", "a"}, filesOf(t, name)...)...); status != 1 ||
			!strings.Contains(printed, want) {
			t.Errorf("%s: import: exit status %d, %q", name, status, printed)
		}
		b.has(t, "")
	}
	name := written(t, "h_UTC_2_.csv", exportHeader)
	if _, stderr, status := runEstimate("", name); status != 0 { // UTC_Time needs no zone
		t.Errorf("exit status %d, %q", status, stderr)
	}
	name = written(t, "h_UTC_2_.csv", strings.Replace(smallHistory, "UTC_Time", "Time", 1))
	if _, stderr, status := runEstimate("", name); status != 1 || !strings.Contains(stderr, "--utc-offset") {
		t.Errorf("exit status %d, %q", status, stderr)
	}
	if _, stderr, status := runEstimate("", name, "--utc-offset", "+02:00"); status != 0 ||
		!strings.Contains(stderr, "UTC+2: as asked") {
		t.Errorf("exit status %d, %q", status, stderr)
	}
}

func TestNotesAboutFiles(t *testing.T) {
	bad := written(t, "bad.csv", smallHistory+strings.Repeat("1,21/07/2025 00:30,Spot,Deposit,BNB,1,\n", 99))
	tests := []struct {
		args []string
		want []string
	}{
		{[]string{bad}, []string{"line 11: its time", "100 rows are left out in all",
			"100 rows could not be read and are missing in this estimate."}},
		{filesOf(t, "localized-header-es"), []string{"The header is not in English; its columns are known by their names."}},
		{append(filesOf(t, "coin-filtered"), bad), []string{"-BNB.csv: Times are read as UTC", "bad.csv: line 11: ",
			"The rows name several user IDs"}},
		{filesOf(t, "parts-split-second")[1:], []string{"has 2 parts; these are missing: 1."}},
		{append(filesOf(t, "coin-filtered"), "--reward-operation", "Hold", "--reward-operation", "deposit"), []string{`No Spot row has the operation "Hold".`}},
		{filesOf(t, "coin-filtered"), []string{`No operation contains "Soft Staking"`}},
	}
	for _, test := range tests {
		_, stderr, status := runEstimate("", append(test.args, "--format", "json")...)
		for _, want := range test.want {
			if status != 0 || !strings.Contains(stderr, want) {
				t.Errorf("%v: exit status %d, %q has no %q", test.args, status, stderr, want)
			}
		}
	}
	if n := strings.Count(func() string { _, s, _ := runEstimate("", bad); return s }(), "; the row is left out"); n != 5 {
		t.Errorf("%d reasons are shown", n)
	}
	if _, stderr, status := runEstimate("", "-", "-"); status != 2 || !strings.Contains(stderr, "read only once") {
		t.Errorf("exit status %d, %q", status, stderr)
	}
}
