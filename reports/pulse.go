package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// Pulse is when the outbox and the log were last written to, in milliseconds since 1970: who has seen it and sees it
// again has missed nothing but what was written within the same millisecond. It reads rows by key.
func (rs *Reports) Pulse(ctx context.Context) (latest int64, err error) {
	return read(ctx, rs, "look for what is new", func(t db.View) (int64, error) {
		latest, err := db.Count(t, "SELECT coalesce(max(at), 0) FROM outbox")
		if err != nil {
			return 0, err
		}
		lines, err := db.AllEach(t, func(r db.Row) (int64, error) { return r.Int(0), nil },
			"SELECT coalesce(max(at), 0) FROM log WHERE bucket = $1", store.EveryBucket(0)[:1])
		for _, at := range lines {
			latest = max(latest, at)
		}
		return latest, err
	})
}
