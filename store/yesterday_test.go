package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// yesterday is a line of what became of an account's day before today: whether it
// was covered, what it paid, and what is due.
func yesterday(t *testing.T, db *store.DB, id ledger.Account) string {
	t.Helper()
	y := holder(t, db, id, reports.LastDay)
	parts := []string{fmt.Sprintf("Day %d %t", y.Yesterday()-day1+1, y.Covers(y.Yesterday()))}
	for _, r := range y.Paid {
		parts = append(parts, fmt.Sprintf("paid %s %d", r.Asset, r.Reward))
	}
	for _, r := range y.Pending {
		parts = append(parts, fmt.Sprintf("due %s %d of Day %d, %d days, waits %t", r.Asset, r.Reward, r.Day-day1+1, r.Days,
			r.Waits))
	}
	return strings.Join(parts, "; ")
}

func saysYesterday(t *testing.T, db *store.DB, want string) {
	t.Helper()
	if got := yesterday(t, db, "alice"); got != want {
		t.Errorf("yesterday is\n%s\nnot\n%s", got, want)
	}
}

func TestYesterday(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		fund(t, db, "BNB", 1)
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 2, "BNB", time.Time{})
		deposit(t, db, "d2", "alice", 100, "SOL", time.Time{})
		saysYesterday(t, db, "Day 0 false")
		on(t, db, "alice")
		clock.Set(2, "00:01")
		saysYesterday(t, db, "Day 1 false")

		// Over and not accrued: as measured, with what moves after the day left out. 2.5 × 0.0015 / 365.
		clock.Set(2, "12:00")
		deposit(t, db, "d3", "alice", 1, "BNB", time.Time{})
		clock.Set(3, "00:01")
		deposit(t, db, "d4", "alice", 500, "BNB", time.Time{})
		saysYesterday(t, db, "Day 2 true; due BNB 1027 of Day 2, 1 days, waits false; due SOL 219178 of Day 2, 1 "+
			"days, waits false")

		// Paid, or waiting for funds, which SOL has none of.
		clock.Set(3, "00:06")
		settle(t, db, clock)
		saysYesterday(t, db, "Day 2 true; paid BNB 1027; due SOL 219178 of Day 2, 1 days, waits true")
		clock.Set(4, "00:06")
		settle(t, db, clock)
		off(t, db, "alice")
		clock.Set(6, "09:00")
		settle(t, db, clock)
		saysYesterday(t, db, "Day 5 false; due SOL 219178 of Day 2, 2 days, waits true")
		fund(t, db, "SOL", 1)
		settle(t, db, clock)
		saysYesterday(t, db, "Day 5 false")

		_, err := reports.New(db.Reader()).Holder(t.Context(), "nobody", staking.Client{}, reports.LastDay)
		wants(t, err, ledger.ErrNotFound)
	})
}

// TestYesterdayBehind: a token that waits holds others up by nothing, and what came
// after its first day is measured, for a week at most.
func TestYesterdayBehind(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "bob") // for whose SOL there are no funds
		deposit(t, db, "b", "bob", 100, "SOL", time.Time{})
		open(t, db, "alice")
		on(t, db, "bob")
		on(t, db, "alice")
		clock.Set(3, "00:06")
		settle(t, db, clock)
		saysYesterday(t, db, "Day 2 true")
		deposit(t, db, "a", "alice", 100, "SOL", testkit.Moment(3, "00:06"))
		clock.Set(5, "01:00")
		saysYesterday(t, db, "Day 4 true; due SOL 218264 of Day 3, 2 days, waits true")
		clock.Set(20, "01:00")
		saysYesterday(t, db, "Day 19 true; due SOL 219178 of Day 13, 7 days, waits true")
	})
}

// TestYesterdayPromisesWhatIsPaid: what is due as measured is then paid.
func TestYesterdayPromisesWhatIsPaid(t *testing.T) {
	eachMeasure(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		fund(t, db, "BNB", 10)
		deposit(t, db, "d", "alice", 700, "BNB", time.Time{})
		on(t, db, "alice")
		for day := 3; day < 8; day++ {
			clock.Set(day-1, "17:11")
			deposit(t, db, fmt.Sprint("more", day), "alice", int64(day), "BNB", time.Time{})
			clock.Set(day, "00:04")
			due := holder(t, db, "alice", reports.LastDay).Pending
			clock.Set(day, "00:06")
			settle(t, db, clock)
			paid := holder(t, db, "alice", reports.LastDay)
			counts := []int{len(due), len(paid.Paid), len(paid.Pending)}
			if !slices.Equal(counts, []int{1, 1, 0}) {
				t.Fatalf("on Day %d %+v is due, and then %+v", day, due, paid)
			}
			if first := paid.Paid[0]; due[0].Accrual != first.Accrual || first.Account != "alice" {
				t.Errorf("on Day %d %+v is due, and %+v is paid", day, due, first)
			}
		}
		var of staking.Day = day1 + 6 - 1
		if e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "alice", of, "BNB"))(t); !e.Paid {
			t.Error("the last day is not paid: the test shows nothing")
		}
	})
}
