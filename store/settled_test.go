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

// rewardsTold are the rewards that news tells of, all of them and an account's.
func rewardsTold(t *testing.T, db *store.DB, news []store.News, id ledger.Account) (all, own []staking.Accrual) {
	t.Helper()
	for _, n := range news {
		for _, b := range n.Paid {
			ok(t, db.PaidRewards(t.Context(), b, "", func(a staking.Accrual) error { all = append(all, a); return nil }))
			if b.Bucket == id.Bucket() {
				ok(t, db.PaidRewards(t.Context(), b, id, func(a staking.Accrual) error { own = append(own, a); return nil }))
			}
		}
	}
	return all, own
}

func settledTold(news []store.News) (days []staking.Due) {
	for _, n := range news {
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

// Two processes settle three days at once: each reward and each settled day is told of once.
func TestNewsOfRewardsAndSettledDays(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		var ids []ledger.Account
		for i := range 20 {
			ids = append(ids, ledger.Account(fmt.Sprint("holder", i)))
		}
		earning(t, one, clock, ids...)
		before := len(newsSince(t, one, beginning))
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
		news := newsSince(t, two, beginning)[before:]
		var want []staking.Accrual
		for _, id := range ids {
			want = append(want, rewardsOf(t, one, id)...)
		}
		got, own := rewardsTold(t, two, news, ids[3])
		order := func(a, b staking.Accrual) int {
			return slices.Compare([]string{string(a.Account), a.Day.String(), a.Asset}, []string{string(b.Account), b.Day.String(), b.Asset})
		}
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		slices.SortFunc(own, order)
		if len(want) != 20*2*3 || !reflect.DeepEqual(got, want) {
			t.Errorf("told are %d rewards, and paid were %d", len(got), len(want))
		}
		if mine := rewardsOf(t, one, ids[3]); len(own) != 6 || len(mine) != 6 {
			t.Errorf("of one account are told %d, and paid were %d", len(own), len(mine))
		}
		for _, n := range news {
			for _, b := range n.Paid {
				if !b.PaidAt.Equal(clock.Now()) {
					t.Errorf("%+v was paid at %s", b, clock.Now())
				}
			}
		}
		days := map[staking.Due]int{}
		for _, d := range settledTold(news) {
			days[d]++
		}
		for d := range staking.Day(4) {
			for _, asset := range []string{"BNB", "SOL", "AXS"} {
				if n := days[staking.Due{Asset: asset, Day: day1 + d}]; n != 1 {
					t.Errorf("that %s of Day %d is settled is told %d times", asset, d+1, n)
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

func TestTheNextRunTellsWhatAStoppedOneDidNot(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		earning(t, db, clock, "alice")
		clock.Set(3, "00:10")
		options := staking.Options{}
		_, err := staking.Run(t.Context(), stopped{db}, clock.Now(), options)
		wants(t, err, errStopped)
		if earned(t, db, "alice", "BNB") == 0 {
			t.Fatal("it was stopped before it paid")
		}
		second := func(d staking.Due) bool { return d.Day == day1+1 }
		if days := settledTold(newsSince(t, db, beginning)); slices.ContainsFunc(days, second) {
			t.Fatalf("told are already %v", days)
		}
		clock.Advance(time.Minute)
		report := testkit.Must(staking.Run(t.Context(), db, clock.Now(), options))(t) // nothing is due
		days := settledTold(newsSince(t, db, beginning))
		if !slices.ContainsFunc(days, second) || len(days) != 20 || report.Paid != nil {
			t.Errorf("told are %v, and %v were paid", days, report.Paid)
		}
	})
}

// A token that waits for funds is not settled, and the others are.
func TestATokenThatWaitsIsNotSettled(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		earning(t, db, clock, "alice")
		testkit.Must(db.Fund(t.Context(), "out", "SOL", 1000_00000000, true))(t)
		clock.Set(4, "00:10")
		settle(t, db, clock)
		last := func(asset string) staking.Day {
			d := staking.Day(-1)
			for _, s := range settledTold(newsSince(t, db, beginning)) {
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
		// Books of before there was news: the days that were paid then are told of by the first run.
		testkit.Must(db.Exec(t.Context(), "DELETE FROM settled"))(t)
		testkit.Must(db.Exec(t.Context(), "DELETE FROM news"))(t)
		settle(t, db, clock)
		settle(t, db, clock)
		if days := settledTold(newsSince(t, db, beginning)); len(days) != 30 {
			t.Errorf("old books tell of %d days of tokens", len(days))
		}
	})
}
