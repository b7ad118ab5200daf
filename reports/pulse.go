package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// Pulse is a number above zero that grows with each numbered event of the outbox, and with the time at which the log
// was last written to: who has seen it and sees it again has missed nothing but lines of the log of the same
// millisecond. It reads rows by key.
func (rs *Reports) Pulse(ctx context.Context) (pulse int64, err error) {
	return read(ctx, rs, "look for what is new", func(t db.View) (int64, error) {
		newest, err := db.Count(t, "SELECT last FROM sequences WHERE name = 'outbox'")
		if err != nil {
			return 0, err
		}
		written := int64(0)
		lines, err := db.AllEach(t, func(r db.Row) (int64, error) { return r.Int(0), nil },
			"SELECT coalesce(max(at), 0) FROM log WHERE bucket = $1", store.EveryBucket(0)[:1])
		for _, at := range lines {
			written = max(written, at)
		}
		return newest + written, err
	})
}
