package web

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
)

// listedSource is a source of what is in a list, at most so many at once, and a
// gap wherever it has walked over so many moments.
func listedSource(all []event, atOnce int, walk int64) source {
	return func(after cursor, limit int) (read []event, over bool, err error) {
		horizon := after.At - walk
		for _, h := range all {
			behind := h.At < after.At || h.At == after.At && h.ID > after.ID
			switch {
			case !behind:
			case len(read) == min(atOnce, limit):
				return read, false, nil
			case h.At <= horizon:
				return append(read, event{cursor: cursor{At: horizon}, Gap: true}), false, nil
			default:
				read = append(read, h)
			}
		}
		return read, true, nil
	}
}

// anyList is a source's list, many of one moment.
func anyList(number int) *rapid.Generator[[]event] {
	return rapid.Custom(func(t *rapid.T) []event {
		moments := rapid.SliceOfN(rapid.Int64Range(100, 130), 0, 25).Draw(t, fmt.Sprint("moments of ", number))
		slices.SortFunc(moments, func(a, b int64) int { return cmp.Compare(b, a) })
		all := make([]event, len(moments))
		for i, at := range moments {
			all[i] = event{cursor: cursor{At: at, Source: number, ID: fmt.Sprintf("%02d", i)}}
		}
		return all
	})
}

// TestPagesOfActivityAreTheWholeList shows that whatever the pages' length, and
// however many things happened in one moment, page behind page shows each event once.
func TestPagesOfActivityAreTheWholeList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []event
		var sources []source
		for i := range rapid.IntRange(1, activitySources).Draw(t, "sources") {
			all := anyList(i).Draw(t, "list")
			want = append(want, all...)
			sources = append(sources,
				listedSource(all, rapid.IntRange(1, 30).Draw(t, "at once"), rapid.Int64Range(1, 50).Draw(t, "walk")))
		}
		slices.SortStableFunc(want, func(a, b event) int { return a.compare(b.cursor) })
		most := rapid.IntRange(1, 12).Draw(t, "page")

		var got []event
		after := cursor{At: 1000}
		for pages := 0; ; pages++ {
			page, next, err := mergePage(sources, after, most)
			if err != nil || len(page) > most || pages > 2000 {
				t.Fatalf("page %d has %d: %v", pages, len(page), err)
			}
			got = append(got, page...)
			if next == nil {
				break
			}
			if after, err = parseCursor(next.String(), activitySources); err != nil || after != *next {
				t.Fatalf("the cursor %v comes back as %v: %v", *next, after, err)
			}
		}
		if !slices.EqualFunc(got, want, func(a, b event) bool { return a.cursor == b.cursor }) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

func TestCursorOfActivity(t *testing.T) {
	for _, s := range []string{
		"", ".", "x.0.", "1.x.", "1.5.", "1.-1.", "-1.0.", "253402300800000.0.", "99999999999999999999.0.",
	} {
		if _, err := parseCursor(s, activitySources); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%q is read as a cursor: %v", s, err)
		}
	}
	want := cursor{At: 5, Source: 3, ID: "a.b/c d"}
	if p, err := parseCursor("5.3.a.b/c d", activitySources); err != nil || p != want {
		t.Errorf("got %v: %v", p, err)
	}
}

// TestASourceThatStandsStillIsAnError: else the page would be asked for forever.
func TestASourceThatStandsStillIsAnError(t *testing.T) {
	still := func(cursor, int) ([]event, bool, error) { return nil, false, nil }
	if _, _, err := mergePage([]source{still}, cursor{At: 5}, 1); err == nil {
		t.Error("it is not noticed")
	}
}
