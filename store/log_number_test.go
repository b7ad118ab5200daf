package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/reports"
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
