package history

import (
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

func TestParts(t *testing.T) {
	const stamp = "Binance-Transaction-History-202507250900(UTC+2)"
	same := func(a, b string) {
		t.Helper()
		if x, y := partOf(a, ""), partOf(b, ""); x.Export != y.Export || x.Number == y.Number || x.Number < 0 {
			t.Errorf("%q is %+v, and %q is %+v", a, x, b, y)
		}
	}
	same(stamp+"-part1-of2.csv", stamp+"-part2-of2.csv")
	same(stamp+"-part1-of2.csv", stamp+"-part2-of2 (1).csv")
	same(stamp+"-part1-of2_ab12.csv", stamp+"-part2-of2_cd34.csv")
	same(stamp+"-part1-of2 - Copy.csv", stamp+"-part2-of2.csv")
	same(stamp+"-part1-of2 copy 2.csv", stamp+"-part2-of2.csv")
	same(stamp+"-part1-of2-1.csv", stamp+"-part2-of2.csv")
	same(stamp+"-part1-of2.csv", strings.NewReplacer("(", "_", ")", "_").Replace(stamp)+"-part2-of2.csv")
	same("h%28UTC%2B2%29-part1-of2.csv", "h(UTC+2)-part2-of2.csv")
	same("h_Part 1 of 2.csv", "h_part 2 of 2.CSV")
	same("part-00000-5d0e.csv", "part-00001-5d0e.csv")
	for _, other := range []string{stamp + "-part1-of3.csv",
		"Binance-Transaction-History-202507250901(UTC+2)-part2-of2.csv", stamp + ".csv", "part-00000-5d0e.csv",
		stamp + "-part2-of2-BNB.csv", "Binance-Transaction-History-202507250900(UTC-2)-part2-of2.csv"} {
		if a, b := partOf(stamp+"-part1-of2.csv", ""), partOf(other, ""); a.Export == b.Export {
			t.Errorf("%q is taken for a part of the same export: %+v", other, b)
		}
	}
	if a, b := partOf("part1-of2.csv", "x.zip"), partOf("part2-of2.csv", "y.zip"); a.Export == b.Export {
		t.Errorf("parts in two archives: %+v, %+v", a, b)
	}
	if p := partOf(strings.Repeat("x", 500)+".csv", ""); len(p.Export) > maxKey {
		t.Errorf("a long name: %+v", p)
	}
	files := []*File{
		{Part: partOf(stamp+"-part3-of4.csv", "")}, {Part: partOf(stamp+"-part1-of4.csv", "")},
		{Part: partOf("h.csv", "")},
	}
	if got := MissingParts(files); len(got) != 1 ||
		!strings.Contains(got[0], "has 4 parts; these are missing: 2, 4. Give them") {
		t.Errorf("missing: %q", got)
	}
}

func TestMerging(t *testing.T) {
	file := func(name string, rows ...string) *File { return readNamed(t, name, newHeader+strings.Join(rows, "")) }
	fill := row("2025-07-24 10:00:00", "Buy", "BNB", "1")
	fee := row("2025-07-24 10:00:00", "Fee", "BNB", "1") // another operation, the same change
	later := row("2025-07-24 10:00:01", "Buy", "BNB", "1")
	tests := []struct {
		name  string
		files []*File
		want  ledger.Amount
	}{
		{"identical fills of one file", []*File{file("a.csv", fill, fill)}, 2},
		{"of two exports the larger number",
			[]*File{file("a.csv", fill, fill), file("b.csv", fill, fill, fill), file("c.csv", fill)}, 3},
		{"parts of one export add up", []*File{file("a-part1-of2.csv", fill, fill), file("a-part2-of2.csv", fill)}, 3},
		{"a part that is given twice", []*File{
			file("a-part1-of2.csv", fill, fill), file("a-part1-of2 (1).csv", fill, fill),
			file("a-part2-of2.csv", fill),
		}, 3},
		{"parts against another export",
			[]*File{file("a-part1-of2.csv", fill), file("b.csv", fill, fill, fill), file("a-part2-of2.csv", fill)}, 3},
		{"operation and time distinguish rows", []*File{file("a.csv", fill), file("b.csv", fee, later)}, 3},
		{"remarks do not",
			[]*File{file("a.csv", fill), file("b.csv", strings.Replace(fill, ",\n", ",with a remark\n", 1))}, 1},
		{"zones are each file's own", []*File{
			file("a(UTC+2).csv", row("2025-07-24 12:00:00", "Buy", "BNB", "1")),
			file("b(UTC-1).csv", row("2025-07-24 09:00:00", "Buy", "BNB", "1")),
		}, 1},
	}
	for _, test := range tests {
		var sum ledger.Amount
		for _, r := range merged(t, test.files...).Rows {
			sum += r.Change
		}
		if sum != test.want*100000000 {
			t.Errorf("%s: %d; want %d", test.name, sum, test.want)
		}
	}
}
