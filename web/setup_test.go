package web

import (
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/events"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/ui"
)

const (
	// testPassword is everybody's password in tests.
	testPassword = "correct horse battery"
	// firstDay is Day 1, when the books begin; it is noon then.
	firstDay = "2026-03-02"
)

// testHash is made once: to make it takes long, as it should.
var testHash = sync.OnceValues(func() (string, error) { return access.HashPassword(rand.Reader, testPassword) })

// website serves the pages of books that begin on Day 1 with all that is shipped and USDT,
// at noon of that day, and alice in Germany, who can log in as alice@example.com. It
// is the browser of one person; browser() is another's.
type website struct {
	*testing.T
	*browser
	books  *store.DB
	hub    *events.Hub
	clock  *testkit.Clock
	pages  *server
	site   *httptest.Server
	posted int
	host   string   // that browsers find the pages at; "": an address
	codes  []string // recovery codes that were not used yet

	sequence sync.Once // begins with the first stream of events
}

// newWebsite opens the books, and serves their pages. change changes the pages' options.
func newWebsite(t *testing.T, change ...func(*Options)) *website {
	t.Helper()
	day1 := mustDay(firstDay)
	w := &website{T: t, clock: testkit.NewClock(day1.Start().Add(12 * time.Hour))}
	tokens, err := staking.ShippedTokens(day1)
	w.ok(err)
	dollar := ledger.Asset{Symbol: "USDT", Scale: 6, MaxSupply: 1_000_000_000_000_000_000}
	tokens = append(tokens,
		staking.Token{Asset: dollar, Terms: staking.Terms{Asset: "USDT", From: day1, Cap: dollar.MaxSupply}})
	books := store.Options{Clock: w.clock.Now, Actor: access.Process("test"), Volatile: true, Demo: true}
	w.books, err = store.Open(t.Context(), scenario.Books(t, "sqlite", books, store.Setup{
		From: day1, Tokens: tokens, Regions: staking.ShippedRegions(), Documents: staking.ShippedDocuments(),
		Limits: staking.NoLimit,
	}), books)
	w.ok(err)
	t.Cleanup(func() { w.ok(w.books.Close()) })
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.hub = events.New(w.books, log, 10*time.Millisecond)
	o := Options{Books: w.books, Events: w.hub, Random: rand.Reader, Log: log,
		Convert: &conversion.Rules{PriceMaxAge: 48 * time.Hour}}
	for _, f := range change {
		f(&o)
	}
	w.pages, err = newServer(o)
	w.ok(err)
	handler := w.pages.protect(w.pages.mux)
	w.site = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		caller := access.Caller{Address: netip.MustParseAddr("192.0.2.7"), Country: r.Header.Get("X-Test-Country"),
			Platform: r.Header.Get("X-Client-Platform"), Version: r.Header.Get("X-Client-Version"),
			Secure: r.Header.Get("X-Test-Secure") != "", Request: "R1",
			NeedCountry: r.Header.Get("X-Test-Need-Country") != ""}
		if w.host != "" {
			r.Host = w.host
		}
		if from := r.Header.Get("X-Test-Address"); from != "" {
			caller.Address = netip.MustParseAddr(from)
		}
		handler.ServeHTTP(rw, r.WithContext(access.WithCaller(r.Context(), caller)))
	}))
	t.Cleanup(w.site.Close)
	w.browser = w.another()
	w.prices(map[string]string{"BNB": "600", "SOL": "150", "ADA": "0.5", "USDT": "1"})
	w.holder("alice", "DE")
	return w
}

// residence sets an account's residence.
func (w *website) residence(id ledger.Account, region staking.Region) {
	w.Helper()
	_, err := w.books.SetRegion(w.Context(), id, region)
	w.ok(err)
}

func (w *website) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func mustDay(s string) staking.Day {
	d, err := staking.ParseDay(s)
	if err != nil {
		panic(err) // a constant of a test
	}
	return d
}

// day is a day of the books: Day 1 is the first.
func (w *website) day(n int) staking.Day { return mustDay(firstDay) + staking.Day(n-1) }

// at moves the clock on to a moment of a day: at(2, "15:04"). It never goes back.
func (w *website) at(day int, hour string) {
	w.Helper()
	at, err := time.Parse("15:04", hour)
	w.ok(err)
	w.clock.Forward(w.day(day).Start().Add(at.Sub(at.Truncate(24 * time.Hour))))
}

// holder is somebody with an account, who can log in as ID@example.com. region "" is
// a residence that is not verified.
func (w *website) holder(id ledger.Account, region staking.Region) {
	w.Helper()
	_, err := w.books.OpenAccount(w.Context(), id, region)
	w.ok(err)
	scenario.AnyAddress(w, w.books, id)
	hash, err := testHash()
	w.ok(err)
	w.ok(w.books.People().AddLogin(w.Context(),
		people.Login{Email: string(id) + "@example.com", Account: id, Password: hash}))
}

// prices are set for today, in USDT per whole token, and hold for seven days after it.
func (w *website) prices(of map[string]string) {
	w.Helper()
	var all []pricing.Price
	for symbol, text := range of {
		price, err := ledger.ParseDecimal(text, 8)
		w.ok(err)
		if symbol == "USDT" {
			continue // it is 1, and cannot be another
		}
		all = append(all, pricing.Price{Asset: symbol, Day: staking.DayOf(w.clock.Now()), Price: price})
	}
	_, err := w.books.Prices().Set(w.Context(), all)
	w.ok(err)
}

// amount reads "2.5 BNB".
func (w *website) amount(text string) (ledger.Asset, ledger.Amount) {
	w.Helper()
	number, symbol, _ := strings.Cut(text, " ")
	a, err := w.books.Asset(w.Context(), symbol)
	w.ok(err)
	n, err := a.Parse(number)
	w.ok(err)
	return a, n
}

// move posts an entry of one move now, and returns its ID: move(ledger.Transfer, "alice", "bob", "1 BNB").
func (w *website) move(kind ledger.Kind, from, to ledger.Account, text string) string {
	w.Helper()
	a, n := w.amount(text)
	w.posted++
	id := fmt.Sprint("test/", w.posted)
	_, err := w.books.PostAll(w.Context(),
		[]ledger.Entry{{ID: id, Kind: kind, Moves: []ledger.Move{{From: from, To: to, Asset: a.Symbol, Amount: n}}}})
	w.ok(err)
	return id
}

// deposit gives an account an amount now: deposit("alice", "2 BNB").
func (w *website) deposit(to ledger.Account, text string) string {
	w.Helper()
	return w.move(ledger.Deposit, ledger.Custody, to, text)
}

// fund puts an amount into the pool that rewards come from.
func (w *website) fund(text string) {
	w.Helper()
	a, n := w.amount(text)
	w.posted++
	_, err := w.books.Fund(w.Context(), fmt.Sprint("fund/", w.posted), a.Symbol, n, false)
	w.ok(err)
}

// enroll accepts all documents for an account, and switches on.
func (w *website) enroll(id ledger.Account) {
	w.Helper()
	client := staking.Client{Platform: "web", Address: "192.0.2.7"}
	for _, name := range staking.DocumentNames {
		w.ok(w.books.Documents().Accept(w.Context(), id, name, 0, client))
	}
	_, err := w.books.Enroll(w.Context(), id, client, time.Time{})
	w.ok(err)
}

// settle moves the clock to ten past midnight after a day, and settles all days up to it.
func (w *website) settle(day int) {
	w.Helper()
	w.at(day+1, "00:10")
	_, err := staking.Run(w.Context(), w.books, w.clock.Now(), staking.Options{})
	w.ok(err)
}

// allLocales are the languages of the pages, English first.
func allLocales(t *testing.T) []*ui.Locale {
	t.Helper()
	l, err := ui.ReadLocales(files)
	if err != nil {
		t.Fatal(err)
	}
	return l.All
}

// browser is one person's, with cookies of its own. It does not go on by itself where
// an answer sends it elsewhere.
type browser struct {
	w      *website
	client *http.Client
	header http.Header // sent with each request
}

// another is another browser.
func (w *website) another() *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.ok(err)
	client := *w.site.Client()
	client.Jar, client.CheckRedirect = jar, func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return &browser{w: w, client: &client, header: http.Header{}}
}

// answer is what the pages answered.
type answer struct {
	b        *browser
	what     string
	status   int
	header   http.Header
	body     string
	location string // where it sends the browser, or ""
}

// get asks for a page. headers are pairs of name and value.
func (b *browser) get(path string, headers ...string) answer {
	b.w.Helper()
	return b.ask(http.MethodGet, path, "", headers...)
}

// post sends a form.
func (b *browser) post(path string, form url.Values, headers ...string) answer {
	b.w.Helper()
	return b.ask(http.MethodPost, path, form.Encode(), headers...)
}

func (b *browser) ask(method, path, form string, headers ...string) answer {
	b.w.Helper()
	r, err := http.NewRequestWithContext(b.w.Context(), method, b.w.site.URL+path, strings.NewReader(form))
	b.w.ok(err)
	for name, values := range b.header {
		r.Header[name] = values
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply, err := b.client.Do(r)
	b.w.ok(err)
	body, err := io.ReadAll(reply.Body)
	b.w.ok(err)
	b.w.ok(reply.Body.Close())
	if page := string(body); strings.Contains(page, " data-passkey>") && !strings.Contains(page, "/passkey.") {
		b.w.Errorf("%s %s asks for a passkey, and has no script for it", method, path)
	}
	return answer{b, method + " " + path, reply.StatusCode, reply.Header, string(body), reply.Header.Get("Location")}
}

// login logs the browser in with the password of all tests.
func (b *browser) login(email string) {
	b.w.Helper()
	b.post("/login", url.Values{"email": {email}, "password": {testPassword}}).is(http.StatusSeeOther)
}

// cookie sets one of the browser's cookies: "lang", "zone", "theme".
func (b *browser) cookie(name, value string) {
	b.w.Helper()
	site, err := url.Parse(b.w.site.URL)
	b.w.ok(err)
	b.client.Jar.SetCookies(site, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// cookie is a cookie that the answer sets, and ends the test where it sets none of the name.
func (p answer) cookie(name string) *http.Cookie {
	p.b.w.Helper()
	for _, line := range p.header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		p.b.w.ok(err)
		if c.Name == name {
			return c
		}
	}
	p.b.w.Fatalf("%s: it sets no cookie %s", p.what, name)
	return nil
}

// is ends the test unless the status is the one that is wanted, and gives the page on.
func (p answer) is(status int) answer {
	p.b.w.Helper()
	if p.status != status {
		p.b.w.Fatalf("%s: %d is wanted, and not %d %s", p.what, status, p.status, p.text())
	}
	return p
}

// goesTo ends the test unless the page sends the browser to a path, and goes there.
func (p answer) goesTo(path string) answer {
	p.b.w.Helper()
	p.is(http.StatusSeeOther)
	if at, _, _ := strings.Cut(p.location, "?"); at != path {
		p.b.w.Fatalf("%s: it goes to %s and not to %s", p.what, p.location, path)
	}
	return p.b.get(p.location)
}

// has fails unless each text is in the page: in what is read, or in the HTML.
func (p answer) has(texts ...string) answer {
	p.b.w.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) && !strings.Contains(p.body, text) {
			p.b.w.Errorf("%s: %q is not there:\n%s", p.what, text, p.text())
		}
	}
	return p
}

// hasNot fails if one of the texts is in the page.
func (p answer) hasNot(texts ...string) answer {
	p.b.w.Helper()
	for _, text := range texts {
		if strings.Contains(p.text(), text) || strings.Contains(p.body, text) {
			p.b.w.Errorf("%s: %q is there:\n%s", p.what, text, p.text())
		}
	}
	return p
}

// figureParts are the tags within a number.
var figureParts = regexp.MustCompile(`<span class="amount"><span class="whole">|</span><span class="fraction f\d+">`)

// text is what is read in the page: without tags, with one space between words.
func (p answer) text() string {
	var b strings.Builder
	for part := range strings.SplitSeq(figureParts.ReplaceAllString(p.body, ""), "<") {
		if tag, after, closed := strings.Cut(part, ">"); closed {
			part = after
			if strings.HasPrefix(tag, "title") {
				part = ""
			}
		}
		b.WriteString(part)
		b.WriteString(" ")
	}
	return strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
}

// hidden is the value of the page's first field of a name, such as the ID of a form.
func (p answer) hidden(name string) string {
	p.b.w.Helper()
	_, after, there := strings.Cut(p.body, `name="`+name+`" value="`)
	value, _, closed := strings.Cut(after, `"`)
	if !there || !closed {
		p.b.w.Fatalf("%s: there is no field %s", p.what, name)
	}
	return html.UnescapeString(value)
}
