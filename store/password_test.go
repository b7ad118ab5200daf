package store_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// addKey is an API key that an account has.
func addKey(t *testing.T, db *store.DB, id ledger.Account, label string, expires time.Time) access.Key {
	t.Helper()
	k := newKey(t, id)
	k.Label, k.Expires = label, expires
	ok(t, db.People().AddKey(t.Context(), k))
	return k
}

// Where it is asked for, all of the account's API keys end with the password, and
// nobody else's; what is written of it is one transaction with it.
func TestAPasswordRevokesKeys(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		first, second, expiring := addKey(t, db, "alice", "", time.Time{}), addKey(t, db, "alice", "bot", time.Time{}),
			addKey(t, db, "alice", "", noon.Add(time.Second))
		before, bobs := addKey(t, db, "alice", "", time.Time{}), addKey(t, db, "bob", "", time.Time{})
		ok(t, db.People().RevokeKey(ctx, before.Key))
		clock.Advance(time.Minute)

		if n := setPassword(t, db, "alice@example.com", people.PasswordChange{Hash: otherHash}); n != 0 {
			t.Errorf("%d keys are revoked, and none was asked for", n)
		}
		if k := testkit.Must(db.People().Key(ctx, first.Key))(t); !k.Revoked.IsZero() {
			t.Error("a key is revoked that nobody asked for")
		}
		c := people.PasswordChange{Hash: oneHash, RevokeKeys: true, Client: "Firefox", Address: "192.0.2.7 DE"}
		for _, want := range []int{3, 0} {
			if n := setPassword(t, db.As(aliceIn), "alice@example.com", c); n != want {
				t.Errorf("%d keys are revoked, not %d", n, want)
			}
		}
		for _, k := range []access.Key{first, second, expiring} {
			if k := testkit.Must(db.People().Key(ctx, k.Key))(t); !k.Revoked.Equal(clock.Now()) {
				t.Errorf("%s is revoked at %s", k, k.Revoked)
			}
		}
		if k := testkit.Must(db.People().Key(ctx, before.Key))(t); !k.Revoked.Equal(noon) {
			t.Errorf("a key that was revoked is revoked again at %s", k.Revoked)
		}
		if k := testkit.Must(db.People().Key(ctx, bobs.Key))(t); !k.Revoked.IsZero() {
			t.Error("bob's key is revoked")
		}
		var logged, seen []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, clock.Now(), 20))(t) {
			logged = append(logged, fmt.Sprint(l.Actor, " ", l.Action, " ", l.Subject))
		}
		for _, e := range testkit.Must(db.People().SecurityEvents(ctx, "alice", nil, 20))(t) {
			seen = append(seen, strings.TrimSpace(fmt.Sprint(e.Action, " ", e.Client, " ", e.Address)))
		}
		slices.Sort(logged)
		if want := []string{"login alice@example.com key revoke alice", "login alice@example.com key revoke alice",
			"login alice@example.com key revoke alice", "login alice@example.com login password alice",
			"login alice@example.com login password alice", "test login password alice"}; !slices.Equal(logged, want) {
			t.Errorf("the log says %q", logged)
		}
		by := " Firefox 192.0.2.7 DE"
		if want := []string{"password" + by, "key revoke" + by, "key revoke" + by, "key revoke" + by, "password" + by,
			"password"}; !slices.Equal(seen, want) {
			t.Errorf("the security events are %q", seen)
		}
	})
}

// A password that cannot be set revokes nothing.
func TestAPasswordThatFailsRevokesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		k := addKey(t, db, "alice", "", time.Time{})
		testkit.Must(db.Exec(t.Context(), "DROP TABLE security_events"))(t)
		if _, err := db.People().SetPassword(t.Context(), "alice@example.com",
			people.PasswordChange{Hash: otherHash, RevokeKeys: true}); err == nil {
			t.Fatal("it is set")
		}
		l := testkit.Must(db.People().Login(t.Context(), "alice@example.com"))(t)
		if k := testkit.Must(db.People().Key(t.Context(), k.Key))(t); !k.Revoked.IsZero() || l.Password != oneHash {
			t.Errorf("half of it is done: the key is revoked at %s, the password is %s", k.Revoked, l.Password)
		}
	})
}

// A hash is replaced only where it is still the one that was verified, by one of those
// who do so at the same time; nothing else changes.
func TestAPasswordIsHashedAgain(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		s := addSession(t, db, clock, "alice@example.com", "alice")
		verified := testkit.Must(db.People().Login(ctx, "alice@example.com"))(t)
		clock.Advance(time.Second)
		var all sync.WaitGroup
		var changed [8]bool
		for i := range changed {
			all.Go(func() {
				var err error
				if changed[i], err = db.People().RehashPassword(ctx, verified, otherHash); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		n := 0
		for _, c := range changed {
			if c {
				n++
			}
		}
		l := testkit.Must(db.People().Login(ctx, "alice@example.com"))(t)
		same(t, "the login", l, people.Login{Email: "alice@example.com", Account: "alice", Password: otherHash, Created: noon,
			Changed: noon})
		if n != 1 || !inside(t, db, s) {
			t.Errorf("%d have changed it, and the session lasts: %t", n, inside(t, db, s))
		}
		setPassword(t, db, "alice@example.com", people.PasswordChange{Hash: oneHash})
		if testkit.Must(db.People().RehashPassword(ctx, l, otherHash))(t) {
			t.Error("a password that was set since is replaced by the old one")
		}
		_, err := db.People().RehashPassword(ctx, l, "correct horse")
		wants(t, err, ledger.ErrInvalid)
	})
}

// A secret of the books is made at the first call, whoever makes it, and is the same then.
func TestASecretIsMadeAtTheFirstCall(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		var all sync.WaitGroup
		var got [8]access.Hidden
		for i := range got {
			all.Go(func() {
				var err error
				if got[i], err = db.People().Secret(ctx, "cookies", rand.Reader); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, secret := range got {
			if len(secret) != 32 || !bytes.Equal(secret, got[0]) {
				t.Errorf("the secrets differ: %d and %d bytes", len(secret), len(got[0]))
			}
		}
		if other := testkit.Must(db.People().Secret(ctx, "another purpose", rand.Reader))(t); bytes.Equal(other, got[0]) {
			t.Error("two purposes have the same secret")
		}
		testkit.Must(db.Exec(ctx, "UPDATE meta SET value = 'AAAA' WHERE name = 'secret: cookies'"))(t)
		if _, err := db.People().Secret(ctx, "cookies", rand.Reader); err == nil ||
			!strings.Contains(err.Error(), "damaged") {
			t.Errorf("a damaged secret: %v", err)
		}
		if _, err := db.People().Secret(ctx, "third", iotest.ErrReader(iotest.ErrTimeout)); err == nil {
			t.Error("it is made without random bytes")
		}
	})
}
