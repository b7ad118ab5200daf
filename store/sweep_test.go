package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func free(t *testing.T, db *store.DB, id ledger.Account, asset string) ledger.Amount {
	t.Helper()
	for _, b := range testkit.Must(reports.New(db.Reader()).Balances(t.Context(), id))(t) {
		if b.Asset == asset {
			return b.Free
		}
	}
	return 0
}

// An account that is swept is closed at once, and its last rewards go where the rest went.
func TestTheLastRewardsAreSweptToo(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob", "carol", "dora"} {
			open(t, db, id)
		}
		testkit.Must(db.Fund(ctx, "f", bnb, coins(10), false))(t)
		deposit(t, db, "d-1", "alice", 200, bnb, time.Time{})
		deposit(t, db, "d-2", "alice", 7, sol, time.Time{})
		on(t, db, "alice")
		clock.Set(3, "12:00") // Day 2 is not paid yet, and of SOL it will not be for long
		wants(t, failure(db.SweepAccount(ctx, "alice", "alice")), ledger.ErrInvalid)
		wants(t, failure(db.SweepAccount(ctx, "alice", "@desk")), ledger.ErrInvalid)
		wants(t, failure(db.SweepAccount(ctx, "alice", "nobody")), ledger.ErrNotFound)
		wants(t, failure(db.SweepAccount(ctx, "nobody", "bob")), ledger.ErrNotFound)
		ok(t, db.CloseAccount(ctx, "carol"))
		wants(t, failure(db.SweepAccount(ctx, "alice", "carol")), ledger.ErrInvalid)

		s := testkit.Must(db.As(olga).SweepAccount(ctx, "alice", "bob"))(t)
		if s.Unpaid != day1+1 || s.Refused != "" {
			t.Errorf("it is swept with %+v", s)
		}
		same(t, "moved", s.Moved, []store.Swept{{Entry: "close/alice/1", Asset: bnb, Amount: coins(2000)},
			{Entry: "close/alice/1", Asset: sol, Amount: coins(70)}})
		if again := testkit.Must(db.SweepAccount(ctx, "alice", "bob"))(t); len(again.Moved) != 0 || again.Unpaid != day1+1 {
			t.Errorf("swept again it is %+v", again)
		}
		stolen := backEnd(t, db, "enrollment=0/day")
		wants(t, failure(stolen.SweepAccount(ctx, "alice", "dora")), access.ErrCeiling) // another target counts as a switch
		if a := testkit.Must(db.Account(ctx, "alice"))(t); !a.Closed.Equal(testkit.Moment(3, "12:00")) {
			t.Errorf("alice is closed since %s", a.Closed)
		}
		wants(t, failure(db.Enroll(ctx, "alice", staking.Client{}, time.Time{})), ledger.ErrInvalid)
		wants(t, refusal(post(t, db, oneMove("x", ledger.Deposit, ledger.Custody, "alice", 1)), nil), ledger.ErrInvalid)
		wants(t, refusal(post(t, db, oneMove("close/alice/2", ledger.Transfer, "alice", "bob", 1)), nil), ledger.ErrInvalid)
		if got := covered(t, db, "alice", 5); got != ".x..." {
			t.Errorf("it covers %s", got)
		}

		settle(t, db, clock)
		paid := earned(t, db, "alice", bnb)
		if paid == 0 || free(t, db, "alice", bnb) != 0 || free(t, db, "bob", bnb) != coins(2000)+paid {
			t.Errorf("of %d earned alice has %d, and bob %d", paid, free(t, db, "alice", bnb), free(t, db, "bob", bnb))
		}
		s, is, err := reports.New(db.Reader()).SweepOf(ctx, "alice")
		if ok(t, err); !is || s.Unpaid != day1+1 || s.Target != "bob" {
			t.Errorf("SOL of Day 2 waits, and it is %+v, %t", s, is)
		}
		clock.Set(5, "12:00")
		testkit.Must(db.Fund(ctx, "g", sol, coins(10), false))(t)
		settle(t, db, clock)
		if got := free(t, db, "bob", sol); got != coins(70)+earned(t, db, "alice", sol) || free(t, db, "alice", sol) != 0 {
			t.Errorf("bob has %d SOL", got)
		}
		s, is, err = reports.New(db.Reader()).SweepOf(ctx, "alice")
		if ok(t, err); is || s.Unpaid != 0 || len(s.Left) == 0 {
			t.Errorf("nothing is to come, and it is %+v, %t", s, is)
		}
		sweptLines(t, db)
		audited(t, db)
	})
}

// sweptLines are what the log says of a sweep.
func sweptLines(t *testing.T, db *store.DB) {
	t.Helper()
	var said []string
	for _, line := range testkit.Must(reports.New(db.Reader()).Log(t.Context(), noon, 99))(t) {
		if line.Subject == "alice" {
			said = append(said, line.Action+": "+line.Detail)
		}
	}
	for _, want := range []string{
		"account close: what it has and is still to come goes to bob",
		"account sweep: 200 BNB, 7 SOL to bob as close/alice/1",
		"account sweep: nothing is left, and nothing is to come",
	} {
		if !slices.Contains(said, want) {
			t.Errorf("the log says %q; %q is missing", said, want)
		}
	}
}

// What is held keeps an account open, and nothing of it is moved.
func TestWhatIsHeldIsNotSwept(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		on(t, db, "alice")
		deposit(t, db, "d", "alice", 10, bnb, time.Time{})
		ok(t, refusal(post(t, db, request("w1", "alice", 10)), nil))
		err := failure(db.SweepAccount(ctx, "alice", "bob"))
		if wants(t, err, ledger.ErrInvalid); !strings.Contains(err.Error(), "complete or cancel the withdrawals first") {
			t.Errorf("the refusal is %v", err)
		}
		if s := holder(t, db, "alice", reports.Eligibility); len(s.Enrollments) != 1 {
			t.Error("a refused closing switches off")
		}
		ok(t, refusal(post(t, db, completed("w1", "alice", 10)), nil))
		if s := testkit.Must(db.SweepAccount(ctx, "alice", "bob"))(t); s.Unpaid != 0 || len(s.Moved) != 1 {
			t.Errorf("it is %+v", s)
		}
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM sweeps"))(t); n != 0 {
			t.Error("nothing is to come, and it is still being swept")
		}
	})
}

// A target that is closed before the last reward keeps nothing from the others: the
// reward stays where it is until another target is named.
func TestATargetThatIsClosedBeforeThePayment(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
		}
		testkit.Must(db.Fund(ctx, "f", bnb, coins(10), false))(t)
		deposit(t, db, "d-1", "alice", 200, bnb, time.Time{})
		on(t, db, "alice")
		clock.Set(3, "12:00")
		testkit.Must(db.SweepAccount(ctx, "alice", "bob"))(t)
		testkit.Must(db.SweepAccount(ctx, "bob", "carol"))(t)
		if r := settle(t, db, clock); len(r.Waiting) != 0 {
			t.Errorf("%v waits", r.Waiting)
		}
		s, is, err := reports.New(db.Reader()).SweepOf(ctx, "alice")
		if ok(t, err); !is || !strings.Contains(s.Refused, "account bob is closed") || free(t, db, "alice", bnb) == 0 {
			t.Errorf("it is %+v, %t", s, is)
		}
		stolen := backEnd(t, db, "trades:BNB=0/day") // the reward that bob did not get would go to another
		wants(t, failure(stolen.SweepAccount(ctx, "alice", "carol")), access.ErrCeiling)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := db.SweepAccount(ctx, "alice", "carol"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := free(t, db, "carol", bnb); got != coins(2000)+earned(t, db, "alice", bnb) {
			t.Errorf("carol has %d", got)
		}
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM sweeps"))(t); n != 0 {
			t.Errorf("%d accounts are being swept", n)
		}
		audited(t, db)
	})
}

// Deposits that come while an account is being swept are in the books before, and then
// swept, or refused.
func TestASweepAmongPostings(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		on(t, db, "alice")
		var all sync.WaitGroup
		var mu sync.Mutex
		posted := ledger.Amount(0)
		for i := range 12 {
			all.Go(func() {
				e := ledger.Entry{ID: fmt.Sprint("d-", i), Kind: ledger.Deposit, Moves: oneBNB(ledger.Custody, "alice")}
				if i == 6 {
					if _, err := db.SweepAccount(ctx, "alice", "bob"); err != nil {
						t.Error(err)
					}
					return
				}
				outcomes, err := db.Post(ctx, []ledger.Entry{e})
				if err != nil {
					t.Error(err)
				} else if outcomes[0].Err == nil {
					mu.Lock()
					posted += coins(10)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if a, b := free(t, db, "alice", bnb), free(t, db, "bob", bnb); a != 0 || b != posted {
			t.Errorf("of %d alice has %d and bob %d", posted, a, b)
		}
	})
}

// TestASweepThatWasChanged: what a closed account has goes nowhere where somebody has changed its target by SQL, until
// it is closed with a target again.
func TestASweepThatWasChanged(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob", "mallory"} {
			open(t, db, id)
		}
		testkit.Must(db.Fund(ctx, "f", bnb, coins(10), false))(t)
		deposit(t, db, "d-1", "alice", 200, bnb, time.Time{})
		on(t, db, "alice")
		clock.Set(3, "12:00") // Day 2 is not paid yet
		testkit.Must(db.SweepAccount(ctx, "alice", "bob"))(t)
		swept := func() bool {
			t.Helper()
			_, is, err := reports.New(db.Reader()).SweepOf(ctx, "alice")
			ok(t, err)
			return is
		}
		same(t, "swept", swept(), true)
		testkit.Must(db.Exec(ctx, "UPDATE sweeps SET target = 'mallory'"))(t)
		same(t, "swept when it was changed", swept(), false)
		settle(t, db, clock)
		left := free(t, db, "alice", bnb)
		if left == 0 || free(t, db, "mallory", bnb) != 0 {
			t.Errorf("alice has %d of BNB, and mallory %d", left, free(t, db, "mallory", bnb))
		}
		forged := 0
		testkit.Must(db.Guard().Examine(ctx, db.Engine().Read, func(f integrity.Forged) { forged++ }))(t)
		same(t, "rows that the audit finds", forged, 1)
		before := free(t, db, "bob", bnb)
		testkit.Must(db.SweepAccount(ctx, "alice", "bob"))(t)
		same(t, "what bob has got", free(t, db, "bob", bnb)-before, left)
	})
}
