package serve

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/web"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// noon is when the tests play, on the first day of the books.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// site is what a server runs on: books with all that is shipped, and alice in Germany, at noon.
type site struct {
	*testing.T
	url     string
	books   *store.DB
	clock   *testkit.Clock
	sealer  *access.Sealer
	metrics *Metrics
}

// newSite makes books in a file.
func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteAt(t, "sqlite:"+filepath.Join(t.TempDir(), "books.db"))
}

func newSiteAt(t *testing.T, url string) *site {
	t.Helper()
	w := &site{T: t, url: url, clock: testkit.NewClock(noon), metrics: NewMetrics()}
	day := staking.DayOf(noon)
	tokens, err := staking.ShippedTokens(day)
	w.ok(err)
	w.books, err = store.Create(t.Context(), url,
		store.Options{Clock: w.clock.Now, Actor: access.Process("test"), Volatile: true, Observe: w.metrics.Committed},
		store.Setup{From: day, CloseAfter: 5 * time.Minute, Tokens: tokens, Regions: staking.ShippedRegions(),
			Documents: staking.ShippedDocuments(),
			Limits:    staking.NoLimit})
	w.ok(err)
	t.Cleanup(func() { w.ok(w.books.Close()) })
	seal, err := access.NewSealKey(rand.Reader)
	w.ok(err)
	w.sealer, err = access.NewSealer(seal)
	w.ok(err)
	_, err = w.books.OpenAccount(t.Context(), "alice", "DE")
	w.ok(err)
	return w
}

func (w *site) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// token makes a bearer token of a role. change changes it.
func (w *site) token(role access.Role, change ...func(*access.Token)) string {
	w.Helper()
	token, secret, err := access.NewToken(rand.Reader)
	w.ok(err)
	token.Role, token.Parts, err = access.ParseRoleAndParts(string(role))
	w.ok(err)
	for _, f := range change {
		f(&token)
	}
	w.ok(w.books.People().AddToken(w.Context(), token))
	return secret
}

// server is Run in this process.
type server struct {
	*testing.T
	log   scenario.Buffer
	stop  context.CancelFunc
	ended chan error
}

// serve runs the server on loopback. change changes its Config.
func (w *site) serve(change ...func(*Config)) *server {
	w.Helper()
	s := &server{T: w.T, ended: make(chan error, 1)}
	c := Config{
		Books: w.books, Sealer: w.sealer, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Metrics: w.metrics, Pages: &web.Options{Random: rand.Reader},
		Listen: "127.0.0.1:0", Weights: true, Build: Build{"v1.0.0", "abcdef", "go1.26"}, Settle: staking.Options{Workers: 1},
		Poll: 10 * time.Millisecond,
	}
	for _, f := range change {
		f(&c)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(w.Context())
	go func() { s.ended <- Run(ctx, c) }()
	return s
}

// waitFor waits until the log matches, and returns what it matches.
func (s *server) waitFor(pattern string) []string {
	s.Helper()
	return s.log.WaitFor(s, pattern)
}

// address is where the server answers.
func (s *server) address() string {
	s.Helper()
	return s.waitFor(`msg=serving address=(\S+)`)[1]
}

// at is a served path's URL.
func (s *server) at(path string) string {
	s.Helper()
	return "http://" + s.address() + path
}

// get asks the server, and returns status and body.
func (s *server) get(path string) (int, string) {
	s.Helper()
	response, body := fetch(s.T, s.at(path))
	return response.StatusCode, body
}

func fetch(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	return scenario.Request{Method: http.MethodGet, URL: url}.Do(t)
}

// end stops the server, which must end well.
func (s *server) end() {
	s.Helper()
	s.stop()
	select {
	case err := <-s.ended:
		if err != nil {
			s.Errorf("%v:\n%s", err, s.log.String())
		}
	case <-time.After(30 * time.Second):
		s.Fatal("the server did not stop")
	}
	s.waitFor("stopped")
}

// key makes an API key of alice's that may read and trade, of the type hmac.
func (w *site) key() string {
	w.Helper()
	name, secret, err := access.NewKey(rand.Reader)
	w.ok(err)
	k := access.Key{Key: name, Account: "alice", Type: access.HMAC,
		Permissions: []access.Permission{access.Read, access.Trade}}
	w.ok(k.Seal(w.sealer, secret))
	w.ok(w.books.People().AddKey(w.Context(), k))
	return name
}

// enroll switches Soft Staking on.
func (w *site) enroll(id ledger.Account) {
	w.Helper()
	for _, name := range staking.DocumentNames {
		w.ok(w.books.Documents().Accept(w.Context(), id, name, 0, staking.Client{}))
	}
	_, err := w.books.Enroll(w.Context(), id, staking.Client{}, w.clock.Now())
	w.ok(err)
}

// post posts entries that are accepted.
func (w *site) post(entries ...ledger.Entry) {
	w.Helper()
	outcomes, err := w.books.Post(w.Context(), entries)
	w.ok(err)
	for _, o := range outcomes {
		w.ok(o.Err)
	}
}
