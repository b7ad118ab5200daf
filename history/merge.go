package history

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// History is several exports merged into one.
type History struct {
	Rows   []Row          // of the Spot account, of any coin, rewards too, in order of time
	Others map[string]int // Spot rows of coins that were not asked for, by coin
	Gone   []Row          // rows that were known and count no more

	assets map[string]ledger.Asset
}

// Tally is how often a row occurs in one part of an export.
type Tally struct {
	Row
	Part  Part
	Count int // 0: the row was known in the part, and counts no more
}

// same orders rows by their content: rows of different exports with the same content are
// the same row. Remarks do not count, since not every export has them.
func same(a, b Row) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Coin, b.Coin), cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.Change, b.Change))
}

// Tallies counts the rows of the file.
func (f *File) Tallies() []Tally {
	rows := slices.Clone(f.Rows)
	slices.SortStableFunc(rows, same)
	var tallies []Tally
	for i, r := range rows {
		if i == 0 || same(rows[i-1], r) != 0 {
			tallies = append(tallies, Tally{Row: r, Part: f.Part})
		}
		tallies[len(tallies)-1].Count++
	}
	return tallies
}

// Merge makes one history of files in any order. The parts of one export are added up.
// Exports overlap: of each row the largest number that any export has of it counts, so
// that a row in two of them counts once, and identical fills of one second count as often
// as they were made.
func Merge(files []*File, assets map[string]ledger.Asset) (*History, error) {
	if len(files) == 1 {
		return newHistory(files[0].Rows, assets), nil
	}
	rows := 0
	for _, f := range files {
		if rows += len(f.Rows); rows > maxRows {
			return nil, fmt.Errorf("the files have more than %d rows together; give fewer of them", maxRows)
		}
	}
	var tallies []Tally
	for _, f := range files {
		tallies = append(tallies, f.Tallies()...)
	}
	return MergeTallies(tallies, assets), nil
}

// MergeTallies is Merge of rows that were counted before. It sorts them.
func MergeTallies(tallies []Tally, assets map[string]ledger.Asset) *History {
	slices.SortStableFunc(tallies, func(a, b Tally) int {
		return cmp.Or(same(a.Row, b.Row), cmp.Compare(a.Part.Export, b.Part.Export),
			cmp.Compare(a.Part.Number, b.Part.Number))
	})
	var rows, gone []Row
	for len(tallies) > 0 {
		n := 1
		for n < len(tallies) && same(tallies[0].Row, tallies[n].Row) == 0 {
			n++
		}
		row := tallies[0].Row
		for _, t := range tallies[:n] {
			row.Reward = row.Reward || t.Reward
		}
		if times := countRow(tallies[:n]); times > 0 {
			rows = append(rows, slices.Repeat([]Row{row}, times)...)
		} else {
			gone = append(gone, row)
		}
		tallies = tallies[n:]
	}
	h := newHistory(rows, assets)
	h.Gone = gone
	return h
}

// countRow is how often one row was made, by its tallies, which are in order of exports and
// parts.
func countRow(tallies []Tally) int {
	most, export, part := 0, 0, 0
	for i, t := range tallies {
		switch {
		case i == 0 || t.Part.Export != tallies[i-1].Part.Export:
			export, part = t.Count, t.Count
		case t.Part.Number != tallies[i-1].Part.Number:
			export, part = export+t.Count, t.Count
		case t.Count > part: // the same part was given before
			export, part = export+t.Count-part, t.Count
		}
		most = max(most, export)
	}
	return most
}

// newHistory makes a history of rows, which are in order of time.
func newHistory(rows []Row, assets map[string]ledger.Asset) *History {
	h := &History{Rows: rows, Others: map[string]int{}, assets: assets}
	for _, r := range rows {
		if r.Other {
			h.Others[r.Coin]++
		}
	}
	return h
}

// Window is the days that are measured, the first and the last of them included;
// empty where the last is before the first.
type Window struct{ First, Last staking.Day }

// Window is the days that the history covers: the holder switched on at the first
// Spot row, so that the first day is the one after it, and the last is the day of
// the last. Without a Spot row it is empty.
func (h *History) Window() Window {
	if len(h.Rows) == 0 {
		return Window{First: 1, Last: 0}
	}
	return Window{First: staking.DayOf(h.Rows[0].At) + 1, Last: staking.DayOf(h.Rows[len(h.Rows)-1].At)}
}

// listed names some, and counts the others.
func listed(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// MissingParts names the parts of exports that were not given, one sentence an export.
func MissingParts(files []*File) (sentences []string) {
	given := map[string]map[int]bool{}
	of := map[string]int{}
	for _, f := range files {
		if f.Part.Number < 0 || f.Part.Of == 0 {
			continue
		}
		if given[f.Part.Export] == nil {
			given[f.Part.Export] = map[int]bool{}
		}
		given[f.Part.Export][f.Part.Number] = true
		of[f.Part.Export] = f.Part.Of
	}
	for _, export := range slices.Sorted(maps.Keys(given)) {
		var missing []string
		for n := 1; n <= of[export]; n++ {
			if !given[export][n] {
				missing = append(missing, strconv.Itoa(n))
			}
		}
		if missing != nil {
			sentences = append(sentences,
				fmt.Sprintf("The export %q has %d parts; these are missing: %s. Give them as well, "+
					"or the history has gaps.",
					ledger.Clip(export), of[export], listed(missing)))
		}
	}
	return sentences
}
