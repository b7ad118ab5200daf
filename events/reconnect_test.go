package events_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// errGone is how a client goes away in the middle.
var errGone = errors.New("the client is gone")

// wanderer is a subscriber that goes away at random, and comes again after the last
// event that it has seen.
type wanderer struct {
	account ledger.Account
	chance  *rand.Rand
	ready   chan struct{} // closed when it is up to date for the first time
	last    string
	seen    map[string]bool // entries
	came    int             // how often
}

// wander subscribes until done says that all has been seen.
func (v *wanderer) wander(w *world, done func() bool) error {
	for !done() {
		v.came++
		stay := v.chance.IntN(30)
		err := w.hub.Subscribe(w.Context(), v.account, v.last, func(e events.Event) error {
			if stay--; stay < 0 && v.last != "" {
				return errGone
			}
			if e.ID != "" {
				if v.last == "" {
					close(v.ready)
				}
				v.last = e.ID
			}
			if b, is := e.Body.(events.Balance); is {
				if v.account != "" && b.Account != v.account {
					return fmt.Errorf("%s receives %+v", v.account, b)
				}
				v.seen[b.Entry+"/"+string(b.Account)] = true
			} else if e.Type != "" && e.Type != "ready" {
				return fmt.Errorf("an event of the type %q", e.Type)
			}
			if done() {
				return errGone
			}
			return nil
		})
		if !errors.Is(err, errGone) {
			return err
		}
	}
	return nil
}

// Two processes post at once, one of them with a clock that is behind, while
// subscribers go away and come again: each has seen every entry that is its own.
func TestNothingIsMissed(t *testing.T) {
	const posters, posts = 4, 60
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			each(t, func(w *world) {
				w.open("alice", "bob")
				behind := w.another(func() time.Time { return w.clock.Now().Add(-10 * time.Second) })
				_, err := reports.New(behind.Reader()).FirstOpen(t.Context()) // now its connections are there
				w.ok(err)
				defer w.leaks()()
				var subscribers sync.WaitGroup
				all := []*wanderer{{account: ""}, {account: "alice"}, {account: "bob"}}
				for i, v := range all {
					v.chance, v.ready, v.seen = rand.New(rand.NewPCG(seed, uint64(i))), make(chan struct{}), map[string]bool{}
					want := posters * posts
					if v.account == "" {
						want *= 2
					}
					subscribers.Go(func() {
						if err := v.wander(w, func() bool { return len(v.seen) == want }); err != nil {
							t.Error(err)
						}
					})
				}
				for _, v := range all {
					<-v.ready
				}
				var posting sync.WaitGroup
				for i := range posters {
					db, chance := []*store.DB{w.books, behind}[i%2], rand.New(rand.NewPCG(seed, uint64(100+i)))
					posting.Go(func() {
						for n := range posts {
							w.clock.Forward(w.clock.Now().Add(time.Duration(chance.IntN(20)) * time.Millisecond))
							_, err := db.PostAll(t.Context(), []ledger.Entry{{ID: fmt.Sprintf("p%d.%d", i, n), Kind: ledger.Deposit,
								Moves: []ledger.Move{
									{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}},
								{ID: fmt.Sprintf("q%d.%d", i, n), Kind: ledger.Deposit, Moves: []ledger.Move{
									{From: ledger.Custody, To: "bob", Asset: "SOL", Amount: 1}}}})
							if err != nil {
								t.Error(err)
							}
						}
					})
				}
				posting.Wait()
				subscribers.Wait()
				for _, v := range all {
					t.Logf("%q came %d times", v.account, v.came)
				}
			})
		})
	}
}
