package api

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// list is what is answered where there are several.
type list[T any] struct {
	Items []T    `json:"items" doc:"In the order that the operation defines."`
	Next  string `json:"next,omitempty" doc:"Give it as cursor to read on. Absent: there is no more."`
}

// Paging is the parameters of pagination. A cursor is the key of the last item of a page, so
// that no item is repeated or skipped while others are added.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"The cursor of the next page: next of the previous answer."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
}

// cursorOf is the cursor of an item's key.
func cursorOf(key ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(key, "\n")))
}

// key is the key in the cursor, in the given number of parts; nil: from the start.
func (p Paging) key(parts int) ([]string, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	key := strings.Split(string(text), "\n")
	if err != nil || !isText(string(text)) || len(key) != parts {
		return nil, badCursor()
	}
	return key, nil
}

func badCursor() error {
	return ledger.ErrInvalid.In("cursor", "the cursor is not one of this list; leave it out to begin again")
}

// keyset is how a list is read on: behind the key K of the last item T that was shown, which
// has a fixed number of parts in the cursor.
type keyset[T, K any] struct {
	parts int
	of    func(T) []string
	read  func(parts []string) (K, error) // an error: they are of no key of this list
}

// after is the key in a cursor; nil: from the start.
func (k keyset[T, K]) after(p Paging) (*K, error) {
	parts, err := p.key(k.parts)
	if parts == nil {
		return nil, err
	}
	key, err := k.read(parts)
	if err != nil {
		return nil, badCursor()
	}
	return &key, nil
}

// pageOf answers with a page of what find finds behind a key, which is one item more where
// the list goes on.
func pageOf[T, K, U any](
	p Paging, keys keyset[T, K], find func(after *K, limit int) ([]T, error), show func(T) (U, error),
) (*answer[list[U]], error) {
	after, err := keys.after(p)
	if err != nil {
		return nil, err
	}
	items, err := find(after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	var next string
	if len(items) > p.Limit {
		items = items[:p.Limit]
		next = cursorOf(keys.of(items[p.Limit-1])...)
	}
	all, err := shown(items, show)
	return reply(list[U]{Items: all, Next: next}, err)
}

// pageUntil answers with a page of what find finds behind a key, and with where it ends; nil:
// there is no more.
func pageUntil[T, K, U any](
	p Paging, keys keyset[K, K], find func(after *K) (items []T, next *K, err error), show func(T) (U, error),
) (*answer[list[U]], error) {
	after, err := keys.after(p)
	if err != nil {
		return nil, err
	}
	items, next, err := find(after)
	if err != nil {
		return nil, err
	}
	page := list[U]{}
	if next != nil {
		page.Next = cursorOf(keys.of(*next)...)
	}
	page.Items, err = shown(items, show)
	return reply(page, err)
}

// orZero is a key, or the zero one from the start.
func orZero[K any](key *K) (k K) {
	if key != nil {
		k = *key
	}
	return k
}

// latest is the last moment that a cursor may name, in milliseconds since 1970: in the year 9999.
const latest = 253_402_300_799_999

// millis is a moment as a part of a cursor.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// moment is the moment of a cursor's part.
func moment(part string) (time.Time, error) {
	n, err := within(part, 0, latest)
	return time.UnixMilli(n).UTC(), err
}

// within is the whole number of a cursor's part, from low to high.
func within(part string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(part, 10, 64)
	if err != nil || n < low || n > high || strconv.FormatInt(n, 10) != part {
		return 0, badCursor()
	}
	return n, nil
}

// DaysIn is a time in whole days.
type DaysIn struct {
	From string `query:"from" format:"date" example:"2026-11-01" doc:"The first day. Without it: the first of the books."`
	To   string `query:"to" format:"date" example:"2026-11-30" doc:"The last day. Without it: today."`
}

// period is the time that was asked for, or else that from first to last.
func (d DaysIn) period(first, last staking.Day) (from, to staking.Day, err error) {
	from, to = first, last
	if d.From != "" {
		if from, err = staking.ParseDay(d.From); err != nil {
			return 0, 0, ledger.At("from", err)
		}
	}
	if d.To != "" {
		if to, err = staking.ParseDay(d.To); err != nil {
			return 0, 0, ledger.At("to", err)
		}
	}
	if from > to && d.From != "" && d.To != "" {
		return 0, 0, ledger.ErrInvalid.In("to", "%s lies before %s, where the time begins", to, from)
	}
	return from, to, nil
}

// period is the time that was asked for, or else that from the first of the books until today.
func (rd reader) period(d DaysIn) (from, to staking.Day, err error) {
	return d.period(rd.FirstDay(), staking.DayOf(rd.now()))
}
