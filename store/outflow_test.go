package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// payer is a back end that completes withdrawals, without a ceiling.
var payer = access.Actor{Role: access.Exchange, Parts: access.AllParts, Credential: "token PPPPPPPPPPPP"}

// operator is a person with the token of an operator.
func operator(person string) access.Actor {
	return access.Actor{Role: access.Operator, Credential: "token OOOOOOOOOOOO", Person: person}
}

// withLargeWithdrawals are books with four eyes, on which a withdrawal of 5 BNB needs approval, and holders with 100
// BNB.
func withLargeWithdrawals(t *testing.T, db *store.DB, holders ...ledger.Account) {
	t.Helper()
	for _, id := range holders {
		open(t, db, id)
		deposit(t, db, "d-"+string(id), id, 100, bnb, noon)
	}
	ok(t, db.SetLimit(t.Context(), staking.Limit{Asset: bnb, MaxWithdrawal: 5 * unit}))
	ok(t, db.As(proposer).SetFourEyes(t.Context(), true))
}

// requested requests a withdrawal of some tenths of a BNB, and is the entry that completes it.
func requested(t *testing.T, db *store.DB, id string, of ledger.Account, tenths int64, to string) ledger.Entry {
	t.Helper()
	address, tag, _ := strings.Cut(to, "#")
	w := store.Withdrawal{ID: id, Account: of, Asset: bnb, Amount: ledger.Amount(tenths) * unit / 10, Address: address,
		Tag: tag}
	testkit.Must(db.Withdraw(t.Context(), w))(t)
	return w.Ending(ledger.WithdrawalCompleted)
}

// TestSplitWithdrawalsAreAddedUp: over a day, of an account, of a destination and of a member of staff. The one that
// reaches the amount needs approval, and then counts in no sum.
func TestSplitWithdrawalsAreAddedUp(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, n := t.Context(), 0
		withLargeWithdrawals(t, db, "alice", "bob", "carol", "dora")
		complete := func(by access.Actor, of ledger.Account, tenths int64, to string) (ledger.Entry, error) {
			n++
			e := requested(t, db, fmt.Sprintf("w-%02d", n), of, tenths, to)
			return e, failure(db.As(by).PostAll(ctx, []ledger.Entry{e}))
		}
		for i, c := range []struct {
			by     access.Actor
			of     ledger.Account
			tenths int64
			to     string
			want   error
		}{
			{payer, "alice", 30, "0xaa", nil},
			{payer, "alice", 20, "0xab", control.ErrNeedsApproval}, // wherever it goes
			{payer, "alice", 19, "0xab", nil},
			{payer, "bob", 21, "0xAa", control.ErrNeedsApproval}, // whoever withdraws, and however it is written
			{payer, "bob", 19, "0xAA", nil},
			{payer, "bob", 1, "0xaA", control.ErrNeedsApproval},
			{payer, "bob", 1, "0xaA#7", control.ErrNeedsApproval}, // with whatever tag
			{payer, "bob", 30, "", nil},                           // a destination that is not known
			{proposer, "carol", 30, "0xac", nil},
			{proposer, "dora", 20, "0xad", control.ErrNeedsApproval},         // whoever's and wherever, by one person
			{operator("olga"), "dora", 20, "0xad", control.ErrNeedsApproval}, // with another credential too
			{operator("bob"), "dora", 20, "0xad", nil},
		} {
			if _, err := complete(c.by, c.of, c.tenths, c.to); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%d: %v, not %v", i, err, c.want)
			}
		}
		e, err := complete(proposer, "alice", 20, "0xae")
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatal(err)
		}
		p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
		testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		ok(t, failure(db.As(proposer).PostAll(ctx, []ledger.Entry{e}))) // it repeats what was approved
		if _, err := complete(proposer, "dora", 19, "0xae"); err != nil {
			t.Errorf("what was approved counts: %v", err)
		}
		clock.Set(2, "00:00")
		for _, of := range []ledger.Account{"alice", "bob"} {
			if _, err := complete(payer, of, 20, "0xaa"); err != nil {
				t.Errorf("on the next day: %v", err)
			}
		}
		clean(t, db, clock)
	})
}

// TestABatchSplitsNoWithdrawal: entries that are each below the amount are added up in one call too, in its order,
// also those of one plain withdrawal; an atomic call is refused whole.
func TestABatchSplitsNoWithdrawal(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		withLargeWithdrawals(t, db, "alice", "bob")
		var batch []ledger.Entry
		for i := range 4 {
			batch = append(batch, requested(t, db, fmt.Sprint("w-", i), "alice", 20, "0xaa"))
		}
		_, err := db.As(payer).PostAll(ctx, batch)
		wants(t, err, control.ErrNeedsApproval)
		has(t, db, "alice", 1000-80, 80)
		for i, o := range testkit.Must(db.As(payer).Post(ctx, batch))(t) {
			if (o.Err == nil) != (i < 2) || i >= 2 && !strings.Contains(o.Err.Error(), "post it alone") {
				t.Errorf("%d: %v", i, o.Err)
			}
		}
		twice := ledger.Entry{ID: "p-1", Kind: ledger.Withdrawal}
		for range 2 {
			twice.Moves = append(twice.Moves, ledger.Move{From: "bob", To: ledger.Custody, Asset: bnb, Amount: 3 * unit})
		}
		wants(t, refusal(db.As(payer).Post(ctx, []ledger.Entry{twice})), control.ErrNeedsApproval)
		clean(t, db, clock)
	})
}

// TestSplitWithdrawalsInTwoProcesses: of two that are completed at the same time, when neither is counted yet, one is
// decided again.
func TestSplitWithdrawalsInTwoProcesses(t *testing.T) {
	twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
		withLargeWithdrawals(t, one, "alice", "bob")
		first := requested(t, one, "w-1", "alice", 30, "0xaa")
		second := requested(t, one, "w-2", "bob", 30, "0xaa")
		g := shut(t, url, "LOCK TABLE ceilings_used IN SHARE MODE") // it is read, and not written
		done := []<-chan store.Outcome{later(t, one.As(payer), first), later(t, two.As(payer), second)}
		g.waiting(2)
		g.open()
		refused := 0
		for _, d := range done {
			if o := <-d; errors.Is(o.Err, control.ErrNeedsApproval) {
				refused++
			} else {
				ok(t, o.Err)
			}
		}
		same(t, "refused of 3 BNB and 3 BNB, where 5 BNB need approval", refused, 1)
	})
}
