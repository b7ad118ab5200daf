package people

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
)

// named is a row that is kept for a time only.
type named struct {
	bucket, time int64
	name         string
}

// Prune removes sessions, drafts and attempt counters whose time is over, in small
// transactions. Repeating it has no further effect, and several processes may call it at
// the same time.
func (p *People) Prune(ctx context.Context) error {
	now := p.now()
	for _, old := range []struct {
		what, find, remove string
		until              int64
	}{
		{"sessions", "SELECT bucket, id, expires FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM sessions WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"drafts", "SELECT bucket, id, expires FROM drafts WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM drafts WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"attempts", "SELECT bucket, counter, since FROM attempts WHERE since <= $1 ORDER BY since LIMIT $2",
			"DELETE FROM attempts WHERE bucket = $1 AND counter = $2 AND since = $3", now - AttemptsKept.Milliseconds()},
	} {
		// The row's own time is a condition of its removal: it may have been renewed at the same time.
		err := p.db.Prune(ctx, func(t db.View, most int) (db.Set, error) {
			rows, err := db.All(t, func(r db.Row) (named, error) {
				return named{bucket: r.Int(0), name: r.Text(1), time: r.Int(2)}, nil
			}, old.find, old.until, int64(most))
			return db.SetOf(rows,
				db.Int("bucket", func(n named) int64 { return n.bucket }),
				db.Text("name", func(n named) string { return n.name }),
				db.Int("time", func(n named) int64 { return n.time })), err
		}, old.remove)
		if err != nil {
			return fmt.Errorf("remove old %s: %w", old.what, err)
		}
	}
	return nil
}
