package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

// The variables by which the tests start themselves as a process that sends, and can be killed.
const (
	booksVar = "SOFTSTAKE_TEST_SENDS"  // the books
	lifeVar  = "SOFTSTAKE_TEST_SENDER" // which of the processes it is, from 0
)

func TestMain(m *testing.M) {
	if url := os.Getenv(booksVar); url != "" {
		fmt.Fprintln(os.Stderr, sendAlone(url))
		os.Exit(1)
	}
	pgtest.Main(m)
}

// laterClock is the clock of a process: the lease of the one before, which was killed, is over.
func laterClock(life int) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(life) * (store.WebhookLease + time.Second)) }
}

// sendAlone sends until it is killed.
func sendAlone(url string) error {
	life, err := strconv.Atoi(os.Getenv(lifeVar))
	if err != nil {
		return err
	}
	sealer, err := access.NewSealer(sealKey)
	if err != nil {
		return err
	}
	ctx := context.Background()
	books, err := store.Open(ctx, url, store.Options{Clock: laterClock(life), Actor: access.Process("sender"),
		Volatile: true, Sealer: func() (*access.Sealer, error) { return sealer, nil }})
	if err != nil {
		return err
	}
	network := webhook.Network{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	client := webhook.NewClient(network, "test", webhook.Timeout)
	delivery.New(delivery.Options{Books: books, Sealer: sealer, Client: client,
		Now: laterClock(life), Wall: time.Now, Jitter: func() int { return 500 },
		Log:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Holder: fmt.Sprint("process ", life), Poll: 2 * time.Millisecond}).Run(ctx)
	return nil
}

const (
	kills       = 3
	killsInLong = 200
	// longestLife is how long a process lives after its first message at most.
	longestLife = 60 * time.Millisecond
)

// TestKilled kills who sends (kill -9) at random moments, while events are posted: the receiver gets each message, in
// its order where there is one, always with the same ID and body.
func TestKilled(t *testing.T) {
	times := kills
	if scenario.Long() {
		times = killsInLong
	}
	for _, ordered := range []bool{true, false} {
		t.Run(fmt.Sprint("ordered ", ordered), func(t *testing.T) {
			each(t, func(w *world) { w.killed(times, ordered) })
		})
	}
}

func (w *world) killed(times int, ordered bool) {
	r := newReceiver(w.T)
	w.add(r, "balance", ordered)
	stop := w.load()
	defer stop()
	for life := range times {
		p := w.start(life)
		r.await(1, func() bool { return len(r.got) > 0 })
		time.Sleep(rand.N(longestLife)) // a random moment
		w.ok(p.Process.Kill())
		if err := p.Wait(); err == nil {
			w.Fatal("it was not killed")
		}
		r.ids()
	}
	posted := stop()
	p := w.start(times)
	r.await(posted, func() bool { return len(r.bodies) == posted })
	w.ok(p.Process.Kill())
	_ = p.Wait() // it was killed
	r.has(posted, ordered)
}

// load posts entries until stop is called, which returns how many; each is an event with a number.
func (w *world) load() (stop func() (posted int)) {
	end := scenario.Sequence(w, w.books)
	ctx, cancel := context.WithCancel(w.Context())
	posted := 0
	var posting sync.WaitGroup
	posting.Go(func() {
		for ctx.Err() == nil {
			_, err := w.books.PostAll(w.Context(), []ledger.Entry{{ID: fmt.Sprint("k", posted), Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 1}}}})
			if err != nil {
				w.Error(err)
				return
			}
			posted++
			time.Sleep(time.Millisecond) // the load of the books, not a wait for something
		}
	})
	return sync.OnceValue(func() int {
		cancel()
		posting.Wait()
		scenario.NumberEvents(w, w.books)
		end()
		return posted
	})
}

// has ends the test unless a receiver has a number of messages, in their order where there is one.
func (r *receiver) has(posted int, ordered bool) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	first := firsts(r.taken)
	for n := range int64(posted) {
		id := webhook.Key{Stream: webhook.Events, Number: n + 1, Part: 1}.ID()
		if !slices.Contains(first, id) {
			r.t.Fatalf("%s never came", id)
		}
		if ordered && first[n] != id {
			r.t.Fatalf("%s came as number %d", first[n], n+1)
		}
	}
}

// firsts are the first of each of some texts, in order.
func firsts(all []string) (first []string) {
	seen := map[string]bool{}
	for _, text := range all {
		if !seen[text] {
			first = append(first, text)
		}
		seen[text] = true
	}
	return first
}

func (w *world) start(life int) *exec.Cmd {
	w.Helper()
	p := exec.Command(testkit.Must(os.Executable())(w.T))
	p.Env = append(os.Environ(), booksVar+"="+w.url, fmt.Sprint(lifeVar, "=", life))
	p.Stderr = w.Output()
	w.ok(p.Start())
	w.Cleanup(func() { _ = p.Process.Kill() })
	return p
}
