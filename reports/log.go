package reports

import (
	"cmp"
	"context"
	"math"
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

// logLines are the newest lines of a range of time that the statement names by $2, and a few that are older: most of
// them at least, or all.
func (rs *Reports) logLines(ctx context.Context, within string, at time.Time, most int) ([]store.LogLine, error) {
	return read(ctx, rs, "read the log", func(t db.View) ([]store.LogLine, error) {
		since, err := sinceWhen(t, within, at, most)
		if err != nil {
			return nil, err
		}
		lines, err := db.AllEach(t, store.ReadLogLine, "SELECT "+store.LogColumns+" FROM log WHERE bucket = $1 AND "+within+
			" AND at >= $3 ORDER BY at DESC, action, subject, actor, detail, request, number LIMIT $4",
			inEachBucket(at.UnixMilli(), since, int64(max(most, 0))))
		if err == nil {
			err = store.ResolveLog(t, lines)
		}
		return lines, err
	})
}

// fewLines is how many lines of each bucket are sampled to find the moment from which on a log has enough of them.
const fewLines = 4

// sinceWhen is a moment from which on a range has at least most lines; where the sample has fewer, a moment before all
// of them. A few lines of each bucket show it; without it, most lines would be read of each bucket.
func sinceWhen(t db.View, within string, at time.Time, most int) (int64, error) {
	moments, err := db.AllEach(t, db.IntOf, "SELECT at FROM log WHERE bucket = $1 AND "+within+
		" ORDER BY at DESC LIMIT $3", inEachBucket(at.UnixMilli(), fewLines))
	if err != nil || most < 1 || len(moments) < most {
		return math.MinInt64, err
	}
	slices.Sort(moments)
	return moments[len(moments)-most], nil
}

// inEachBucket is a set with a row for each bucket, ascending, and the same numbers: bucket, a, b …
func inEachBucket(numbers ...int64) db.Set {
	wanted := db.Set{store.EveryBucket(0)[0]}
	for i, n := range numbers {
		wanted = append(wanted, db.Ints(string(rune('a'+i)), slices.Repeat([]int64{n}, ledger.Buckets)))
	}
	return wanted
}

// inMoment compares lines of one moment.
func inMoment(a, b store.LogLine) int {
	return cmp.Or(strings.Compare(a.Action, b.Action), strings.Compare(a.Subject, b.Subject),
		strings.Compare(a.Actor.Credential, b.Actor.Credential), strings.Compare(a.Detail, b.Detail),
		strings.Compare(a.Actor.Request, b.Actor.Request))
}

// LogPage are lines of the log from a place backwards, the newest first, at most
// limit, and the place behind them. There are no more once they are fewer.
func (rs *Reports) LogPage(ctx context.Context, from LogPlace, limit int) ([]store.LogLine, LogPlace, error) {
	lines, err := rs.logLines(ctx, "at <= $2", from.At, from.Seen+limit)
	if err != nil {
		return nil, from, err
	}
	slices.SortFunc(lines, func(a, b store.LogLine) int { return cmp.Or(b.At.Compare(a.At), inMoment(a, b)) })
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
	lines, err := rs.logLines(ctx, "at >= $2", since, limit)
	slices.SortFunc(lines, func(a, b store.LogLine) int { return cmp.Or(a.At.Compare(b.At), inMoment(a, b)) })
	return lines[max(0, len(lines)-limit):], err
}
