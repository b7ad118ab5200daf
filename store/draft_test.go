package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestDraft(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"alice", "bob"} {
			open(t, db, id)
			addLogin(t, db, string(id)+"@example.com", id)
		}
		one, two := addSession(t, db, clock, "alice@example.com", "alice"),
			addSession(t, db, clock, "alice@example.com", "alice")
		bob := addSession(t, db, clock, "bob@example.com", "bob")
		there := func(account ledger.Account, id string) bool {
			_, err := db.People().Draft(ctx, account, id)
			if err != nil {
				wants(t, err, ledger.ErrNotFound)
			}
			return err == nil
		}
		d := people.Draft{ID: "d-1", Account: "alice", Session: one.ID, Path: "/send", Body: "amount=1&to=bob"}
		ok(t, db.People().AddDraft(ctx, d))
		d.Expires = clock.Now().Add(people.DraftLife)
		if got := testkit.Must(db.People().Draft(ctx, "alice", "d-1"))(t); got != d {
			t.Errorf("kept is %+v, want %+v", got, d)
		}
		if there("bob", "d-1") || there("alice", "d-2") || there("alice", "d\x00-1\xff") {
			t.Error("it is found where it is not")
		}
		d.Session = two.ID // the same form, in another session
		ok(t, db.People().AddDraft(ctx, d))
		if got := testkit.Must(db.People().Draft(ctx, "alice", "d-1"))(t); got.Session != two.ID {
			t.Errorf("kept is %+v", got)
		}
		for what, bad := range map[string]people.Draft{
			"of another's session": {ID: "x", Account: "alice", Session: bob.ID, Path: "/send"},
			"of no session":        {ID: "x", Account: "alice", Session: "", Path: "/send"},
			"without an ID":        {Account: "alice", Session: one.ID, Path: "/send"},
			"with an odd ID":       {ID: "x y", Account: "alice", Session: one.ID, Path: "/send"},
			"without a path":       {ID: "x", Account: "alice", Session: one.ID},
			"too large": {ID: "x", Account: "alice", Session: one.ID, Path: "/send",
				Body: strings.Repeat("x", 16<<10+1)},
		} {
			if err := db.People().AddDraft(ctx, bad); err == nil {
				t.Errorf("a draft %s is kept", what)
			}
		}
		ok(t, db.People().RemoveDraft(ctx, "bob", "d-1"))
		if !there("alice", "d-1") {
			t.Error("bob has removed alice's")
		}
		for range 2 {
			ok(t, db.People().RemoveDraft(ctx, "alice", "d-1"))
		}
		if there("alice", "d-1") {
			t.Error("it is there after it was removed")
		}
	})
}

// A draft goes with its session where that is ended, stays where it was only not used
// for too long, and goes when it is over; the drafts of an account are limited.
func TestDraftsEnd(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		count := func() (n int) {
			for i := range people.MaxDrafts + 10 {
				if _, err := db.People().Draft(ctx, "alice", fmt.Sprint("d-", i)); err == nil {
					n++
				}
			}
			return n
		}
		add := func(session string, i int) error {
			clock.Advance(time.Millisecond)
			return db.People().AddDraft(ctx, people.Draft{ID: fmt.Sprint("d-", i), Account: "alice", Session: session,
				Path: "/send", Body: "amount=1"})
		}
		other := addSession(t, db, clock, "alice@example.com", "alice")
		for what, end := range map[string]func(id string) error{
			"EndSession":  func(id string) error { return db.People().EndSession(ctx, "alice", id) },
			"EndSessions": func(string) error { return db.People().EndSessions(ctx, "alice", other.ID) },
			"SetPassword": func(string) error {
				_, err := db.People().SetPassword(ctx, "alice@example.com",
					people.PasswordChange{Hash: oneHash, KeepSession: other.ID})
				return err
			},
		} {
			s := addSession(t, db, clock, "alice@example.com", "alice")
			ok(t, add(s.ID, 0))
			ok(t, add(other.ID, 1))
			ok(t, end(s.ID))
			if n := count(); n != 1 {
				t.Errorf("%s: there are %d drafts", what, n)
			}
			wants(t, add(s.ID, 2), ledger.ErrNotFound)
		}
		for i := range people.MaxDrafts + 10 {
			ok(t, add(other.ID, i))
		}
		if _, err := db.People().Draft(ctx, "alice", "d-9"); err == nil || count() != people.MaxDrafts {
			t.Errorf("there are %d drafts, the oldest too", count())
		}
		clock.Advance(2 * time.Hour) // the session is over
		wants(t, add(other.ID, 0), ledger.ErrNotFound)
		ok(t, db.Prune(ctx, people.Retention{}))
		if n := count(); n != people.MaxDrafts {
			t.Errorf("there are %d drafts", n)
		}
		clock.Advance(people.DraftLife)
		if n := count(); n != 0 {
			t.Errorf("there are %d drafts that are over", n)
		}
		ok(t, db.Prune(ctx, people.Retention{}))
		s := addSession(t, db, clock, "alice@example.com", "alice")
		ok(t, add(s.ID, 0))
		ok(t, db.People().RemoveLogin(ctx, "alice@example.com"))
		if n := count(); n != 0 {
			t.Errorf("there are %d drafts without a login", n)
		}
	})
}
