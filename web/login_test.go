package web

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// cheapHash is a password's hash, made with the least work there is, as if by an older
// softstake: who attacks in a test takes no time.
func cheapHash(password string) string {
	salt := []byte("some salt")
	sum := argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)
	return "$argon2id$v=19$m=8,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" +
		base64.RawStdEncoding.EncodeToString(sum)
}

// cheapen gives a login, whose password is testPassword, a hash that is checked in no time.
func (w *website) cheapen(email string) {
	w.Helper()
	changed, err := w.books.People().RehashPassword(w.Context(), w.loginOf(email), cheapHash(testPassword))
	if w.ok(err); !changed {
		w.Fatal("the hash is another one")
	}
}

func (w *website) loginOf(email string) people.Login {
	w.Helper()
	l, err := w.books.People().Login(w.Context(), email)
	w.ok(err)
	return l
}

// TestAPasswordIsHashedAgain at the log-in, with today's parameters; who logs in at the
// same time is not refused for it.
func TestAPasswordIsHashedAgain(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.cheapen("alice@example.com")
	before := w.loginOf("alice@example.com")
	if !access.IsOutdated(before.Password) {
		t.Fatal("the hash is one of today")
	}
	w.another().post("/login", credentials("alice@example.com", "wrong")).is(http.StatusUnprocessableEntity)
	if l := w.loginOf("alice@example.com"); l.Password != before.Password {
		t.Error("a wrong password is hashed")
	}
	attempts := []*loginAttempt{
		w.attempt("alice@example.com", "192.0.2.7"), w.attempt("alice@example.com", "192.0.2.8"),
	}
	for _, a := range attempts { // both have read the hash of before
		w.ok(a.logIn(testPassword))
	}
	after := w.loginOf("alice@example.com")
	if access.IsOutdated(after.Password) || access.CheckPassword(after.Password, testPassword) != nil ||
		!after.Changed.Equal(before.Changed) {
		t.Errorf("the hash is %s, set %s", after.Password, after.Changed)
	}
	if n := len(w.sessions("alice")); n != 3 {
		t.Errorf("there are %d sessions", n)
	}
	if !w.known("alice@example.com") {
		t.Error("the device is forgotten")
	}
}

// TestAWeakPasswordLogsIn that was set when other rules held, and is hashed again as any other.
func TestAWeakPasswordLogsIn(t *testing.T) {
	w := newWebsite(t)
	for id, weak := range map[ledger.Account]string{"bob": "Password123!", "carol": "carol", "dora": "softstake"} {
		email := string(id) + "@example.com"
		w.holder(id, "DE")
		_, err := w.books.People().SetPassword(t.Context(), email, people.PasswordChange{Hash: cheapHash(weak)})
		w.ok(err)
		for range 2 {
			w.another().post("/login", credentials(email, weak)).is(http.StatusSeeOther)
		}
		if access.IsOutdated(w.loginOf(email).Password) {
			t.Errorf("the password of %s is not hashed again", id)
		}
	}
}

// TestALogInSucceedsWithoutARehash: where it is nobody's turn to hash, a later log-in does.
func TestALogInSucceedsWithoutARehash(t *testing.T) {
	w := newWebsite(t)
	w.cheapen("alice@example.com")
	a := w.attempt("alice@example.com", "192.0.2.7")
	network := access.Network(a.caller.Address).String()
	for range mostHashingFrom { // its network hashes as much as it may
		if !w.pages.strangersHashing.waiting.Acquire(network) {
			t.Fatal("there are fewer places")
		}
	}
	a.rehash(testPassword)
	if !access.IsOutdated(w.loginOf("alice@example.com").Password) {
		t.Fatal("it was hashed")
	}
	for range mostHashingFrom {
		w.pages.strangersHashing.waiting.Release(network)
	}
	w.ok(a.logIn(testPassword))
}

// TestAPasswordSetInBetweenRefusesTheOld, which was checked against the hash before it.
func TestAPasswordSetInBetweenRefusesTheOld(t *testing.T) {
	w := newWebsite(t)
	a := w.attempt("alice@example.com", "192.0.2.7")
	hash, err := access.HashPassword(rand.Reader, newPassword)
	w.ok(err)
	_, err = w.books.People().SetPassword(t.Context(), "alice@example.com", people.PasswordChange{Hash: hash})
	w.ok(err)
	if err := a.logIn(testPassword); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("the old password: %v", err)
	}
	if n := len(w.sessions("alice")); n != 0 {
		t.Errorf("there are %d sessions", n)
	}
}
