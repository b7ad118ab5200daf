package web

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
)

// TestADeviceIsLimitedByItself: whoever has stolen its cookie guesses no more often than
// a stranger does, and the owner logs in all the same.
func TestADeviceIsLimitedByItself(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.cheapen("alice@example.com")
	thief := w.another()
	thief.cookie("device", w.kept("device"))
	wrong, right := credentials("alice@example.com", "wrong"), credentials("alice@example.com", testPassword)
	for range attemptsOfDevice + attemptsOfMail {
		thief.post("/login", wrong, from("2001:db8::1")...).is(http.StatusUnprocessableEntity)
	}
	thief.post("/login", right, from("2001:db8::1")...).is(http.StatusTooManyRequests)
	w.post("/login", right).is(http.StatusSeeOther)
	w.another().login("alice@example.com")
	w.clock.Forward(w.clock.Now().Add(attemptsWindow))
	thief.post("/login", wrong, from("2001:db8::1")...).is(http.StatusUnprocessableEntity)
}

// kept is the value of a cookie that the browser has.
func (b *browser) kept(name string) string {
	b.w.Helper()
	site, err := url.Parse(b.w.site.URL)
	b.w.ok(err)
	for _, c := range b.client.Jar.Cookies(site) {
		if c.Name == name {
			return c.Value
		}
	}
	b.w.Fatalf("the browser has no cookie %s", name)
	return ""
}

// known reports whether the browser is taken for a device of a login.
func (b *browser) known(email string) bool {
	b.w.Helper()
	a := b.w.attempt(email, "192.0.2.7")
	a.r.AddCookie(&http.Cookie{Name: "device", Value: b.kept("device")})
	a, err := a.submission.loginAttempt(email)
	b.w.ok(err)
	return a.trusted
}

// TestWhichDevicesAreKnown: those in which a person has logged in with the password of
// today, for a while, each for its logins alone.
func TestWhichDevicesAreKnown(t *testing.T) {
	for name, sealer := range sealers(t) {
		t.Run(name, func(t *testing.T) {
			w := newWebsite(t, func(o *Options) { o.Sealer = sealer })
			w.holder("bob", "DE")
			p := w.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusSeeOther)
			if c := p.cookie("device"); !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" ||
				c.MaxAge != 180*24*60*60 {
				t.Errorf("the cookie is %v", c)
			}
			if !w.known("alice@example.com") || w.known("bob@example.com") || w.known("nobody@example.com") {
				t.Error("after alice's log-in another is known, or she is not")
			}
			other := w.another()
			other.post("/login", credentials("alice@example.com", "wrong")).is(http.StatusUnprocessableEntity)
			if set := other.client.Jar.Cookies(mustURL(t, w.site.URL)); len(set) != 0 {
				t.Errorf("a wrong password sets %v", set)
			}
			other.cookie("device", w.kept("device")+"x")
			if other.known("alice@example.com") {
				t.Error("a cookie that was changed is known")
			}
			w.post("/logout", nil).is(http.StatusSeeOther)
			w.login("bob@example.com")
			if !w.known("alice@example.com") || !w.known("bob@example.com") {
				t.Error("one who shares a browser is forgotten")
			}
			w.clock.Forward(w.clock.Now().Add(deviceLife - time.Second))
			if !w.known("alice@example.com") {
				t.Error("she is forgotten too early")
			}
			w.login("bob@example.com")
			w.clock.Forward(w.clock.Now().Add(time.Second))
			if w.known("alice@example.com") || !w.known("bob@example.com") {
				t.Error("after half a year one is known who did not come, or one is not who did")
			}
		})
	}
}

// sealers are with and without a key outside of the books.
func sealers(t *testing.T) map[string]*access.Sealer {
	t.Helper()
	key, err := access.NewSealKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := access.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*access.Sealer{"with a key": sealer, "without a key": nil}
}

// TestAPasswordForgetsDevices, but for the one that it is set in.
func TestAPasswordForgetsDevices(t *testing.T) {
	w := newWebsite(t)
	other := w.another()
	other.login("alice@example.com")
	w.login("alice@example.com")
	w.clock.Forward(w.clock.Now().Add(time.Second))
	w.post("/account/password", url.Values{"current": {testPassword}, "new": {newPassword}, "again": {newPassword}}).
		goesTo("/account")
	if other.known("alice@example.com") || !w.known("alice@example.com") {
		t.Errorf("known are the other %t, this one %t", other.known("alice@example.com"), w.known("alice@example.com"))
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
