package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// What happens several times in a millisecond is as many lines of the log, one after another, at the same time, and in
// one transaction; and they are read as many.
func TestEqualLinesOfTheLog(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		open(t, one, "alice")
		clock.Advance(time.Hour)
		const each = 6
		var all sync.WaitGroup
		for _, process := range []*store.DB{one, two} {
			all.Go(func() {
				for range each {
					if err := process.As(olga).LogRead(t.Context(), "alice", "balances"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		lines := testkit.Must(reports.New(one.Reader()).Log(t.Context(), clock.Now(), 100))(t)
		if len(lines) != 2*each {
			t.Errorf("%d lines of %d reads", len(lines), 2*each)
		}
		place, walked := reports.LogPlace{At: clock.Now()}, 0
		for range 2*each - 1 {
			page, next, err := reports.New(one.Reader()).LogPage(t.Context(), place, 1)
			ok(t, err)
			for _, l := range page {
				if l != lines[0] {
					t.Errorf("the log has %+v", l)
				}
				walked++
			}
			place = next
		}
		same(t, "walked through", walked, 2*each-1)
		same(t, "numbers", testkit.Must(one.Count(t.Context(), "SELECT max(number) FROM log"))(t), int64(2*each-1))
	})
}

// The log of books of the version before is as it was, and goes on; what has left accounts on the open days is counted.
func TestTheLogOfOldBooks(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), testkit.NewClock(noon)
		bucket := ledger.Account("alice").Bucket()
		line := func(detail string) string {
			return fmt.Sprintf(`INSERT INTO log (bucket, at, actor, role, request, action, subject, detail)
				VALUES (%d, %d, 'olga', 'operator', 'r-1', 'account read', 'alice', '%s')`, bucket, noon.UnixMilli(), detail)
		}
		day := func(d staking.Day, closed int) string {
			return fmt.Sprintf("INSERT INTO days (bucket, day, closed) VALUES (%d, %d, %d)", bucket, d, closed)
		}
		posting := func(d staking.Day, account, entry, kind string, amount int) string {
			return fmt.Sprintf(`INSERT INTO postings (bucket, day, account, asset, at, entry, move, side, amount, other, kind)
				VALUES (%d, %d, '%s', 'BNB', 1, '%s', 0, 0, %d, 'bob', '%s')`, bucket, d, account, entry, amount, kind)
		}
		ok(t, store.CreateOld(ctx, url, options(clock), shipped(t, day1), store.Released, "alice",
			line("balances"), line("journal"), day(day1-1, 1), day(day1, 0),
			posting(day1-1, "alice", "t-0", "transfer", -1), posting(day1, "alice", "t-1", "transfer", -2),
			posting(day1, "alice", "t-2", "transfer", 4), posting(day1, "alice", "w-1", "withdrawal-request", -8),
			posting(day1, "alice", "w-2", "withdrawal-request", -16),
			posting(day1, "alice/held", "w-3", "withdrawal-completed", -32),
			posting(day1, "alice", "w-4", "withdrawal", -64),
			fmt.Sprintf(`INSERT INTO endings (bucket, account, id, kind, at)
				VALUES (%d, 'alice', 'w-2', 'withdrawal-cancelled', 1)`, bucket)))
		testkit.Must(store.Upgrade(ctx, url, options(clock), nil))(t)
		db := testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, db)
		counts := func(sql string) int64 { return testkit.Must(db.Count(ctx, sql))(t) }
		same(t, "lines", counts("SELECT count(*) FROM log WHERE action = 'account read' AND number = 0"), 2)
		ok(t, db.As(olga).LogRead(ctx, "alice", "journal"))
		ok(t, db.As(olga).LogRead(ctx, "alice", "journal"))
		same(t, "lines", counts("SELECT count(*) FROM log WHERE action = 'account read'"), 4)
		same(t, "has left", counts("SELECT used FROM ceilings_used WHERE credential = 'alice'"), 2+8+64)
		same(t, "and nothing else", counts("SELECT count(*) FROM ceilings_used"), 1)
	})
}
