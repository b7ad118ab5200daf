package web

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
)

// What happened to an account is kept in several places, each of which tells the
// newest first. They are merged into one list by time. What happened in the same
// millisecond stands by source and, of one source, in that source's own order: so
// every happening has one place, and a page goes on exactly behind another.

// happeningPlace is the cursor of a happening in the list.
type happeningPlace struct {
	At     int64  // milliseconds since 1970
	Source int    // which of the sources tells it
	ID     string // the source's own name for it among those of the moment; "" is before them all
}

// compare is below zero where p is told before o, and 0 also for two of one source
// and moment, whose order only the source knows.
func (p happeningPlace) compare(o happeningPlace) int {
	return cmp.Or(cmp.Compare(o.At, p.At), cmp.Compare(p.Source, o.Source))
}

// from is where a source goes on behind the place: from a happening of its own on
// or, ID "", from the first of a moment on.
func (p happeningPlace) from(source int) (at int64, id string) {
	switch {
	case source < p.Source:
		return p.At - 1, "" // of this moment all is told
	case source > p.Source:
		return p.At, "" // of this moment nothing is told
	}
	return p.At, p.ID
}

// String is the cursor for an address.
func (p happeningPlace) String() string { return fmt.Sprintf("%d.%d.%s", p.At, p.Source, p.ID) }

// lastMoment is 31 December 9999, after which nothing happens.
const lastMoment = 253_402_300_799_999

// parsePlace reads what String wrote. Its error is ledger.ErrNotFound: there is no such page.
func parsePlace(s string, sources int) (p happeningPlace, err error) {
	at, rest, _ := strings.Cut(s, ".")
	source, id, _ := strings.Cut(rest, ".")
	p.ID = id
	var bad [2]error
	p.At, bad[0] = strconv.ParseInt(at, 10, 64)
	p.Source, bad[1] = strconv.Atoi(source)
	if bad[0] != nil || bad[1] != nil || p.At < 0 || p.At > lastMoment || p.Source < 0 || p.Source >= sources {
		return p, ledger.ErrNotFound.In("", "the place %q of a list", ledger.Clip(s))
	}
	return p, nil
}

// happeningSource tells one kind of happening, the newest first: those behind a
// place of its own, about so many; and whether these were the last. The last of
// them may be a gap, which says how far was read without finding more. A source
// that is not over tells at least one, or a gap.
type happeningSource func(ctx context.Context, at int64, id string, limit int) (told []happening, over bool, err error)

// sourceReader reads a source step by step.
type sourceReader struct {
	read   happeningSource
	number int
	at     int64
	id     string
	ready  []happening // read, and not told yet
	over   bool        // there are no more than those
}

// first is the next that the source has to tell, or nil.
func (r *sourceReader) first(ctx context.Context, limit int) (*happening, error) {
	if len(r.ready) == 0 && !r.over {
		told, over, err := r.read(ctx, r.at, r.id, limit)
		if err != nil {
			return nil, err
		}
		if len(told) == 0 && !over {
			return nil, fmt.Errorf("source %d of an activity list tells nothing and is not over", r.number)
		}
		for i := range told {
			told[i].Source = r.number
		}
		if n := len(told); n > 0 {
			r.at, r.id = told[n-1].At, told[n-1].ID
		}
		r.ready, r.over = told, over
	}
	if len(r.ready) == 0 {
		return nil, nil
	}
	return &r.ready[0], nil
}

// merge gives tell what the sources tell behind a place, the newest first, until
// tell returns that it is enough. Gaps are passed to it too.
func merge(
	ctx context.Context, sources []happeningSource, after happeningPlace, limit int,
	tell func(happening) (bool, error),
) error {
	readers := make([]*sourceReader, len(sources))
	for i, read := range sources {
		at, id := after.from(i)
		readers[i] = &sourceReader{read: read, number: i, at: at, id: id}
	}
	for {
		var next *happening
		var of *sourceReader
		for _, r := range readers {
			h, err := r.first(ctx, limit)
			if err != nil {
				return err
			}
			if h != nil && (next == nil || h.compare(next.happeningPlace) < 0) {
				next, of = h, r
			}
		}
		if next == nil {
			return nil
		}
		of.ready = of.ready[1:]
		if enough, err := tell(*next); err != nil || enough {
			return err
		}
	}
}

// maxGaps is how many gaps a page reads across before it is shown as it is.
const maxGaps = 4

// mergePage is at most so many of what the sources tell behind a place, and where
// the next page goes on; nil: there are no more. A page may be short, and not be
// the last: where for a long time there was nothing.
func mergePage(
	ctx context.Context, sources []happeningSource, after happeningPlace, most int,
) (page []happening, next *happeningPlace, err error) {
	gaps := 0
	err = merge(ctx, sources, after, most+1, func(h happening) (bool, error) {
		switch {
		case h.Gap:
			if gaps++; gaps == maxGaps {
				next = &h.happeningPlace
			}
		case len(page) == most:
			next = &page[most-1].happeningPlace
		default:
			page = append(page, h)
		}
		return next != nil, nil
	})
	return page, next, err
}
