package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// What becomes of entries of one ID that callers post at one moment: as if they had
// come one by one. Alice has two coins.
func TestOneIDInOneCommit(t *testing.T) {
	much := oneMove("x", ledger.Withdrawal, "alice", ledger.Custody, 50)
	little := oneMove("x", ledger.Withdrawal, "alice", ledger.Custody, 5)
	toBob := oneMove("x", ledger.Deposit, ledger.Custody, "bob", 5)
	unknown := oneMove("x", ledger.Deposit, ledger.Custody, "bob", 5)
	unknown.Moves[0].Asset = "DOGE"
	nobody := oneMove("x", ledger.Deposit, ledger.Custody, "nobody", 5)
	dated := func(e ledger.Entry, at time.Time) ledger.Entry { e.At = at; return e }
	bad := oneMove("bad", ledger.Withdrawal, "alice", ledger.Custody, 999)
	call := func(entries ...ledger.Entry) store.Call { return store.Call{Entries: entries} }
	whole := func(entries ...ledger.Entry) store.Call { return store.Call{Entries: entries, Atomic: true} }
	short, invalid, conflict, repeated := ledger.ErrInsufficient, ledger.ErrInvalid, ledger.ErrConflict,
		errors.New("repeated")
	cases := []struct {
		what       string
		calls      []store.Call
		want       [][]error // nil: it is posted
		alice, bob int64
	}{
		{"too much, then another", []store.Call{call(much), call(toBob)}, [][]error{{short}, {nil}}, 20, 5},
		{"too much, then less", []store.Call{call(much), call(little)}, [][]error{{short}, {nil}}, 15, 0},
		{"too much, then enough came", []store.Call{call(much),
			call(oneMove("d", ledger.Deposit, ledger.Custody, "alice", 30)), call(much)},
			[][]error{{short}, {nil}, {nil}}, 0, 0},
		{"too much, then as much", []store.Call{call(much), call(much)}, [][]error{{short}, {short}}, 20, 0},
		{"too much, then too late", []store.Call{call(much), call(dated(toBob, testkit.Moment(0, "23:00")))},
			[][]error{{short}, {ledger.ErrDayClosed}}, 20, 0},
		{"in one call", []store.Call{call(much, little, much, little)}, [][]error{{short, nil, conflict, repeated}}, 15, 0},
		{"no such token", []store.Call{call(unknown), call(toBob), call(toBob)},
			[][]error{{invalid}, {nil}, {repeated}}, 20, 5},
		{"no such account", []store.Call{call(nobody), call(toBob)}, [][]error{{ledger.ErrNotFound}, {nil}}, 20, 5},
		{"a closed day", []store.Call{call(dated(toBob, testkit.Moment(0, "23:00"))), call(toBob)},
			[][]error{{ledger.ErrDayClosed}, {nil}}, 20, 5},
		{"posted, then the same and another", []store.Call{call(little), call(toBob), call(little)},
			[][]error{{nil}, {conflict}, {repeated}}, 15, 0},
		{"at another time", []store.Call{call(dated(toBob, noon)), call(dated(toBob, noon.Add(-time.Hour))),
			call(dated(toBob, noon)), call(toBob)}, [][]error{{nil}, {conflict}, {repeated}, {repeated}}, 20, 5},
		{"not posted after all", []store.Call{whole(toBob, bad), call(little)}, [][]error{{short, short}, {nil}}, 15, 0},
		{"twice, and not posted after all", []store.Call{whole(little, little, bad), call(toBob)},
			[][]error{{short, short, short}, {nil}}, 20, 5},
		{"posted, and repeated in a call that is not", []store.Call{call(little), whole(little, bad)},
			[][]error{{nil}, {repeated, short}}, 15, 0},
	}
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		for i, c := range cases {
			alice, bob := ledger.Account(fmt.Sprintf("alice-%d", i)), ledger.Account(fmt.Sprintf("bob-%d", i))
			for _, id := range []ledger.Account{alice, bob} {
				testkit.Must(db.OpenAccount(t.Context(), id, "DE"))(t)
			}
			deposit(t, db, "first-"+string(alice), alice, 2, bnb, testkit.Moment(1, "08:00"))
			calls := make([]store.Call, len(c.calls))
			for n, call := range c.calls {
				calls[n] = store.Call{Entries: renamed(call.Entries, i), Atomic: call.Atomic}
			}
			got := make([][]error, len(calls))
			for n, call := range testkit.Must(db.PostTogether(t.Context(), calls...))(t) {
				for _, o := range call {
					if o.Repeated {
						o.Err = repeated
					}
					got[n] = append(got[n], o.Err)
				}
			}
			same(t, c.what, got, c.want)
			has(t, db, alice, c.alice, 0)
			has(t, db, bob, c.bob, 0)
		}
		audited(t, db)
	})
}

// renamed are entries of a case, whose IDs and holders are its own.
func renamed(entries []ledger.Entry, n int) []ledger.Entry {
	entries = slices.Clone(entries)
	for i := range entries {
		e := &entries[i]
		e.ID, e.Moves = fmt.Sprintf("%s-%d", e.ID, n), slices.Clone(e.Moves)
		for m := range e.Moves {
			for _, a := range []*ledger.Account{&e.Moves[m].From, &e.Moves[m].To} {
				if !a.IsHouse() {
					*a += ledger.Account(fmt.Sprintf("-%d", n))
				}
			}
		}
	}
	return entries
}

// Withdrawals of calls that share a commit, one of which is not posted after all.
func TestWithdrawalsInOneCommit(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 10, bnb, time.Time{})
		ok(t, refusal(post(t, db, request("w1", "alice", 10)), nil))
		bad := oneMove("bad", ledger.Withdrawal, "alice", ledger.Custody, 999)
		outcomes := testkit.Must(db.PostTogether(t.Context(),
			store.Call{Entries: []ledger.Entry{request("w2", "alice", 10), completed("w1", "alice", 10), bad}, Atomic: true},
			store.Call{Entries: []ledger.Entry{oneMove("h", ledger.Hold, "alice", "alice/held", 10),
				cancelled("w2", "alice", 10), cancelled("w1", "alice", 10)}},
			store.Call{Entries: []ledger.Entry{request("w3", "alice", 10), cancelled("w3", "alice", 10)}},
			store.Call{Entries: []ledger.Entry{completed("w1", "alice", 10), completed("w3", "alice", 10),
				cancelled("w3", "alice", 10)}},
		))(t)
		for i, want := range [][]error{{ledger.ErrInsufficient, ledger.ErrInsufficient, ledger.ErrInsufficient},
			{nil, ledger.ErrNotFound, nil}, {nil, nil}, {ledger.ErrEnded, ledger.ErrEnded, nil}} {
			for n, o := range outcomes[i] {
				if !errors.Is(o.Err, want[n]) {
					t.Errorf("call %d, entry %d: %v; want %v", i, n, o.Err, want[n])
				}
			}
		}
		has(t, db, "alice", 90, 10)
		same(t, "all", withdrawals(t, db, "alice", noon, noon, ""),
			[]string{"w1 100000000 cancelled", "w3 100000000 cancelled"})
		audited(t, db)
	})
}
