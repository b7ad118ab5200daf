package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/softstake/softstake/ledger"
)

// listedSource is a source that tells what is in a list, at most so many at once, and a
// gap wherever it has walked over so many moments.
func listedSource(all []happening, atOnce int, walk int64) happeningSource {
	return func(_ context.Context, at int64, id string, limit int) (told []happening, over bool, err error) {
		horizon := at - walk
		for _, h := range all {
			behind := h.At < at || h.At == at && h.ID > id
			switch {
			case !behind:
			case len(told) == min(atOnce, limit):
				return told, false, nil
			case h.At <= horizon:
				return append(told, happening{happeningPlace: happeningPlace{At: horizon}, Gap: true}), false, nil
			default:
				told = append(told, h)
			}
		}
		return told, true, nil
	}
}

// anyList is a source's list, many of one moment.
func anyList(source int) *rapid.Generator[[]happening] {
	return rapid.Custom(func(t *rapid.T) []happening {
		moments := rapid.SliceOfN(rapid.Int64Range(100, 130), 0, 25).Draw(t, fmt.Sprint("moments of ", source))
		slices.SortFunc(moments, func(a, b int64) int { return cmp.Compare(b, a) })
		all := make([]happening, len(moments))
		for i, at := range moments {
			all[i] = happening{happeningPlace: happeningPlace{At: at, Source: source, ID: fmt.Sprintf("%02d", i)}}
		}
		return all
	})
}

// TestPagesOfActivityAreTheWholeList shows that whatever the pages' length, and
// however many things happened in one moment, page behind page tells each once.
func TestPagesOfActivityAreTheWholeList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []happening
		var sources []happeningSource
		for i := range rapid.IntRange(1, activitySources).Draw(t, "sources") {
			all := anyList(i).Draw(t, "list")
			want = append(want, all...)
			sources = append(sources,
				listedSource(all, rapid.IntRange(1, 30).Draw(t, "at once"), rapid.Int64Range(1, 50).Draw(t, "walk")))
		}
		slices.SortStableFunc(want, func(a, b happening) int { return a.compare(b.happeningPlace) })
		most := rapid.IntRange(1, 12).Draw(t, "page")

		var got []happening
		after := happeningPlace{At: 1000}
		for pages := 0; ; pages++ {
			page, next, err := mergePage(t.Context(), sources, after, most)
			if err != nil || len(page) > most || pages > 2000 {
				t.Fatalf("page %d has %d: %v", pages, len(page), err)
			}
			got = append(got, page...)
			if next == nil {
				break
			}
			if after, err = parsePlace(next.String(), activitySources); err != nil || after != *next {
				t.Fatalf("the place %v comes back as %v: %v", *next, after, err)
			}
		}
		if !slices.EqualFunc(got, want, func(a, b happening) bool { return a.happeningPlace == b.happeningPlace }) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

func TestPlaceOfActivity(t *testing.T) {
	for _, s := range []string{
		"", ".", "x.0.", "1.x.", "1.4.", "1.-1.", "-1.0.", "253402300800000.0.", "99999999999999999999.0.",
	} {
		if _, err := parsePlace(s, activitySources); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%q is read as a place: %v", s, err)
		}
	}
	want := happeningPlace{At: 5, Source: 3, ID: "a.b/c d"}
	if p, err := parsePlace("5.3.a.b/c d", activitySources); err != nil || p != want {
		t.Errorf("got %v: %v", p, err)
	}
}

// TestASourceThatStandsStillIsAnError: else the page would be asked for forever.
func TestASourceThatStandsStillIsAnError(t *testing.T) {
	still := func(context.Context, int64, string, int) ([]happening, bool, error) { return nil, false, nil }
	if _, _, err := mergePage(t.Context(), []happeningSource{still}, happeningPlace{At: 5}, 1); err == nil {
		t.Error("it is not noticed")
	}
}
