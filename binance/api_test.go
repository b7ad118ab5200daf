package binance_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// noon of Day 1 is when a test's books begin.
var noon = testkit.Noon

// home is where requests come from.
var home = netip.MustParseAddr("192.0.2.7")

// fixture is the API over books, on a clock that the test sets, and an account with a key.
type fixture struct {
	t       *testing.T
	url     string // of the books
	db      *store.DB
	sealer  *access.Sealer
	clock   *testkit.Clock
	log     bytes.Buffer
	handler http.Handler
	key     access.Key // of alice, HMAC, that may do everything
	secret  string
	caller  access.Caller
}

// each runs a test on every database: alice of Germany has accepted the documents,
// and has a key.
func each(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	for _, kind := range scenario.Databases {
		t.Run(kind, func(t *testing.T) { test(t, newFixture(t, kind, func(*binance.Options) {})) })
	}
}

// newFixture makes books in a database of the kind, and the API over them.
func newFixture(t *testing.T, kind string, change func(*binance.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: testkit.NewClock(noon), caller: access.Caller{Address: home, Request: "r-1"}}
	sealKey := testkit.Must(access.NewSealKey(rand.Reader))(t)
	f.sealer = testkit.Must(access.NewSealer(sealKey))(t)
	tokens := testkit.Must(staking.ShippedTokens(staking.DayOf(noon)))(t)
	f.url = scenario.Books(t, kind, f.options(), store.Setup{
		From: staking.DayOf(noon), Tokens: tokens, Regions: staking.ShippedRegions(),
		Documents: staking.ShippedDocuments(),
		Limits:    staking.NoLimit,
	})
	f.db = testkit.Must(store.Open(t.Context(), f.url, f.options()))(t)
	t.Cleanup(func() { ok(t, f.db.Close()) })
	o := binance.Options{
		Books: f.db, Sealer: f.sealer, Now: f.now, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
		Accept: "https://example.com/accept",
	}
	change(&o)
	f.handler = binance.New(o)
	f.open("alice")
	f.key, f.secret = f.newKey("alice", "read,trade,withdraw", "192.0.2.0/24,198.51.100.0/24,2001:db8::/32")
	return f
}

func (f *fixture) options() store.Options {
	return store.Options{Clock: f.now, Actor: access.Process("test"), Volatile: true}
}

func (f *fixture) now() time.Time { return f.clock.Now() }

// open opens an account for a resident of Germany who has accepted everything.
func (f *fixture) open(id ledger.Account) {
	f.t.Helper()
	testkit.Must(f.db.OpenAccount(f.t.Context(), id, "DE"))(f.t)
	scenario.AnyAddress(f.t, f.db, id)
	for _, name := range staking.DocumentNames {
		ok(f.t, f.db.Documents().Accept(f.t.Context(), id, name, 0, staking.Client{}))
	}
}

// newKey makes an HMAC key.
func (f *fixture) newKey(id ledger.Account, permissions, addresses string) (access.Key, string) {
	f.t.Helper()
	name, secret, err := access.NewKey(rand.Reader)
	ok(f.t, err)
	k := access.Key{Key: name, Account: id, Type: access.HMAC}
	k.Permissions = testkit.Must(access.ParsePermissions(permissions))(f.t)
	k.Addresses = testkit.Must(access.ParseAddresses(addresses))(f.t)
	ok(f.t, k.Seal(f.sealer, secret))
	ok(f.t, f.db.People().AddKey(f.t.Context(), k))
	return k, secret
}

// deposit gives an account so many whole tokens of 8 decimals, now.
func (f *fixture) deposit(id string, account ledger.Account, tokens int64, asset string) {
	f.t.Helper()
	outcomes := testkit.Must(f.db.Post(f.t.Context(),
		[]ledger.Entry{{ID: id, Kind: ledger.Deposit, Moves: []ledger.Move{
			{From: ledger.Custody, To: account, Asset: asset, Amount: ledger.Amount(tokens * 1_00000000)},
		}}}))(f.t)
	ok(f.t, outcomes[0].Err)
}

// settle pays what is due.
func (f *fixture) settle() {
	f.t.Helper()
	testkit.Must(staking.Run(f.t.Context(), f.db, f.now(), staking.Options{Workers: 1}))(f.t)
}

// ask is a request as it goes over the wire.
type ask struct {
	method, path, query, body string
	headers                   map[string]string
}

// answered is what came back.
type answered struct {
	status  int
	body    string
	headers http.Header
}

// String is what most tests compare: 200 {"success":true}.
func (a answered) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// send sends a request as it is, and checks what all answers have.
func (f *fixture) send(a ask) answered {
	f.t.Helper()
	r := httptest.NewRequestWithContext(access.WithCaller(f.t.Context(), f.caller), a.method, "/",
		strings.NewReader(a.body))
	r.URL = &url.URL{Path: a.path, RawQuery: a.query}
	for name, value := range a.headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	body := testkit.Must(io.ReadAll(w.Result().Body))(f.t)
	if kind := w.Result().Header.Get("Content-Type"); kind != "application/json" {
		f.t.Errorf("%s %s?%s is answered with the type %q", a.method, a.path, a.query, kind)
	}
	return answered{w.Code, string(body), w.Result().Header}
}

// sign signs a payload with alice's secret.
func (f *fixture) sign(payload string) string { return signHMAC(f.secret, payload) }

func signHMAC(secret, payload string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(payload))
	return hex.EncodeToString(mac.Sum(nil))
}

// signed is a GET with alice's key, signed now; query is without its timestamp.
func (f *fixture) signed(path, query string) ask {
	if query != "" {
		query += "&"
	}
	query += fmt.Sprintf("timestamp=%d", f.now().UnixMilli())
	return ask{method: http.MethodGet, path: path, query: query + "&signature=" + f.sign(query), headers: f.keyed()}
}

func (f *fixture) keyed() map[string]string { return map[string]string{"X-MBX-APIKEY": f.key.Key} }

// get sends a GET signed now.
func (f *fixture) get(path, query string) answered {
	f.t.Helper()
	return f.send(f.signed(path, query))
}

// The three paths.
const (
	listPath    = "/sapi/v1/soft-staking/list"
	setPath     = "/sapi/v1/soft-staking/set"
	recordsPath = "/sapi/v1/soft-staking/history/rewardsRecord"
)

// toggle sets the switch, which has to be answered so.
func (f *fixture) toggle(on bool, want string) {
	f.t.Helper()
	f.wants(f.get(setPath, fmt.Sprintf("softStaking=%t", on)), want)
}

const success = `200 {"success":true}`

// wants compares an answer, literally.
func (f *fixture) wants(got answered, want string) {
	f.t.Helper()
	if got.String() != want {
		f.t.Errorf("answered\n%s\nand not\n%s", got, want)
	}
}

// isOn is how the switch stands.
func (f *fixture) isOn() bool {
	f.t.Helper()
	return testkit.Must(reports.New(f.db.Reader()).Holder(f.t.Context(), "alice", staking.Client{}, 0))(f.t).On()
}

// ok ends the test at an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
