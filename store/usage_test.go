package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// backEnd are the books as a back end's token with ceilings has them.
func backEnd(t *testing.T, db *store.DB, ceilings ...string) *store.DB {
	t.Helper()
	token := newToken(t, access.Exchange, "")
	token.Parts, token.Ceilings = access.AllParts, testkit.Must(access.ParseCeilings(access.AllParts, ceilings...))(t)
	ok(t, db.People().AddToken(t.Context(), token))
	return db.As(testkit.Must(db.People().Token(t.Context(), token.ID))(t).Actor())
}

// TestACeilingHoldsForADay: what is accepted counts, once, and begins again at midnight.
func TestACeilingHoldsForADay(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		stolen := backEnd(t, db, "deposits:BNB=10/day")
		deposit := func(id string, tenths int64) ledger.Entry {
			return oneMove(id, ledger.Deposit, ledger.Custody, "alice", tenths)
		}
		ok(t, refusal(post(t, stolen, deposit("d-1", 60)), nil))
		err := refusal(post(t, stolen, deposit("d-2", 50)), nil)
		wants(t, err, access.ErrCeiling)
		for _, said := range []string{"of 10 BNB (deposits) a day, 4 are left for token ", "5 are needed",
			"again at 2026-03-03T00:00:00.000Z"} {
			if !strings.Contains(err.Error(), said) {
				t.Errorf("%q is not in %v", said, err)
			}
		}
		if e, is := errors.AsType[*ledger.Error](err); !is || e.Field != "moves[0].amount" {
			t.Errorf("the field is not named: %v", err)
		}
		ok(t, refusal(post(t, stolen, deposit("d-1", 60)), nil)) // it repeats what was posted
		// What is dated back counts today, in which it is posted.
		back := deposit("d-3", 30)
		back.At = clock.Now().Add(-time.Hour)
		ok(t, refusal(post(t, stolen, back), nil))
		// Of several together the first that fit, and of an atomic call none.
		outcomes := post(t, stolen, deposit("d-4", 7), deposit("d-5", 4), deposit("d-6", 3))
		for i, wanted := range []error{nil, access.ErrCeiling, nil} {
			wants(t, outcomes[i].Err, wanted)
		}
		wants(t, refusal(post(t, stolen, deposit("d-7", 1)), nil), access.ErrCeiling)
		ok(t, refusal(post(t, db, deposit("d-8", 1000)), nil)) // another's
		has(t, db, "alice", 60+30+10+1000, 0)

		clock.Set(2, "00:00")
		_, err = stolen.PostAll(t.Context(), []ledger.Entry{deposit("d-9", 60), deposit("d-10", 41)})
		wants(t, err, access.ErrCeiling)
		ok(t, refusal(post(t, stolen, deposit("d-11", 100)), nil))
		wants(t, refusal(post(t, stolen, deposit("d-12", 1)), nil), access.ErrCeiling)
		clean(t, db, clock)
	})
}

// TestWhatACeilingCounts: what leaves one holder for another, or the books. What is refused for another reason counts
// nothing.
func TestWhatACeilingCounts(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		open(t, db, "bob")
		ok(t, refusal(post(t, db, oneMove("d-1", ledger.Deposit, ledger.Custody, "alice", 1000)), nil))
		stolen := backEnd(t, db, "trades:BNB=1/day", "withdrawals:BNB=2/day", "deposits:*=0%/day")
		for i, c := range []struct {
			kind     ledger.Kind
			from, to ledger.Account
			tenths   int64
			want     error
		}{
			{ledger.Deposit, ledger.Custody, "alice", 1, access.ErrCeiling},
			{ledger.Hold, "alice", "alice/held", 500, nil}, {ledger.Release, "alice/held", "alice", 500, nil},
			{ledger.Transfer, "bob", "alice", 9, ledger.ErrInsufficient},
			{ledger.Transfer, "alice", "bob", 6, nil}, {ledger.Trade, "alice", "bob", 5, access.ErrCeiling},
			{ledger.Trade, "alice", "bob", 4, nil}, {ledger.Transfer, "alice", "bob", 1, access.ErrCeiling},
			{ledger.WithdrawalRequest, "alice", "alice/held", 15, nil},
			{ledger.Withdrawal, "alice", ledger.Custody, 6, access.ErrCeiling},
			{ledger.WithdrawalRequest, "alice", "alice/held", 5, nil},
		} {
			id := fmt.Sprint("e-", i)
			if c.kind == ledger.WithdrawalRequest {
				id = "alice/" + id
			}
			if err := refusal(post(t, stolen, oneMove(id, c.kind, c.from, c.to, c.tenths)), nil); !errors.Is(err, c.want) ||
				(err == nil) != (c.want == nil) {
				t.Errorf("%d: %s of %d tenths: %v", i, c.kind, c.tenths, err)
			}
		}
		// Completing is counted apart from requesting: the same 2 BNB may be completed on that day.
		ok(t, refusal(post(t, stolen, completed("alice/e-8", "alice", 15)), nil))
		clean(t, db, clock)
	})
}

// TestTradesWithTheDeskHaveTheirOwnCeiling: they mint or take, and so they count to it as well as to that of trades,
// either way. Of a token from before there was that ceiling it is what is usual.
func TestTradesWithTheDeskHaveTheirOwnCeiling(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		open(t, db, "bob")
		ok(t, refusal(post(t, db, oneMove("d-1", ledger.Deposit, ledger.Custody, "alice", 1000)), nil))
		stolen := backEnd(t, db, "trades:BNB=10/day", "desk:BNB=1/day", "desk:SOL=0/day")
		n := 0
		trade := func(moves ...ledger.Move) error {
			n++
			return refusal(post(t, stolen, ledger.Entry{ID: fmt.Sprint("t-", n), Kind: ledger.Trade, Moves: moves}), nil)
		}
		tenths := func(from, to ledger.Account, n int64) ledger.Move {
			return oneMove("", ledger.Trade, from, to, n).Moves[0]
		}
		ok(t, trade(tenths(ledger.Desk, "bob", 4)))
		ok(t, trade(tenths("alice", ledger.Desk, 5)))
		err := trade(tenths("alice", "bob", 1), tenths(ledger.Desk, "bob", 2))
		wants(t, err, access.ErrCeiling)
		if !strings.Contains(err.Error(), "of 1 BNB (desk) a day, 0.1 are left for token ") {
			t.Error(err)
		}
		wants(t, trade(tenths("alice", "bob", 1), ledger.Move{From: ledger.Desk, To: "bob", Asset: "SOL", Amount: 1}),
			access.ErrCeiling)
		ok(t, trade(tenths(ledger.Desk, "bob", 1)))
		wants(t, trade(tenths("bob", ledger.Desk, 1)), access.ErrCeiling)
		ok(t, trade(tenths("alice", "bob", 90))) // beside @desk all of what trades may move
		wants(t, trade(tenths("alice", "bob", 1)), access.ErrCeiling)

		stored := ceilingsOf(t, db)
		write := func(ceilings access.Ceilings) {
			ok(t, failure(db.Exec(t.Context(), "UPDATE tokens SET ceilings = $1", string(ceilings))))
		}
		write("deposits:*=1%/day,trades:*=1%/day") // as one that was made before
		old := db.As(onlyToken(t, db).Actor())
		mints := func(tenths int64) error {
			return refusal(post(t, old, oneMove(fmt.Sprint("o-", tenths), ledger.Trade, ledger.Desk, "bob", tenths)), nil)
		}
		wants(t, mints(1_999_991), access.ErrCeiling)
		ok(t, mints(1_999_990)) // with the 1 BNB before, 0.1 % of 200 million
		write(stored)
		clean(t, db, clock)
	})
}

// TestACeilingOfAccounts: what is opened counts, and what is open does not.
func TestACeilingOfAccounts(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		stolen := backEnd(t, db, "accounts=3/day")
		open(t, stolen, "alice")
		open(t, stolen, "alice")
		_, err := stolen.OpenOrFind(ctx, []store.Account{{ID: "alice"}, {ID: "bob"}, {ID: "carol"}, {ID: "dora"}})
		wants(t, err, access.ErrCeiling)
		if !strings.Contains(err.Error(), "of 3 new accounts a day, 2 are left for token ") {
			t.Error(err)
		}
		_, err = db.Account(ctx, "bob")
		wants(t, err, ledger.ErrNotFound)
		ok(t, stolen.OpenAccounts(ctx, []store.Account{{ID: "alice"}, {ID: "bob"}, {ID: "carol"}}))
		_, err = stolen.OpenOwned(ctx, "dora", "DE", "eve")
		wants(t, err, access.ErrCeiling)
		open(t, db, "dora") // another may
		clock.Set(2, "00:00")
		open(t, stolen, "erin")
		clean(t, db, clock)
	})
}

// TestClosingAnAccountCounts: what it moves to another counts as a transfer, and the closing counts as a switch, as a
// change of a residence does. What is over either ceiling closes nothing.
func TestClosingAnAccountCounts(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob", "carol", "dora", "mallory"} {
			open(t, db, id)
		}
		deposit(t, db, "d-1", "alice", 100, bnb, time.Time{})
		deposit(t, db, "d-2", "bob", 6, bnb, time.Time{})
		deposit(t, db, "d-3", "bob", 1, sol, time.Time{})
		deposit(t, db, "d-4", "carol", 6, bnb, time.Time{})
		part := db.As(access.Actor{Role: access.Exchange, Parts: access.Enrollment, Credential: "token AAAAAAAAAAAA"})
		err := failure(part.SweepAccount(ctx, "bob", "mallory"))
		if wants(t, err, access.ErrForbidden); ledger.ReasonOf(err) != control.ReasonPart {
			t.Errorf("the part enrollment alone moves what an account has: %v", err)
		}
		stolen := backEnd(t, db, "trades:BNB=10/day", "enrollment=3/day")
		wants(t, failure(stolen.SweepAccount(ctx, "alice", "mallory")), access.ErrCeiling)
		if a := testkit.Must(db.Account(ctx, "alice"))(t); !a.Closed.IsZero() {
			t.Error("it is refused, and alice is closed")
		}
		has(t, db, "alice", 1000, 0)
		testkit.Must(stolen.SweepAccount(ctx, "bob", "mallory"))(t)
		testkit.Must(stolen.SweepAccount(ctx, "bob", "mallory"))(t) // which moves nothing, and counts nothing
		has(t, db, "mallory", 60, 0)
		wants(t, failure(stolen.SweepAccount(ctx, "carol", "mallory")), access.ErrCeiling)
		wants(t, refusal(post(t, stolen, oneMove("t", ledger.Transfer, "carol", "mallory", 50)), nil), access.ErrCeiling)
		ok(t, stolen.CloseAccount(ctx, "dora"))
		testkit.Must(stolen.SetRegion(ctx, "alice", "FR"))(t)
		testkit.Must(stolen.SetRegion(ctx, "alice", "FR"))(t) // it is so already
		wants(t, failure(stolen.SetRegion(ctx, "alice", "DE")), access.ErrCeiling)
		wants(t, stolen.Leave(ctx, "alice", staking.Client{}, time.Time{}), nil) // it is off: nothing changes
		clock.Set(2, "12:00")
		testkit.Must(stolen.SweepAccount(ctx, "carol", "mallory"))(t)
		clean(t, db, clock)
	})
}

// TestACeilingHoldsInTwoProcesses: what they post at the same time is together not more.
func TestACeilingHoldsInTwoProcesses(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		open(t, one, "alice")
		stolen := backEnd(t, one, "deposits:BNB=10/day")
		books := []*store.DB{stolen, two.As(access.Actor{Role: access.Exchange, Parts: access.AllParts,
			Credential: credentialOf(t, one), Ceilings: ceilingsOf(t, one)})}
		var accepted atomic.Int64
		var callers sync.WaitGroup
		for i := range 40 {
			callers.Go(func() {
				outcomes, err := books[i%2].Post(t.Context(), []ledger.Entry{
					oneMove(fmt.Sprint("d-", i), ledger.Deposit, ledger.Custody, "alice", 10)})
				switch {
				case err != nil:
					t.Error(err)
				case outcomes[0].Err == nil:
					accepted.Add(1)
				case !errors.Is(outcomes[0].Err, access.ErrCeiling):
					t.Error(outcomes[0].Err)
				}
			})
		}
		callers.Wait()
		if n := accepted.Load(); n != 10 {
			t.Errorf("%d deposits of 1 BNB are accepted, and the ceiling is 10", n)
		}
		has(t, one, "alice", 100, 0)
		clean(t, one, clock)
	})
}

func onlyToken(t *testing.T, db *store.DB) access.Token {
	t.Helper()
	return testkit.Must(db.People().Tokens(t.Context()))(t)[0]
}

func credentialOf(t *testing.T, db *store.DB) string { return onlyToken(t, db).Actor().Credential }

func ceilingsOf(t *testing.T, db *store.DB) access.Ceilings { return onlyToken(t, db).Ceilings }

// TestACeilingOfSwitches counts what is changed, and not what is so already.
func TestACeilingOfSwitches(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
		}
		stolen := backEnd(t, db, "enrollment=3/day")
		on(t, stolen, "alice")
		on(t, stolen, "alice")
		clock.Advance(time.Minute)
		off(t, stolen, "alice")
		_, err := stolen.EnrollBatch(t.Context(), []store.EnrollRequest{{Account: "bob"}, {Account: "carol"}})
		wants(t, err, access.ErrCeiling)
		if !strings.Contains(err.Error(), "of 3 switches a day, 1 are left for token ") {
			t.Error(err)
		}
		on(t, stolen, "bob")
		_, err = stolen.Enroll(t.Context(), "carol", staking.Client{}, time.Time{})
		wants(t, err, access.ErrCeiling)
		wants(t, stolen.Leave(t.Context(), "bob", staking.Client{}, time.Time{}), access.ErrCeiling)
		off(t, db, "bob") // another may
		clock.Set(2, "12:00")
		on(t, stolen, "carol")
	})
}

// TestCeilingsOfWhatIsNotKept are refused when the token is made.
func TestCeilingsOfWhatIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		for line, wanted := range map[string]error{
			"deposits:NOPE=1/day": ledger.ErrNotFound, "deposits:BNB=0.123456789/day": ledger.ErrInvalid,
			"deposits:BNB=-1/day": ledger.ErrInvalid, "deposits:BNB=0.12345678/day": nil,
		} {
			token := newToken(t, access.Exchange, "")
			token.Parts, token.Ceilings = access.AllParts, testkit.Must(access.ParseCeilings(access.AllParts, line))(t)
			if err := db.People().AddToken(t.Context(), token); !errors.Is(err, wanted) {
				t.Errorf("%s: %v", line, err)
			}
		}
	})
}

// TestOldUsageIsRemoved, and what counts today is not.
func TestOldUsageIsRemoved(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		stolen := backEnd(t, db, "deposits:BNB=1/day")
		deposit := func(id string) error {
			return refusal(post(t, stolen, oneMove(id, ledger.Deposit, ledger.Custody, "alice", 10)), nil)
		}
		ok(t, deposit("d-1"))
		ok(t, db.Prune(t.Context(), people.Retention{}))
		wants(t, deposit("d-2"), access.ErrCeiling)
		clock.Advance(31 * 24 * time.Hour)
		ok(t, deposit("d-3"))
		ok(t, db.Prune(t.Context(), people.Retention{}))
		if n := testkit.Must(db.Count(t.Context(), "SELECT count(*) FROM ceilings_used"))(t); n != 1 {
			t.Errorf("there are %d rows", n)
		}
	})
}

// What has left accounts on a day is kept while that day is open, however long that is, and not for long after it.
func TestWhatHasLeftIsKeptWhileItsDayIsOpen(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		rich(t, db)
		ok(t, refusal(post(t, db, oneMove("t-1", ledger.Transfer, "alice", "bob", 10)), nil))
		rows := func() int64 {
			ok(t, db.Prune(t.Context(), people.Retention{}))
			return testkit.Must(db.Count(t.Context(), "SELECT count(*) FROM ceilings_used"))(t)
		}
		clock.Advance(40 * 24 * time.Hour)
		same(t, "while it is open", rows(), 1)
		audited(t, db)
		settle(t, db, clock)
		same(t, "after it was closed", rows(), 0)
		audited(t, db)
	})
}

// BenchmarkPostWithCeilings compares group commits of 100 deposits by tokens without ceilings and with.
func BenchmarkPostWithCeilings(b *testing.B) {
	with, err := access.ParseCeilings(access.AllParts, "deposits:*=100%/day")
	if err != nil {
		b.Fatal(err)
	}
	for name, ceilings := range map[string]access.Ceilings{"without": "", "with": with} {
		b.Run(name, func(b *testing.B) {
			clock := testkit.NewClock(noon)
			tokens, err := staking.ShippedTokens(day1)
			if err != nil {
				b.Fatal(err)
			}
			db, err := store.Create(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "books.db"), options(clock),
				store.Setup{From: day1, Tokens: tokens, Documents: staking.ShippedDocuments(),
					Limits: staking.NoLimit})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				if err := db.Close(); err != nil {
					b.Error(err)
				}
			})
			if _, err := db.OpenAccount(b.Context(), "alice", "DE"); err != nil {
				b.Fatal(err)
			}
			books, n := db.As(access.Actor{Role: access.Exchange, Parts: access.AllParts, Credential: "token AAAAAAAAAAAA",
				Ceilings: ceilings}), 0
			for b.Loop() {
				entries := make([]ledger.Entry, 100)
				for i := range entries {
					n++
					entries[i] = oneMove(fmt.Sprint("d-", n), ledger.Deposit, ledger.Custody, "alice", 1)
				}
				if err := refusal(books.Post(b.Context(), entries)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
