package web

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

func credentials(email, password string) url.Values {
	return url.Values{"email": {email}, "password": {password}}
}

func TestLogIn(t *testing.T) {
	w := newWebsite(t)
	w.get("/").goesTo("/login").is(http.StatusOK).has("Log in").hasNot("Log out")
	p := w.post("/login", credentials(" Alice@Example.com ", testPassword))
	p.goesTo("/spot")
	c := p.cookie("session")
	if !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" ||
		c.MaxAge != int(usualLife/time.Second) {
		t.Errorf("the cookie is %v", c)
	}
	w.get("/login").goesTo("/spot")
	w.get("/nothing").is(http.StatusNotFound).has("Log out")
	events, err := w.books.People().SecurityEvents(t.Context(), "alice", nil, 10)
	w.ok(err)
	if len(events) != 1 || events[0].Action != "log-in" || events[0].Address != "192.0.2.7" ||
		!strings.HasPrefix(events[0].Client, "Go-http-client") {
		t.Errorf("the events are %v", events)
	}
}

func TestOverTLSTheCookieIsTheHosts(t *testing.T) {
	w := newWebsite(t)
	p := w.post("/login", credentials("alice@example.com", testPassword), "X-Test-Secure", "1").is(http.StatusSeeOther)
	for _, name := range []string{"__Host-session", "__Host-device"} {
		if c := p.cookie(name); !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Domain != "" ||
			c.Path != "/" {
			t.Errorf("the cookie is %v", c)
		}
	}
}

// TestEachLogInHasItsOwnSession: whoever has put a session into somebody's browser does not share the next.
func TestEachLogInHasItsOwnSession(t *testing.T) {
	w := newWebsite(t)
	w.holder("bob", "DE")
	w.login("alice@example.com")
	stolen := w.another()
	stolen.client.Jar = w.client.Jar
	former := w.sessions("alice")[0]
	w.login("bob@example.com")
	if left := w.sessions("alice"); len(left) != 0 {
		t.Errorf("of alice's sessions %v is left", left)
	}
	if now := w.sessions("bob"); len(now) != 1 || now[0].ID == former.ID {
		t.Errorf("bob's sessions are %v", now)
	}
}

func (w *website) sessions(id string) []access.Session {
	w.Helper()
	s, err := w.books.People().Sessions(w.Context(), ledger.Account(id))
	w.ok(err)
	return s
}

func TestWrongLogInsAreAllTheSame(t *testing.T) {
	w := newWebsite(t)
	var texts []string
	for _, email := range []string{"alice@example.com", "nobody@example.com"} {
		began := time.Now()
		p := w.post("/login", credentials(email, "not this one")).is(http.StatusUnprocessableEntity)
		if took := time.Since(began); took < refusedAfter {
			t.Errorf("%s is refused after %s", email, took)
		}
		p.has(`value="` + email + `"`).hasNot("not this one")
		texts = append(texts, strings.ReplaceAll(p.body, email, ""))
	}
	if moment := strings.Index(texts[0], "data-now"); texts[0][moment+30:] != texts[1][moment+30:] {
		t.Error("the refusals differ")
	}
	events, err := w.books.People().SecurityEvents(t.Context(), "alice", nil, 10)
	w.ok(err)
	if len(events) != 1 || events[0].Action != "log-in refused" {
		t.Errorf("the events are %v", events)
	}
	w.post("/login", credentials("alice", testPassword)).is(http.StatusUnprocessableEntity).
		has("name@example.com", `aria-invalid="true"`)
	w.post("/login", credentials("alice@example.com", "")).is(http.StatusUnprocessableEntity).has("Enter your password")
}

func TestLogOut(t *testing.T) {
	w := newWebsite(t)
	other := w.another()
	other.login("alice@example.com")
	w.login("alice@example.com")
	w.post("/logout", nil).goesTo("/login").has("You are logged out.")
	w.post("/logout", nil).goesTo("/login")
	if left := w.sessions("alice"); len(left) != 1 {
		t.Errorf("%d sessions are left", len(left))
	}
	w.login("alice@example.com")
	other.post("/logout-everywhere", nil).goesTo("/login").has("on all devices")
	if left := w.sessions("alice"); len(left) != 0 {
		t.Errorf("%d sessions are left", len(left))
	}
	w.get("/activity").goesTo("/login").has("You were logged out")
}

func TestSessionsEnd(t *testing.T) {
	w := newWebsite(t, func(o *Options) { o.SessionIdle, o.SessionLife = time.Hour, 3*time.Hour })
	w.login("alice@example.com")
	seen := w.clock.Now()
	for range 3 {
		w.clock.Forward(w.clock.Now().Add(50 * time.Minute))
		w.get("/login").goesTo("/spot")
		if now := w.sessions("alice")[0].Seen; !now.After(seen) {
			t.Errorf("it was seen at %s", now)
		}
	}
	w.clock.Forward(w.clock.Now().Add(31 * time.Minute))
	w.get("/login").is(http.StatusOK)
	w.login("alice@example.com")
	w.clock.Forward(w.clock.Now().Add(61 * time.Minute))
	w.get("/login").is(http.StatusOK)
}

func TestAPartOfAPageThatNeedsALogIn(t *testing.T) {
	w := newWebsite(t)
	for at, want := range map[string]string{
		w.site.URL + "/spot?q=b": "/login?next=%2Fspot%3Fq%3Db",
		"https://evil.example/x": "/login?next=%2Fspot",
		"":                       "/login?next=%2Fspot",
	} {
		p := w.get("/earn", "HX-Request", "true", "HX-Current-URL", at).is(http.StatusUnauthorized)
		if got := p.header.Get("HX-Redirect"); got != want || p.body != "" {
			t.Errorf("%s: %q is wanted, and not %q %s", at, want, got, p.body)
		}
	}
}

func TestNextIsOurs(t *testing.T) {
	w := newWebsite(t)
	for _, next := range []string{
		"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil",
		"/\t/evil.example",
	} {
		if ui.IsPath(next) {
			t.Errorf("%q leads elsewhere", next)
		}
		p := w.another().post("/login", url.Values{
			"email": {"alice@example.com"}, "password": {testPassword}, "next": {next},
		}).is(http.StatusSeeOther)
		if p.location != "/spot" {
			t.Errorf("%q: it goes to %s", next, p.location)
		}
	}
}

// FuzzOurs: a path that is taken for ours leads a browser nowhere else.
func FuzzOurs(f *testing.F) {
	for _, s := range []string{
		"/spot", "/spot?a=b#c", "//evil.example", "/\\evil.example", "/..//evil.example", "/%2f/evil.example",
		"https:evil.example",
	} {
		f.Add(s)
	}
	base, err := url.Parse("https://softstake.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !ui.IsPath(s) {
			return
		}
		at, query, _ := strings.Cut(s, "?")
		for _, s := range []string{s, path.Clean(at) + "?" + query} { // as http.Redirect writes it
			to, err := base.Parse(s)
			if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || strings.HasPrefix(s, "//") {
				t.Errorf("%q leads to %v: %v", s, to, err)
			}
		}
	})
}

// TestVisitorsOfTheDemo are logged in with one press.
func TestVisitorsOfTheDemo(t *testing.T) {
	w := newWebsite(t, func(o *Options) { o.Play = still{} })
	p := w.get("/login").has("Log in as Alice", `value="`+testPassword+`"`)
	if n := strings.Count(p.body, `action="/login"`); n != 2 {
		t.Errorf("there are %d forms", n)
	}
}

// still is a clock that does not move.
type still struct{}

func (still) Move(time.Duration) error { return nil }
func (still) Progress() Progress       { return Progress{} }
func (still) Visitors() []Visitor {
	return []Visitor{{Name: "Alice", Email: "alice@example.com", Password: testPassword, Story: "product"}}
}

// TestClosedAccounts have nobody who logs in.
func TestClosedAccounts(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.ok(w.books.CloseAccount(t.Context(), "alice"))
	w.get("/login").is(http.StatusOK)
	w.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusUnprocessableEntity)
	if _, err := w.books.People().Login(t.Context(), "alice@example.com"); err == nil {
		t.Error("there still is a login")
	}
}

func TestSecretsAreNotTakenFromAnAddress(t *testing.T) {
	w := newWebsite(t)
	typed := credentials("alice@example.com", testPassword)
	w.post("/login?"+typed.Encode(), url.Values{"email": {"alice@example.com"}}).is(http.StatusUnprocessableEntity)
	w.post("/login", typed).goesTo("/spot")
}
