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
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// request, completed and cancelled are entries of a withdrawal of BNB, in tenths.
func request(id string, of ledger.Account, tenths int64) ledger.Entry {
	return oneMove(id, ledger.WithdrawalRequest, of, of.Held(), tenths)
}

func completed(id string, of ledger.Account, tenths int64) ledger.Entry {
	return oneMove(id+"/completed", ledger.WithdrawalCompleted, of.Held(), ledger.Custody, tenths)
}

func cancelled(id string, of ledger.Account, tenths int64) ledger.Entry {
	return oneMove(id+"/cancelled", ledger.WithdrawalCancelled, of.Held(), of, tenths)
}

func oneMove(id string, kind ledger.Kind, from, to ledger.Account, tenths int64) ledger.Entry {
	return ledger.Entry{ID: id, Kind: kind, Moves: []ledger.Move{{From: from, To: to, Asset: bnb, Amount: coins(tenths)}}}
}

// post posts entries together, none of which may fail for the database's sake.
func post(t *testing.T, db *store.DB, entries ...ledger.Entry) []store.Outcome {
	t.Helper()
	return testkit.Must(db.Post(t.Context(), entries))(t)
}

// has fails the test unless the account has so many tenths of BNB, free and held.
func has(t *testing.T, db *store.DB, id ledger.Account, free, held int64) {
	t.Helper()
	for _, b := range testkit.Must(reports.New(db.Reader()).Balances(t.Context(), id))(t) {
		if b.Asset == bnb && (b.Free != coins(free) || b.Held != coins(held)) {
			t.Errorf("%s has %d free and %d held; want %d and %d", id, b.Free, b.Held, coins(free), coins(held))
		}
	}
}

// withdrawals are an account's withdrawals in short: "w1 20000000 pending".
func withdrawals(t *testing.T, db *store.DB, id ledger.Account, from, to time.Time, asset string) (lines []string) {
	t.Helper()
	asked := reports.WithdrawalsAsked{From: from, To: to, Asset: asset}
	ok(t, reports.New(db.Reader()).Withdrawals(t.Context(), id, asked, func(w store.Withdrawal) error {
		lines = append(lines, fmt.Sprintf("%s %d %s", w.ID, w.Amount, w.State))
		return nil
	}))
	return lines
}

func waiting(t *testing.T, db *store.DB, after store.Withdrawal, limit int) (ids []string) {
	t.Helper()
	for _, w := range testkit.Must(reports.New(db.Reader()).PendingWithdrawals(t.Context(), after, limit))(t) {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestAWithdrawalIsRequestedAndEnds(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 10, bnb, time.Time{})
		w := store.Withdrawal{ID: "w1", Account: "alice", Asset: bnb, Amount: coins(20),
			Address: "bnb1xyz", Network: "BSC", Tag: "7", ClientID: "mine"}
		pending := w
		pending.At, pending.State = noon, store.Pending
		first := testkit.Must(db.Withdraw(t.Context(), w))(t)
		has(t, db, "alice", 80, 20)
		clock.Set(1, "12:10")
		again := testkit.Must(db.Withdraw(t.Context(), w))(t)
		if !again.Repeated || first.Repeated || !again.At.Equal(noon) {
			t.Errorf("first %+v, then %+v", first, again)
		}
		for what, change := range map[string]func(*store.Withdrawal){
			"amount":  func(w *store.Withdrawal) { w.Amount++ },
			"address": func(w *store.Withdrawal) { w.Address = "bnb1abc" },
			"network": func(w *store.Withdrawal) { w.Network = "" },
			"tag":     func(w *store.Withdrawal) { w.Tag = "8" },
			"client":  func(w *store.Withdrawal) { w.ClientID = "yours" },
			"account": func(w *store.Withdrawal) { w.Account = "bob" },
		} {
			other := w
			change(&other)
			o, err := db.Withdraw(t.Context(), other)
			same(t, "another "+what, []error{err, o.Err}, []error{ledger.ErrConflict, ledger.ErrConflict})
		}
		w.ID, w.Amount = "w2", coins(81)
		_, err := db.Withdraw(t.Context(), w)
		wants(t, err, ledger.ErrInsufficient)
		w.Amount, w.Address = coins(1), "two\nlines"
		_, err = db.Withdraw(t.Context(), w)
		wants(t, err, ledger.ErrInvalid)
		if o := post(t, db, request("w3", "alice", 30), request("w4", "alice", 1)); refusal(o, nil) != nil {
			t.Fatal(o)
		}
		clock.Set(1, "12:20")
		if o := post(t, db, completed("w3", "alice", 30), cancelled("w4", "alice", 1)); refusal(o, nil) != nil {
			t.Fatal(o)
		}
		has(t, db, "alice", 50, 20)
		same(t, "all", withdrawals(t, db, "alice", noon, clock.Now(), ""),
			[]string{"w1 200000000 pending", "w3 300000000 completed", "w4 10000000 cancelled"})
		same(t, "waiting", waiting(t, db, store.Withdrawal{}, 10), []string{"w1"})
		books := reports.New(db.Reader())
		same(t, "w1", testkit.Must(books.Withdrawal(t.Context(), "alice", "w1"))(t), pending)
		w3 := testkit.Must(books.Withdrawal(t.Context(), "alice", "w3"))(t)
		if w3.Ended != clock.Now() || w3.Address != "" {
			t.Errorf("w3 is %+v", w3)
		}
		wants(t, failure(books.Withdrawal(t.Context(), "alice", "w2")), ledger.ErrNotFound)
		wants(t, books.Withdrawals(t.Context(), "nobody", reports.WithdrawalsAsked{From: noon, To: noon}, nil),
			ledger.ErrNotFound)
	})
}

type entries = []ledger.Entry

// endingCase is a withdrawal that is ended, or not.
type endingCase struct {
	what    string
	entries func(w string, a, other ledger.Account) entries // the last is the ending
	why     error                                           // nil: it is accepted
}

func endingCases() []endingCase {
	sent := func(e ledger.Entry, hour string) ledger.Entry { e.At = testkit.Moment(1, hour); return e }
	hold := func(w string, a ledger.Account) ledger.Entry { return oneMove(w, ledger.Hold, a, a.Held(), 20) }
	release := func(w string, a ledger.Account) ledger.Entry {
		return oneMove(w+"/r", ledger.Release, a.Held(), a, 1)
	}
	return []endingCase{
		{"completed", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), completed(w, a, 20)}
		}, nil},
		{"cancelled", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), cancelled(w, a, 20)}
		}, nil},
		{"no request", func(w string, a, _ ledger.Account) entries {
			return entries{hold(w+"h", a), completed(w, a, 20)}
		}, ledger.ErrNotFound},
		{"refused request", func(w string, a, _ ledger.Account) entries {
			return entries{hold(w+"h", a), request(w, a, 101), completed(w, a, 20)}
		}, ledger.ErrNotFound},
		{"a hold", func(w string, a, _ ledger.Account) entries {
			return entries{hold(w, a), completed(w, a, 20)}
		}, ledger.ErrNotFound},
		{"another's", func(w string, a, other ledger.Account) entries {
			return entries{request(w, a, 20), hold(w+"h", other), completed(w, other, 20)}
		}, ledger.ErrNotFound},
		{"less", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), completed(w, a, 19)}
		}, ledger.ErrNotRequested},
		{"more", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), hold(w+"h", a), cancelled(w, a, 21)}
		}, ledger.ErrNotRequested},
		{"completed before", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), hold(w+"h", a), completed(w, a, 20), cancelled(w, a, 20)}
		}, ledger.ErrEnded},
		{"cancelled before", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), hold(w+"h", a), cancelled(w, a, 20), completed(w, a, 20)}
		}, ledger.ErrEnded},
		{"dated before", func(w string, a, _ ledger.Account) entries {
			return entries{sent(hold(w+"h", a), "12:01"), sent(request(w, a, 20), "12:05"), sent(completed(w, a, 20), "12:04")}
		}, ledger.ErrInvalid},
		{"released", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20), release(w, a), completed(w, a, 20)} // the release is refused
		}, nil},
		{"no such name", func(w string, a, _ ledger.Account) entries {
			return entries{request(w, a, 20),
				oneMove(w+"/done", ledger.WithdrawalCompleted, a.Held(), ledger.Custody, 20)}
		}, ledger.ErrInvalid},
	}
}

// What the entries before an ending make of it, whether they are posted with it or
// before it. An account has ten coins, and another has as many.
func TestEndingsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		clock.Set(1, "12:30")
		for i, c := range endingCases() {
			for _, together := range []bool{true, false} {
				name := fmt.Sprintf("%d-%t", i, together)
				a, other := ledger.Account("a-"+name), ledger.Account("o-"+name)
				for _, id := range []ledger.Account{a, other} {
					testkit.Must(db.OpenAccount(t.Context(), id, "DE"))(t)
					deposit(t, db, "d-"+string(id), id, 10, bnb, noon)
				}
				all := c.entries("w-"+name, a, other)
				last := len(all) - 1
				var outcome store.Outcome
				if together {
					outcome = post(t, db, all...)[last]
				} else {
					post(t, db, all[:last]...)
					outcome = post(t, db, all[last])[0]
				}
				if !errors.Is(outcome.Err, c.why) {
					t.Errorf("%s, together %t: %v; want %v", c.what, together, outcome.Err, c.why)
				}
			}
		}
		audited(t, db)
	})
}

// A call that is posted whole or not at all leaves nothing of its withdrawals where
// it is refused, for the calls after it neither.
func TestWithdrawalsOfACallThatIsNotPosted(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 10, bnb, time.Time{})
		ok(t, refusal(post(t, db, request("w1", "alice", 20)), nil))
		_, err := db.PostAll(t.Context(), []ledger.Entry{request("w2", "alice", 10), cancelled("w2", "alice", 10),
			completed("w1", "alice", 20), request("w3", "alice", 999)})
		wants(t, err, ledger.ErrInsufficient)
		has(t, db, "alice", 80, 20)
		wants(t, post(t, db, completed("w2", "alice", 10))[0].Err, ledger.ErrNotFound)
		ok(t, refusal(post(t, db, cancelled("w1", "alice", 20), request("w2", "alice", 10)), nil))
		same(t, "all", withdrawals(t, db, "alice", noon, noon, bnb),
			[]string{"w1 200000000 cancelled", "w2 100000000 pending"})
	})
}

// The two endings of a withdrawal, and each of them twice, come at one moment from
// two processes: one of them is posted, whatever else the account still holds, and
// who posts it again hears so.
func TestEndingsThatComeAtOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		const rounds = 40
		open(t, one, "alice")
		deposit(t, one, "d", "alice", 1000, bnb, time.Time{})
		sum := map[string]int{}
		for round := range rounds {
			w := fmt.Sprintf("w%d", round)
			ok(t, refusal(post(t, one, request(w, "alice", 10)), nil))
			ok(t, refusal(post(t, one, oneMove(w+"h", ledger.Hold, "alice", "alice/held", 10)), nil))
			done, undone := completed(w, "alice", 10), cancelled(w, "alice", 10)
			entries := []ledger.Entry{done, undone, done, undone}
			outcomes := atOnce(t, []*store.DB{one, two, two, one}, entries)
			posted := map[string]bool{}
			for i, o := range outcomes {
				if o.Err == nil {
					posted[entries[i].ID] = true
				} else if !errors.Is(o.Err, ledger.ErrEnded) {
					t.Errorf("%s: %v", entries[i].ID, o.Err)
				}
			}
			for i, o := range outcomes {
				if posted[entries[i].ID] != (o.Err == nil) {
					t.Errorf("%s was posted, and one of those who posted it got %v", entries[i].ID, o.Err)
				}
			}
			if len(posted) != 1 {
				t.Fatalf("%s has ended with %v", w, posted)
			}
			for id := range posted {
				sum[id[strings.IndexByte(id, '/'):]]++
			}
		}
		has(t, one, "alice", 10000-rounds*20+int64(sum["/cancelled"])*10, rounds*10)
		same(t, "waiting", waiting(t, one, store.Withdrawal{}, 10), nil)
		audited(t, one)
	})
}

// The same entry comes at one moment from two processes, and takes all there is:
// neither hears that it is not enough, though the second finds nothing left.
func TestTheSameEntryAtTheSameTime(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, _ *testkit.Clock) {
		open(t, one, "alice")
		for round := range 40 {
			id := fmt.Sprintf("r%d", round)
			deposit(t, one, id+"d", "alice", 1, bnb, time.Time{})
			e := oneMove(id, ledger.Withdrawal, "alice", ledger.Custody, 10)
			outcomes := atOnce(t, []*store.DB{one, two}, []ledger.Entry{e, e})
			ok(t, refusal(outcomes, nil))
			if outcomes[0].Repeated == outcomes[1].Repeated || outcomes[0].PostedAt != outcomes[1].PostedAt {
				t.Errorf("round %d: %+v", round, outcomes)
			}
		}
		has(t, one, "alice", 0, 0)
	})
}

// atOnce posts each entry to its books, all at one moment.
func atOnce(t *testing.T, books []*store.DB, entries []ledger.Entry) []store.Outcome {
	t.Helper()
	outcomes, failed := make([]store.Outcome, len(entries)), make([]error, len(entries))
	var ready, done sync.WaitGroup
	ready.Add(1)
	for i, db := range books {
		done.Go(func() {
			ready.Wait()
			posted, err := db.Post(t.Context(), entries[i:i+1])
			if failed[i] = err; err == nil {
				outcomes[i] = posted[0]
			}
		})
	}
	ready.Done()
	done.Wait()
	ok(t, errors.Join(failed...))
	return outcomes
}

// TestAWithdrawalSaysWhatItShows: where it goes, and why something was done, are lines in
// which nothing turns the direction of writing or ends the line.
func TestAWithdrawalSaysWhatItShows(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		testkit.Must(db.OpenAccount(t.Context(), "alice", ""))(t)
		deposit(t, db, "d-1", "alice", 2, "BNB", time.Time{})
		for i, text := range []string{"0x94\u202edf8b", "0x94\u2028", "0x94\u2067df8b"} {
			w := store.Withdrawal{ID: fmt.Sprintf("w-%d", i), Account: "alice", Asset: "BNB", Amount: 1, Address: text}
			wants(t, failure(db.Withdraw(t.Context(), w)), ledger.ErrInvalid)
			wants(t, failure(db.Freeze(t.Context(), "alice", text, true)), ledger.ErrInvalid)
		}
	})
}
