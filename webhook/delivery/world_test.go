package delivery_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
	"github.com/softstake/softstake/webhook/delivery"
)

var day1 = staking.DayOf(testkit.Noon)

// sealKey seals secrets: the same in each test, which share the books that they begin with.
var sealKey = base64.StdEncoding.EncodeToString(make([]byte, 32))

// world is books, a receiver, and the clock of both.
type world struct {
	*testing.T
	url    string
	clock  *testkit.Clock
	sealer *access.Sealer
	books  *store.DB
	posts  int
	log    strings.Builder
}

// each runs a test on every database.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) { test(worldOf(t, kind)) })
	}
}

// worldOf is a world with books in a kind of database.
func worldOf(t *testing.T, kind string) *world {
	t.Helper()
	w := &world{T: t, clock: testkit.NewClock(testkit.Noon), sealer: sealerOfTests(t)}
	w.url = scenario.Books(t, kind, w.options(), w.setup())
	w.books = w.open()
	w.holder("alice")
	return w
}

func sealerOfTests(t *testing.T) *access.Sealer { return testkit.Must(access.NewSealer(sealKey))(t) }

func (w *world) setup() store.Setup {
	return store.Setup{From: day1, Tokens: testkit.Must(staking.ShippedTokens(day1))(w.T),
		Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(), Limits: staking.NoLimit}
}

func (w *world) holder(id ledger.Account) {
	w.Helper()
	_, err := w.books.OpenAccount(w.Context(), id, "DE")
	w.ok(err)
}

func (w *world) options() store.Options {
	return store.Options{Clock: w.clock.Now, Actor: access.Process("test"), Volatile: true,
		Sealer: func() (*access.Sealer, error) { return w.sealer, nil }}
}

// open opens the books as another process does.
func (w *world) open() *store.DB {
	w.Helper()
	db := testkit.Must(store.Open(w.Context(), w.url, w.options()))(w.T)
	w.Cleanup(func() { w.ok(db.Close()) })
	return db
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// deposit posts a deposit, and numbers it.
func (w *world) deposit(n int) {
	w.Helper()
	for range n {
		w.posts++
		_, err := w.books.PostAll(w.Context(), []ledger.Entry{{ID: fmt.Sprint("e", w.posts), Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: 100_000_000}}}})
		w.ok(err)
	}
	scenario.NumberEvents(w, w.books)
}

func (w *world) enroll(id ledger.Account) {
	w.Helper()
	for _, name := range staking.DocumentNames {
		w.ok(w.books.Documents().Accept(w.Context(), id, name, 0, staking.Client{}))
	}
	_, err := w.books.Enroll(w.Context(), id, staking.Client{}, time.Time{})
	w.ok(err)
}

// add adds an endpoint at a receiver.
func (w *world) add(r *receiver, kinds string, ordered bool) webhook.Secret {
	w.Helper()
	secret := testkit.Must(webhook.NewSecret(webhook.HMAC, rand.Reader))(w.T)
	sealed := testkit.Must(w.sealer.Seal([]byte(secret.Text()), webhook.Sealed("shop")))(w.T)
	w.ok(w.books.AddWebhook(w.Context(), store.NewWebhook{Name: "shop", URL: r.url, Kinds: kinds, Ordered: ordered,
		Secret: sealed}))
	r.reader = testkit.Must(standardwebhooks.NewWebhook(secret.Receiver()))(w.T)
	return secret
}

// sender is a process that sends.
func (w *world) sender(holder string, books *store.DB, timeout time.Duration) *delivery.Sender {
	w.Helper()
	return w.senderAt(holder, books, timeout, w.clock.Now)
}

func (w *world) senderAt(holder string, books *store.DB, timeout time.Duration,
	now func() time.Time) *delivery.Sender {
	w.Helper()
	network := webhook.Network{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	c := webhook.NewClient(network, "test", timeout)
	w.Cleanup(c.Close)
	return delivery.New(delivery.Options{Books: books, Sealer: w.sealer, Client: c, Now: now, Wall: time.Now,
		Jitter: func() int { return 500 }, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Holder: holder,
		Poll: 5 * time.Millisecond})
}

// send sends all there is, as a process named "one".
func (w *world) send() {
	w.Helper()
	w.ok(w.sender("one", w.books, webhook.Timeout).Deliver(w.Context(), "shop"))
}

func (w *world) state() reports.Webhook { return w.stateOf("shop") }

func (w *world) stateOf(name string) reports.Webhook {
	w.Helper()
	return testkit.Must(reports.New(w.books.Reader()).Webhook(w.Context(), name))(w.T)
}

// receiver is an HTTP server that keeps what it gets.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	url    string                    // by which it is reached
	reader *standardwebhooks.Webhook // of the specification's own library

	mu     sync.Mutex
	came   *sync.Cond                             // a message has come
	answer func(w http.ResponseWriter, id string) // nil: 204
	bodies map[string]string
	got    []string // IDs, of every attempt
	taken  []string // IDs that were answered with 204
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, bodies: map[string]string{}}
	r.came = sync.NewCond(&r.mu)
	r.server = httptest.NewServer(r)
	r.url = r.server.URL
	t.Cleanup(r.server.Close)
	return r
}

// ServeHTTP verifies a message, and that it was signed now by the clock of the receiver, which is not the books' own,
// looks that its ID always has the same body, and answers.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // it was cut off
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.reader.Verify(body, req.Header); err != nil {
		r.t.Error(err)
	}
	id := req.Header.Get("Webhook-Id")
	if before, again := r.bodies[id]; again && before != string(body) {
		r.t.Errorf("%s is %s, and was %s", id, body, before)
	}
	r.bodies[id], r.got = string(body), append(r.got, id)
	defer r.came.Broadcast()
	if r.answer != nil {
		answer := r.answer
		answer(w, id)
		return
	}
	r.taken = append(r.taken, id)
	w.WriteHeader(http.StatusNoContent)
}

// set has the receiver answer in some way from now on; nil: 204.
func (r *receiver) set(answer func(w http.ResponseWriter, id string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func status(code int) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, _ string) { w.WriteHeader(code) }
}

// await waits until something is true, which is asked after each message.
func (r *receiver) await(n int, is func() bool) {
	r.t.Helper()
	late := time.AfterFunc(2*time.Minute, func() { r.came.Broadcast() })
	defer late.Stop()
	until := time.Now().Add(2 * time.Minute)
	r.mu.Lock()
	defer r.mu.Unlock()
	for !is() {
		if time.Now().After(until) {
			r.t.Fatalf("%d messages did not come; %d have", n, len(r.bodies))
		}
		r.came.Wait()
	}
}

// ids are those of the attempts since it was asked last.
func (r *receiver) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func (r *receiver) wants(what string, ids ...string) {
	r.t.Helper()
	if got := r.ids(); !slices.Equal(got, ids) {
		r.t.Errorf("%s: %v; want %v", what, got, ids)
	}
}

// data is that of a message, by its ID.
func data[T any](r *receiver, id string) (kind string, of T) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var m struct {
		Type, Timestamp string
		Data            T
	}
	if err := json.Unmarshal([]byte(r.bodies[id]), &m); err != nil {
		r.t.Fatalf("%s: %v", id, err)
	}
	if _, err := time.Parse(time.RFC3339, m.Timestamp); err != nil {
		r.t.Error(err)
	}
	return m.Type, m.Data
}
