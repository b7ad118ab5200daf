package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
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
func (db *DB) LogPage(ctx context.Context, from LogPlace, limit int) ([]LogLine, LogPlace, error) {
	var lines []LogLine
	err := db.engine.Read(ctx, func(t view) error {
		lines = nil
		buckets := everyBucket(0)[0]
		n := ledger.Buckets
		return t.QueryEach(func(r row) error {
			lines = append(lines, readLogLine(r))
			return nil
		}, "SELECT "+logColumns+" FROM log WHERE bucket = $1 AND at <= $2 ORDER BY at DESC, action, subject, actor, detail, request LIMIT $3",
			set{buckets, ints("at", slices.Repeat([]int64{from.At.UnixMilli()}, n)), ints("most", slices.Repeat([]int64{int64(from.Seen + limit)}, n))})
	})
	if err != nil {
		return nil, from, fmt.Errorf("read the log: %w", err)
	}
	slices.SortFunc(lines, func(a, b LogLine) int {
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
