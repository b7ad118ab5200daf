package reports

import (
	"context"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Partitions are how far the events of other ledgers are in the books, by source and name.
func (rs *Reports) Partitions(ctx context.Context) ([]store.Partition, error) {
	return list(ctx, rs, "read the partitions", store.ReadPartition, "SELECT "+store.PartitionColumns+
		" FROM join_partitions ORDER BY source, name")
}

// LateEvent is an event that came when its day was closed.
type LateEvent struct {
	Day     staking.Day
	Entry   string         // the ID of its entry
	Account ledger.Account // or its held part
	Asset   string
	Amount  ledger.Amount // the change, in smallest units
	At      time.Time     // by the source's clock
	Dated   time.Time     // when it counts instead
}

// LateEvents are those of a day and of the days after it, by day and entry; at most limit.
func (rs *Reports) LateEvents(ctx context.Context, from staking.Day, limit int) ([]LateEvent, error) {
	return list(ctx, rs, "read late events", func(r db.Row) (LateEvent, error) {
		return LateEvent{staking.Day(r.Int(0)), r.Text(1), ledger.Account(r.Text(2)), r.Text(3), ledger.Amount(r.Int(4)),
			db.TimeOf(r.Int(5)), db.TimeOf(r.Int(6))}, nil
	}, "SELECT day, entry, account, asset, amount, at, dated FROM join_late WHERE day >= $1 ORDER BY day, entry LIMIT $2",
		int64(from), int64(limit))
}
