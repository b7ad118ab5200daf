package store_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// Two hashes as they are kept; of which passwords does not matter here.
const (
	oneHash   = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	otherHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// addLogin lets a person log in, and addSession is one of theirs that lives for an hour.
func addLogin(t testing.TB, db *store.DB, email string, id ledger.Account) {
	t.Helper()
	ok(t, db.People().AddLogin(t.Context(), people.Login{Email: email, Account: id, Password: oneHash}))
}

func addSession(t testing.TB, db *store.DB, clock *testkit.Clock, email string, id ledger.Account) access.Session {
	t.Helper()
	s := newSession(t, clock, email, id)
	ok(t, db.People().AddSession(t.Context(), s, oneHash))
	return s
}

func newSession(t testing.TB, clock *testkit.Clock, email string, id ledger.Account) access.Session {
	t.Helper()
	s, _, err := access.NewSession(rand.Reader)
	ok(t, err)
	s.Email, s.Account, s.Expires = email, id, clock.Now().Add(time.Hour)
	return s
}

// aliceIn is alice, who has logged in.
var aliceIn = access.Session{Email: "alice@example.com", Account: "alice"}.Actor()

// setPassword changes a login's password, and returns how many keys are revoked with it.
func setPassword(t *testing.T, db *store.DB, email string, c people.PasswordChange) int {
	t.Helper()
	return testkit.Must(db.People().SetPassword(t.Context(), email, c))(t)
}

// inside reports whether the session lasts.
func inside(t *testing.T, db *store.DB, s access.Session) bool {
	t.Helper()
	_, err := db.People().Session(t.Context(), s.ID)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestLoginsAreKeptAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, " Zoe@Example.com ", "alice")
		clock.Advance(time.Second)
		addLogin(t, db, "ann@example.com", "alice")
		addLogin(t, db, "bob@example.com", "bob")
		// Once more, and the password stays.
		ok(t, db.People().AddLogin(ctx, people.Login{Email: "zoe@example.COM", Account: "alice", Password: otherHash}))

		zoe := people.Login{Email: "zoe@example.com", Account: "alice", Password: oneHash, Created: noon, Changed: noon}
		ann := people.Login{Email: "ann@example.com", Account: "alice", Password: oneHash, Created: clock.Now(),
			Changed: clock.Now()}
		bob := people.Login{Email: "bob@example.com", Account: "bob", Password: oneHash, Created: clock.Now(),
			Changed: clock.Now()}
		if got := testkit.Must(db.People().Login(ctx, "ZOE@example.com\n"))(t); got != zoe {
			t.Errorf("kept is %#v", got)
		}
		if got := testkit.Must(db.People().Logins(ctx, "alice"))(t); !slices.Equal(got, []people.Login{ann, zoe}) {
			t.Errorf("alice has %v", got)
		}
		if got := testkit.Must(db.People().Logins(ctx, ""))(t); !slices.Equal(got, []people.Login{ann, bob, zoe}) {
			t.Errorf("all are %v", got)
		}
		for _, nobody := range []string{"", "carol@example.com", "zoe", "\x00@example.com", strings.Repeat("x", 300) +
			"@example.com"} {
			_, err := db.People().Login(ctx, nobody)
			wants(t, err, ledger.ErrNotFound)
			_, err = db.People().SetPassword(ctx, nobody, people.PasswordChange{Hash: oneHash})
			wants(t, err, ledger.ErrNotFound)
			ok(t, db.People().RemoveLogin(ctx, nobody))
		}
		_, err := db.People().Logins(ctx, "carol")
		wants(t, err, ledger.ErrNotFound)
	})
}

func TestLoginsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		testkit.Must(db.Exec(ctx, "UPDATE accounts SET closed = 1 WHERE account = 'bob'"))(t)
		for what, c := range map[string]struct {
			login people.Login
			want  error
		}{
			"of nobody": {people.Login{Email: "carol@example.com", Account: "carol", Password: oneHash},
				ledger.ErrNotFound},
			"of a closed account": {people.Login{Email: "bob@example.com", Account: "bob", Password: oneHash},
				ledger.ErrInvalid},
			"of the house": {people.Login{Email: "desk@example.com", Account: "@desk", Password: oneHash},
				ledger.ErrInvalid},
			"with no address": {people.Login{Email: "alice", Account: "alice", Password: oneHash}, ledger.ErrInvalid},
			"with a password itself": {people.Login{Email: "a@example.com", Account: "alice", Password: "correct horse"},
				ledger.ErrInvalid},
			"without a password or a code": {people.Login{Email: "a@example.com", Account: "alice"}, ledger.ErrInvalid},
			"with a password and a code": {people.Login{Email: "a@example.com", Account: "alice", Password: oneHash,
				Invitation: access.Invitation{Hash: [32]byte{1}}}, ledger.ErrInvalid},
		} {
			if err := db.People().AddLogin(ctx, c.login); !errors.Is(err, c.want) || strings.Contains(err.Error(), "horse") {
				t.Errorf("a login %s: %v", what, err)
			}
		}
		for _, c := range []people.PasswordChange{{}, {Hash: "correct horse"}, {Hash: otherHash, Client: "a\nb"},
			{Hash: otherHash, Address: "\xff"}} {
			_, err := db.People().SetPassword(ctx, "alice@example.com", c)
			wants(t, err, ledger.ErrInvalid)
		}
		testkit.Must(db.Exec(ctx, "UPDATE accounts SET closed = 0 WHERE account = 'bob'"))(t)
		wants(t, db.People().AddLogin(ctx, people.Login{Email: "ALICE@example.com", Account: "bob", Password: oneHash}),
			ledger.ErrConflict)
		if l := testkit.Must(db.People().Login(ctx, "alice@example.com"))(t); l.Account != "alice" || l.Password != oneHash {
			t.Errorf("it is changed: %#v", l)
		}
	})
}

// A new password ends the person's sessions but the one that it was set in, and
// nobody else's; a login that is removed ends all of them.
func TestAPasswordEndsSessions(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		addLogin(t, db, "zoe@example.com", "alice")
		here, there, zoes := addSession(t, db, clock, "alice@example.com", "alice"),
			addSession(t, db, clock, "alice@example.com", "alice"), addSession(t, db, clock, "zoe@example.com", "alice")
		clock.Advance(time.Second)
		setPassword(t, db.As(aliceIn), "Alice@example.com", people.PasswordChange{Hash: otherHash, KeepSession: here.ID})
		if l := testkit.Must(db.People().Login(ctx, "alice@example.com"))(t); l.Password != otherHash ||
			!l.Created.Equal(noon) || !l.Changed.Equal(clock.Now()) {
			t.Errorf("kept is %#v", l)
		}
		if !inside(t, db, here) || inside(t, db, there) || !inside(t, db, zoes) {
			t.Errorf("inside are here %t, there %t, zoe %t", inside(t, db, here), inside(t, db, there), inside(t, db, zoes))
		}
		// Somebody who was checking the old password at that time does not come in.
		wants(t, db.People().AddSession(ctx, newSession(t, clock, "alice@example.com", "alice"), oneHash), ledger.ErrNotFound)

		setPassword(t, db, "alice@example.com", people.PasswordChange{Hash: oneHash})
		if inside(t, db, here) {
			t.Error("without an exception one is still inside")
		}
		last := addSession(t, db, clock, "alice@example.com", "alice")
		for range 2 {
			ok(t, db.People().RemoveLogin(ctx, "ALICE@example.com"))
		}
		if inside(t, db, last) || !inside(t, db, zoes) {
			t.Errorf("inside are %t, zoe %t", inside(t, db, last), inside(t, db, zoes))
		}
		wants(t, db.People().AddSession(ctx, newSession(t, clock, "alice@example.com", "alice"), oneHash), ledger.ErrNotFound)
		var lines []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 20))(t) {
			if strings.HasPrefix(l.Action, "login") {
				lines = append(lines, fmt.Sprintf("%s %s %s (%s)", l.Actor, l.Action, l.Subject, l.Detail))
			}
		}
		slices.Sort(lines)
		want := []string{
			"login alice@example.com login password alice (alice@example.com)",
			"test login add alice (alice@example.com)", "test login add alice (zoe@example.com)",
			"test login password alice (alice@example.com)", "test login remove alice (alice@example.com)",
		}
		if !slices.Equal(lines, want) {
			t.Errorf("the log says\n%q, want\n%q", lines, want)
		}
	})
}

// TestStaffChooseNobodysPassword: they make a code, which its person uses once, and in time.
func TestStaffChooseNobodysPassword(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, staff, person := t.Context(), db.As(olga).People(), db.As(aliceIn).People()
		open(t, db, "alice")
		const email = "alice@example.com"
		wants(t, staff.AddLogin(ctx, people.Login{Email: email, Account: "alice", Password: oneHash}), access.ErrForbidden)
		invited := func() (access.Invitation, string) {
			e, code, err := access.NewInvitation(rand.Reader)
			ok(t, err)
			return e, code
		}
		choose := func(email, code string) error {
			return person.ChoosePassword(ctx, email, code, people.PasswordChange{Hash: otherHash})
		}
		password := func() string { return testkit.Must(db.People().Login(ctx, email))(t).Password }

		first, code := invited()
		ok(t, staff.AddLogin(ctx, people.Login{Email: email, Account: "alice", Invitation: first}))
		second, other := invited()
		ok(t, staff.AddLogin(ctx, people.Login{Email: email, Account: "alice", Invitation: second})) // changes nothing
		for _, p := range []*people.People{staff, db.As(bob).People()} {
			_, err := p.SetPassword(ctx, email, people.PasswordChange{Hash: oneHash})
			wants(t, err, access.ErrForbidden)
			wants(t, p.ChoosePassword(ctx, email, code, people.PasswordChange{Hash: oneHash}), access.ErrForbidden)
		}
		wants(t, choose(email, other), access.ErrUnknown)
		wants(t, choose("bob@example.com", code), access.ErrUnknown)
		wants(t, choose(email, ""), access.ErrUnknown)
		clock.Advance(access.InvitationLife - time.Millisecond)
		ok(t, choose(email, code))
		wants(t, choose(email, code), access.ErrUnknown) // it is used up
		s := newSession(t, clock, email, "alice")
		ok(t, db.People().AddSession(ctx, s, otherHash))

		// Another code takes the password and the sessions away at once, and is over after a day.
		k := addKey(t, db, "alice", "", time.Time{})
		for _, want := range []int{1, 0} {
			if n, err := staff.InviteLogin(ctx, email, second, true); err != nil || n != want {
				t.Fatalf("%d keys are revoked, %v", n, err)
			}
		}
		_, err := staff.InviteLogin(ctx, email, access.Invitation{}, false)
		wants(t, err, ledger.ErrInvalid)
		if inside(t, db, s) || password() != "" || testkit.Must(db.People().Key(ctx, k.Key))(t).Revoked.IsZero() {
			t.Errorf("inside is %t, the password is %q", inside(t, db, s), password())
		}
		wants(t, db.People().AddSession(ctx, newSession(t, clock, email, "alice"), otherHash), ledger.ErrNotFound)
		same(t, "withdrawals wait until", testkit.Must(db.People().WithdrawalSettings(ctx, "alice"))(t).Waits,
			clock.Now().Add(people.ResetWait))
		clock.Advance(access.InvitationLife)
		wants(t, choose(email, other), access.ErrUnknown)
		if password() != "" {
			t.Error("a code that is over has set a password")
		}
		var kinds []people.NoticeKind
		for _, n := range testkit.Must(db.People().Notices(ctx, "alice", nil, 10))(t) {
			kinds = append(kinds, n.Kind)
		}
		same(t, "the notices", kinds, []people.NoticeKind{people.NoticeInvitation, people.NoticeKey, people.NoticePassword})

		// What fails is named as what it is.
		wants(t, person.ChoosePassword(ctx, email, other, people.PasswordChange{Hash: "plain"}), ledger.ErrInvalid)
		ok(t, db.SetFourEyes(ctx, true))
		third, _ := invited()
		_, err = staff.InviteLogin(ctx, email, third, false)
		if wants(t, err, access.ErrForbidden); !strings.HasPrefix(err.Error(), "invite "+email+": ") {
			t.Errorf("a login that is not invited fails with %q", err)
		}
	})
}

// Nobody comes in to an account that is closed, nor stays; and one is closed once,
// however many are coming in.
func TestAClosedAccountHasNoLogins(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		addLogin(t, db, "bob@example.com", "bob")
		bobs := addSession(t, db, clock, "bob@example.com", "bob")
		sessions := []access.Session{addSession(t, db, clock, "alice@example.com", "alice")}
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			s := newSession(t, clock, "alice@example.com", "alice")
			sessions = append(sessions, s)
			all.Go(func() { errs[i] = db.People().AddSession(ctx, s, oneHash) })
		}
		closed := db.CloseAccount(ctx, "alice")
		all.Wait()
		ok(t, closed)
		for _, err := range errs {
			if err != nil {
				wants(t, err, ledger.ErrNotFound)
			}
		}
		for _, s := range sessions {
			if inside(t, db, s) {
				t.Errorf("session %s is inside a closed account", s.ID)
			}
		}
		_, err := db.People().Login(ctx, "alice@example.com")
		wants(t, err, ledger.ErrNotFound)
		if !inside(t, db, bobs) || len(testkit.Must(db.People().Logins(ctx, "bob"))(t)) != 1 {
			t.Error("bob is shut out")
		}
	})
}

// What is logged or printed by mistake shows no hash.
func TestALoginIsPrintedWithoutItsHash(t *testing.T) {
	l := people.Login{Email: "alice@example.com", Account: "alice", Password: oneHash}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %s", l, &l, []people.Login{l})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("text", "login", l)
	if strings.Contains(out.String(), "argon2id") || !strings.Contains(out.String(), "login alice@example.com of alice") {
		t.Error(out.String())
	}
}
