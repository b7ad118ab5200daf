package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func freeze(t *testing.T, db *store.DB, id ledger.Account, earns bool) {
	t.Helper()
	if testkit.Must(db.Freeze(t.Context(), id, "court order 7", earns))(t) {
		t.Errorf("%s was frozen before", id)
	}
}

// unfreeze ends a freeze, and reports whether the switch is on again.
func unfreeze(t *testing.T, db *store.DB, id ledger.Account) bool {
	t.Helper()
	resumed, repeated, err := db.Unfreeze(t.Context(), id, "order lifted")
	if ok(t, err); repeated {
		t.Errorf("%s was not frozen", id)
	}
	return resumed
}

// TestNothingLeavesAFrozenAccount, in an entry of any kind, dated back or not, with others
// or alone; what comes to it or stays in it is posted.
func TestNothingLeavesAFrozenAccount(t *testing.T) {
	const a, other = ledger.Account("alice"), ledger.Account("bob")
	trade := oneMove("trade", ledger.Trade, other, a, 1)
	trade.Moves = append(trade.Moves, ledger.Move{From: a, To: other, Asset: sol, Amount: coins(1)})
	back := oneMove("back", ledger.Transfer, a, other, 1)
	back.At = testkit.Moment(1, "12:00:01")
	swap := oneMove("swap", ledger.Trade, a, ledger.Desk, 1)
	swap.Moves = append(swap.Moves, ledger.Move{From: ledger.Desk, To: a, Asset: bnb, Amount: coins(1)})
	out := []ledger.Entry{
		oneMove("withdrawal", ledger.Withdrawal, a, ledger.Custody, 1),
		oneMove("withdrawal-held", ledger.Withdrawal, a.Held(), ledger.Custody, 1),
		oneMove("transfer", ledger.Transfer, a, other, 1), back, trade, swap,
		oneMove("trade-held", ledger.Trade, a.Held(), ledger.Desk, 1),
		oneMove("trade-free", ledger.Trade, a, ledger.Desk, 1),
		oneMove("hold", ledger.Hold, a, a.Held(), 1),
		request("w2", a, 1), completed("w1", a, 20),
	}
	stays := []ledger.Entry{
		oneMove("deposit", ledger.Deposit, ledger.Custody, a, 3), oneMove("gift", ledger.Transfer, other, a, 1),
		oneMove("bought", ledger.Trade, ledger.Desk, a, 1), oneMove("release", ledger.Release, a.Held(), a, 5),
		cancelled("w0", a, 10),
		oneMove("court", ledger.Adjustment, a, ledger.Custody, 2),
		oneMove("error", ledger.Adjustment, a.Held(), ledger.Custody, 2),
	}
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, a)
		open(t, db, other)
		for _, id := range []ledger.Account{a, other} {
			deposit(t, db, "b-"+string(id), id, 10, bnb, time.Time{})
		}
		deposit(t, db, "s", a, 10, sol, time.Time{})
		ok(t, refusal(post(t, db, oneMove("h", ledger.Hold, a, a.Held(), 10), request("w0", a, 10),
			request("w1", a, 20)), nil))
		already := oneMove("already", ledger.Transfer, a, other, 1)
		ok(t, refusal(post(t, db, already), nil))
		clock.Set(1, "12:30")
		freeze(t, db, a, true)
		if o := post(t, db, already)[0]; o.Err != nil || !o.Repeated {
			t.Errorf("what was posted before is answered %+v", o)
		}
		for _, together := range []bool{true, false} {
			for i, o := range posted(t, db, together, out...) {
				if !strings.Contains(fmt.Sprint(o.Err), "the account is frozen: alice: nothing leaves it until an "+
					"operator unfreezes it") {
					t.Errorf("%s, together %t: %v", out[i].ID, together, o.Err)
				}
			}
		}
		ok(t, refusal(post(t, db, stays...), nil))
		// A balance of a token that it had nothing of is frozen from its first entry on.
		deposit(t, db, "ada", a, 1, "ADA", time.Time{})
		ada := oneMove("ada-out", ledger.Withdrawal, a, ledger.Custody, 1)
		ada.Moves[0].Asset = "ADA"
		wants(t, post(t, db, ada)[0].Err, ledger.ErrFrozen)
		has(t, db, a, 100-40-1+3+1+1+5+10-2, 40-5-10-2)
		unfreeze(t, db, a)
		for i, o := range posted(t, db, false, append(out, ada)...) {
			if o.Err != nil {
				t.Errorf("%d: %v", i, o.Err)
			}
		}
		audited(t, db)
	})
}

// A freeze changes whole days: with earning off, none from its day on earns until the one
// after its end.
func TestWhatAFreezeLeavesOfTheSwitch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ids := []ledger.Account{"earns", "stops", "leaves", "never", "moves", "today"}
		for _, id := range ids {
			open(t, db, id)
			deposit(t, db, "d-"+string(id), id, 10, bnb, time.Time{})
			if id != "never" && id != "today" {
				on(t, db, id)
			}
		}
		clock.Set(3, "10:00")
		on(t, db, "today")
		for _, id := range ids {
			freeze(t, db, id, id == "earns")
		}
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(10), false))(t)
		clock.Set(4, "10:00")
		for _, id := range []ledger.Account{"stops", "never"} {
			_, err := db.Enroll(t.Context(), id, staking.Client{}, time.Time{})
			wants(t, err, ledger.ErrFrozen)
		}
		on(t, db, "earns") // it is on already
		off(t, db, "leaves")
		setRegion(t, db, "moves", "US")
		clock.Set(5, "10:00")
		settle(t, db, clock)
		for _, id := range ids {
			if resumed, wanted := unfreeze(t, db, id), id == "stops" || id == "today"; resumed != wanted {
				t.Errorf("%s is on again: %t", id, resumed)
			}
		}
		for id, want := range map[ledger.Account]string{
			"earns": ".xxxxxx", "stops": ".x...xx", "leaves": ".x.....", "never": ".......", "moves": ".x.....",
			"today": ".....xx",
		} {
			if got := covered(t, db, id, 7); got != want {
				t.Errorf("%s earns on %s; want %s", id, got, want)
			}
		}
		clock.Set(8, "00:10")
		settle(t, db, clock)
		if earned(t, db, "earns", bnb) == 0 || earned(t, db, "stops", bnb) == 0 || earned(t, db, "leaves", bnb) == 0 {
			t.Error("a day before or after the freeze has earned nothing")
		}
		audited(t, db)
		same(t, "the switch", switched(t, db, "stops"), []string{"on", "off: frozen", "on: unfrozen"})
		same(t, "the switch", switched(t, db, "leaves"), []string{"on", "off: frozen", "off"})
	})
}

func switched(t *testing.T, db *store.DB, id ledger.Account) (actions []string) {
	t.Helper()
	for _, p := range testkit.Must(reports.New(db.Reader()).SwitchEvents(t.Context(), id))(t) {
		actions = append(actions, p.Action)
	}
	return actions
}

func TestAFreezeIsIdempotentAndLogged(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		_, err := db.Freeze(ctx, "nobody", "why", true)
		wants(t, err, ledger.ErrNotFound)
		for _, reason := range []string{"", " ", "two\nlines", strings.Repeat("x", 201)} {
			_, err = db.Freeze(ctx, "alice", reason, true)
			wants(t, err, ledger.ErrInvalid)
		}
		if _, repeated, err := db.Unfreeze(ctx, "alice", "why"); err != nil || !repeated {
			t.Errorf("of an account that is not frozen: %t, %v", repeated, err)
		}
		freeze(t, db, "alice", false)
		clock.Set(1, "13:00")
		if !testkit.Must(db.Freeze(ctx, "alice", "another reason", false))(t) {
			t.Error("frozen again")
		}
		_, err = db.Freeze(ctx, "alice", "why", true)
		wants(t, err, ledger.ErrInvalid)
		if f := testkit.Must(db.Account(ctx, "alice"))(t).Freeze; f.Reason != "court order 7" || !f.Since.Equal(noon) ||
			f.Earns {
			t.Errorf("the freeze is %+v", f)
		}
		unfreeze(t, db, "alice")
		if f := testkit.Must(db.Account(ctx, "alice"))(t).Freeze; f != (store.Freeze{}) {
			t.Errorf("the freeze is %+v", f)
		}
		var lines []string
		for _, l := range logged(t, db, "account freeze", "account unfreeze") {
			lines = append(lines, l.Action+" "+l.Detail)
		}
		same(t, "the log", lines, []string{"account freeze earning off: court order 7", "account unfreeze order lifted"})
		ok(t, db.CloseAccount(ctx, "alice"))
		_, err = db.Freeze(ctx, "alice", "why", true)
		wants(t, err, ledger.ErrInvalid)
	})
}

// Transfers come from two processes while the account is frozen by one of them: none is
// posted after the freeze, whatever its process has read before.
func TestAFreezeAmongPostings(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		open(t, one, "alice")
		open(t, one, "bob")
		deposit(t, one, "d", "alice", 100, bnb, time.Time{})
		for round := range 20 {
			entries := make([]ledger.Entry, 6)
			for i := range entries {
				entries[i] = oneMove(fmt.Sprintf("t-%d-%d", round, i), ledger.Transfer, "alice", "bob", 1)
			}
			done := make(chan []store.Outcome, 1)
			go func() { done <- atOnce(t, []*store.DB{one, two, one, two, one, two}, entries) }()
			freeze(t, one, "alice", true)
			after := balanceOf(t, two, "bob")
			outcomes := <-done
			if now := balanceOf(t, one, "bob"); now != after {
				t.Fatalf("round %d: after the freeze bob has %d, and then %d: %v", round, after, now, outcomes)
			}
			unfreeze(t, two, "alice")
		}
		audited(t, one)
	})
}

func balanceOf(t *testing.T, db *store.DB, id ledger.Account) ledger.Amount {
	t.Helper()
	for _, b := range testkit.Must(reports.New(db.Reader()).Balances(t.Context(), id))(t) {
		if b.Asset == bnb {
			return b.Free
		}
	}
	return 0
}

// A deposit that makes the account's first balance of a token is not committed when the
// account is frozen: the balance is marked all the same.
func TestAFreezeWaitsForADeposit(t *testing.T) {
	twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
		e := oneMove("d", ledger.Deposit, ledger.Custody, "alice", 10)
		g := shut(t, url, "INSERT INTO entries (bucket, entry, at, posted_at, digest) VALUES ($1, $2, 0, 0, '')",
			e.Bucket(), e.ID)
		posted := later(t, one, e)
		g.waiting(1)
		frozen := make(chan error, 1)
		go func() { _, err := two.Freeze(t.Context(), "alice", "why", true); frozen <- err }()
		g.waiting(2)
		g.open()
		ok(t, (<-posted).Err)
		ok(t, <-frozen)
		wants(t, post(t, one, oneMove("w", ledger.Withdrawal, "alice", ledger.Custody, 10))[0].Err, ledger.ErrFrozen)
	})
}
