package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// LogPlace is a place in the log, read from its end: behind so many lines of a
// moment, and all that were written after it. A moment's lines have an order of
// their own, and are not added to once it has passed.
type LogPlace struct {
	At   time.Time
	Seen int
}

// LogPage are lines of the log from a place backwards, the newest first, at most
// limit, and the place behind them. There are no more once they are fewer.
func (rs *Reports) LogPage(ctx context.Context, from LogPlace, limit int) ([]store.LogLine, LogPlace, error) {
	var lines []store.LogLine
	err := rs.Read(ctx, func(t db.View) error {
		lines = nil
		buckets := store.EveryBucket(0)[0]
		n := ledger.Buckets
		return t.QueryEach(func(r db.Row) error {
			lines = append(lines, store.ReadLogLine(r))
			return nil
		}, "SELECT "+store.LogColumns+" FROM log WHERE bucket = $1 AND at <= $2 ORDER BY at DESC, action, subject, actor, detail, request LIMIT $3",
			db.Set{buckets, db.Ints("at", slices.Repeat([]int64{from.At.UnixMilli()}, n)), db.Ints("most", slices.Repeat([]int64{int64(from.Seen + limit)}, n))})
	})
	if err != nil {
		return nil, from, fmt.Errorf("read the log: %w", err)
	}
	slices.SortFunc(lines, func(a, b store.LogLine) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Action, b.Action), strings.Compare(a.Subject, b.Subject),
			strings.Compare(a.Actor.Credential, b.Actor.Credential), strings.Compare(a.Detail, b.Detail), strings.Compare(a.Actor.Request, b.Actor.Request))
	})
	seen := 0
	for seen < from.Seen && seen < len(lines) && lines[seen].At.UnixMilli() == from.At.UnixMilli() {
		seen++
	}
	lines = lines[seen:min(seen+limit, len(lines))]
	next := from
	for _, l := range lines {
		if l.At.UnixMilli() != next.At.UnixMilli() {
			next = LogPlace{At: l.At}
		}
		next.Seen++
	}
	return lines, next, nil
}

// Log are the last lines of the log since a moment, at most limit, the newest last.
func (rs *Reports) Log(ctx context.Context, since time.Time, limit int) ([]store.LogLine, error) {
	var lines []store.LogLine
	err := rs.Read(ctx, func(t db.View) error {
		lines = nil
		buckets := store.EveryBucket(0)[0]
		n := ledger.Buckets
		return t.QueryEach(func(r db.Row) error {
			lines = append(lines, store.ReadLogLine(r))
			return nil
		}, "SELECT "+store.LogColumns+" FROM log WHERE bucket = $1 AND at >= $2 ORDER BY at DESC LIMIT $3",
			db.Set{buckets, db.Ints("since", slices.Repeat([]int64{since.UnixMilli()}, n)), db.Ints("most", slices.Repeat([]int64{int64(max(limit, 0))}, n))})
	})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	slices.SortFunc(lines, func(a, b store.LogLine) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Action, b.Action), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Detail, b.Detail))
	})
	return lines[max(0, len(lines)-limit):], nil
}
