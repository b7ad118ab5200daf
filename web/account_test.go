package web

import (
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/ui"
)

const newPassword = "battery horse correct"

// TestAccount says who one is, what was accepted, and where one is logged in.
func TestAccount(t *testing.T) {
	w := newWebsite(t)
	w.enroll("alice")
	w.browser.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	w.login("alice@example.com")
	w.cookie("zone", "Europe/Berlin")
	w.get("/account").is(http.StatusOK).has("alice@example.com", "Germany (DE)", "Soft Staking is offered there",
		"Firefox on Linux", "This one",
		"/earn/documents/risk-warning?version=1", "Risk Warning, version 1", "2 Mar 2026, 13:00", "0 that can be used",
		"Europe/Berlin").hasNot("There is a newer version", ">account.")
	_, err := w.books.Documents().Publish(w.Context(), staking.RiskWarning, "It may all be lost.")
	w.ok(err)
	w.get("/account").has("There is a newer version")
	w.get("/account", "X-Test-Country", "US").has("not in the country you are in now")
	w.residence("alice", "US")
	w.get("/account").has("United States (US)", "is not offered there")
	w.residence("alice", "UA-43")
	w.get("/account").has("Ukraine (UA-43)", "is not offered there")
	w.residence("alice", "")
	w.get("/account").has("None yet", "verified residence")
	w.cookie("lang", "de")
	w.get("/account").has("Bestätigter Wohnsitz", "Firefox auf Linux", "0 sind nutzbar").hasNot(">account.")
}

// TestSessions ends another session, and nobody else's.
func TestSessions(t *testing.T) {
	w := newWebsite(t)
	w.holder("bob", "DE")
	phone, bob := w.another(), w.another()
	phone.header.Set("X-Client-Platform", "ios")
	phone.header.Set("X-Client-Version", "3.2.0")
	phone.login("alice@example.com")
	w.login("alice@example.com")
	bob.login("bob@example.com")
	page := w.get("/account").is(http.StatusOK).has("App 3.2.0 for iOS", "This one")
	end := url.Values{"session": {page.hidden("session")}}
	bob.post("/account/sessions", end).goesTo("/account").hasNot("The session is ended")
	phone.get("/account").is(http.StatusOK)
	w.post("/account/sessions", end).goesTo("/account").has("The session is ended").hasNot("App 3.2.0")
	phone.get("/account").is(http.StatusSeeOther)
	w.post("/account/sessions", end).goesTo("/account").hasNot("The session is ended")
	w.get("/account/sessions").goesTo("/account")
	w.get("/activity").has("Another session ended")
}

// TestPassword sets another password, which ends the other sessions.
func TestPassword(t *testing.T) {
	w := newWebsite(t)
	other := w.another()
	other.login("alice@example.com")
	w.login("alice@example.com")
	w.get("/account/password").is(http.StatusOK).has("Current password")
	for _, c := range []struct{ current, first, second, fault string }{
		{testPassword, "", "", "10 to 200 characters"},
		{testPassword, "too short", "too short", "10 to 200 characters"},
		{testPassword, testPassword, testPassword, "the password you have now"},
		{testPassword, newPassword, newPassword + "x", "not the same as above"},
		{testPassword, "Password123!", "Password123!", "one of the most common"},
		{testPassword, "Alice in Wonderland", "Alice in Wonderland", "the name of your e-mail address"},
		{testPassword, "I love Soft Staking", "I love Soft Staking", "the name of this service"},
		{"wrong horse battery", newPassword, newPassword, "not your password"},
		{"", newPassword, newPassword, "Enter your password"},
	} {
		w.post("/account/password", url.Values{"current": {c.current}, "new": {c.first}, "again": {c.second}}).
			is(http.StatusUnprocessableEntity).has(c.fault).hasNot(newPassword, testPassword, "Password123!",
			"Wonderland", "I love")
	}
	w.cookie("lang", "de")
	w.post("/account/password",
		url.Values{"current": {testPassword}, "new": {"Password123!"}, "again": {"Password123!"}}).
		is(http.StatusUnprocessableEntity).has("eines der häufigsten Passwörter")
	w.cookie("lang", "en")
	other.get("/account").is(http.StatusOK)
	w.post("/account/password", url.Values{"current": {testPassword}, "new": {newPassword}, "again": {newPassword}}).
		goesTo("/account").has("Your password is changed")
	other.get("/account").is(http.StatusSeeOther)
	other.post("/login", url.Values{"email": {"alice@example.com"}, "password": {testPassword}}).
		is(http.StatusUnprocessableEntity)
	other.post("/login", url.Values{"email": {"alice@example.com"}, "password": {newPassword}}).is(http.StatusSeeOther)
	w.get("/activity").has("Password changed", "Log-in refused")
}

// TestABreachedPasswordIsRefused: nobody sets one that has become public.
func TestABreachedPasswordIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "breached.txt")
	err := os.WriteFile(name, fmt.Appendf(nil, "%X:3\n", sha1.Sum([]byte(newPassword))), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	list := testkit.Must(access.OpenBreached(name))(t)
	w := newWebsite(t, func(o *Options) { o.Breached = list })
	t.Cleanup(func() { w.ok(list.Close()) })
	w.login("alice@example.com")
	set := func(password string) url.Values {
		return url.Values{"current": {testPassword}, "new": {password}, "again": {password}}
	}
	w.post("/account/password", set(newPassword)).is(http.StatusUnprocessableEntity).has("has become public")
	w.post("/account/password", set(newPassword+"x")).goesTo("/account").has("Your password is changed")
}

// TestAPasswordOffersToRevokeKeys where there are some; it is for the holder to choose.
func TestAPasswordOffersToRevokeKeys(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.get("/account/password").is(http.StatusOK).hasNot("API keys")
	name, _, err := access.NewKey(rand.Reader)
	w.ok(err)
	k := access.Key{
		Key: name, Account: "alice", Type: access.HMAC, Permissions: []access.Permission{access.Read},
		Secret: []byte("sealed"), Label: "bot",
	}
	w.ok(w.books.People().AddKey(t.Context(), k))
	w.get("/account/password").is(http.StatusOK).has("Also revoke all API keys",
		"The account has 1 key that can be used")
	set := func(from, to string, more ...string) answer {
		form := url.Values{"current": {from}, "new": {to}, "again": {to}}
		for _, field := range more {
			form.Set(field, "1")
		}
		return w.post("/account/password", form)
	}
	set("wrong", newPassword, "revoke").is(http.StatusUnprocessableEntity).has(`value="1" checked`)
	set(testPassword, newPassword).goesTo("/account").has("Your password is changed", "1 that can be used").
		hasNot("are revoked")
	set(newPassword, testPassword, "revoke").goesTo("/account").has("all API keys are revoked", "0 that can be used")
	w.get("/activity").has("Password changed", "API key revoked: "+k.Short()+" bot")
	k, err = w.books.People().Key(t.Context(), name)
	if w.ok(err); k.Revoked.IsZero() {
		t.Error("the key is not revoked")
	}
}

// TestSettings keeps language and look in the browser, also for those who have not logged in.
func TestSettings(t *testing.T) {
	w := newWebsite(t)
	page := w.get("/settings?back=/login").is(http.StatusOK).has("Deutsch", "As the device", `value="/login"`)
	if back := page.hidden("back"); back != "/login" {
		t.Errorf("it leads back to %q", back)
	}
	w.post("/settings", url.Values{"lang": {"de"}, "back": {"/login"}}).goesTo("/login").has("Anmelden")
	w.post("/settings", url.Values{"theme": {"dark"}}).goesTo("/settings").has(`data-theme="dark"`, "Sprache",
		`value="dark" aria-pressed="true"`)
	w.post("/settings", url.Values{"theme": {""}}).goesTo("/settings").hasNot("data-theme").has(`lang="de"`)
	w.post("/settings", url.Values{"lang": {"xx"}, "theme": {"pink"}}).goesTo("/settings").has("Sprache").
		hasNot("data-theme")
	for _, back := range []string{"//example.org", "https://example.org/", `/\example.org`, ""} {
		w.post("/settings", url.Values{"lang": {"en"}, "back": {back}}).goesTo("/settings")
	}
	w.get("/settings?back=//example.org").is(http.StatusOK).hasNot(`value="//example.org"`)
	set := w.post("/settings", url.Values{"theme": {"light"}}, "X-Test-Secure", "yes").header.Get("Set-Cookie")
	for _, word := range []string{"theme=light", "Path=/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=31536000"} {
		if !strings.Contains(set, word) {
			t.Errorf("the cookie %q is without %s", set, word)
		}
	}
}

// TestDevice is what browsers say of themselves in plain words.
func TestDevice(t *testing.T) {
	p := ui.View{Locale: allLocales(t)[0]}
	for said, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 " +
			"Safari/537.36 Edg/140.0.0.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 " +
			"Safari/605.1.15": "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
			"CriOS/140.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 " +
			"Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 " +
			"Safari/537.36": "Chrome on Linux",
		"curl/8.5.0": "curl",
		"Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0": "Firefox on Android",
		"ios 3.2.0": "App 3.2.0 for iOS", "ios v3.1.0 (1234)": "App v3.1.0 (1234) for iOS",
		"android ": "App for Android", "web": "Browser", "operator": "By the operator", "": "Unknown browser",
		"web 1.2": "Unknown browser",
	} {
		if got := p.Device(said); got != want {
			t.Errorf("%q is %q, and not %q", said, got, want)
		}
	}
}
