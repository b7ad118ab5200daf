package api_test

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// town is an API on books that begin on Day 1 with all that is shipped, at noon of
// that day, with a token for each role and for each holder who came to live in it.
type town struct {
	t      testing.TB
	db     *store.DB
	server *httptest.Server
	tokens map[string]string // by role, or the holder's ID
	first  staking.Day
	clock  *testkit.Clock

	sequence sync.Once // begins with the first stream of events
}

// townRate lets a test make as many requests at once as it has.
const townRate = 600_000

// inTown runs a test on SQLite, and in the long tests on PostgreSQL too. The API knows no database: what it asks of the
// books is asked of both by the tests of inTowns, which call each operation, and the rest is repetition there.
func inTown(t *testing.T, test func(*testing.T, *town)) {
	t.Helper()
	kinds := scenario.Databases
	if !scenario.Long() {
		kinds = kinds[:1]
	}
	inTownOf(t, kinds, test)
}

// inTowns runs a test on every database.
func inTowns(t *testing.T, test func(*testing.T, *town)) {
	t.Helper()
	inTownOf(t, scenario.Databases, test)
}

func inTownOf(t *testing.T, kinds []string, test func(*testing.T, *town)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { test(t, newTown(t, kind)) })
	}
}

// newTown makes books in a database of the kind, and the API over them.
func newTown(t testing.TB, kind string) *town {
	t.Helper()
	w := &town{t: t, tokens: map[string]string{}, clock: testkit.NewClock(testkit.Noon)}
	w.first = staking.DayOf(testkit.Noon)
	shipped, err := staking.ShippedTokens(w.first)
	w.ok(err)
	o := store.Options{Clock: w.clock.Now, Actor: access.Process("test"), Volatile: true}
	w.db, err = store.Open(t.Context(), scenario.Books(t, kind, o, store.Setup{
		From: w.first, Tokens: shipped, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit,
	}), o)
	w.ok(err)
	t.Cleanup(func() { w.ok(w.db.Close()) })
	log := slog.New(slog.DiscardHandler)
	handler := api.New(api.Options{
		Books: w.db, Events: events.New(w.db, log, 10*time.Millisecond), Now: w.clock.Now, Log: log, Rate: townRate,
	})
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		caller := access.Caller{Address: netip.MustParseAddr("192.0.2.7"), Country: r.Header.Get("X-Test-Country"),
			Platform: r.Header.Get("X-Client-Platform"), Version: r.Header.Get("X-Client-Version"),
			Request:     cmp.Or(r.Header.Get("X-Request-Id"), "R"),
			NeedCountry: r.Header.Get("X-Test-Need-Country") != ""}
		rw.Header().Set("X-Request-Id", caller.Request) // as the gateway does
		handler.ServeHTTP(rw, r.WithContext(access.WithCaller(r.Context(), caller)))
	}))
	t.Cleanup(w.server.Close)
	for _, role := range append([]access.Role{access.Exchange}, access.StaffRoles...) {
		w.token(role, "")
	}
	return w
}

func (w *town) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// day is the name of a day, Day 1 being the first of the books.
func (w *town) day(n int) string { return (w.first + staking.Day(n-1)).String() }

func (w *town) token(role access.Role, id ledger.Account) {
	w.t.Helper()
	token, text, err := access.NewToken(rand.Reader)
	w.ok(err)
	token.Role, token.Parts, err = access.ParseRoleAndParts(string(role))
	w.ok(err)
	token.Account = id
	if id == "" { // each of staff is somebody
		token.Person = "the " + string(role)
	}
	w.ok(w.db.People().AddToken(w.t.Context(), token))
	name := string(role) // or some of a back end's parts
	if id != "" {
		name = string(id)
	}
	w.tokens[name] = text
}

// holder comes to live in the town, with a token of their own.
func (w *town) holder(id ledger.Account, region staking.Region) {
	w.t.Helper()
	_, err := w.db.OpenAccount(w.t.Context(), id, region)
	w.ok(err)
	scenario.AnyAddress(w.t, w.db, id)
	w.token(access.Holder, id)
}

// earner is a holder in Germany who has accepted everything and switched on.
func (w *town) earner(id ledger.Account) {
	w.t.Helper()
	w.holder(id, "DE")
	for _, name := range staking.DocumentNames {
		w.ok(w.db.Documents().Accept(w.t.Context(), id, name, 0, staking.Client{}))
	}
	_, err := w.db.Enroll(w.t.Context(), id, staking.Client{}, time.Time{})
	w.ok(err)
}

// deposit gives an account an amount in whole tokens now.
func (w *town) deposit(entry string, id ledger.Account, amount, asset string) {
	w.t.Helper()
	a, err := w.db.Asset(w.t.Context(), asset)
	w.ok(err)
	n, err := a.Parse(amount)
	w.ok(err)
	_, err = w.db.PostAll(w.t.Context(),
		[]ledger.Entry{
			{ID: entry, Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: id, Asset: asset, Amount: n}}},
		})
	w.ok(err)
}

// reply is what was answered.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// call makes a request with somebody's token. headers are pairs of name and value.
func (w *town) call(who, method, path, body string, headers ...string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+w.tokens[who])
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := w.server.Client().Do(r)
	w.ok(err)
	text, err := io.ReadAll(answer.Body)
	w.ok(err)
	w.ok(answer.Body.Close())
	if err := described().Check(r, answer.StatusCode, answer.Header, text); err != nil {
		w.t.Errorf("%s %s answers other than it is described: %v\n%s", method, path, err, text)
	}
	return reply{w.t, who + " " + method + " " + path, answer.StatusCode, answer.Header, string(text)}
}

func (w *town) get(who, path string) reply {
	w.t.Helper()
	return w.call(who, http.MethodGet, path, "")
}

// is ends the test unless the status is the one that is wanted, and gives the reply on.
func (r reply) is(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d is wanted, not %d %s", r.what, status, r.status, r.body)
	}
	return r
}

// refused says that the request was refused with a type of problem, and a field at fault.
func (r reply) refused(status int, kind, field string) {
	r.t.Helper()
	if r.status != status || r.header.Get("Content-Type") != "application/problem+json" ||
		!strings.HasSuffix(r.at("type"), "#"+kind) || r.at("field") != field {
		r.t.Errorf("%s: %d %s in %q is wanted, not %d %s", r.what, status, kind, field, r.status, r.body)
	}
}

// at is what stands somewhere in the answer: "items.0.asset"; "" where there is nothing.
func (r reply) at(path string) string {
	r.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.t.Fatalf("%s: %v in %q", r.what, err, r.body)
	}
	for _, name := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[name]
		case []any:
			i, err := strconv.Atoi(name)
			if name == "#" {
				return strconv.Itoa(len(node))
			}
			if v = nil; err == nil && i < len(node) {
				v = node[i]
			}
		default:
			v = nil
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// says compares places in the answer with what is wanted: pairs of place and text.
func (r reply) says(pairs ...string) reply {
	r.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := r.at(pairs[i]); got != pairs[i+1] {
			r.t.Errorf("%s: %s is %q; %q is wanted", r.what, pairs[i], got, pairs[i+1])
		}
	}
	return r
}

// walked are the values of a field of all items of a list, read in pages of a size.
func (w *town) walked(who, path string, size int, field string) (values []string) {
	w.t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for cursor := ""; ; {
		page := w.get(who, fmt.Sprintf("%s%slimit=%d%s", path, join, size, cursor)).is(http.StatusOK)
		n, err := strconv.Atoi(page.at("items.#"))
		w.ok(err)
		for i := range n {
			values = append(values, page.at(fmt.Sprintf("items.%d.%s", i, field)))
		}
		next := page.at("next")
		if next == "" {
			return values
		}
		cursor = "&cursor=" + next
	}
}
