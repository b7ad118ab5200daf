package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// hostile are the names that forms have, each of which a link could try to fill in.
var hostile = []string{
	"id", "asset", "amount", "units", "max", "step", "look", "network", "address", "tag", "to", "into", "price",
	"other", "gives", "spread", "label", "public", "addresses", "type", "may", "days", "email", "password", "current",
	"new", "again", "accept", "account", "name", "how", "from", "q", "show", "format", "back", "next", "session",
	"lang", "theme", "by", "after", "draft", "why", "done", "version", "year", "currency",
}

// onPurpose are the fields of a query that a page shows on purpose: a search, a filter, or
// where a visitor came from. None of them is a field of a form that changes something.
var onPurpose = map[string][]string{
	"/spot": {"q"}, "/spot/history": {"asset"}, "/earn/history": {"asset"}, "/activity": {"asset"}, "/earn": {"asset"},
	"/earn/export": {"from", "to"}, "/earn/rewards.csv": {"from", "to"},
}

// TestLinksFillNothingIn walks all pages, with a query that names every field there is:
// none comes back in a field of a form that changes something. A page that is new is
// walked as well.
func TestLinksFillNothingIn(t *testing.T) {
	w := moveWebsite(t, inDemo)
	withdrawal, err := w.books.Withdraw(t.Context(),
		store.Withdrawal{ID: "w-1", Account: "alice", Asset: "BNB", Amount: 1})
	w.ok(err)
	if withdrawal.Repeated {
		t.Error("it is there before it was requested")
	}
	walked := 0
	for _, pattern := range sites(t, w) {
		path := strings.NewReplacer("{$}", "", "{entry}", "w-1", "{draft}", "d-1", "{name}", "risk-warning").
			Replace(pattern)
		for _, b := range []*browser{w.browser, w.another()} {
			for round, value := range []string{"HOSTILE", "/HOSTILE"} {
				q := url.Values{}
				for _, name := range hostile {
					if name != afterField && (name != draftField || round == 0) {
						q.Set(name, value+"-"+name)
					}
				}
				p := b.get(path + "?" + q.Encode())
				walked++
				for _, form := range formsIn(p.body) {
					for _, name := range hostile {
						// The settings, the clock and the log-in lead back to where one was.
						if strings.Contains(form, `action="/settings"`) ||
							strings.Contains(form, `action="`+ClockPath+`"`) ||
							strings.Contains(form, `action="/login`) {
							continue
						}
						if strings.Contains(form, `"`+value+"-"+name+`"`) && !slices.Contains(onPurpose[path], name) {
							t.Errorf("%s fills in %s:\n%s", path, name, form)
						}
					}
				}
			}
		}
	}
	if walked < 100 {
		t.Errorf("%d pages were walked", walked)
	}
}

// sites are the paths of all pages, as the mux has them.
func sites(t *testing.T, w *website) (paths []string) {
	t.Helper()
	s, err := newServer(Options{Books: w.books, Events: w.hub, Convert: &conversion.Rules{}, Play: playing{}})
	w.ok(err)
	for _, pattern := range s.patterns {
		if path, is := strings.CutPrefix(pattern, "GET "); is && path != LivePath {
			paths = append(paths, path)
		}
	}
	return paths
}

// formsIn are the forms of a page.
func formsIn(body string) (forms []string) {
	for part := range strings.SplitSeq(body, "<form") {
		if form, _, is := strings.Cut(part, "</form>"); is {
			forms = append(forms, form)
		}
	}
	return forms
}

// TestALinkOpensNoConfirmation: of whatever step a link is, and whatever it says, it
// shows an empty form, and says nothing of it anywhere on the page.
func TestALinkOpensNoConfirmation(t *testing.T) {
	w := moveWebsite(t, inDemo)
	for _, path := range []string{"/send", "/withdraw", "/convert", "/deposit"} {
		for _, step := range []string{"", "confirm", "done", "2"} {
			q := query("step", step, "asset", "BNB", "amount", "1.2345", "units", "123450000", "to", "mallory",
				"address", "0xMALLORY", "network", "MALLORYNET",
				"tag", "mallory", "into", "SOL", "price", "600", "other", "150", "gives", "400000000", "spread", "0",
				"max", "1", "look", "1", "id", strings.Repeat("ab", 16))
			w.get(path+"?"+q.Encode()).is(http.StatusOK).has(`action="`+path+
				`"`).hasNot("mallory", "MALLORY", "1.2345", strings.Repeat("ab", 16), "/confirm")
			w.another().get(path+"?"+q.Encode()).goesTo("/login").hasNot("mallory", "MALLORY", "1.2345")
		}
		w.get(path+"/draft/"+strings.Repeat("ab", 16)+"-0123456789abcdef/confirm?amount=1.2345&to=mallory").
			is(http.StatusGone).
			has("This confirmation is over", `action="`+path+`"`).hasNot("mallory", "1.2345")
		w.post(path+"/draft/x/confirm?amount=1.2345&to=mallory&address=mallory",
			query("asset", "BNB", "amount", "1.2345", "to", "bob")).is(http.StatusGone).has("This confirmation is over")
		// A query beside what is posted does not count either.
		w.post(path+"?amount=1.2345&to=mallory&address=0xMALLORY&network=MALLORYNET&asset=BNB", query("asset", "BNB")).
			is(http.StatusUnprocessableEntity).hasNot("mallory", "MALLORY", "1.2345")
	}
	w.get("/account/keys/new?label=mallory&public=MALLORY&addresses=192.0.2.66&may=read,trade&type=rsa&days=0").is(200).
		hasNot("mallory", "MALLORY", "192.0.2.66", `value="trade" checked`, `value="rsa" checked`)
	// A link of our own chooses the token, and no more.
	w.deposit("alice", "1 SOL")
	w.get("/send?asset=SOL&amount=1.2345&to=mallory", "Sec-Fetch-Site", "same-origin").is(200).
		has(`value="SOL" selected`).hasNot("mallory", "1.2345")
	w.get("/send?asset=SOL", "Sec-Fetch-Site", "cross-site").is(200).has(`value="BNB" selected`).
		hasNot(`value="SOL" selected`)
	if a, b := w.free("alice", "BNB"), w.free("bob", "BNB"); a != "2.5" || b != "0" {
		t.Errorf("alice has %s, bob %s", a, b)
	}
}

// TestADraftIsOfItsSession: nobody else confirms it, and no other session of its account.
func TestADraftIsOfItsSession(t *testing.T) {
	w := moveWebsite(t)
	w.deposit("bob", "1 BNB")
	at, _ := w.confirmed("/send", "asset", "BNB", "amount", "0.7", "to", "bob")
	draft := draftOf(at)
	bob := w.another()
	bob.login("bob@example.com")
	bob.get(at).is(http.StatusGone).has("This confirmation is over").hasNot(`value="0.7"`)
	bob.post(at, nil).is(http.StatusGone)
	bob.get("/send?draft=" + draft).is(http.StatusGone).hasNot(`value="0.7"`)

	other := w.another()
	other.login("alice@example.com")
	other.get(at).goesTo("/send").is(200).has(`value="0.7"`, `value="bob"`, `action="/send"`).
		hasNot("Send 0.7 BNB to bob")
	other.post(at, nil).goesTo("/send").is(200).has(`value="bob"`)
	for _, path := range []string{"/withdraw", "/convert"} { // a draft is of one form
		w.get(path + "/draft/" + draft + "/confirm").is(http.StatusGone)
		w.get(path + "?draft=" + draft).is(http.StatusGone)
	}
	if got := w.free("alice", "BNB"); got != "2.5" {
		t.Errorf("alice has %s", got)
	}
	// After the log-out nothing of it is left.
	w.post("/logout", nil).is(http.StatusSeeOther)
	w.login("alice@example.com")
	w.get(at).is(http.StatusGone)
	w.conserves()
}

// TestADraftIsNotChanged: what is filled in again, in another tab or after the back
// button, is another draft; each moves what it showed, and together they move once.
func TestADraftIsNotChanged(t *testing.T) {
	w := moveWebsite(t)
	at, p := w.confirmed("/send", "asset", "BNB", "amount", "1", "to", "bob")
	_, back, _ := strings.Cut(p.body, `class="button quiet" href="`)
	back, _, _ = strings.Cut(back, `"`)
	form := w.get(back).is(200).has(`value="1"`, `value="bob"`)
	id := form.hidden("id")
	more, _ := w.confirmed("/send", "id", id, "asset", "BNB", "amount", "2", "to", "bob")
	if more == at {
		t.Fatal("two drafts have one name")
	}
	if again, _ := w.confirmed("/send", "id", id, "asset", "BNB", "amount", "2.0", "to", "bob"); again != more {
		t.Error("the same form has two drafts")
	}
	w.get(at).is(200).has("Send 1 BNB to bob")
	w.post(at, nil).is(http.StatusSeeOther)
	w.post(more, nil).is(http.StatusConflict).has("moved something before")
	if a, b := w.free("alice", "BNB"), w.free("bob", "BNB"); a != "1.5" || b != "1" {
		t.Errorf("alice has %s, bob %s", a, b)
	}
	// Another form is another move, of the same content too.
	for range 2 {
		at, _ := w.confirmed("/send", "asset", "BNB", "amount", "0.5", "to", "bob")
		w.post(at, nil).is(http.StatusSeeOther)
	}
	if got := w.free("bob", "BNB"); got != "2" {
		t.Errorf("bob has %s", got)
	}
	w.conserves()
}

// TestNothingTypedIsLost: one whose session has ended comes back to what was typed, at a
// form and at a confirmation, and nothing of it stands in an address.
func TestNothingTypedIsLost(t *testing.T) {
	w := moveWebsite(t)
	id := w.get("/send").hidden("id")
	typed := query("asset", "BNB", "amount", "0.25", "to", "bob", "id", id, "account", "alice", "password", "secret")
	w.ok(w.books.People().EndSessions(t.Context(), "alice", ""))
	p := w.post("/send", typed).is(http.StatusUnauthorized).has("what you typed is "+
		"still there").hasNot("secret", "0.25")
	if next := p.hidden("next"); next != "/send" {
		t.Errorf("it comes back to %s", next)
	}
	logIn := func(b *browser, email, next string) answer {
		return b.post("/login", query("email", email, "password", testPassword, "next", next)).is(http.StatusSeeOther)
	}
	p = logIn(w.browser, "alice@example.com", "/send")
	if strings.Contains(p.location, "0.25") || strings.Contains(p.location, "bob") {
		t.Errorf("it goes to %s", p.location)
	}
	form := p.goesTo("/send").is(200).has(`value="0.25"`, `value="bob"`).hasNot("secret", "Send 0.25 BNB")
	if form.hidden("id") != id {
		t.Error("the form has another name")
	}
	w.get(p.location).is(200).has(`value="0.25"`) // and after a reload
	w.get("/send/draft/" + strings.TrimPrefix(p.location, "/send?draft=") +
		"/confirm").goesTo("/send").has(`value="0.25"`)

	// At a confirmation, once the session is over.
	at, _ := w.confirmed("/send", "asset", "BNB", "amount", "0.5", "to", "bob")
	w.ok(w.books.People().TouchSession(t.Context(), w.sessions("alice")[0].ID, w.clock.Now().Add(time.Minute)))
	w.clock.Forward(w.clock.Now().Add(time.Hour))
	next := w.post(at, nil).is(http.StatusUnauthorized).hidden("next")
	p = logIn(w.browser, "alice@example.com", next)
	p = w.get(p.location).goesTo("/send").is(200).has(`value="0.5"`, `value="bob"`).hasNot("Send 0.5 BNB")
	at = w.filled("/send", "id", p.hidden("id"), "asset", "BNB", "amount", "0.5", "to", "bob").
		is(http.StatusSeeOther).location
	w.post(at, nil).is(http.StatusSeeOther)
	if got := w.free("bob", "BNB"); got != "0.5" {
		t.Errorf("bob has %s", got)
	}
	w.conserves()
}

// TestAKeptFormAfterAnotherTab: where another tab has logged in first, and gone elsewhere,
// the form comes back as well.
func TestAKeptFormAfterAnotherTab(t *testing.T) {
	w := moveWebsite(t)
	for name, logIn := range map[string]func(b *browser) answer{
		"logs in": func(b *browser) answer {
			return b.post("/login", query("email", "alice@example.com", "password", testPassword, "next", "/send"))
		},
		"is logged in": func(b *browser) answer { return b.get("/login?next=/send") },
	} {
		b := w.another()
		b.post("/send", query("asset", "BNB", "amount", "0.25", "to", "bob", "account", "alice")).
			is(http.StatusUnauthorized)
		b.login("alice@example.com")
		b.get("/send").is(200).hasNot("0.25")
		logIn(b).goesTo("/send").is(200).has(`value="0.25"`, `value="bob"`)
		if p := logIn(b); p.location != "/send" {
			t.Errorf("%s: it goes to %s again", name, p.location)
		}
	}
}

// TestAKeptFormIsItsAccounts: who logs in at the same browser finds nothing of another's form.
func TestAKeptFormIsItsAccounts(t *testing.T) {
	w := moveWebsite(t)
	typed := query("asset", "BNB", "amount", "0.25", "to", "mallory", "account", "alice")
	b := w.another()
	b.post("/send", typed).is(http.StatusUnauthorized)
	p := b.post("/login", query("email", "bob@example.com", "password", testPassword, "next", "/send")).
		is(http.StatusSeeOther)
	if p.location != "/send" {
		t.Errorf("it goes to %s", p.location)
	}
	b.get("/send").hasNot("mallory")
	b.post("/send", typed).is(http.StatusConflict).has("This page belongs to another account")
	// One of another page, or from elsewhere, is not kept, and one that is too long is not either.
	for name, keep := range map[string]func(b *browser) answer{
		"another page": func(b *browser) answer { return b.post("/withdraw", typed) },
		"elsewhere":    func(b *browser) answer { return b.post("/send", typed, "Sec-Fetch-Site", "cross-site") },
		"too long": func(b *browser) answer {
			return b.post("/send", query("to", strings.Repeat("x", longestKept)))
		},
		"a forged cookie": func(b *browser) answer {
			b.cookie("form", "L3NlbmQ_dG89JWZm%%")
			return b.get("/login")
		},
	} {
		b := w.another()
		keep(b)
		p := b.post("/login", query("email", "alice@example.com", "password", testPassword, "next", "/send")).
			is(http.StatusSeeOther)
		if p.location != "/send" {
			t.Errorf("%s: it goes to %s", name, p.location)
		}
	}
	set := w.another().post("/send", typed, "X-Test-Secure", "yes").header.Get("Set-Cookie")
	for _, word := range []string{"__Host-form=", "Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=600"} {
		if !strings.Contains(set, word) {
			t.Errorf("the cookie %q is without %s", set, word)
		}
	}
	if got := w.free("alice", "BNB"); got != "2.5" {
		t.Errorf("alice has %s", got)
	}
}

// TestDraftsOfKeys: the form of an API key comes back after the log-in as well.
func TestDraftsOfKeys(t *testing.T) {
	w := newWebsite(t)
	b := w.another()
	b.post("/account/keys/new", query("label", "my tracker", "may", "trade", "addresses", "192.0.2.9", "password",
		"my secret", "account", "alice")).is(http.StatusUnauthorized)
	p := b.post("/login", query("email", "alice@example.com", "password", testPassword, "next", "/account/keys/new")).
		goesTo("/account/keys/new")
	p.is(200).has(`value="my tracker"`, "192.0.2.9", `value="trade" checked`).hasNot("my secret")
	if keys, err := w.books.People().Keys(t.Context(), ledger.Account("alice")); err != nil || len(keys) != 0 {
		t.Errorf("there are %v, %v", keys, err)
	}
}
