package events

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/softstake/softstake/store"
)

const (
	keysAtOnce = 1000 // small ones
	newsAtOnce = 8    // a MiB each at most
	// mostUpTo is how much news is counted at most before a place. Where there was
	// more, it is told again.
	mostUpTo = 1 << 18
)

// tail reads the books' news as it becomes visible. News may become visible later
// than the time it bears, so that each look begins NewsLag before the one before it,
// and passes over what it has seen there.
type tail struct {
	books *store.DB
	from  time.Time // where the next look begins
	seen  map[store.NewsKey]struct{}

	here place // up to which all has been seen that was visible when the last look began
}

// tailFrom is a tail that begins with what becomes visible after a moment.
func tailFrom(books *store.DB, moment time.Time) *tail {
	return &tail{books: books, from: moment.Add(-store.NewsLag), seen: map[store.NewsKey]struct{}{}}
}

// tailAfter is a tail that goes on after a place: with what is there, which may not
// have been told whole. Where something has been added before the place, it goes on
// from where that may have been.
func tailAfter(ctx context.Context, books *store.DB, p place) (*tail, error) {
	t := &tail{books: books, from: p.base, seen: map[store.NewsKey]struct{}{}}
	if p.upTo > mostUpTo {
		return t, nil
	}
	keys, err := books.NewsKeys(ctx, store.NewsKey{At: p.base}, p.upTo+1)
	if err != nil {
		return nil, err
	}
	n := 0
	for n < len(keys) && !after(keys[n], p.NewsKey) {
		n++
	}
	if n == p.upTo {
		for _, k := range keys[:n] {
			t.see(k)
		}
		delete(t.seen, p.NewsKey)
	}
	return t, nil
}

func after(k, other store.NewsKey) bool {
	return k.At.After(other.At) || k.At.Equal(other.At) && k.Nonce > other.Nonce
}

// read gives visit, in order, the news that has become visible since it was last
// called, and at the first time what is younger than the beginning. Where it fails,
// what was visited may be visited once more, and nothing is passed over.
func (t *tail) read(ctx context.Context, visit func(place, store.News) error) error {
	return t.look(ctx, func(places []place) error {
		for some := range slices.Chunk(places, newsAtOnce) {
			keys := make([]store.NewsKey, len(some))
			for i, p := range some {
				keys[i] = p.NewsKey
			}
			news, err := t.books.News(ctx, keys)
			if err != nil {
				return err
			}
			for _, n := range news { // without what has been forgotten meanwhile
				if err := visit(some[slices.Index(keys, n.NewsKey)], n); err != nil {
					return err
				}
				t.see(n.NewsKey)
			}
		}
		return nil
	})
}

// skip passes over what is visible now.
func (t *tail) skip(ctx context.Context) error {
	return t.look(ctx, func(places []place) error {
		for _, p := range places {
			t.see(p.NewsKey)
		}
		return nil
	})
}

// look gives fn the places that are not seen yet.
func (t *tail) look(ctx context.Context, fn func([]place) error) error {
	began := t.books.Now() // before the first read: what is not visible to it is younger than NewsLag before this
	firm := began.Add(-store.NewsLag)
	if err := t.comeNear(ctx, firm, fn); err != nil {
		return err
	}
	// At once, in one snapshot: who sees a change of a balance sees those before it as well.
	keys, err := t.books.NewsKeys(ctx, store.NewsKey{At: t.from}, math.MaxInt32)
	if err != nil {
		return err
	}
	var places []place
	upTo := 0
	for i, k := range keys {
		if !t.saw(k) {
			places = append(places, place{k, t.from, i + 1})
		}
		if k.At.Before(began) {
			upTo = i + 1
		}
	}
	if err := fn(places); err != nil {
		return err
	}
	t.here = place{store.NewsKey{At: began}, t.from, upTo}
	if began.Before(t.from) { // the clock was put back
		t.here = firmAt(store.NewsKey{At: t.from})
	}
	t.goOn(firm)
	return nil
}

// comeNear gives fn what lies far back, some at a time: nothing is added there any more.
func (t *tail) comeNear(ctx context.Context, firm time.Time, fn func([]place) error) error {
	last := store.NewsKey{At: t.from}
	for t.from.Before(firm.Add(-store.NewsLag)) {
		keys, err := t.books.NewsKeys(ctx, last, keysAtOnce)
		if err != nil {
			return err
		}
		var places []place
		for _, k := range keys {
			if !k.At.Before(firm) {
				break
			}
			if last = k; !t.saw(k) {
				places = append(places, firmAt(k))
			}
		}
		if err := fn(places); err != nil {
			return err
		}
		t.goOn(last.At)
		if len(keys) < keysAtOnce || !keys[keysAtOnce-1].At.Before(firm) {
			return nil
		}
	}
	return nil
}

// goOn lets the next look begin at a moment, and forgets what it will not meet.
func (t *tail) goOn(from time.Time) {
	t.from = from
	maps.DeleteFunc(t.seen, func(k store.NewsKey, _ struct{}) bool { return k.At.Before(from) })
}

func (t *tail) see(k store.NewsKey) { t.seen[k] = struct{}{} }

func (t *tail) saw(k store.NewsKey) bool {
	_, is := t.seen[k]
	return is
}
