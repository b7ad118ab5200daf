package scenario

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestCloseLeavesNothingBehind closes books while callers post: each is answered,
// and no goroutine is left.
func TestCloseLeavesNothingBehind(t *testing.T) {
	for _, kind := range Databases {
		t.Run(kind, func(t *testing.T) {
			town := Town{Holders: 50, Days: 2, Last: Day1 + 1, Changes: 20}
			url := NewURL(t, kind, false)
			town.Build(t, url, Chance(1, 0))
			before := goleak.IgnoreCurrent()
			clock := testkit.NewClock((town.Last + 1).Start().Add(time.Hour))
			db, err := store.Open(t.Context(), url, store.Options{Clock: clock.Now, Actor: access.Process("scenario")})
			if err != nil {
				t.Fatal(err)
			}
			runUntilDone(t, db, clock.Now(), town.Options())
			var callers sync.WaitGroup
			begun := make(chan struct{}, 20)
			for n := range 20 {
				callers.Go(func() { postUntilClosed(t, db, town, n, begun) })
			}
			for range 20 {
				<-begun
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
			callers.Wait()
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		})
	}
}

// postUntilClosed posts until the books are closed, and reports the first answer.
func postUntilClosed(t *testing.T, db *store.DB, town Town, caller int, begun chan<- struct{}) {
	chance := Chance(1, uint64(caller))
	for n := 0; ; n++ {
		outcomes, err := db.Post(t.Context(),
			[]ledger.Entry{town.Transfer(fmt.Sprintf("leak-%d-%d", caller, n), chance)})
		// How long they post is chance, and so is who has nothing left to send.
		if err == nil && outcomes[0].Err != nil && !errors.Is(outcomes[0].Err, ledger.ErrInsufficient) {
			t.Error(outcomes[0].Err)
		}
		if n == 0 {
			begun <- struct{}{}
		}
		if err != nil {
			if want := "post 1 entries: the books are closed"; err.Error() != want &&
				err.Error() != "the books are closed" {
				t.Error(err)
			}
			return
		}
	}
}
