package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// earning opens accounts that earn from Day 2 on, and funds the pool.
func earning(t *testing.T, db *store.DB, clock *testkit.Clock, ids ...ledger.Account) {
	t.Helper()
	for _, id := range ids {
		open(t, db, id)
		deposit(t, db, "first-"+string(id), id, 100, "BNB", time.Time{})
		deposit(t, db, "second-"+string(id), id, 100, "SOL", time.Time{})
		on(t, db, id)
	}
	for _, asset := range []string{"BNB", "SOL"} {
		testkit.Must(db.Fund(t.Context(), asset, asset, 1000_00000000, false))(t)
	}
}

// rewardsIn are the rewards of outbox events, all of them and an account's.
func rewardsIn(t *testing.T, db *store.DB, events []outbox.Event, id ledger.Account) (all, own []staking.Accrual) {
	t.Helper()
	for _, n := range events {
		for _, b := range n.Paid {
			ok(t, reports.New(db.Reader()).PaidRewards(t.Context(), b, "",
				func(a staking.Accrual) error { all = append(all, a); return nil }))
			if b.Bucket == id.Bucket() {
				ok(t, reports.New(db.Reader()).PaidRewards(t.Context(), b, id,
					func(a staking.Accrual) error { own = append(own, a); return nil }))
			}
		}
	}
	return all, own
}

func settledIn(events []outbox.Event) (days []staking.Due) {
	for _, n := range events {
		days = append(days, n.Settled...)
	}
	return days
}

// rewardsOf are an account's rewards as they lie in the books.
func rewardsOf(t *testing.T, db *store.DB, id ledger.Account) (rewards []staking.Accrual) {
	t.Helper()
	ok(t, reports.New(db.Reader()).Rewards(t.Context(), id, 0, staking.Forever, func(r reports.Reward) error {
		if r.Reward > 0 {
			rewards = append(rewards, r.Accrual)
		}
		return nil
	}))
	return rewards
}

// Two processes settle three days at once: each reward and each settled day is in the outbox once.
func TestTheOutboxHasRewardsAndSettledDays(t *testing.T) {
	eachSetup(t, shipped(t, day1), func(t *testing.T, url string, clock *testkit.Clock) {
		one, two := opened(t, url, clock), opened(t, url, clock)
		var ids []ledger.Account
		for i := range 20 {
			ids = append(ids, ledger.Account(fmt.Sprint("holder", i)))
		}
		earning(t, one, clock, ids...)
		before := len(outboxSince(t, one, beginning))
		clock.Set(5, "00:10")
		var all sync.WaitGroup
		for i, db := range []*store.DB{one, two} {
			all.Go(func() {
				_, err := staking.Run(t.Context(), db, clock.Now(), staking.Options{Workers: 2, Start: i * 128})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		settle(t, one, clock)
		events := outboxSince(t, two, beginning)[before:]
		var want []staking.Accrual
		for _, id := range ids {
			want = append(want, rewardsOf(t, one, id)...)
		}
		got, own := rewardsIn(t, two, events, ids[3])
		order := func(a, b staking.Accrual) int {
			return slices.Compare([]string{string(a.Account), a.Day.String(), a.Asset},
				[]string{string(b.Account), b.Day.String(), b.Asset})
		}
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		slices.SortFunc(own, order)
		if len(want) != 20*2*3 || !reflect.DeepEqual(got, want) {
			t.Errorf("published are %d rewards, and paid were %d", len(got), len(want))
		}
		if mine := rewardsOf(t, one, ids[3]); len(own) != 6 || len(mine) != 6 {
			t.Errorf("of one account are published %d, and paid were %d", len(own), len(mine))
		}
		for _, n := range events {
			for _, b := range n.Paid {
				if !b.PaidAt.Equal(clock.Now()) {
					t.Errorf("%+v was paid at %s", b, clock.Now())
				}
			}
		}
		days := map[staking.Due]int{}
		for _, d := range settledIn(events) {
			days[d]++
		}
		for d := range staking.Day(4) {
			for _, asset := range []string{"BNB", "SOL", "AXS"} {
				if n := days[staking.Due{Asset: asset, Day: day1 + d}]; n != 1 {
					t.Errorf("that %s of Day %d is settled is published %d times", asset, d+1, n)
				}
			}
		}
		if len(days) != 40 {
			t.Errorf("%d days of tokens are settled", len(days))
		}
	})
}

// stopped are books whose process ends between a day's last payment and Settled.
type stopped struct{ *store.DB }

var errStopped = errors.New("stopped")

func (s stopped) Settled(ctx context.Context, now time.Time) error {
	if due, err := s.DB.Due(ctx, day1+1); err != nil || due == nil {
		return errors.Join(err, errStopped)
	}
	return s.DB.Settled(ctx, now)
}

func TestTheNextRunPublishesWhatAStoppedOneDidNot(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		earning(t, db, clock, "alice")
		clock.Set(3, "00:10")
		options := staking.Options{}
		_, err := staking.Run(t.Context(), stopped{db}, clock.Now(), options)
		wants(t, err, errStopped)
		if earned(t, db, "alice", "BNB") == 0 {
			t.Fatal("it was stopped before it paid")
		}
		second := func(d staking.Due) bool { return d.Day == day1+1 }
		if days := settledIn(outboxSince(t, db, beginning)); slices.ContainsFunc(days, second) {
			t.Fatalf("published are already %v", days)
		}
		clock.Advance(time.Minute)
		report := testkit.Must(staking.Run(t.Context(), db, clock.Now(), options))(t) // nothing is due
		days := settledIn(outboxSince(t, db, beginning))
		if !slices.ContainsFunc(days, second) || len(days) != 20 || report.Paid != nil {
			t.Errorf("published are %v, and %v were paid", days, report.Paid)
		}
	})
}

// A token that waits for funds is not settled, and the others are.
func TestATokenThatWaitsIsNotSettled(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		earning(t, db, clock, "alice")
		testkit.Must(db.Fund(t.Context(), "out", "SOL", 1000_00000000, true))(t)
		clock.Set(4, "00:10")
		settle(t, db, clock)
		last := func(asset string) staking.Day {
			d := staking.Day(-1)
			for _, s := range settledIn(outboxSince(t, db, beginning)) {
				if s.Asset == asset {
					d = max(d, s.Day)
				}
			}
			return d - day1 + 1
		}
		if bnb, sol := last("BNB"), last("SOL"); bnb != 3 || sol != 1 {
			t.Errorf("BNB is settled through Day %d, and SOL through Day %d", bnb, sol)
		}
		testkit.Must(db.Fund(t.Context(), "in", "SOL", 1000_00000000, false))(t)
		settle(t, db, clock)
		if sol := last("SOL"); sol != 3 {
			t.Errorf("SOL is settled through Day %d", sol)
		}
		// Books of before there was an outbox: the days that were paid then are published by the first run.
		testkit.Must(db.Exec(t.Context(), "DELETE FROM settled"))(t)
		ok(t, db.Outbox().Restart(t.Context()))
		restarted := testkit.Must(db.Outbox().Newest(t.Context()))(t)
		settle(t, db, clock)
		settle(t, db, clock)
		if days := settledIn(outboxSince(t, db, restarted)); len(days) != 30 {
			t.Errorf("of old books %d days of tokens are published", len(days))
		}
	})
}
