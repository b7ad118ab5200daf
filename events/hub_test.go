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
	"github.com/softstake/softstake/store"
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

// An ID that is not known is answered with one reset.
func TestIDsThatAreNotKnown(t *testing.T) {
	each(t, func(w *world) {
		defer w.leaks()()
		w.open("alice")
		first := w.follow("", "")
		w.deposit("alice", 1)
		first.entries(1)
		first.leave()
		for what, id := range map[string]string{
			"no ID":          "what?",
			"too long":       strings.Repeat("0", 63) + "1-1",
			"not yet":        "1000",
			"part of none":   "0-1",
			"no part":        "1-",
			"part 0":         "1-0",
			"part of a part": "1-1-1",
			"below zero":     "-5",
			"a sign":         "+1",
			"many digits":    "99999999999999999999",
			"a line of text": "1\n-2",
			"no text":        "5-\xff",
			"of before":      "1772452800123-00000000000aXYZ-30000-4-3",
		} {
			f := w.follow("alice", id)
			entry := w.deposit("alice", 1)
			if received := f.entries(2); !slices.Equal(received, []string{"reset", entry}) {
				w.Errorf("%s: received %v", what, received)
			}
			again := f.events()[1].ID // and not that of a heartbeat, which may come after it
			f.leave()
			f = w.follow("alice", again)
			next := w.deposit("alice", 1)
			if received := f.entries(2); !slices.Equal(received, []string{entry, next}) {
				w.Errorf("%s: after the reset received %v", what, received)
			}
			f.leave()
		}
		kept := w.follow("", "0")
		if received := kept.entries(w.posts); slices.Contains(received, "reset") || len(received) != w.posts {
			w.Errorf("received %v", received)
		}
		kept.leave()
	})
}

// A subscriber that comes back after a week gets what it has missed, and after that a reset: never a gap.
func TestEventsThatAreNotKept(t *testing.T) {
	each(t, func(w *world) {
		w.open("alice")
		f := w.follow("alice", "")
		old := w.deposit("alice", 1)
		f.entries(1)
		w.clock.Forward(noon.Add(outbox.Kept))
		young := w.deposit("alice", 1)
		f.entries(2)
		f.leave()
		w.clock.Forward(noon.Add(outbox.Kept + time.Hour))
		w.ok(w.books.Outbox().Prune(w.Context())) // the promise, and an hour, are not over
		f = w.follow("alice", "0")
		if received := f.entries(2); !slices.Equal(received, []string{old, young}) {
			w.Errorf("received %v", received)
		}
		f.leave()
		w.clock.Forward(noon.Add(outbox.Kept + time.Hour + time.Millisecond))
		w.ok(w.books.Outbox().Prune(w.Context()))
		for id, want := range map[string][]string{
			"0": {"reset"}, "1-1": {"reset"}, "1": {young}, "2-1": {young}, "2": nil,
		} {
			f := w.follow("alice", id)
			if received := f.entries(0); !slices.Equal(received, want) {
				w.Errorf("after %s received %v", id, received)
			}
			f.leave()
		}
	})
}

// A process whose clock is behind changes the same balance: the events come in the order of the changes.
func TestEventsAreInTheOrderOfTheChanges(t *testing.T) {
	each(t, func(w *world) {
		w.open("alice")
		behind := w.another(func() time.Time { return w.clock.Now().Add(-time.Minute) })
		w.clock.Forward(noon.Add(time.Hour))
		f := w.follow("", "")
		var want []string
		for n := range 10 {
			want = append(want, w.post([]*store.DB{w.books, behind}[n%2], ledger.Deposit, ledger.Custody, "alice", 1))
		}
		if received := f.entries(10); !slices.Equal(received, want) {
			w.Errorf("received %v, not %v", received, want)
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

// While nothing happens that it wants, the ID moves on: one who comes again is not sent everything since the
// last event, or that it is not known any more.
func TestTheIDMovesOn(t *testing.T) {
	each(t, func(w *world) {
		w.open("alice", "bob")
		f := w.follow("alice", "")
		entry := w.deposit("alice", 1)
		f.entries(1)
		for range 5 {
			w.deposit("bob", 1)
		}
		f.await("a heartbeat", func() bool { return f.last == "6" })
		w.clock.Forward(noon.Add(2 * outbox.Kept))
		w.ok(w.books.Outbox().Prune(w.Context()))
		f.leave()
		f = w.follow("alice", "6")
		next := w.deposit("alice", 1)
		if received := f.entries(1); !slices.Equal(received, []string{next}) {
			w.Errorf("received %v, after %s", received, entry)
		}
		f.leave()
	})
}

// A reader of the outbox that falls behind what is kept, or under whom the books were restored, cuts its subscribers
// off: they come again, and get a reset.
func TestWhatWasMissedIsNotPassedOver(t *testing.T) {
	each(t, func(w *world) {
		w.open("alice")
		f := w.follow("alice", "")
		w.deposit("alice", 1)
		f.entries(1)
		w.ok(w.books.Outbox().Restart(w.Context()))
		<-f.ended
		if f.err != events.ErrSlow {
			w.Errorf("it ends with %v", f.err)
		}
		f = w.follow("alice", f.last)
		next := w.deposit("alice", 1)
		if received := f.entries(2); !slices.Equal(received, []string{"reset", next}) {
			w.Errorf("received %v", received)
		}
		if id, _ := events.ReadID(f.leave()); id < noon.UnixMilli() {
			w.Errorf("the numbers go on at %d", id)
		}
	})
}

func FuzzID(f *testing.F) {
	f.Add("4711")
	f.Add("4711-3")
	f.Add("-1-2")
	f.Fuzz(func(t *testing.T, id string) {
		after, ok := events.ReadID(id)
		if !ok {
			return
		}
		if again, ok := events.ReadID(fmt.Sprint(after)); !ok || again != after || after < 0 {
			t.Errorf("%q is read as %d, and that as %d, %t", id, after, again, ok)
		}
	})
}
