package events

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Reading fails in the middle, again and again: nothing is passed over, and nothing
// comes before what was written before it.
func TestATailGoesOnWhereItFailed(t *testing.T) {
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			clock := testkit.NewClock(testkit.Noon)
			day := staking.DayOf(clock.Now())
			tokens, err := staking.ShippedTokens(day)
			if err != nil {
				t.Fatal(err)
			}
			books, err := store.Create(t.Context(), scenario.NewURL(t, kind, false),
				store.Options{Clock: clock.Now, Actor: access.Process("test"), Volatile: true}, store.Setup{
					From: day, Tokens: tokens, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
					Limits: staking.NoLimit,
				})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := books.Close(); err != nil {
					t.Error(err)
				}
			}()
			if _, err := books.OpenAccount(t.Context(), "alice", "DE"); err != nil {
				t.Fatal(err)
			}
			begun := clock.Now()
			var want []string
			post := func() {
				id := fmt.Sprint("e", len(want))
				want = append(want, id)
				if _, err := books.PostAll(t.Context(), []ledger.Entry{{ID: id, Kind: ledger.Deposit,
					Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}}}); err != nil {
					t.Fatal(err)
				}
				clock.Forward(clock.Now().Add(time.Second))
			}
			for range 100 {
				post() // far longer than the lag
			}
			followTail(t, tailFrom(books, begun), post, &want)
		})
	}
}

func followTail(t *testing.T, tail *tail, post func(), want *[]string) {
	t.Helper()
	broken := errors.New("broken")
	var received []string
	for n := 0; len(received) < 120; n++ {
		if n > 1000 {
			t.Fatalf("after %d looks received %d", n, len(received))
		}
		left := 7 + n // of what is far back, each look begins again
		err := tail.read(t.Context(), func(_ cursor, n outbox.Event) error {
			if left--; left < 0 {
				return broken
			}
			for _, e := range n.Entries {
				if !slices.Contains(received, e.ID) {
					received = append(received, e.ID)
				}
			}
			return nil
		})
		if err == nil && len(*want) < 120 {
			post()
		} else if err != nil && !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
	if !slices.Equal(received, *want) {
		t.Errorf("received %v", received)
	}
	if len(tail.seen) > 40 {
		t.Errorf("%d outbox events are remembered", len(tail.seen))
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tail.read(gone, func(cursor, outbox.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a look that is cancelled says %v", err)
	}
}
