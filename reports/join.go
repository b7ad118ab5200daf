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

// JoinSkips are the events of sources that are never posted, the newest decision first; at most limit.
func (rs *Reports) JoinSkips(ctx context.Context, limit int) ([]store.JoinSkip, error) {
	return list(ctx, rs, "read the events that are never posted", store.ReadJoinSkip, "SELECT "+store.JoinSkipColumns+
		" FROM join_skips ORDER BY set_at DESC, source, event LIMIT $1", int64(limit))
}

// SkippedEvents are the IDs of the events of a source that are never posted.
func (rs *Reports) SkippedEvents(ctx context.Context, source string) (map[string]bool, error) {
	return read(ctx, rs, "read the events that are never posted", func(t db.View) (map[string]bool, error) {
		skipped := map[string]bool{}
		return skipped, t.Query(func(r db.Row) error { skipped[r.Text(0)] = true; return nil },
			"SELECT DISTINCT event FROM join_skips WHERE source = $1", source)
	})
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
	return list(ctx, rs, "read late events", readLateEvent, "SELECT "+lateColumns+
		" FROM join_late WHERE day >= $1 ORDER BY day, entry LIMIT $2", int64(from), int64(limit))
}

// lateColumns are what readLateEvent reads.
const lateColumns = "day, entry, account, asset, amount, at, dated"

func readLateEvent(r db.Row) (LateEvent, error) {
	return LateEvent{staking.Day(r.Int(0)), r.Text(1), ledger.Account(r.Text(2)), r.Text(3), ledger.Amount(r.Int(4)),
		db.TimeOf(r.Int(5)), db.TimeOf(r.Int(6))}, nil
}

// LateEventsOf are the first of a day, by entry; at most limit.
func (rs *Reports) LateEventsOf(ctx context.Context, d staking.Day, limit int) ([]LateEvent, error) {
	return list(ctx, rs, "read the late events of a day", readLateEvent, "SELECT "+lateColumns+
		" FROM join_late WHERE day = $1 ORDER BY entry LIMIT $2", int64(d), int64(limit))
}

// LateCount is how many events came when a day was closed.
type LateCount struct {
	Day    staking.Day
	Events int64
}

// LateCounts are those of the last days that have any, the newest first; at most limit.
func (rs *Reports) LateCounts(ctx context.Context, limit int) ([]LateCount, error) {
	return list(ctx, rs, "count late events", func(r db.Row) (LateCount, error) {
		return LateCount{staking.Day(r.Int(0)), r.Int(1)}, nil
	}, "SELECT day, count(*) FROM join_late GROUP BY day ORDER BY day DESC LIMIT $1", int64(limit))
}

// LateCountOf is how many events came when the day was closed.
func (rs *Reports) LateCountOf(ctx context.Context, d staking.Day) (int64, error) {
	return read(ctx, rs, "count the late events of a day", func(t db.View) (int64, error) {
		return db.Count(t, "SELECT count(*) FROM join_late WHERE day = $1", int64(d))
	})
}

// DayWithout is a day through which days may close without waiting for the events of their sources.
type DayWithout struct {
	store.DayWithout
	At time.Time // when a person decided it
	By string    // the credential
}

// DaysWithout are the last of them, the newest day first; at most limit.
func (rs *Reports) DaysWithout(ctx context.Context, limit int) ([]DayWithout, error) {
	return list(ctx, rs, "read which days close without their events", func(r db.Row) (DayWithout, error) {
		return DayWithout{store.DayWithout{Day: staking.Day(r.Int(0)), Reason: r.Text(3)}, db.TimeOf(r.Int(1)),
			r.Text(2)}, nil
	}, "SELECT day, set_at, set_by, reason FROM join_closings ORDER BY day DESC LIMIT $1", int64(limit))
}

// Opened are those of some accounts that are in the books, also when they are closed.
func (rs *Reports) Opened(ctx context.Context, accounts []ledger.Account) ([]ledger.Account, error) {
	return read(ctx, rs, "look accounts up", func(t db.View) ([]ledger.Account, error) {
		return db.AllOf(t, func(r db.Row) (ledger.Account, error) { return ledger.Account(r.Text(0)), nil },
			"SELECT a.account FROM {rows} JOIN accounts a ON a.bucket = r.bucket AND a.account = r.account",
			db.SetOf(accounts, db.Int("bucket", func(id ledger.Account) int64 { return int64(id.Bucket()) }),
				db.Text("account", func(id ledger.Account) string { return string(id) })))
	})
}

// Part is the free or the held part of an account's token.
type Part struct {
	Account ledger.Account // with its suffix, where it is the held part
	Asset   string
}

// SourceBalances are what the books have of some parts, in smallest units, as another ledger has them: by its events
// or, where none was posted, without the rewards that the books have paid. A part without a balance is not among them.
func (rs *Reports) SourceBalances(ctx context.Context, parts []Part) (map[Part]ledger.Amount, error) {
	return read(ctx, rs, "read balances of another ledger", func(t db.View) (map[Part]ledger.Amount, error) {
		have := map[Part]ledger.Amount{}
		err := t.QuerySet(func(r db.Row) error {
			have[Part{ledger.Account(r.Text(0)), r.Text(1)}] = ledger.Amount(r.Int(2))
			return nil
		}, `SELECT b.account, b.asset, coalesce((SELECT j.balance FROM join_balances j WHERE j.bucket = b.bucket
		        AND j.account = b.account AND j.asset = b.asset), b.balance - b.earned) FROM {rows} JOIN balances b
		        ON b.bucket = r.bucket AND b.account = r.account AND b.asset = r.asset`,
			db.SetOf(parts, db.Int("bucket", func(p Part) int64 { return int64(p.Account.Bucket()) }),
				db.Text("account", func(p Part) string { return string(p.Account) }),
				db.Text("asset", func(p Part) string { return p.Asset })))
		return have, err
	})
}
