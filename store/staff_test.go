package store_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// invitation is a code that nobody knows.
var invitation = access.Invitation{Hash: [32]byte{1}}

// staffSession is a new session of a person, which is in no books.
func staffSession(t *testing.T, email string) (access.StaffSession, string) {
	t.Helper()
	s, text, err := access.NewStaffSession(rand.Reader)
	ok(t, err)
	s.Email, s.Client, s.Address = email, "Firefox", "192.0.2.7"
	return s, text
}

// logInStaff adds a session of a local person.
func logInStaff(t *testing.T, db *store.DB, email string) access.StaffSession {
	t.Helper()
	s, _ := staffSession(t, email)
	person := testkit.Must(db.People().StaffMember(t.Context(), email))(t)
	ok(t, db.As(person.Actor()).People().AddStaffSession(t.Context(), s, "passkey"))
	return s
}

// alive reports whether a session is one.
func alive(t *testing.T, db *store.DB, s access.StaffSession) bool {
	t.Helper()
	_, _, err := db.People().StaffSession(t.Context(), s.ID)
	if err != nil && !errors.Is(err, access.ErrUnknown) {
		t.Fatal(err)
	}
	return err == nil
}

func TestStaff(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		ctx, p := t.Context(), one.As(olga).People()
		for range 2 {
			ok(t, p.AddStaff(ctx, "bob@example.com", access.Operator, invitation))
		}
		ok(t, p.AddStaff(ctx, "bob@example.com", access.Operator, access.Invitation{Hash: [32]byte{2}})) // it leaves the code
		bob := testkit.Must(p.StaffMember(ctx, "BOB@example.com"))(t)
		same(t, "bob", bob, access.Staff{Email: "bob@example.com", Role: access.Operator, Source: access.Local, Made: noon,
			MadeBy:     "operator olga",
			Invitation: access.Invitation{Hash: invitation.Hash, Until: noon.Add(24 * time.Hour)}})
		same(t, "his actor", bob.Actor(), access.Actor{Role: access.Operator, Credential: "staff bob@example.com",
			Person: "bob@example.com"})
		wants(t, p.AddStaff(ctx, "bob@example.com", access.Auditor, invitation), ledger.ErrConflict)
		wants(t, p.AddStaff(ctx, "Bob@example.com", access.Operator, invitation), ledger.ErrInvalid)
		wants(t, p.AddStaff(ctx, "x@example.com", access.Exchange, invitation), ledger.ErrInvalid)
		wants(t, p.AddStaff(ctx, "nobody", access.Operator, invitation), ledger.ErrInvalid)
		wants(t, p.SetStaffRole(ctx, "carol@example.com", access.Auditor), ledger.ErrNotFound)
		wants(t, p.SetStaffRole(ctx, "bob@example.com", access.Holder), ledger.ErrInvalid)

		s := logInStaff(t, one, "bob@example.com")
		if !alive(t, two, s) {
			t.Fatal("a session is not known to another process")
		}
		for range 2 { // another role ends the sessions, in every process
			ok(t, p.SetStaffRole(ctx, "bob@example.com", access.Approver))
		}
		if alive(t, two, s) {
			t.Error("a session has survived another role")
		}
		s = logInStaff(t, one, "bob@example.com")
		for range 2 {
			ok(t, p.DisableStaff(ctx, "bob@example.com"))
		}
		if alive(t, two, s) {
			t.Error("a session has survived that its person is disabled")
		}
		late, _ := staffSession(t, "bob@example.com")
		wants(t, p.AddStaffSession(ctx, late, "passkey"), access.ErrUnknown)
		nobody, _ := staffSession(t, "carol@example.com")
		wants(t, p.AddStaffSession(ctx, nobody, "passkey"), access.ErrUnknown)
		wants(t, p.AddStaff(ctx, "bob@example.com", access.Approver, invitation), ledger.ErrConflict)
		for range 2 {
			ok(t, p.InviteStaff(ctx, "bob@example.com", access.Invitation{Hash: [32]byte{3}}))
		}
		logInStaff(t, one, "bob@example.com")
		for action, n := range map[string]int{"staff add": 1, "staff set-role": 1, "staff disable": 1, "staff invite": 1,
			"staff log-in": 3} {
			if lines := logged(t, one, action); len(lines) != n || lines[0].Subject != "bob@example.com" {
				t.Errorf("%s is in the log as %v", action, lines)
			}
		}
	})
}

// TestSessionsOfStaffEnd: without use after 15 minutes, at all after 12 hours, by their person, and in another browser.
func TestSessionsOfStaffEnd(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx, p := t.Context(), db.People()
		ok(t, p.AddStaff(ctx, "bob@example.com", access.Operator, invitation))
		s, text := staffSession(t, "bob@example.com")
		ok(t, p.AddStaffSession(ctx, s, "passkey"))
		kept, _, err := p.StaffSession(ctx, s.ID)
		ok(t, err)
		ok(t, kept.Check(text, "Firefox", clock.Now()))
		wants(t, kept.Check(text, "Chromium", clock.Now()), access.ErrUnknown)
		wants(t, kept.Check(text[:len(text)-1]+"?", "Firefox", clock.Now()), access.ErrUnknown)
		uses := 0
		for ; alive(t, db, s); uses++ {
			clock.Advance(14 * time.Minute)
			ok(t, p.TouchStaffSession(ctx, s.ID, kept.End(clock.Now())))
		}
		if life := clock.Now().Sub(kept.Created); life < access.StaffLife || life > access.StaffLife+14*time.Minute {
			t.Errorf("a session that is used lives for %s", life)
		}
		idle := logInStaff(t, db, "bob@example.com")
		clock.Advance(15*time.Minute - time.Millisecond)
		if !alive(t, db, idle) {
			t.Error("a session has ended before its time")
		}
		clock.Advance(time.Millisecond)
		if alive(t, db, idle) {
			t.Error("a session has not ended that nobody used")
		}
		all := make([]access.StaffSession, people.MaxStaffSessions+1)
		for i := range all {
			all[i] = logInStaff(t, db, "bob@example.com")
			clock.Advance(time.Second)
		}
		if alive(t, db, all[0]) || len(testkit.Must(p.StaffSessions(ctx, "bob@example.com"))(t)) != people.MaxStaffSessions {
			t.Error("a person has too many sessions")
		}
		ok(t, p.EndStaffSession(ctx, "carol@example.com", all[1].ID)) // not hers
		if !alive(t, db, all[1]) {
			t.Error("another person has ended a session")
		}
		for range 2 {
			ok(t, p.EndStaffSession(ctx, "bob@example.com", all[1].ID))
			ok(t, p.EndStaffSessions(ctx, "bob@example.com", all[2].ID))
		}
		for _, by := range []access.Actor{{Role: access.Operator, Credential: access.StaffSubject("carol@example.com")},
			{Role: access.Exchange, Credential: "token 1"}} {
			wants(t, db.As(by).People().EndStaffSession(ctx, "bob@example.com", all[2].ID), access.ErrForbidden)
			wants(t, db.As(by).People().EndStaffSessions(ctx, "bob@example.com", ""), access.ErrForbidden)
		}
		for i, s := range all {
			if alive(t, db, s) != (i == 2) {
				t.Errorf("session %d lives: %t", i, i != 2)
			}
		}
		bob := access.Actor{Role: access.Operator, Credential: access.StaffSubject("bob@example.com")}
		ok(t, db.As(bob).People().EndStaffSessions(ctx, "bob@example.com", all[2].ID))
		other := logInStaff(t, db, "bob@example.com")
		ada := access.Actor{Role: access.Admin, Credential: access.StaffSubject("ada@example.com")}
		ok(t, db.As(ada).People().EndStaffSession(ctx, "bob@example.com", other.ID))
		if everybody := testkit.Must(p.AllStaffSessions(ctx))(t); len(everybody) != 1 || everybody[0].ID != all[2].ID {
			t.Errorf("the sessions of everybody are %v", everybody)
		}
		clock.Advance(access.StaffLife)
		ok(t, p.Prune(ctx))
		ok(t, p.Prune(ctx))
	})
}

// TestStaffOfAProvider: the groups give the role at each log-in, and an address stays that of one subject.
func TestStaffOfAProvider(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx, p := t.Context(), db.People()
		carol := access.Staff{Email: "carol@example.com", Role: access.Operator, Source: access.Provider,
			Subject: "https://id.example.com 1"}
		logIn := func(person access.Staff) (access.StaffSession, error) {
			s, _ := staffSession(t, person.Email)
			return s, db.As(person.Actor()).People().AddProvidedSession(ctx, person, s, "provider")
		}
		first := testkit.Must(logIn(carol))(t)
		second := testkit.Must(logIn(carol))(t)
		if !alive(t, db, first) || !alive(t, db, second) {
			t.Fatal("a person has one session only")
		}
		carol.Role = access.Approver
		third := testkit.Must(logIn(carol))(t)
		if alive(t, db, first) || alive(t, db, second) || !alive(t, db, third) {
			t.Error("sessions with the former role live")
		}
		other := carol
		other.Subject = "https://id.example.com 2"
		wants(t, failure(logIn(other)), access.ErrForbidden)
		wants(t, p.SetStaffRole(ctx, carol.Email, access.Operator), ledger.ErrInvalid)
		wants(t, p.InviteStaff(ctx, carol.Email, invitation), ledger.ErrInvalid)
		local, _ := staffSession(t, carol.Email)
		wants(t, p.AddStaffSession(ctx, local, "passkey"), access.ErrUnknown)
		ok(t, p.AddStaff(ctx, "bob@example.com", access.Operator, invitation))
		other.Email = "bob@example.com"
		wants(t, failure(logIn(other)), access.ErrForbidden)
		ok(t, p.DisableStaff(ctx, carol.Email))
		wants(t, failure(logIn(carol)), access.ErrUnknown)
		carol.Subject = ""
		wants(t, failure(logIn(carol)), ledger.ErrInvalid)
		lines := logged(t, db, "staff log-in")
		if len(lines) != 3 || !strings.Contains(lines[0].Detail, "before operator") {
			t.Errorf("the log has %v", lines)
		}
	})
}

// TestALogInAtTheProviderIsUsedOnce, also by many at the same time, and within its time.
func TestALogInAtTheProviderIsUsedOnce(t *testing.T) {
	eachTwo(t, func(t *testing.T, one, two *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		begun := people.StaffLogIn{State: "abc", Browser: [32]byte{1}, Nonce: "n", Verifier: "v", Email: "e", Digest: "d",
			Next: "/console", Made: noon, Expires: noon.Add(people.StaffLogInLife)}
		ok(t, one.People().BeginStaffLogIn(ctx, begun))
		var group sync.WaitGroup
		taken := make(chan people.StaffLogIn, 8)
		for i := range cap(taken) {
			group.Go(func() {
				l, err := []*store.DB{one, two}[i%2].People().TakeStaffLogIn(ctx, "abc")
				if err == nil {
					taken <- l
				} else if !errors.Is(err, access.ErrUnknown) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if len(taken) != 1 {
			t.Fatalf("a log-in is used %d times", len(taken))
		}
		same(t, "the log-in", <-taken, begun)
		begun.State = "late"
		ok(t, one.People().BeginStaffLogIn(ctx, begun))
		clock.Advance(people.StaffLogInLife)
		wants(t, failure(one.People().TakeStaffLogIn(ctx, "late")), access.ErrUnknown)
		ok(t, one.People().Prune(ctx))
	})
}

// TestAnInvitationIsShort: a code is good for 24 hours, and for nothing else.
func TestAnInvitationIsShort(t *testing.T) {
	e, text, err := access.NewInvitation(rand.Reader)
	ok(t, err)
	e.Until = noon.Add(access.InvitationLife)
	ok(t, e.Check(text, noon))
	wants(t, e.Check(text, e.Until), access.ErrUnknown)
	wants(t, e.Check(text+"x", noon), access.ErrUnknown)
	wants(t, access.Invitation{}.Check("", noon), access.ErrUnknown)
}
