package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// taking makes an entry that takes so many tenths of BNB from what an account holds.
type taking = func(id string, a ledger.Account, tenths int64) ledger.Entry

// takers are the entries of every kind that take from what is held, beside the endings
// of withdrawals, each of so many tenths of BNB.
var takers = map[string]taking{
	"release": func(id string, a ledger.Account, n int64) ledger.Entry {
		return oneMove(id, ledger.Release, a.Held(), a, n)
	},
	"withdrawal": func(id string, a ledger.Account, n int64) ledger.Entry {
		return oneMove(id, ledger.Withdrawal, a.Held(), ledger.Custody, n)
	},
	"trade": func(id string, a ledger.Account, n int64) ledger.Entry {
		return oneMove(id, ledger.Trade, a.Held(), ledger.Desk, n)
	},
	"trade of several moves": func(id string, a ledger.Account, n int64) ledger.Entry {
		e := oneMove(id, ledger.Trade, a.Held(), ledger.Desk, n+3)
		e.Moves = append(e.Moves, ledger.Move{From: ledger.Desk, To: a.Held(), Asset: bnb, Amount: coins(3)})
		return e
	},
	"adjustment to the free part": func(id string, a ledger.Account, n int64) ledger.Entry {
		return oneMove(id, ledger.Adjustment, a.Held(), a, n)
	},
	"adjustment to outside": func(id string, a ledger.Account, n int64) ledger.Entry {
		return oneMove(id, ledger.Adjustment, a.Held(), ledger.Custody, n)
	},
}

// What a pending withdrawal holds is taken by its ending and by nothing else, whether the
// entries come together or one by one. An account has ten coins, five of them held by an order.
func TestPendingWithdrawalsKeepWhatTheyHold(t *testing.T) {
	dated := func(e ledger.Entry, hour string) ledger.Entry { e.At = testkit.Moment(1, hour); return e }
	cases := []struct {
		what    string
		entries func(w string, a ledger.Account, take taking) entries
		refused int // which of them; -1: none
		pending int64
	}{
		{"all that no withdrawal holds", func(w string, a ledger.Account, take taking) entries {
			return entries{request(w, a, 20), take(w+"t", a, 50)}
		}, -1, 20},
		{"one more", func(w string, a ledger.Account, take taking) entries {
			return entries{request(w, a, 20), take(w+"t", a, 51)}
		}, 1, 20},
		{"taken before the request", func(w string, a ledger.Account, take taking) entries {
			return entries{take(w+"t", a, 50), request(w, a, 20)}
		}, -1, 20},
		{"more than there was before the request", func(w string, a ledger.Account, take taking) entries {
			return entries{take(w+"t", a, 51), request(w, a, 20)}
		}, 0, 20},
		{"two withdrawals", func(w string, a ledger.Account, take taking) entries {
			return entries{request(w+"0", a, 10), request(w, a, 20), completed(w+"0", a, 10), take(w+"t", a, 51)}
		}, 3, 20},
		{"a cancelled one", func(w string, a ledger.Account, take taking) entries {
			return entries{request(w+"0", a, 10), cancelled(w+"0", a, 10), request(w, a, 20), take(w+"t", a, 51)}
		}, 3, 20},
		{"dated before the request", func(w string, a ledger.Account, take taking) entries {
			return entries{dated(request(w, a, 20), "12:20"), dated(take(w+"t", a, 50), "12:10")}
		}, -1, 20},
		{"dated back, more than no withdrawal holds", func(w string, a ledger.Account, take taking) entries {
			return entries{dated(request(w, a, 20), "12:20"), dated(take(w+"t", a, 51), "12:10")}
		}, 1, 20},
		{"dated back to while another order was not there yet", func(w string, a ledger.Account, take taking) entries {
			return entries{
				dated(request(w, a, 20), "12:05"), dated(oneMove(w+"h2", ledger.Hold, a, a.Held(), 10), "12:20"),
				dated(take(w+"t", a, 51), "12:10"),
			}
		}, 2, 20},
		{"dated after that order", func(w string, a ledger.Account, take taking) entries {
			return entries{
				dated(request(w, a, 20), "12:05"), dated(oneMove(w+"h2", ledger.Hold, a, a.Held(), 10), "12:20"),
				dated(take(w+"t", a, 60), "12:20"),
			}
		}, -1, 20},
	}
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		clock.Set(1, "12:30")
		n := 0
		for _, c := range cases {
			for kind, take := range takers {
				for _, together := range []bool{true, false} {
					n++
					a, w := ledger.Account(fmt.Sprintf("a%d", n)), fmt.Sprintf("w%d", n)
					testkit.Must(db.OpenAccount(t.Context(), a, "DE"))(t)
					deposit(t, db, "d"+w, a, 10, bnb, noon)
					hold := oneMove(w+"h", ledger.Hold, a, a.Held(), 50)
					hold.At = noon
					ok(t, refusal(post(t, db, hold), nil))
					for i, o := range posted(t, db, together, c.entries(w, a, take)...) {
						if (o.Err != nil) != (i == c.refused) || o.Err != nil && !errors.Is(o.Err, ledger.ErrInsufficient) {
							t.Errorf("%s, %s, together %t: entry %d: %v", c.what, kind, together, i, o.Err)
						}
					}
					ok(t, refusal(post(t, db, completed(w, a, c.pending)), nil))
				}
			}
		}
		audited(t, db)
	})
}

// posted posts entries in one call, or each in its own.
func posted(t *testing.T, db *store.DB, together bool, entries ...ledger.Entry) (outcomes []store.Outcome) {
	t.Helper()
	if together {
		return post(t, db, entries...)
	}
	for _, e := range entries {
		outcomes = append(outcomes, post(t, db, e)...)
	}
	return outcomes
}

// A request and its ending that are taken back with their call reserve nothing, and
// give nothing free either, for the calls of the same commit.
func TestAnUndoneRequestReservesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 10, bnb, time.Time{})
		hold := oneMove("h", ledger.Hold, "alice", "alice/held", 50)
		ok(t, refusal(post(t, db, hold, request("w", "alice", 20)), nil))
		bad := oneMove("bad", ledger.Withdrawal, "alice", ledger.Custody, 999)
		outcomes := testkit.Must(db.PostTogether(t.Context(),
			store.Call{Entries: []ledger.Entry{request("w2", "alice", 10), cancelled("w2", "alice", 10),
				completed("w", "alice", 20), bad}, Atomic: true},
			store.Call{Entries: []ledger.Entry{request("w3", "alice", 10), bad}, Atomic: true},
			store.Call{Entries: []ledger.Entry{takers["release"]("r", "alice", 51), takers["release"]("r2", "alice", 50)}}))(t)
		if last := outcomes[2]; !errors.Is(last[0].Err, ledger.ErrInsufficient) || last[1].Err != nil {
			t.Errorf("%v", last)
		}
		err := post(t, db, takers["adjustment to the free part"]("a", "alice", 1))[0].Err
		if err == nil || !strings.Contains(err.Error(), "has 0 BNB beside the 2 that pending withdrawals hold, and 0.1 is "+
			"needed; cancel a withdrawal first") {
			t.Errorf("the refusal is: %v", err)
		}
		ok(t, refusal(post(t, db, completed("w", "alice", 20)), nil))
		has(t, db, "alice", 80, 0)
	})
}

// Requests and releases come at one moment from two processes: each withdrawal that was
// requested can be ended.
func TestRequestsAndReleasesAtOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		open(t, one, "alice")
		deposit(t, one, "d", "alice", 10, bnb, time.Time{})
		for round := range 40 {
			w := fmt.Sprintf("w%d", round)
			ok(t, refusal(post(t, one, oneMove(w+"h", ledger.Hold, "alice", "alice/held", 10)), nil))
			outcomes := atOnce(t, []*store.DB{one, two, one, two}, []ledger.Entry{
				request(w, "alice", 10), takers["release"](w+"r", "alice", 20), takers["release"](w+"s", "alice", 10),
				takers["trade"](w+"t", "alice", 10),
			})
			ok(t, outcomes[0].Err)
			if outcomes[1].Err == nil || outcomes[2].Err == nil && outcomes[3].Err == nil {
				t.Errorf("round %d: what the withdrawal holds was taken: %v", round, outcomes)
			}
			ok(t, refusal(post(t, two, cancelled(w, "alice", 10)), nil))
			if outcomes[3].Err == nil {
				deposit(t, one, w+"d", "alice", 1, bnb, time.Time{})
			}
		}
		audited(t, one)
	})
}

// A release has looked at nothing yet when the request that comes before it commits.
func TestAReleaseWaitsForARequest(t *testing.T) {
	twoOnPostgres(t, func(t *testing.T, url string, one, two *store.DB) {
		deposit(t, one, "d", "alice", 10, bnb, time.Time{})
		ok(t, refusal(post(t, one, oneMove("h", ledger.Hold, "alice", "alice/held", 50)), nil))
		g := shut(t, url, lockBalance, "alice/held")
		requested := later(t, one, request("w", "alice", 20))
		g.waiting(1)
		released := later(t, two, takers["release"]("r", "alice", 51))
		g.waiting(2)
		g.open()
		ok(t, (<-requested).Err)
		wants(t, (<-released).Err, ledger.ErrInsufficient)
		ok(t, refusal(post(t, two, completed("w", "alice", 20)), nil))
	})
}
