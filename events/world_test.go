package events_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	noon = testkit.Noon
	day1 = staking.DayOf(noon)
)

// poll is how often the tests' hubs look into the outbox.
const poll = 10 * time.Millisecond

// patience is how long a test waits for what must come.
const patience = time.Minute

// world is books that begin on Day 1 with all that is shipped, at noon of that day,
// and a hub that reads them.
type world struct {
	*testing.T
	url   string
	clock *testkit.Clock
	books *store.DB
	hub   *events.Hub
	posts int
}

// each runs a test on every database, and looks that it leaves no goroutine behind.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) {
			w := &world{T: t, clock: testkit.NewClock(noon)}
			tokens, err := staking.ShippedTokens(day1)
			w.ok(err)
			w.url = scenario.Books(t, kind, w.options(), store.Setup{
				From: day1, Tokens: tokens, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
				Limits: staking.NoLimit,
			})
			w.books, err = store.Open(t.Context(), w.url, w.options())
			w.ok(err)
			defer func() { w.ok(w.books.Close()) }()
			defer scenario.Sequence(t, w.books)()
			w.hub = events.New(w.books, slog.New(slog.DiscardHandler), poll)
			_, err = reports.New(w.books.Reader()).FirstOpen(t.Context()) // now its connections are there
			w.ok(err)
			test(w)
		})
	}
}

func (w *world) options() store.Options {
	return store.Options{Clock: w.clock.Now, Actor: access.Process("test"), Volatile: true}
}

// another is the same books open in another process.
func (w *world) another(clock func() time.Time) *store.DB {
	w.Helper()
	o := w.options()
	o.Clock = clock
	db, err := store.Open(w.Context(), w.url, o)
	w.ok(err)
	w.Cleanup(func() {
		if err := db.Close(); err != nil {
			w.Error(err)
		}
	})
	return db
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open(ids ...ledger.Account) {
	w.Helper()
	for _, id := range ids {
		_, err := w.books.OpenAccount(w.Context(), id, "DE")
		w.ok(err)
	}
}

// post posts an entry of one move, of so many smallest units of BNB, and returns its ID.
func (w *world) post(db *store.DB, kind ledger.Kind, from, to ledger.Account, amount ledger.Amount) string {
	w.Helper()
	w.posts++
	id := fmt.Sprint("e", w.posts)
	_, err := db.PostAll(w.Context(), []ledger.Entry{{ID: id, Kind: kind,
		Moves: []ledger.Move{{From: from, To: to, Asset: "BNB", Amount: amount}}}})
	w.ok(err)
	return id
}

func (w *world) deposit(to ledger.Account, amount ledger.Amount) string {
	w.Helper()
	return w.post(w.books, ledger.Deposit, ledger.Custody, to, amount)
}

// settle runs what is due.
func (w *world) settle() {
	w.Helper()
	_, err := staking.Run(w.Context(), w.books, w.clock.Now(), staking.Options{})
	w.ok(err)
}

// leaks looks at the end of the test for goroutines that are there since now.
func (w *world) leaks() func() {
	before := goleak.IgnoreCurrent()
	return func() {
		w.Helper()
		err := goleak.Find(before)
		// Find waits for a second or so. The driver takes up to 15 s to close a connection whose query was cancelled.
		for until := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(until); {
			err = goleak.Find(before)
		}
		if err != nil {
			w.Error(err)
		}
	}
}

// follower is a subscriber that keeps what it receives.
type follower struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // how it ended; to be read after ended is closed

	mu       sync.Mutex
	changed  *sync.Cond
	received []events.Event // of any Type but "ready"
	last     string         // the last ID that was received
	ready    bool           // it has been brought up to date
	hold     chan struct{}  // nil, or closed when it may take the next event
}

// follow subscribes, and returns when the subscriber is up to date.
func (w *world) follow(account ledger.Account, after string) *follower {
	w.Helper()
	if after == "" {
		scenario.NumberEvents(w, w.books) // it begins after what has a number
	}
	f := w.begin(account, after)
	f.await("up to date", func() bool { return f.ready })
	return f
}

func (w *world) begin(account ledger.Account, after string) *follower {
	ctx, cancel := context.WithCancel(w.Context())
	f := &follower{t: w.T, cancel: cancel, ended: make(chan struct{})}
	f.changed = sync.NewCond(&f.mu)
	go func() {
		defer close(f.ended)
		f.err = w.hub.Subscribe(ctx, account, after, f.take)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed.Broadcast()
	}()
	return f
}

func (f *follower) take(e events.Event) error {
	f.mu.Lock()
	hold := f.hold
	if e.ID != "" {
		f.last = e.ID
	}
	switch e.Type {
	case "":
	case "ready":
		if f.ready || e.ID == "" || e.Body != (events.Ready{}) {
			f.t.Errorf("\"ready\" is sent once, with an ID: %+v", e)
		}
		f.ready = true
	default:
		f.received = append(f.received, e)
	}
	f.changed.Broadcast()
	f.mu.Unlock()
	if hold != nil && e.Type != "" { // a heartbeat is not held: it may come first
		<-hold
	}
	return nil
}

// await waits until something is true of what was received.
func (f *follower) await(what string, is func() bool) {
	f.t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		late = true
		f.changed.Broadcast()
	})
	defer timer.Stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for !is() {
		if late {
			f.t.Fatalf("%s: it never was; received %d events", what, len(f.received))
		}
		f.changed.Wait()
	}
}

// entries waits until n events were received, and returns the entries of all.
func (f *follower) entries(n int) (entries []string) {
	f.t.Helper()
	f.await(fmt.Sprint(n, " events"), func() bool { return len(f.received) >= n })
	for _, e := range f.events() {
		entries = append(entries, entryOf(e))
	}
	return entries
}

func (f *follower) events() []events.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]events.Event(nil), f.received...)
}

// leave ends the subscription, and returns the last ID.
func (f *follower) leave() string {
	f.t.Helper()
	f.cancel()
	<-f.ended
	if !errors.Is(f.err, context.Canceled) {
		f.t.Error(f.err)
	}
	return f.last
}

func entryOf(e events.Event) string {
	switch b := e.Body.(type) {
	case events.Balance:
		return b.Entry
	case events.Reward:
		return b.Entry
	case events.Settled:
		return b.Entry
	}
	return e.Type
}
