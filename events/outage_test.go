package events_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// heard is a log that says which lines were written.
type heard chan string

func (h heard) Enabled(context.Context, slog.Level) bool { return true }
func (h heard) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h heard) WithGroup(string) slog.Handler            { return h }
func (h heard) Handle(_ context.Context, r slog.Record) error {
	h <- r.Message
	return nil
}

// The database goes away under a subscriber, and comes back: it says so once, and
// publishes what was posted before and after.
func TestTheDatabaseGoesAway(t *testing.T) {
	server := pgtest.New(t)
	url, err := server.NewDatabase(t.Context(), "books")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := staking.ShippedTokens(day1)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, url: url, clock: testkit.NewClock(noon)}
	w.books, err = store.Create(t.Context(), url, w.options(), store.Setup{
		From: day1, Tokens: tokens, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit,
	})
	w.ok(err)
	defer func() { w.ok(w.books.Close()) }()
	defer scenario.Sequence(t, w.books)()
	log := make(heard, 10)
	w.hub = events.New(w.books, slog.New(log), poll)
	w.open("alice")
	f := w.follow("alice", "")
	before := w.deposit("alice", 1)
	f.entries(1)
	w.ok(server.StopNow(t.Context()))
	if line := <-log; line != "reading the outbox failed; it is retried, and no event is missed" {
		t.Errorf("the log says %q", line)
	}
	w.ok(server.Restart(t.Context()))
	after := w.post(w.books, ledger.Deposit, ledger.Custody, "alice", 1)
	if received := f.entries(2); !slices.Equal(received, []string{before, after}) {
		t.Errorf("received %v", received)
	}
	if line := <-log; line != "the outbox can be read again" {
		t.Errorf("the log says %q", line)
	}
	f.leave()
}
