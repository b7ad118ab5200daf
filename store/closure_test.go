package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// stays fails the test unless the account cannot be closed, for a reason that names these.
func stays(t *testing.T, db *store.DB, id ledger.Account, named ...string) {
	t.Helper()
	err := db.CloseAccount(t.Context(), id)
	wants(t, err, ledger.ErrInvalid)
	for _, word := range named {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not name %q", err, word)
		}
	}
	if a := testkit.Must(db.Account(t.Context(), id))(t); !a.Closed.IsZero() {
		t.Errorf("%s was not to be closed; it is since %s", id, a.Closed)
	}
}

// An account that earns is emptied and closed, day by day.
func TestAnAccountIsClosedWhenItIsEmptyAndPaid(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		wants(t, db.CloseAccount(t.Context(), "nobody"), ledger.ErrNotFound)
		wants(t, db.CloseAccount(t.Context(), "@rewards"), ledger.ErrInvalid)
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(10), false))(t)
		deposit(t, db, "d", "alice", 100, bnb, time.Time{})
		on(t, db, "alice")
		stays(t, db, "alice", "100 BNB")
		ok(t, refusal(post(t, db, request("w1", "alice", 1000)), nil))
		stays(t, db, "alice", "100 BNB in open orders or pending withdrawals")
		ok(t, refusal(post(t, db, completed("w1", "alice", 1000)), nil))
		stays(t, db, "alice", "is on")
		clock.Set(2, "08:00")
		deposit(t, db, "d2", "alice", 100, bnb, time.Time{})
		clock.Set(3, "12:00")
		off(t, db, "alice")
		ok(t, refusal(post(t, db, oneMove("w2", ledger.Withdrawal, "alice", ledger.Custody, 1000)), nil))
		stays(t, db, "alice", "it earned on 2026-03-03", "not paid")
		settle(t, db, clock)
		paid := earned(t, db, "alice", bnb)
		stays(t, db, "alice", "it has 0.0")
		ok(t, refusal(db.Post(t.Context(), []ledger.Entry{{ID: "w3", Kind: ledger.Withdrawal,
			Moves: []ledger.Move{{From: "alice", To: ledger.Custody, Asset: bnb, Amount: paid}}}})))
		ok(t, db.As(olga).CloseAccount(t.Context(), "alice"))
		clock.Set(3, "13:00")
		ok(t, db.CloseAccount(t.Context(), "alice"))
		a := testkit.Must(db.Account(t.Context(), "alice"))(t)
		if !a.Closed.Equal(testkit.Moment(3, "12:00")) {
			t.Errorf("alice is closed since %s", a.Closed)
		}
		if all := testkit.Must(reports.New(db.Reader()).Accounts(t.Context(), "", 10))(t); len(all) != 1 || all[0] != a {
			t.Errorf("listed are %+v", all)
		}
		same(t, "the log", logged(t, db, "account close"),
			[]store.LogLine{{At: a.Closed, Actor: olga, Action: "account close", Subject: "alice"}})
		clock.Set(4, "01:00")
		settle(t, db, clock)
		audited(t, db)
	})
}

// A token that waits for funds keeps an account open, though the account never had it.
func TestAnUnpaidDayKeepsAnAccountOpen(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			on(t, db, id)
		}
		deposit(t, db, "d", "bob", 100, sol, time.Time{})
		clock.Set(2, "12:00")
		off(t, db, "alice")
		clock.Set(3, "12:00")
		ok(t, db.CloseAccount(t.Context(), "alice")) // no day was covered
		open(t, db, "carol")
		on(t, db, "carol")
		clock.Set(5, "12:00")
		off(t, db, "carol")
		settle(t, db, clock)
		stays(t, db, "carol", "it earned on 2026-03-05, and SOL")
		testkit.Must(db.Fund(t.Context(), "f", sol, coins(10), false))(t)
		settle(t, db, clock)
		ok(t, db.CloseAccount(t.Context(), "carol"))
	})
}

// Books of an older softstake may hold less than a pending withdrawal asks for.
func TestAPendingWithdrawalKeepsAnAccountOpen(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 1, bnb, time.Time{})
		ok(t, refusal(post(t, db, request("w1", "alice", 10)), nil))
		stays(t, db, "alice", "in open orders or pending withdrawals")
		const setHeld = "UPDATE balances SET balance = $1 WHERE account = 'alice/held'"
		testkit.Must(db.Exec(t.Context(), setHeld, int64(0)))(t)
		stays(t, db, "alice", "w1")
		testkit.Must(db.Exec(t.Context(), setHeld, int64(coins(10))))(t)
		ok(t, refusal(post(t, db, completed("w1", "alice", 10)), nil))
		ok(t, db.CloseAccount(t.Context(), "alice"))
	})
}

func TestAClosedAccountTakesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			deposit(t, db, "d-"+string(id), id, 1, bnb, time.Time{})
		}
		ok(t, refusal(post(t, db, request("w1", "alice", 10), completed("w1", "alice", 10)), nil))
		ok(t, db.CloseAccount(ctx, "alice"))
		clock.Set(1, "12:30")
		for what, e := range map[string]ledger.Entry{
			"a deposit":       oneMove("e1", ledger.Deposit, ledger.Custody, "alice", 1),
			"a transfer":      oneMove("e2", ledger.Transfer, "bob", "alice", 1),
			"to what it held": oneMove("e3", ledger.Trade, "bob", "alice/held", 1),
			"dated back": {ID: "e4", Kind: ledger.Deposit, At: noon,
				Moves: oneMove("", "", ledger.Custody, "alice", 1).Moves},
			"of another token": {ID: "e5", Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "ADA", Amount: 1}}},
			"held another token": {ID: "e6", Kind: ledger.Trade,
				Moves: []ledger.Move{{From: ledger.Desk, To: "alice/held", Asset: "ADA", Amount: 1}}},
		} {
			err := post(t, db, e)[0].Err
			if !errors.Is(err, ledger.ErrInvalid) || !strings.Contains(err.Error(),
				"account alice is closed since 2026-03-02T12:00:00.000Z") {
				t.Errorf("%s: %v", what, err)
			}
		}
		again := post(t, db, oneMove("d-alice", ledger.Deposit, ledger.Custody, "alice", 10), completed("w1", "alice", 10))
		if refusal(again, nil) != nil || !again[0].Repeated || !again[1].Repeated {
			t.Errorf("what was posted before it was closed answers as the first time, not %+v", again)
		}
		_, err := db.Enroll(ctx, "alice", staking.Client{}, time.Time{})
		wants(t, err, ledger.ErrInvalid)
		if len(testkit.Must(reports.New(db.Reader()).Enrollments(ctx, "alice"))(t)) != 0 {
			t.Error("a closed account is enrolled")
		}
		wants(t, db.EnrollAll(ctx, []ledger.Account{"alice"}, day1+1), ledger.ErrNotFound)
		off(t, db, "alice")
		_, err = db.OpenAccount(ctx, "alice", "DE")
		wants(t, err, ledger.ErrEnded)
		setRegion(t, db, "alice", "FR")
		there := testkit.Must(db.OpenOrFind(ctx, []store.Account{{ID: "alice", Opened: noon}}))(t)
		if len(there) != 1 || !there[0].Closed.Equal(noon) || there[0].Region != "FR" {
			t.Errorf("found is %+v", there)
		}
		has(t, db, "bob", 10, 0)
		audited(t, db)
	})
}

// A deposit comes at the moment at which an account is closed, from another
// process: it is in and the account is open, or the account is closed and has nothing.
func TestADepositAtTheClosing(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		was := map[bool]int{}
		for round := range 60 {
			id := ledger.Account(fmt.Sprintf("a%d", round))
			testkit.Must(one.OpenAccount(t.Context(), id, "DE"))(t)
			if round%2 == 0 { // the balance is there, or it is made
				ok(t, refusal(post(t, one, oneMove(string(id)+"d", ledger.Deposit, ledger.Custody, id, 1),
					oneMove(string(id)+"w", ledger.Withdrawal, id, ledger.Custody, 1)), nil))
			}
			var closed error
			var together sync.WaitGroup
			begin := make(chan struct{})
			together.Go(func() {
				<-begin
				closed = two.CloseAccount(t.Context(), id)
			})
			var posted []store.Outcome
			var failed error
			together.Go(func() {
				<-begin
				posted, failed = one.Post(t.Context(), []ledger.Entry{oneMove(string(id), ledger.Deposit, ledger.Custody, id, 1)})
			})
			close(begin)
			together.Wait()
			ok(t, failed)
			refused := posted[0].Err
			if (refused == nil) == (closed == nil) {
				t.Fatalf("round %d: the deposit %v, the closing %v", round, refused, closed)
			}
			wants(t, errors.Join(refused, closed), ledger.ErrInvalid)
			was[closed == nil]++
			tenths := map[bool]int64{true: 0, false: 1}[closed == nil]
			has(t, one, id, tenths, 0)
		}
		t.Logf("closed or not: %v", was)
		audited(t, one)
	})
}
