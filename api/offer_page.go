package api

import (
	"encoding/base64"
	"strings"

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

// key is the key in the cursor, in so many parts; nil: from the start.
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

// pageOf shows at most limit of the items, of which there is one more where the list goes on.
func pageOf[T, U any](items []T, limit int, cursor func(T) string, show func(T) (U, error)) (list[U], error) {
	var next string
	if len(items) > limit {
		items, next = items[:limit], cursor(items[limit-1])
	}
	all, err := shown(items, show)
	return list[U]{Items: all, Next: next}, err
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
