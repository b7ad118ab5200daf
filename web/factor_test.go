package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/testkit"
)

// authenticator is one on the pages' own site.
func (w *website) authenticator() *testkit.Authenticator {
	w.host = "localhost:8080"
	a := testkit.NewAuthenticator("localhost")
	a.Origin = "http://" + w.host
	return a
}

// fields are some of a page's hidden fields; a name with a value is one of the form's.
func (p answer) fields(names ...string) url.Values {
	form := url.Values{}
	for i, name := range names {
		if name == "code" {
			form.Set(name, names[i+1])
			break
		}
		form.Set(name, p.hidden(name))
	}
	return form
}

// options are those that a page gives the browser to make a passkey with.
func (p answer) options() []byte {
	p.b.w.Helper()
	_, after, there := strings.Cut(p.body, `data-create="`)
	text, _, closed := strings.Cut(after, `"`)
	if !there || !closed {
		p.b.w.Fatalf("%s: it makes no passkey: %s", p.what, p.text())
	}
	return []byte(strings.NewReplacer("&#34;", `"`, "&#43;", "+", "&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(text))
}

// addPasskey adds a first passkey of the visitor's, confirmed with the password, and keeps the recovery codes.
func (w *website) addPasskey(a *testkit.Authenticator, label string) answer {
	w.Helper()
	page := w.post("/account/passkeys/new", url.Values{"label": {label}, "password": {testPassword}}).is(http.StatusOK)
	form := page.fields("label", "proof", "handle")
	form.Set("answer", a.Create(w.T, page.options()))
	made := w.post("/account/passkeys/made", form)
	w.keepCodes(made)
	return made
}

var codePattern = regexp.MustCompile(`<li><code>([a-z0-9-]+)</code>`)

// keepCodes keeps the recovery codes of a page.
func (w *website) keepCodes(p answer) {
	w.codes = nil
	for _, m := range codePattern.FindAllStringSubmatch(p.body, -1) {
		w.codes = append(w.codes, m[1])
	}
}

// recovery is a recovery code that was not used yet.
func (w *website) recovery() string {
	w.Helper()
	if len(w.codes) == 0 {
		w.Fatal("there is no recovery code")
	}
	code := w.codes[0]
	w.codes = w.codes[1:]
	return code
}

// secret is that of an authenticator app which a page sets up.
func (p answer) secret() string {
	_, after, _ := strings.Cut(p.body, `id="secret">`)
	secret, _, _ := strings.Cut(after, "<")
	return secret
}

// appCode is the code that an app shows at the clock's time.
func appCode(w *website, secret string) string {
	w.Helper()
	return testkit.Must(totp.GenerateCode(secret, w.clock.Now()))(w.T)
}

// passkeyID is the ID of alice's passkey.
func (w *website) passkeyID() string {
	w.Helper()
	f, err := w.books.People().Factors(w.Context(), access.LoginSubject("alice@example.com"))
	w.ok(err)
	return f.Passkeys[0].ID
}

// answered is what an authenticator says to a form that asks for a passkey: the form with its answer.
func (b *browser) answered(a *testkit.Authenticator, path string, form url.Values) url.Values {
	b.w.Helper()
	ask := url.Values{"ask": {"1"}}
	for name, values := range form {
		ask[name] = values
	}
	p := b.post(path, ask).is(http.StatusOK)
	if p.header.Get("Content-Type") != "application/json" {
		b.w.Fatalf("%s: %s", p.what, p.text())
	}
	with := url.Values{"answer": {a.Get(b.w.T, []byte(p.body))}}
	for name, values := range form {
		with[name] = values
	}
	return with
}

// withdrawals is how many alice has requested.
func (w *website) withdrawals() int {
	w.Helper()
	rows, err := reports.New(w.books.Reader()).WithdrawalPage(w.Context(), "alice", reports.WithdrawalsAsked{}, nil, 100)
	w.ok(err)
	return len(rows)
}

// TestPasskeyLogsIn alone, or after the password; a password alone logs nobody in any more.
func TestPasskeyLogsIn(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.login("alice@example.com")
	w.get("/account").has("Your password alone protects this account")
	a := w.authenticator()
	w.addPasskey(a, "Laptop").is(http.StatusOK).has("not shown again")
	if len(w.codes) != factor.RecoveryCodes {
		t.Fatalf("%d recovery codes", len(w.codes))
	}
	w.get("/account/security").has("Laptop", "10 codes are left").hasNot(w.codes[0])
	w.get("/account").has("A passkey or an app confirms what matters")

	b := w.another()
	second := b.post("/login", credentials("alice@example.com", testPassword)).goesTo("/login/second")
	second.has("One more step")
	b.get("/spot").goesTo("/login")
	b.post("/login/second", nil).is(http.StatusUnprocessableEntity).has("Confirm this with your passkey")
	form := b.answered(a, "/login/second", nil)
	b.post("/login/second", form).goesTo("/spot").is(http.StatusOK)

	b = w.another()
	form = b.answered(a, "/login/passkey", nil)
	b.post("/login/passkey", form).goesTo("/spot").is(http.StatusOK)
	w.another().post("/login/passkey", form).is(http.StatusUnprocessableEntity)

	b = w.another()
	b.post("/login/second", url.Values{"code": {w.codes[0]}}).goesTo("/login")
	b.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusSeeOther)
	code := w.recovery()
	b.post("/login/second", url.Values{"code": {code}}).goesTo("/spot").is(http.StatusOK)
	b = w.another()
	b.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusSeeOther)
	b.post("/login/second", url.Values{"code": {code}}).is(http.StatusUnprocessableEntity).has("used before")
	w.get("/activity?show=sign-ins").has("Factor added: passkey Laptop", "Confirmation refused")
}

// TestSecondStepIsLimited: codes are counted for a login, and so guessed by nobody; its own is refused then, too.
func TestSecondStepIsLimited(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.login("alice@example.com")
	w.addPasskey(w.authenticator(), "Laptop").is(http.StatusOK)
	for i := range attemptsOfDevice {
		b := w.another()
		from := []string{"X-Test-Address", fmt.Sprintf("192.0.2.%d", i+20)}
		b.post("/login", credentials("alice@example.com", testPassword), from...).is(http.StatusSeeOther)
		b.post("/login/second", url.Values{"code": {fmt.Sprintf("%06d", i)}}, from...).
			is(http.StatusUnprocessableEntity)
	}
	b := w.another()
	b.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusSeeOther)
	b.post("/login/second", url.Values{"code": {w.codes[0]}}).is(http.StatusTooManyRequests)
	w.clock.Forward(w.clock.Now().Add(attemptsWindow))
	b.post("/login/second", url.Values{"code": {w.codes[0]}}).goesTo("/login") // that was too long
	b.post("/login", credentials("alice@example.com", testPassword)).is(http.StatusSeeOther)
	b.post("/login/second", url.Values{"code": {w.codes[0]}}).goesTo("/spot")
}

// TestStepUpOnThePages: what leaves the account, keys and the password ask for the passkey, of this very content.
func TestStepUpOnThePages(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.holder("bob", "DE")
	w.deposit("alice", "3 BNB")
	w.login("alice@example.com")
	a := w.authenticator()
	w.addPasskey(a, "Laptop")

	one, _ := w.confirmed("/withdraw", "asset", "BNB", "amount", "1", "network", "BSC", "address", "0xAbC", "tag", "")
	two, _ := w.confirmed("/withdraw", "asset", "BNB", "amount", "1", "network", "BSC", "address", "0xEv1", "tag", "")
	w.get(one).has("Use a code instead")
	w.post(one, nil).is(http.StatusUnprocessableEntity).has("Confirm this with your passkey")
	form := w.answered(a, one, nil)
	w.post(two, form).is(http.StatusUnprocessableEntity).has("does not confirm")
	if n := w.withdrawals(); n != 0 {
		t.Fatalf("%d withdrawals are requested", n)
	}
	w.post(one, form).is(http.StatusSeeOther)
	w.post(one, form).is(http.StatusSeeOther) // it is done: repeating has no further effect
	if n := w.withdrawals(); n != 1 {
		t.Fatalf("%d withdrawals are requested", n)
	}
	stale := w.answered(a, two, nil)
	w.clock.Forward(w.clock.Now().Add(factor.ChallengeLife))
	w.post(two, stale).is(http.StatusUnprocessableEntity)

	send, _ := w.confirmed("/send", "asset", "BNB", "amount", "0.5", "to", "bob")
	w.post(send, nil).is(http.StatusUnprocessableEntity)
	a.Count = 0
	w.post(send, w.answered(a, send, nil)).is(http.StatusUnprocessableEntity).has("There may be a copy of your passkey")
	a.Count = 100
	a.Origin = "https://evil.example"
	w.post(send, w.answered(a, send, nil)).is(http.StatusUnprocessableEntity).has("does not confirm")
	a.Origin = "http://" + w.host
	w.post(send, w.answered(a, send, nil)).is(http.StatusSeeOther)

	key := w.keyForm()
	w.post("/account/keys/new", key).is(http.StatusUnprocessableEntity).has("Confirm this with your passkey")
	w.post("/account/keys/new", w.answered(a, "/account/keys/new", key)).is(http.StatusOK).field("key")

	change := url.Values{"current": {testPassword}, "new": {newPassword}, "again": {newPassword}}
	w.post("/account/password", change).is(http.StatusUnprocessableEntity)
	w.post("/account/password", w.answered(a, "/account/password", change)).goesTo("/account")
}

// TestAuthenticatorAppOnThePages sets one up with a QR code made here, logs in with it, and removes it.
func TestAuthenticatorAppOnThePages(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.login("alice@example.com")
	w.post("/account/app/new", url.Values{"password": {"wrong horse battery"}}).is(http.StatusUnprocessableEntity)
	page := w.post("/account/app/new", url.Values{"password": {testPassword}}).is(http.StatusOK).
		has(`<svg class="qr"`, "Or enter this secret")
	secret := page.secret()
	w.post("/account/app/made", page.fields("proof", "app", "code", "000000")).is(http.StatusUnprocessableEntity).
		has("not the code", secret)
	made := w.post("/account/app/made", page.fields("proof", "app", "code", appCode(w, secret))).is(http.StatusOK)
	w.keepCodes(made)
	w.clock.Forward(w.clock.Now().Add(time.Minute))
	b := w.another()
	b.post("/login", credentials("alice@example.com", testPassword)).goesTo("/login/second")
	b.post("/login/second", url.Values{"code": {appCode(w, secret)}}).goesTo("/spot")
	again := w.another()
	again.post("/login", credentials("alice@example.com", testPassword)).goesTo("/login/second")
	again.post("/login/second", url.Values{"code": {appCode(w, secret)}}).is(http.StatusUnprocessableEntity).
		has("used before")
	w.clock.Forward(w.clock.Now().Add(time.Minute))
	w.post("/account/app/remove", nil).is(http.StatusUnprocessableEntity)
	w.post("/account/app/remove", url.Values{"code": {appCode(w, secret)}}).goesTo("/account/security").
		has("It is removed").hasNot("Recovery codes")
	w.another().login("alice@example.com")
	f, err := w.books.People().Factors(t.Context(), access.LoginSubject("alice@example.com"))
	if w.ok(err); f.Any() || f.Codes != 0 || f.Passkeys != nil || f.TOTP.Sealed != nil {
		t.Errorf("left are %+v", people.Factors(f))
	}
}

// TestAWithdrawalWaitsForAFactor: who has no second factor reads how to add one, and finds what was typed again; an
// address and a key that withdraws wait for one too.
func TestAWithdrawalWaitsForAFactor(t *testing.T) {
	w := newWebsite(t, sealed(t))
	w.ok(w.books.SetWithdrawalFactor(t.Context(), true))
	w.deposit("alice", "3 BNB")
	w.login("alice@example.com")
	a := w.authenticator()
	w.get("/withdraw").has("First add a second step", `href="/account/security"`)
	w.get("/send").hasNot("First add a second step")
	w.get("/account/security").hasNot("Back to your withdrawal")
	form := query("id", w.get("/withdraw").hidden("id"), "asset", "BNB", "amount", "1.25", "network", "BSC", "address",
		"0xAbC", "tag", "7")
	w.post("/withdraw", form).is(http.StatusUnprocessableEntity).has("What you entered is kept", "First add a second step")
	w.get("/account/addresses").has("First add a second step").hasNot(`name="address"`)
	w.post("/account/addresses", query("asset", "BNB", "network", "BSC", "address", "0x1")).
		is(http.StatusUnprocessableEntity).has("Add a passkey or an authenticator app first")
	key := w.keyForm()
	key.Set("password", testPassword)
	key.Set("may", "withdraw")
	key.Set("addresses", "192.0.2.7")
	w.post("/account/keys/new", key).is(http.StatusUnprocessableEntity).has("A key that withdraws needs a second step")

	w.get("/account/security").has("Back to your withdrawal")
	codes := w.addPasskey(a, "Laptop").is(http.StatusOK).has("back to the withdrawal")
	back := linkTo.FindStringSubmatch(codes.body)
	if back == nil {
		t.Fatalf("no link leads back to the withdrawal:\n%s", codes.text())
	}
	w.get(back[1]).has(`value="1.25"`, `value="0xAbC"`, `value="7"`).hasNot("First add a second step")
	at := w.post("/withdraw", form).is(http.StatusSeeOther).location
	w.post(at, nil).is(http.StatusUnprocessableEntity)
	w.post(at, w.answered(a, at, nil)).is(http.StatusSeeOther)
	if n := w.withdrawals(); n != 1 {
		t.Errorf("%d withdrawals are requested", n)
	}
}

// linkTo is a link to the draft of a withdrawal.
var linkTo = regexp.MustCompile(`href="(/withdraw\?draft=[a-z0-9-]+)"`)
