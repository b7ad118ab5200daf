package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Withdrawals of a range of time, of a token, and page after page of those that wait.
func TestWithdrawalsAreListed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			deposit(t, db, "d-"+string(id), id, 100, bnb, time.Time{})
			deposit(t, db, "s-"+string(id), id, 100, sol, time.Time{})
		}
		var all []string
		for day := 1; day <= 3; day++ {
			for n := range 2 {
				clock.Set(day, fmt.Sprintf("13:0%d", n))
				for _, id := range []ledger.Account{"alice", "bob"} {
					e := request(fmt.Sprintf("%s-%d-%d", id, day, n), id, int64(day))
					if n == 1 {
						e.Moves[0].Asset = sol
					}
					ok(t, refusal(post(t, db, e), nil))
					all = append(all, e.ID)
				}
			}
		}
		list := func(from, to time.Time, asset string) []string { return withdrawals(t, db, "alice", from, to, asset) }
		same(t, "both ends", list(testkit.Moment(1, "13:01"), testkit.Moment(2, "13:00"), ""),
			[]string{"alice-1-1 10000000 pending", "alice-2-0 20000000 pending"})
		same(t, "inside", list(testkit.Moment(1, "13:00").Add(time.Millisecond),
			testkit.Moment(1, "13:01").Add(-time.Millisecond), ""), nil)
		same(t, "of a token", list(noon, testkit.Moment(9, "00:00"), sol),
			[]string{"alice-1-1 10000000 pending", "alice-2-1 20000000 pending", "alice-3-1 30000000 pending"})
		same(t, "of none", list(noon, testkit.Moment(9, "00:00"), "DOGE"), nil)
		same(t, "backwards", list(testkit.Moment(9, "00:00"), noon, ""), nil)
		var read []string
		for after := (store.Withdrawal{}); ; {
			page := testkit.Must(reports.New(db.Reader()).PendingWithdrawals(t.Context(), after, 5))(t)
			if len(page) == 0 {
				break
			}
			for _, w := range page {
				read = append(read, w.ID)
			}
			after = page[len(page)-1]
		}
		same(t, "waiting", read, all)
		ok(t, refusal(post(t, db, completed("bob-1-0", "bob", 1), cancelled("alice-2-0", "alice", 2)), nil))
		all = slices.DeleteFunc(all, func(id string) bool { return id == "bob-1-0" || id == "alice-2-0" })
		same(t, "still waiting", waiting(t, db, store.Withdrawal{}, 100), all)
		same(t, "none asked for", waiting(t, db, store.Withdrawal{}, 0), nil)
	})
}

// An account's deposits, the newest first, however many days lie between.
func TestDepositsAreListed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
		}
		for i, day := range []int{1, 1, 2, 40, 100} {
			clock.Set(day, fmt.Sprintf("13:%02d", i))
			id := fmt.Sprintf("d%d", i)
			deposit(t, db, id, "alice", int64(i+1), []string{bnb, sol}[i%2], time.Time{})
			deposit(t, db, id+"-bob", "bob", 1, bnb, time.Time{})
		}
		ok(t, refusal(post(t, db, oneMove("t", ledger.Transfer, "bob", "alice", 1)), nil))
		list := func(from, to time.Time, asset string) (lines []string) {
			ok(t, reports.New(db.Reader()).Deposits(t.Context(), "alice", from, to, asset, func(l reports.Line) error {
				lines = append(lines, fmt.Sprintf("%s %d %s", l.Entry, l.Amount/1_00000000, l.Asset))
				return nil
			}))
			return lines
		}
		same(t, "all", list(time.Time{}, testkit.Moment(500, "00:00"), ""),
			[]string{"d4 5 BNB", "d3 4 SOL", "d2 3 BNB", "d1 2 SOL", "d0 1 BNB"})
		same(t, "both ends", list(testkit.Moment(1, "13:01"), testkit.Moment(40, "13:03"), ""),
			[]string{"d3 4 SOL", "d2 3 BNB", "d1 2 SOL"})
		same(t, "inside", list(testkit.Moment(1, "13:01").Add(time.Millisecond),
			testkit.Moment(40, "13:03").Add(-time.Millisecond), ""), []string{"d2 3 BNB"})
		same(t, "of a token", list(time.Time{}, clock.Now(), sol), []string{"d3 4 SOL", "d1 2 SOL"})
		wants(t, reports.New(db.Reader()).Deposits(t.Context(), "nobody", noon, noon, "", nil), ledger.ErrNotFound)
	})
}
