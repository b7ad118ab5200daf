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

// TestLatestWithdrawals: page after page, of any length, gives each once, the newest
// first, also those of one moment; another's are not among them.
func TestLatestWithdrawals(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "a", "alice", 10, "BNB", time.Time{})
		deposit(t, db, "b", "bob", 10, "BNB", time.Time{})
		var ids []string
		for n := range 9 {
			if n%3 == 0 { // three of each moment
				clock.Advance(time.Minute)
			}
			id := fmt.Sprint("w", n)
			ids = append(ids, id)
			testkit.Must(db.Withdraw(t.Context(), store.Withdrawal{ID: id, Account: "alice", Asset: "BNB",
				Amount: ledger.Amount(n + 1)}))(t)
			testkit.Must(db.Withdraw(t.Context(), store.Withdrawal{ID: "bob-" + id, Account: "bob", Asset: "BNB", Amount: 1}))(t)
		}
		post(t, db, ledger.Entry{ID: ledger.EndingID("w4", ledger.WithdrawalCompleted), Kind: ledger.WithdrawalCompleted,
			Moves: []ledger.Move{{From: ledger.Account("alice").Held(), To: ledger.Custody, Asset: "BNB", Amount: 5}}})
		slices.Reverse(ids)
		for _, limit := range []int{1, 2, 4, 9, 50} {
			var got []string
			var after *store.Withdrawal
			for len(got) <= len(ids) {
				page := testkit.Must(reports.New(db.Reader()).WithdrawalPage(t.Context(), "alice",
					reports.WithdrawalsAsked{Newest: true}, after, limit))(t)
				if len(page) == 0 {
					break
				}
				for _, w := range page {
					got = append(got, w.ID)
					if (w.State == store.Completed) != (w.ID == "w4") {
						t.Errorf("%s is %s", w.ID, w.State)
					}
				}
				after = &page[len(page)-1]
			}
			same(t, fmt.Sprint("in pages of ", limit), got, ids)
		}
		_, err := reports.New(db.Reader()).WithdrawalPage(t.Context(), "nobody",
			reports.WithdrawalsAsked{Newest: true}, nil, 5)
		wants(t, err, ledger.ErrNotFound)
	})
}
