package store_test

import (
	"fmt"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Who earned with a token that is not offered any more is notified when that day begins, once, and nobody else is.
func TestAnOfferEnds(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for id, tenths := range map[ledger.Account]int64{"alice": 20, "poor": 4, "off": 20, "left": 20} {
			open(t, db, id)
			ok(t, refusal(post(t, db, oneMove("d-"+string(id), ledger.Deposit, ledger.Custody, id, tenths)), nil))
			if id != "off" {
				on(t, db, id)
			}
		}
		addLogin(t, db, "alice@example.com", "alice")
		mails := len(mailed(t, db, "alice@example.com"))
		ends := staking.Terms{Asset: bnb, From: day1 + 2, Cap: 1}
		ok(t, db.SetTerms(ctx, ends))
		clock.Set(2, "12:00")
		off(t, db, "left")
		// What is set for a day to come may be set again: nobody is notified of it.
		settle(t, db, clock)
		same(t, "the day before", noticed(t, db, "alice"), nil)
		clock.Set(3, "00:00")
		for range 2 {
			settle(t, db, clock)
		}
		same(t, "alice", noticed(t, db, "alice"), []string{"offer|BNB|2026-03-04"})
		same(t, "her mail", mailed(t, db, "alice@example.com")[:len(mailed(t, db, "alice@example.com"))-mails],
			[]string{"offer 0 waits"})
		for _, id := range []ledger.Account{"poor", "off", "left"} {
			same(t, string(id), noticed(t, db, id), nil)
		}
		// Offered again and ended again: that is another notice. One that ended and is offered again by now is none.
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 3, Offered: true, APR: 1, Min: 1, Cap: 1}))
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 4, Cap: 1}))
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 5, Offered: true, APR: 1, Min: 1, Cap: 1}))
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 6, Cap: 1}))
		for day := 4; day <= 7; day++ {
			if clock.Set(day, "12:00"); day != 5 {
				settle(t, db, clock)
			}
		}
		same(t, "alice", noticed(t, db, "alice"), []string{"offer|BNB|2026-03-08", "offer|BNB|2026-03-04"})
		// What ended long ago is too old to be heard of.
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 7, Offered: true, APR: 1, Min: 1, Cap: 1}))
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: day1 + 8, Cap: 1}))
		clock.Set(12, "12:00")
		settle(t, db, clock)
		same(t, "after a long time", len(noticed(t, db, "alice")), 2)
	})
}

// Very many holders are notified some in a transaction; where it was interrupted it goes on, in another process too.
func TestManyHoldersOfAnOfferThatEnds(t *testing.T) {
	const holders = 2500
	eachTwo(t, func(t *testing.T, db, other *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		accounts := make([]store.Account, holders)
		for i := range accounts {
			accounts[i].ID, accounts[i].Region = ledger.Account(fmt.Sprintf("holder-%04d", i)), "DE"
		}
		ok(t, db.OpenAccounts(ctx, accounts))
		for _, sql := range []string{
			"INSERT INTO enrollments (bucket, account, from_day, until_day) SELECT bucket, account, $1, $2 FROM accounts",
			`INSERT INTO balances (bucket, account, asset, balance, carry, earned)
			 SELECT bucket, account, 'BNB', $1 * 10000, $2 * 0, 0 FROM accounts`,
		} {
			testkit.Must(db.Exec(ctx, sql, int64(day1), int64(staking.Forever)))(t)
		}
		ends := day1 + 1
		ok(t, db.SetTerms(ctx, staking.Terms{Asset: bnb, From: ends, Cap: 1}))
		clock.Set(2, "12:00")
		if !testkit.Must(store.NotifyPart(ctx, db, bnb, ends))(t) {
			t.Fatal("one transaction has notified all")
		}
		same(t, "in one transaction", testkit.Must(db.Count(ctx, "SELECT count(*) FROM notices"))(t), int64(1000))
		done := make(chan error, 2)
		for _, process := range []*store.DB{db, other} {
			go func() { done <- process.Notify(ctx, clock.Now()) }()
		}
		ok(t, <-done)
		ok(t, <-done)
		same(t, "in all", testkit.Must(db.Count(ctx, "SELECT count(*) FROM notices"))(t), int64(holders))
		same(t, "holders", testkit.Must(db.Count(ctx, "SELECT count(DISTINCT account) FROM notices"))(t), int64(holders))
	})
}
