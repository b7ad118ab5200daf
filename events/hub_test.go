package events_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/staking"
)

func TestBalancesArePublished(t *testing.T) {
	each(t, func(w *world) {
		defer w.leaks()()
		w.open("alice", "bob")
		w.deposit("alice", 1)
		alice, bob, all := w.follow("alice", ""), w.follow("bob", ""), w.follow("", "")
		entries := []string{
			w.deposit("alice", 2_50000000),
			w.post(w.books, ledger.Hold, "alice", "alice/held", 1_00000000),
			w.post(w.books, ledger.Transfer, "alice", "bob", 25000000),
		}
		balance := func(n int, kind ledger.Kind, account ledger.Account, part, change, left string) events.Balance {
			return events.Balance{Entry: entries[n], Kind: kind, At: "2026-03-02T12:00:00.000Z", Account: account, Part: part,
				Asset: "BNB", Change: change, Balance: left}
		}
		own := []any{
			balance(0, ledger.Deposit, "alice", "free", "2.5", "2.50000001"),
			balance(1, ledger.Hold, "alice", "free", "-1", "1.50000001"),
			balance(1, ledger.Hold, "alice", "held", "1", "1"),
			balance(2, ledger.Transfer, "alice", "free", "-0.25", "1.25000001"),
		}
		others := []any{balance(2, ledger.Transfer, "bob", "free", "0.25", "0.25")}
		all.entries(5)
		for f, want := range map[*follower][]any{alice: own, bob: others, all: slices.Concat(own, others)} {
			f.entries(len(want))
			ids := map[string]bool{}
			var got []any
			for _, e := range f.events() {
				if ids[e.ID] || e.Type != "balance" {
					w.Errorf("the event %+v", e)
				}
				if len(e.ID) > 128 || strings.ContainsAny(e.ID, " \r\n") {
					w.Errorf("the ID %q cannot stand in a header", e.ID)
				}
				ids[e.ID] = true
				got = append(got, e.Body)
			}
			if !reflect.DeepEqual(got, want) {
				w.Errorf("received %+v; want %+v", got, want)
			}
			f.leave()
		}
	})
}

// earner is a holder who earns from Day 2 on.
func (w *world) earner(id ledger.Account) {
	w.Helper()
	w.open(id)
	for _, name := range staking.DocumentNames {
		w.ok(w.books.Documents().Accept(w.Context(), id, name, 0, staking.Client{}))
	}
	w.deposit(id, 100_00000000)
	_, err := w.books.Enroll(w.Context(), id, staking.Client{}, time.Time{})
	w.ok(err)
}

func TestRewardsAndSettledDaysArePublished(t *testing.T) {
	each(t, func(w *world) {
		defer w.leaks()()
		w.earner("alice")
		w.earner("bob")
		w.deposit("alice", 1)
		_, err := w.books.Fund(w.Context(), "pool", "BNB", 100_00000000, false)
		w.ok(err)
		alice, all := w.follow("alice", ""), w.follow("", "")
		cursor := alice.leave()
		w.clock.Forward((day1 + 2).Start().Add(time.Hour))
		w.settle()
		w.settle()
		alice = w.follow("alice", cursor) // once from the books, and once as it happens
		day := (day1 + 1).String()
		want := events.Reward{
			Entry: "reward/" + day + "/BNB/alice", Day: day, Account: "alice", Asset: "BNB",
			Amount: "0.00041095", Average: "100.00000001", CreditedAt: "2026-03-04T01:00:00.000Z",
		}
		for f, rewards := range map[*follower]int{alice: 1, all: 2} {
			received := f.entries(rewards + 20)
			bob := slices.Contains(received, "reward/"+day+"/BNB/bob")
			if bob != (f == all) {
				w.Errorf("bob's is received: %t", bob)
			}
			mine := slices.IndexFunc(f.events(), func(e events.Event) bool {
				return reflect.DeepEqual(e.Body, want) &&
					e.Type == "reward"
			})
			settled := slices.IndexFunc(f.events(), func(e events.Event) bool {
				return e.Type == "settled" && reflect.DeepEqual(e.Body,
					events.Settled{Entry: "declare/" + day + "/BNB", Day: day, Asset: "BNB"})
			})
			if mine < 0 || settled < mine {
				w.Errorf("the reward is event %d, and that the day is settled is event %d, of %+v", mine, settled, f.events())
			}
		}
		alice.leave()
		all.leave()
	})
}

// A cursor that is not known is answered with one reset.
func TestCursorsThatAreNotKnown(t *testing.T) {
	each(t, func(w *world) {
		defer w.leaks()()
		w.open("alice")
		first := w.follow("", "")
		w.deposit("alice", 1)
		first.entries(1)
		id := first.leave()
		parts := strings.Split(id, "-")
		parts[1] = "A" + parts[1]
		w.clock.Forward(noon.Add(time.Minute))
		moment := func(at time.Time) string { return fmt.Sprintf("%d--0-0", at.UnixMilli()) }
		oldest := noon.Add(time.Minute - outbox.Kept)
		for what, cursor := range map[string]string{
			"no ID":          "what?",
			"too long":       strings.Repeat("1", 200),
			"another's":      strings.Join(parts, "-"),
			"too old":        moment(oldest.Add(-time.Millisecond)),
			"not yet":        moment(noon.Add(time.Hour)),
			"a nonce alone":  parts[1],
			"half of one":    strings.Join(parts[:3], "-"),
			"below zero":     "-5--0-0",
			"before 1970":    "5--6-0",
			"long before":    moment(noon)[:15] + "99999999999999-0",
			"many numbers":   "99999999999999999999--0-0",
			"a line of text": moment(noon) + "\n-2",
			"no text":        "5-\xff-0-0",
		} {
			f := w.follow("alice", cursor)
			entry := w.deposit("alice", 1)
			if received := f.entries(2); !slices.Equal(received, []string{"reset", entry}) {
				w.Errorf("%s: received %v", what, received)
			}
			again := f.leave()
			f = w.follow("alice", again)
			if received := f.entries(1); slices.Contains(received, "reset") {
				w.Errorf("%s: after the reset received %v", what, received)
			}
			f.leave()
		}
		kept := w.follow("", moment(oldest))
		if received := kept.entries(w.posts); slices.Contains(received, "reset") || len(received) != w.posts {
			w.Errorf("received %v", received)
		}
		kept.leave()
	})
}

// A process whose clock is behind commits what has an older time than what was published already.
func TestWhatBecomesVisibleLateIsPublished(t *testing.T) {
	each(t, func(w *world) {
		w.open("alice", "bob")
		behind := w.another(func() time.Time { return w.clock.Now().Add(-outbox.Lag / 3) })
		w.clock.Forward(noon.Add(time.Hour))
		f := w.follow("", "")
		first := w.deposit("alice", 1)
		f.entries(1)
		late := w.post(behind, ledger.Deposit, ledger.Custody, "bob", 1)
		if received := f.entries(2); !slices.Equal(received, []string{first, late}) {
			w.Errorf("received %v", received)
		}
		id := f.events()[0].ID
		f.leave()
		later := w.post(behind, ledger.Deposit, ledger.Custody, "bob", 1)
		f = w.follow("", id)
		if received := f.entries(3); !slices.Contains(received, late) || !slices.Contains(received, later) {
			w.Errorf("after %s received %v", id, received)
		}
		f.leave()
	})
}

// One that does not take what it is sent keeps nobody waiting. It is cut off, and gets it
// all the same when it comes again.
func TestASlowSubscriberKeepsNobodyWaiting(t *testing.T) {
	each(t, func(w *world) {
		defer w.leaks()()
		w.hub.Limit(10)
		w.open("alice", "bob")
		slow, quick := w.follow("alice", ""), w.follow("bob", "")
		slow.mu.Lock()
		slow.hold = make(chan struct{})
		slow.mu.Unlock()
		var want []string
		for range 20 {
			want = append(want, w.deposit("alice", 1))
			w.deposit("bob", 1)
			quick.entries(len(want))
		}
		close(slow.hold)
		<-slow.ended
		if slow.err != events.ErrSlow {
			w.Errorf("it ends with %v", slow.err)
		}
		received := slow.entries(1)
		if len(received) >= 20 {
			w.Errorf("%d events were received", len(received))
		}
		again := w.follow("alice", slow.last)
		rest := again.entries(20 - len(received))
		for _, entry := range want {
			if !slices.Contains(received, entry) && !slices.Contains(rest, entry) {
				w.Errorf("%s was never received", entry)
			}
		}
		again.leave()
		quick.leave()
	})
}

// While nothing happens the cursor moves on with time, so that one who comes again
// is not sent everything since the last event, or that it is not known any more.
func TestTheCursorMovesOn(t *testing.T) {
	each(t, func(w *world) {
		w.open("alice")
		f := w.follow("alice", "")
		entry := w.deposit("alice", 1)
		f.entries(1)
		w.clock.Forward(noon.Add(2 * outbox.Kept))
		want := w.clock.Now()
		f.await("a heartbeat", func() bool {
			_, at, ok := events.ReadCursor(f.last)
			return ok && at.Equal(want)
		})
		cursor := f.leave()
		f = w.follow("alice", cursor)
		next := w.deposit("alice", 1)
		if received := f.entries(1); !slices.Equal(received, []string{next}) {
			w.Errorf("received %v, after %s", received, entry)
		}
		f.leave()
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("1772452800123-00000000000aXYZ-30000-4-3")
	f.Add("1772452800123--0-0")
	f.Add("-1-2")
	f.Fuzz(func(t *testing.T, id string) {
		written, at, ok := events.ReadCursor(id)
		if !ok {
			return
		}
		if again, same, ok := events.ReadCursor(written); !ok || again != written || !same.Equal(at) {
			t.Errorf("%q is read as %q, and that as %q, %t", id, written, again, ok)
		}
	})
}
