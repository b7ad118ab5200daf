package store_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// outboxSince is all outbox events after a number, page by page, when all that is committed has a number.
func outboxSince(t *testing.T, db *store.DB, after int64) (events []outbox.Event) {
	t.Helper()
	for testkit.Must(db.Outbox().Number(t.Context()))(t) > 0 {
	}
	for {
		page := testkit.Must(db.Outbox().After(t.Context(), after, 7))(t)
		if len(page) == 0 {
			return events
		}
		after = page[len(page)-1].Number
		events = append(events, page...)
	}
}

// beginning comes before all outbox events of a test.
const beginning = 0

// entriesIn are the entries of outbox events.
func entriesIn(events []outbox.Event) (entries []outbox.PostedEntry) {
	for _, n := range events {
		entries = append(entries, n.Entries...)
	}
	return entries
}

// oracle says what entries leave on balances, one by one, in the plainest way.
type oracle map[ledger.Account]map[string]ledger.Amount

// post is what the outbox is to have of an accepted entry.
func (o oracle) post(e ledger.Entry, at time.Time) outbox.PostedEntry {
	posted := outbox.PostedEntry{ID: e.ID, Kind: e.Kind, At: at}
	change := oracle{}
	for _, m := range e.Moves {
		for account, amount := range map[ledger.Account]ledger.Amount{m.From: -m.Amount, m.To: m.Amount} {
			for _, books := range []oracle{o, change} {
				if books[account] == nil {
					books[account] = map[string]ledger.Amount{}
				}
				books[account][m.Asset] += amount
			}
		}
	}
	seen := map[string]bool{}
	for _, m := range e.Moves { // in the order in which the entry names them first
		for _, account := range []ledger.Account{m.From, m.To} {
			place := string(account) + " " + m.Asset
			if c := change[account][m.Asset]; !seen[place] && c != 0 && !account.IsHouse() {
				posted.Balances = append(posted.Balances, outbox.PostedBalance{Account: account, Asset: m.Asset, Change: c,
					Balance: o[account][m.Asset]})
			}
			seen[place] = true
		}
	}
	return posted
}

// someEntry is one that may well be refused.
func someEntry(r *rand.Rand, id string) ledger.Entry {
	holders, assets := []ledger.Account{"alice", "bob", "carol"}, []string{"BNB", "SOL"}
	a, b, asset := holders[r.IntN(3)], holders[r.IntN(3)], assets[r.IntN(2)]
	amount := ledger.Amount(1 + r.Int64N(50))
	e := ledger.Entry{ID: id}
	switch r.IntN(6) {
	case 0, 1:
		e.Kind, e.Moves = ledger.Deposit, []ledger.Move{{From: ledger.Custody, To: a, Asset: asset, Amount: amount}}
	case 2:
		// To oneself: refused.
		e.Kind, e.Moves = ledger.Transfer, []ledger.Move{{From: a, To: b, Asset: asset, Amount: amount}}
	case 3:
		e.Kind, e.Moves = ledger.Hold, []ledger.Move{{From: a, To: a.Held(), Asset: asset, Amount: amount}}
	case 4:
		e.Kind, e.Moves = ledger.Withdrawal, []ledger.Move{{From: a, To: ledger.Custody, Asset: asset, Amount: amount}}
	case 5: // there and back again leaves nothing of the one asset
		e.Kind, e.Moves = ledger.Trade, []ledger.Move{
			{From: a, To: ledger.Desk, Asset: "BNB", Amount: amount},
			{From: ledger.Desk, To: a, Asset: "SOL", Amount: 2 * amount},
			{From: ledger.Desk, To: a, Asset: "BNB", Amount: amount},
		}
	}
	return e
}

// Entries at random, alone, in batches and in batches that are posted whole or not
// at all, some repeated: the outbox has each accepted one once, in order, with the
// balances as it left them.
func TestTheOutboxHasTheBalancesThatEachEntryLeft(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		for _, id := range []ledger.Account{"alice", "bob", "carol"} {
			open(t, db, id)
		}
		r := rand.New(rand.NewPCG(7, 11))
		books, want := oracle{}, []outbox.PostedEntry(nil)
		refused := 0
		for call := range 150 {
			var entries []ledger.Entry
			for i := range 1 + r.IntN(6) {
				e := someEntry(r, fmt.Sprintf("e%d.%d", call, i))
				if r.IntN(10) == 0 && i > 0 {
					e = entries[r.IntN(i)] // repeated in the same call
				}
				entries = append(entries, e)
			}
			post := db.Post
			if r.IntN(2) == 0 {
				post = db.PostAll
			}
			outcomes, err := post(t.Context(), entries)
			if err != nil && outcomes == nil {
				t.Fatal(err)
			}
			for i, o := range outcomes {
				if o.Err != nil {
					refused++
				} else if !o.Repeated {
					if p := books.post(entries[i], o.At); p.Balances != nil {
						want = append(want, p)
					}
				}
			}
			if r.IntN(3) == 0 {
				clock.Advance(time.Millisecond)
			}
		}
		got := entriesIn(outboxSince(t, db, beginning))
		if len(got) != len(want) || len(got) < 100 || refused < 100 {
			t.Fatalf("%d entries are in the outbox, and %d were posted; %d refused", len(got), len(want), refused)
		}
		for i := range got {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("entry %d: the outbox has %+v; it was %+v", i, got[i], want[i])
			}
		}
	})
}

// Many at once, in two processes whose clocks differ, while both give numbers: what the outbox has of a balance,
// one after the other, adds up in its order.
func TestEventsOfOneBalanceAreInOrder(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		behind := func() time.Time { return noon.Add(-time.Minute) }
		one := testkit.Must(store.Create(t.Context(), url,
			store.Options{Clock: func() time.Time { return noon }, Actor: access.Process("test"), Volatile: true},
			shipped(t, day1)))(t)
		closeAfter(t, one)
		two := testkit.Must(store.Open(t.Context(), url,
			store.Options{Clock: behind, Actor: access.Process("test"), Volatile: true}))(t)
		closeAfter(t, two)
		open(t, one, "alice")
		var posting, numbering sync.WaitGroup
		done := make(chan struct{})
		for i := range 8 {
			db := []*store.DB{one, two}[i%2]
			posting.Go(func() {
				for n := range 20 {
					deposit(t, db, fmt.Sprintf("d%d.%d", i, n), "alice", 1, "BNB", time.Time{})
				}
			})
		}
		for _, db := range []*store.DB{one, two} {
			numbering.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						if _, err := db.Outbox().Number(t.Context()); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		posting.Wait()
		close(done)
		numbering.Wait()
		last := ledger.Amount(0)
		for _, e := range entriesIn(outboxSince(t, two, beginning)) {
			if b := e.Balances[0]; b.Balance != last+b.Change {
				t.Fatalf("after %d, %s leaves %d", last, e.ID, b.Balance)
			} else {
				last = b.Balance
			}
		}
		if last != 160_00000000 {
			t.Errorf("at last alice has %d", last)
		}
	})
}

func TestMuchIsWrittenInParts(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		id := ledger.Account(strings.Repeat("a", 128))
		open(t, db, id)
		var entries []ledger.Entry
		for i := range 4500 {
			entries = append(entries, ledger.Entry{
				ID: fmt.Sprintf("%0128d", i), Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: "BNB", Amount: 1}},
			})
		}
		testkit.Must(db.PostAll(t.Context(), entries))(t)
		events := outboxSince(t, db, beginning)
		for i, e := range entriesIn(events) {
			if e.ID != entries[i].ID || e.Balances[0].Balance != ledger.Amount(i+1) {
				t.Fatalf("entry %d is written as %+v", i, e)
			}
		}
		if len(events) != 2 || len(entriesIn(events)) != len(entries) {
			t.Errorf("%d entries are in %d events", len(entriesIn(events)), len(events))
		}
	})
}
