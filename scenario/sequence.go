package scenario

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/store"
)

// NumberEvents numbers all events that are committed.
func NumberEvents(t testing.TB, books *store.DB) {
	t.Helper()
	for {
		n, err := books.Outbox().Number(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// Sequence numbers the events of books, as softstake serve does, until stop is called. What another process
// commits it finds after a few milliseconds.
func Sequence(t testing.TB, books *store.DB) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		books.Outbox().Sequence(ctx, outbox.Pace{Poll: 5 * time.Millisecond, Share: 1}, func(err error) {
			if err != nil {
				t.Logf("events get no numbers: %v", err)
			}
		})
	})
	return func() {
		cancel()
		work.Wait()
	}
}
