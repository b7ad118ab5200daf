package events

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
)

const (
	keysAtOnce   = 1000 // small ones
	eventsAtOnce = 8    // a MiB each at most
	// mostUpTo is how many outbox events are counted at most before a cursor. Where there
	// were more, they are sent again.
	mostUpTo = 1 << 18
)

// tail reads outbox events as they become visible. They may become visible later than the
// time they bear, so that each look begins outbox.Lag before the one before it, and skips
// what it has seen there.
type tail struct {
	books *store.DB
	from  time.Time // where the next look begins
	seen  map[outbox.Key]struct{}

	here cursor // up to which all has been seen that was visible when the last look began
}

// tailFrom is a tail that begins with what becomes visible after a moment.
func tailFrom(books *store.DB, moment time.Time) *tail {
	return &tail{books: books, from: moment.Add(-outbox.Lag), seen: map[outbox.Key]struct{}{}}
}

// tailAfter is a tail that continues after a cursor: with the outbox event at it, which may
// not have been sent whole. Where events have been added before the cursor, it continues
// from where those may be.
func tailAfter(ctx context.Context, books *store.DB, p cursor) (*tail, error) {
	t := &tail{books: books, from: p.base, seen: map[outbox.Key]struct{}{}}
	if p.upTo > mostUpTo {
		return t, nil
	}
	keys, err := books.Outbox().Keys(ctx, outbox.Key{At: p.base}, p.upTo+1)
	if err != nil {
		return nil, err
	}
	n := 0
	for n < len(keys) && !keys[n].After(p.Key) {
		n++
	}
	if n == p.upTo {
		for _, k := range keys[:n] {
			t.see(k)
		}
		delete(t.seen, p.Key)
	}
	return t, nil
}

// read gives visit, in order, the outbox events that have become visible since it was last
// called, and at the first time what is younger than the beginning. Where it fails, what
// was visited may be visited again, and nothing is skipped.
func (t *tail) read(ctx context.Context, visit func(cursor, outbox.Event) error) error {
	return t.look(ctx, func(cursors []cursor) error {
		for some := range slices.Chunk(cursors, eventsAtOnce) {
			keys := make([]outbox.Key, len(some))
			for i, p := range some {
				keys[i] = p.Key
			}
			events, err := t.books.Outbox().Events(ctx, keys)
			if err != nil {
				return err
			}
			for _, e := range events { // without those that were removed at the same time
				if err := visit(some[slices.Index(keys, e.Key)], e); err != nil {
					return err
				}
				t.see(e.Key)
			}
		}
		return nil
	})
}

// skip skips what is visible now.
func (t *tail) skip(ctx context.Context) error {
	return t.look(ctx, func(cursors []cursor) error {
		for _, p := range cursors {
			t.see(p.Key)
		}
		return nil
	})
}

// look gives fn the cursors of what is not seen yet.
func (t *tail) look(ctx context.Context, fn func([]cursor) error) error {
	began := t.books.Now() // before the first read: what is not visible to it is younger than outbox.Lag before this
	firm := began.Add(-outbox.Lag)
	if err := t.comeNear(ctx, firm, fn); err != nil {
		return err
	}
	// At once, in one snapshot: who sees a change of a balance sees those before it as well.
	keys, err := t.books.Outbox().Keys(ctx, outbox.Key{At: t.from}, math.MaxInt32)
	if err != nil {
		return err
	}
	var cursors []cursor
	upTo := 0
	for i, k := range keys {
		if !t.saw(k) {
			cursors = append(cursors, cursor{k, t.from, i + 1})
		}
		if k.At.Before(began) {
			upTo = i + 1
		}
	}
	if err := fn(cursors); err != nil {
		return err
	}
	t.here = cursor{outbox.Key{At: began}, t.from, upTo}
	if began.Before(t.from) { // the clock was put back
		t.here = firmAt(outbox.Key{At: t.from})
	}
	t.goOn(firm)
	return nil
}

// comeNear gives fn what lies far back, some at a time: nothing is added there any more.
func (t *tail) comeNear(ctx context.Context, firm time.Time, fn func([]cursor) error) error {
	last := outbox.Key{At: t.from}
	for t.from.Before(firm.Add(-outbox.Lag)) {
		keys, err := t.books.Outbox().Keys(ctx, last, keysAtOnce)
		if err != nil {
			return err
		}
		var cursors []cursor
		for _, k := range keys {
			if !k.At.Before(firm) {
				break
			}
			if last = k; !t.saw(k) {
				cursors = append(cursors, firmAt(k))
			}
		}
		if err := fn(cursors); err != nil {
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
	maps.DeleteFunc(t.seen, func(k outbox.Key, _ struct{}) bool { return k.At.Before(from) })
}

func (t *tail) see(k outbox.Key) { t.seen[k] = struct{}{} }

func (t *tail) saw(k outbox.Key) bool {
	_, is := t.seen[k]
	return is
}

// cursor is how far a subscriber has read: an outbox event or, with no nonce, a moment.
// Since outbox events may become visible late, it says as well how many there were from
// some moment before it on. Where there are as many when the subscriber comes again, none
// was added, and it continues from here; else it continues from that moment. As text it is
// the ID of an event, or its first part.
type cursor struct {
	outbox.Key
	base time.Time // what is older is all sent
	upTo int       // how many outbox events there were from base on, up to this one and with it
}

func (p cursor) String() string {
	return fmt.Sprintf("%d-%s-%d-%d", p.At.UnixMilli(), p.Nonce, p.At.Sub(p.base).Milliseconds(), p.upTo)
}

// firmAt is a cursor before which nothing is added any more.
func firmAt(k outbox.Key) cursor { return cursor{Key: k, base: k.At} }

// Since is the ID to continue after for one who has read the books at a moment. What was
// written shortly before it may be sent again.
func Since(moment time.Time) string {
	return cursor{Key: outbox.Key{At: moment}, base: moment.Add(-outbox.Lag)}.String()
}

// nth is the ID of the nth event of the outbox event at the cursor.
func (p cursor) nth(n int) string { return fmt.Sprintf("%s-%d", p, n) }

// longestID is more than any event's ID has.
const longestID = 128

// parseCursor reads the cursor in an event's ID. Others' text is not one.
func parseCursor(id string) (p cursor, ok bool) {
	parts := strings.Split(id, "-")
	if len(id) > longestID || len(parts) < 4 || strings.Trim(parts[1],
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef") != "" {
		return cursor{}, false
	}
	var numbers [3]int64
	for i, text := range []string{parts[0], parts[2], parts[3]} {
		n, err := strconv.ParseUint(text, 10, 48)
		if err != nil {
			return cursor{}, false
		}
		numbers[i] = int64(n)
	}
	p = cursor{outbox.Key{At: time.UnixMilli(numbers[0]).UTC(), Nonce: parts[1]},
		time.UnixMilli(numbers[0] - numbers[1]).UTC(), int(numbers[2])}
	return p, numbers[1] <= numbers[0]
}
