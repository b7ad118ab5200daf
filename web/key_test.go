package web

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
)

// sealed gives the pages a key that secrets are sealed with.
func sealed(t *testing.T) func(*Options) {
	t.Helper()
	text, err := access.NewSealKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := access.NewSealer(text)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *Options) { o.Sealer = sealer }
}

// keyForm is the form that makes a key, filled in.
func (w *website) keyForm(change ...string) url.Values {
	w.Helper()
	page := w.get("/account/keys/new").is(http.StatusOK)
	form := url.Values{
		"id": {page.hidden("id")}, "label": {"tax report"}, "type": {"hmac"}, "may": {"read"}, "days": {"90"},
		"password": {testPassword},
	}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	return form
}

// field is the text of a page's read-only field.
func (p answer) field(id string) string {
	p.b.w.Helper()
	_, after, _ := strings.Cut(p.body, `id="`+id+`"`)
	_, after, _ = strings.Cut(after, ">")
	text, _, _ := strings.Cut(after, "</textarea>")
	return text
}

// TestKeyIsShownOnce makes a key whose secret signs, and never shows it again.
func TestKeyIsShownOnce(t *testing.T) {
	seal := sealed(t)
	var o Options
	seal(&o)
	w := newWebsite(t, seal)
	w.login("alice@example.com")
	w.get("/account/keys").is(http.StatusOK).has("None yet").hasNot("revoke")
	form := w.keyForm("may", "read,trade", "addresses", "192.0.2.7\r\n2001:db8::/32", "days", "30")
	made := w.post("/account/keys/new", form).is(http.StatusOK).has(allLocales(t)[0].T("keys.made.secret"),
		"tax report", "192.0.2.7, 2001:db8::/32")
	if made.header.Get("Cache-Control") != "no-store" {
		t.Error("the secret may be kept by the browser")
	}
	name, secret := made.field("key"), made.field("secret")
	if !access.IsKey(name) || !access.IsKey(secret) {
		t.Fatalf("key %q, secret %q", name, secret)
	}
	k, err := w.books.People().Key(w.Context(), name)
	w.ok(err)
	if err := k.Opens(o.Sealer); err != nil || k.Account != "alice" ||
		k.Allows(access.Trade, netip.MustParseAddr("192.0.2.7")) != nil ||
		!k.Expires.Equal(w.clock.Now().AddDate(0, 0, 30)) || k.Label != "tax report" {
		t.Errorf("made %+v: %v", k, err)
	}

	again := w.post("/account/keys/new", form).goesTo("/account/keys")
	again.has("was sent before", "tax report", name[:8]).hasNot(secret, name)
	keys, err := w.books.People().Keys(w.Context(), "alice")
	w.ok(err)
	if len(keys) != 1 {
		t.Errorf("a form sent twice has made %d keys", len(keys))
	}
	w.get("/activity?show=sign-ins").has("API key made: "+name[:8]+"… tax report").hasNot(name, secret)
}

// TestKeyOfOnesOwn makes a key of which we know the public half alone.
func TestKeyOfOnesOwn(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	public, _, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	der, err := x509.MarshalPKIXPublicKey(public)
	w.ok(err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	w.get("/account/keys/new").has("Keys with a secret cannot be made here").hasNot(`value="hmac"`)
	w.post("/account/keys/new", w.keyForm()).is(http.StatusUnprocessableEntity).has("Choose how it signs")
	w.post("/account/keys/new", w.keyForm("type", "rsa", "public", text)).is(http.StatusUnprocessableEntity).
		has("not an RSA public key")
	made := w.post("/account/keys/new",
		w.keyForm("type", "ed25519", "public", strings.ReplaceAll(text, "\n", "\r\n"), "days", "0")).is(http.StatusOK)
	made.has("does not expire").hasNot(`id="secret"`)
	k, err := w.books.People().Key(w.Context(), made.field("key"))
	w.ok(err)
	if !bytes.Equal(k.Secret, der) || !k.Expires.IsZero() {
		t.Errorf("made %v", k)
	}
}

// TestKeyFaults keeps what was typed, but for the password, and makes nothing.
func TestKeyFaults(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.login("alice@example.com")
	for _, c := range []struct{ field, value, fault string }{
		{"label", " ", "Give it a name"},
		{"label", strings.Repeat("x", 61), "Give it a name"},
		{"label", "two\nlines", "Give it a name"},
		{"may", "everything", "Choose what it may do"},
		{"type", "ecdsa", "Choose how it signs"},
		{"addresses", "192.0.2.700", "One of these is not an address"},
		{"days", "100000", "Choose how long"},
		{"id", "made up", "was not whole"},
		{"password", "", "Enter your password"},
		{"password", "wrong horse battery", "not your password"},
	} {
		form := w.keyForm(c.field, c.value)
		if c.field != "label" {
			form.Set("label", `<b>"mine"`)
		}
		page := w.post("/account/keys/new", form).is(http.StatusUnprocessableEntity).has(c.fault).
			hasNot(testPassword, "<b>")
		if c.field != "label" {
			page.has("&lt;b&gt;")
		}
	}
	keys, err := w.books.People().Keys(w.Context(), "alice")
	w.ok(err)
	if len(keys) != 0 {
		t.Errorf("%d keys are made", len(keys))
	}
	w.get("/activity?show=sign-ins").has("Password refused")
	stranger := w.another()
	for range attemptsOfMail + 1 {
		stranger.post("/login", url.Values{"email": {"alice@example.com"}, "password": {"wrong horse battery"}})
	}
	for range attemptsOfMail - 1 { // one was above, and a stranger's do not count
		w.post("/account/keys/new", w.keyForm("password", "wrong horse battery")).is(http.StatusUnprocessableEntity)
	}
	w.post("/account/keys/new", w.keyForm()).is(http.StatusTooManyRequests).has("Too many attempts")
}

// TestRevokeKey asks once, ends the key, and lets nobody end another's.
func TestRevokeKey(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.holder("bob", "DE")
	w.login("alice@example.com")
	name := w.post("/account/keys/new", w.keyForm()).is(http.StatusOK).field("key")
	path := "/account/keys/" + name[:keyNameLength] + "/revoke"
	bob := w.another()
	bob.login("bob@example.com")
	bob.get(path).is(http.StatusNotFound).hasNot("tax report")
	bob.post(path, nil).is(http.StatusNotFound)
	w.get("/account/keys/nonsense/revoke").is(http.StatusNotFound)
	w.get("/account/keys").has(path)
	w.get(path).is(http.StatusOK).has("Revoke this key?", "tax report", "cannot be undone")
	w.post(path, nil).goesTo("/account/keys").has("Revoked and expired", "None yet").hasNot(path)
	w.post(path, nil).goesTo("/account/keys")
	w.get(path).goesTo("/account/keys")
	k, err := w.books.People().Key(w.Context(), name)
	w.ok(err)
	if k.Live(w.clock.Now()) == nil {
		t.Error("it can still be used")
	}
	if n := strings.Count(w.get("/activity").text(), "API key revoked"); n != 1 {
		t.Errorf("its end is shown %d times", n)
	}
}

// TestKeysAreLimited: an account has only so many.
func TestKeysAreLimited(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.login("alice@example.com")
	form := w.keyForm()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	w.ok(err)
	der, err := x509.MarshalPKIXPublicKey(public)
	w.ok(err)
	for i := range people.MaxKeys {
		name, _, err := access.NewKey(rand.Reader)
		w.ok(err)
		w.ok(w.books.People().AddKey(w.Context(),
			access.Key{
				Key: name, Account: "alice", Type: access.Ed25519, Permissions: []access.Permission{access.Read},
				Label: fmt.Sprint(i), Secret: der,
			}))
	}
	w.post("/account/keys/new", form).is(http.StatusUnprocessableEntity).has("at most 30 keys")
	w.get("/account/keys").is(http.StatusOK).has("at most 30 keys").hasNot(`href="/account/keys/new"`)
	w.get("/account/keys/new").is(http.StatusOK).hasNot("<textarea")
}

// TestKeysThatWithdraw are limited to addresses, and one that trades from anywhere says when it ends.
func TestKeysThatWithdraw(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.login("alice@example.com")
	w.get("/account/keys/new").has(`value="withdraw" data-needs="addresses"`,
		"Without addresses below, the key expires after 90 days")
	form := w.keyForm("days", "0")
	form["may"] = []string{"trade", "withdraw"}
	for _, addresses := range []string{"", "0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1", "::/0"} {
		form.Set("addresses", addresses)
		w.post("/account/keys/new", form).is(http.StatusUnprocessableEntity).has("needs your own addresses",
			`value="withdraw" checked`, `value="trade" checked`)
	}
	form.Set("addresses", "192.0.2.7")
	made := w.post("/account/keys/new", form).is(http.StatusOK).has("Read, Switch Soft Staking, Withdraw",
		"does not expire")
	k, err := w.books.People().Key(w.Context(), made.field("key"))
	w.ok(err)
	if !k.May(access.Withdraw) || !k.May(access.Trade) {
		t.Errorf("made %+v", k)
	}
	made = w.post("/account/keys/new", w.keyForm("may", "trade", "days", "365")).is(http.StatusOK).has("Read, Switch " +
		"Soft Staking").hasNot("Withdraw</span>")
	if k, err = w.books.People().Key(w.Context(), made.field("key")); err != nil ||
		!k.Ends().Equal(w.clock.Now().Add(access.UnlimitedTrade)) {
		t.Errorf("it ends at %s: %v", k.Ends(), err)
	}
	made.has("until")
}
