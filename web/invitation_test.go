package web

import (
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/testkit"
)

// TestACodeChoosesAPassword: once, in time, and by nothing else; what is wrong is answered alike, whoever is named.
func TestACodeChoosesAPassword(t *testing.T) {
	w := newWebsite(t)
	w.holder("bob", "DE")
	e, code, err := access.NewInvitation(rand.Reader)
	w.ok(err)
	_, err = w.books.People().InviteLogin(t.Context(), "bob@example.com", e, false)
	w.ok(err)
	b := w.another()
	b.get("/login").is(http.StatusOK).has(`href="/invitation"`)
	b.get("/invitation").is(http.StatusOK).has("Choose a password")
	form := func(email, code, password, again string) url.Values {
		return url.Values{"email": {email}, "code": {code}, "new": {password}, "again": {again}}
	}
	const chosen, wrong = "a few good words", "This e-mail address and this code do not go together"
	began := time.Now()
	for _, f := range []url.Values{
		form("bob@example.com", code+"x", chosen, chosen),
		form("alice@example.com", code, chosen, chosen), // who has a password, and is not invited
		form("nobody@example.com", code, chosen, chosen),
	} {
		b.post("/invitation", f).is(http.StatusUnprocessableEntity).has(wrong).hasNot(code)
	}
	if time.Since(began) < 3*refusedAfter {
		t.Error("a refusal takes less time than another")
	}
	for says, f := range map[string]url.Values{
		"Enter an e-mail address":          form("bob", code, chosen, chosen),
		"Enter the code":                   form("bob@example.com", "", chosen, chosen),
		"A password has 10 to 200":         form("bob@example.com", code, "short", "short"),
		"name of your e-mail":              form("bob@example.com", code, "bob likes trains", "bob likes trains"),
		"This is not the same as above":    form("bob@example.com", code, chosen, "another few words"),
		"one of the most common passwords": form("bob@example.com", code, "qwertyuiop", "qwertyuiop"),
	} {
		b.post("/invitation", f).is(http.StatusUnprocessableEntity).has(says).hasNot(code)
	}
	b.post("/login", credentials("bob@example.com", testPassword)).is(http.StatusUnprocessableEntity)
	b.post("/invitation", form("Bob@example.com", code, chosen, chosen)).goesTo("/login").is(http.StatusOK).
		has("Your password is set")
	b.post("/invitation", form("bob@example.com", code, chosen, chosen)).is(http.StatusUnprocessableEntity).has(wrong)
	b.post("/login", credentials("bob@example.com", chosen)).goesTo("/spot")
	b.get("/activity").is(http.StatusOK).has("Password taken away by the operator")
}

// TestGuessingCodesIsLimited as guessing passwords is, and by the same counters. So is having passwords looked for
// among those that are public.
func TestGuessingCodesIsLimited(t *testing.T) {
	const breached = "words that are public"
	name := filepath.Join(t.TempDir(), "breached.txt")
	err := os.WriteFile(name, fmt.Appendf(nil, "%X:3\n", sha1.Sum([]byte(breached))), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	list := testkit.Must(access.OpenBreached(name))(t)
	t.Cleanup(func() {
		if err := list.Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWebsite(t, func(o *Options) { o.Breached = list })
	b := w.another()
	e, code, err := access.NewInvitation(rand.Reader)
	w.ok(err)
	w.ok(w.books.People().AddLogin(t.Context(),
		people.Login{Email: "zoe@example.com", Account: "alice", Invitation: e}))
	form := url.Values{"email": {"zoe@example.com"}, "code": {"ssi_guess"}, "new": {"a few good words"},
		"again": {"a few good words"}}
	public := url.Values{"email": form["email"], "code": form["code"], "new": {breached}, "again": {breached}}
	b.post("/invitation", public).is(http.StatusUnprocessableEntity).has("has become public")
	for range attemptsOfMail - 1 {
		b.post("/invitation", form).is(http.StatusUnprocessableEntity)
	}
	b.post("/invitation", public).is(http.StatusTooManyRequests).hasNot("has become public")
	form.Set("code", code)
	b.post("/invitation", form).is(http.StatusTooManyRequests)
}
