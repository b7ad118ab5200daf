package delivery

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
)

// TestAPageEndsInsideOfAnEvent: of an event of the outbox that is many messages some are read at once, and the page
// after them begins behind them.
func TestAPageEndsInsideOfAnEvent(t *testing.T) {
	ctx, clock := t.Context(), testkit.NewClock(testkit.Noon)
	today := staking.DayOf(clock.Now())
	books := testkit.Must(store.Create(ctx, "sqlite:"+filepath.Join(t.TempDir(), "books.db"),
		store.Options{Clock: clock.Now, Actor: access.Process("test"), Volatile: true},
		store.Setup{From: today, Limits: staking.NoLimit, Documents: staking.ShippedDocuments(),
			Tokens: testkit.Must(staking.ShippedTokens(today))(t)}))(t)
	t.Cleanup(func() { testkit.Must(0, books.Close())(t) })
	testkit.Must(books.OpenAccount(ctx, "alice", "DE"))(t)
	const posted = 2*webhook.MostInMessage + 1
	var entries []ledger.Entry
	for n := range posted {
		entries = append(entries, ledger.Entry{ID: strconv.Itoa(n), Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}})
	}
	testkit.Must(books.PostAll(ctx, entries))(t)
	scenario.NumberEvents(t, books)
	s := newSource(books)
	s.most = 2
	at, made := webhook.Key{Stream: webhook.Events, Part: webhook.Whole}, 0
	for _, want := range [][]string{{"event_1-1", "event_1-201"}, {"event_1-401"}, nil} {
		p := testkit.Must(s.events(ctx, at, webhook.Balance, func() error { made++; return nil }))(t)
		if len(p.messages) != len(want) || p.end == at && want != nil {
			t.Fatalf("%d messages through %s, not %v", len(p.messages), p.end.ID(), want)
		}
		for i, m := range p.messages {
			if m.ID() != want[i] {
				t.Errorf("%s, not %s", m.ID(), want[i])
			}
		}
		at = p.end
	}
	if at != (webhook.Key{Stream: webhook.Events, Number: 1, Part: webhook.Whole}) || made != 5 {
		t.Errorf("it ends at %s, with %d messages made", at.ID(), made)
	}
}
