package console

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// The staff of the tests: one of each role.
var staffOfTests = []Visitor{{"olga@example.com", access.Operator}, {"anton@example.com", access.Approver},
	{"udo@example.com", access.Auditor}, {"susi@example.com", access.Support}, {"vera@example.com", access.Viewer},
	{"theo@example.com", access.Treasurer}, {"ada@example.com", access.Admin}}

// office serves the console of books that begin on Day 1 with all that is shipped, at noon of that day.
type office struct {
	*testing.T
	books  *store.DB
	clock  *testkit.Clock
	served *server
	site   *httptest.Server
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, clock: testkit.NewClock(testkit.Noon)}
	day1 := staking.DayOf(testkit.Noon)
	tokens, err := staking.ShippedTokens(day1)
	o.ok(err)
	options := store.Options{Clock: o.clock.Now, Actor: access.Process("test"), Volatile: true}
	o.books, err = store.Open(t.Context(), scenario.Books(t, "sqlite", options, store.Setup{From: day1, Tokens: tokens,
		Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit}), options)
	o.ok(err)
	t.Cleanup(func() { o.ok(o.books.Close()) })
	for _, who := range staffOfTests { // what somebody without a row proposes is not approved
		o.ok(o.books.People().AddStaff(t.Context(), who.Email, who.Role, access.Invitation{}))
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	c, err := New(Options{Books: o.books, Random: rand.Reader, Log: log, Visitors: staffOfTests, Files: true})
	o.ok(err)
	t.Cleanup(c.Stop)
	o.served = c.server
	o.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := access.Caller{Address: netip.MustParseAddr("192.0.2.7"), Request: "R1"}
		c.ServeHTTP(w, r.WithContext(access.WithCaller(r.Context(), caller)))
	}))
	t.Cleanup(o.site.Close)
	return o
}

func (o *office) ok(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// deposit gives an account, which is opened, an amount: deposit("alice", "2 BNB").
func (o *office) deposit(to ledger.Account, text string) string {
	o.Helper()
	_, err := o.books.OpenAccount(o.Context(), to, "DE")
	o.ok(err)
	number, symbol, _ := strings.Cut(text, " ")
	a, err := o.books.Asset(o.Context(), symbol)
	o.ok(err)
	n, err := a.Parse(number)
	o.ok(err)
	id := "deposit/" + string(to) + "/" + symbol
	_, err = o.books.PostAll(o.Context(), []ledger.Entry{{ID: id, Kind: ledger.Deposit,
		Moves: []ledger.Move{{From: ledger.Custody, To: to, Asset: symbol, Amount: n}}}})
	o.ok(err)
	return id
}

// desk is the browser of one member of staff. It does not go on by itself where an answer sends it elsewhere.
type desk struct {
	o      *office
	client *http.Client
}

// desk is a browser in which nobody has logged in.
func (o *office) desk() *desk {
	o.Helper()
	jar, err := cookiejar.New(nil)
	o.ok(err)
	client := *o.site.Client()
	client.Jar, client.CheckRedirect = jar, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &desk{o, &client}
}

// as is a browser in which somebody has logged in: as("olga").
func (o *office) as(name string) *desk {
	o.Helper()
	d := o.desk()
	d.post("/console/login", "email", name+"@example.com").is(http.StatusSeeOther)
	return d
}

// answer is what the console answered.
type answer struct {
	o        *office
	what     string
	status   int
	header   http.Header
	body     string
	location string
}

func (d *desk) get(path string, headers ...string) answer {
	d.o.Helper()
	return d.ask(http.MethodGet, path, nil, headers...)
}

// post sends a form of pairs of field and value, from a page of the console.
func (d *desk) post(path string, pairs ...string) answer {
	d.o.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return d.ask(http.MethodPost, path, form, "Sec-Fetch-Site", "same-origin")
}

func (d *desk) ask(method, path string, form url.Values, headers ...string) answer {
	d.o.Helper()
	r, err := http.NewRequestWithContext(d.o.Context(), method, d.o.site.URL+path, strings.NewReader(form.Encode()))
	d.o.ok(err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := d.client.Do(r)
	d.o.ok(err)
	body, err := io.ReadAll(reply.Body)
	d.o.ok(errors.Join(err, reply.Body.Close()))
	return answer{d.o, method + " " + path, reply.StatusCode, reply.Header, string(body), reply.Header.Get("Location")}
}

// is ends the test unless the answer has the status.
func (a answer) is(status int) answer {
	a.o.Helper()
	if a.status != status {
		a.o.Fatalf("%s answers %d and not %d:\n%s", a.what, a.status, status, a.body)
	}
	return a
}

// figureParts are the parts of a figure, which a reader sees as one number with its symbol.
var figureParts = regexp.MustCompile(`<span class="(amount|whole|fraction f\d+|symbol)">|</span>`)

// contains reports whether the answer has a text, as HTML or as figures are read.
func (a answer) contains(text string) bool {
	return strings.Contains(a.body, text) || strings.Contains(figureParts.ReplaceAllString(a.body, ""), text)
}

// has fails unless the answer has each of some texts.
func (a answer) has(texts ...string) answer {
	a.o.Helper()
	for _, text := range texts {
		if !a.contains(text) {
			a.o.Errorf("%s has no %q:\n%s", a.what, text, a.body)
		}
	}
	return a
}

// hasNot fails if the answer has one of some texts.
func (a answer) hasNot(texts ...string) answer {
	a.o.Helper()
	for _, text := range texts {
		if a.contains(text) {
			a.o.Errorf("%s has %q:\n%s", a.what, text, a.body)
		}
	}
	return a
}

// testHash is a hash that no test logs in with.
func testHash(t *testing.T) string {
	t.Helper()
	return testkit.Must(access.HashPassword(rand.Reader, "correct horse battery"))(t)
}

// until waits for what a condition waits for, up to a deadline.
func (o *office) until(what string, holds func() bool) {
	o.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(20 * time.Second); !holds(); <-look.C {
		if time.Now().After(end) {
			o.Fatalf("in vain waited until %s", what)
		}
	}
}
