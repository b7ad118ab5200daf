package store_test

import (
	"slices"
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

func TestSessionsAreKeptAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		first := newSession(t, clock, "alice@example.com", "alice")
		first.Client, first.Address = "Firefox on ünïx", "192.0.2.7 DE"
		for range 2 { // the same call, whose answer was lost
			ok(t, db.People().AddSession(ctx, first, oneHash))
		}
		clock.Advance(time.Second)
		second := addSession(t, db, clock, "alice@example.com", "alice")
		first.Created, first.Seen = noon, noon
		second.Created, second.Seen = clock.Now(), clock.Now()
		for _, want := range []access.Session{first, second} {
			if got := testkit.Must(db.People().Session(ctx, want.ID))(t); got != want {
				t.Errorf("kept is %#v, want %#v", got, want)
			}
		}
		if got := testkit.Must(db.People().Sessions(ctx, "alice"))(t); !slices.Equal(got, []access.Session{second, first}) {
			t.Errorf("alice has %v", got)
		}
		if got := testkit.Must(db.People().Sessions(ctx, "bob"))(t); len(got) != 0 {
			t.Errorf("bob has %v", got)
		}
		_, err := db.People().Sessions(ctx, "carol")
		wants(t, err, ledger.ErrNotFound)
		for _, id := range []string{newSession(t, clock, "", "").ID, "", "x", "\x00", strings.Repeat("é", 6)} {
			_, err := db.People().Session(ctx, id)
			wants(t, err, ledger.ErrNotFound)
			wants(t, db.People().EndSession(ctx, "alice", id), ledger.ErrNotFound)
			ok(t, db.People().TouchSession(ctx, id, clock.Now().Add(time.Hour)))
		}
	})
}

func TestSessionsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		addLogin(t, db, "bob@example.com", "bob")
		there := addSession(t, db, clock, "alice@example.com", "alice")
		for what, c := range map[string]struct {
			change func(*access.Session)
			want   error
		}{
			"of nobody":            {func(s *access.Session) { s.Account = "carol" }, ledger.ErrNotFound},
			"of another's account": {func(s *access.Session) { s.Account = "bob" }, ledger.ErrNotFound},
			"of nobody's address":  {func(s *access.Session) { s.Email = "carol@example.com" }, ledger.ErrNotFound},
			"that is over":         {func(s *access.Session) { s.Expires = noon }, ledger.ErrInvalid},
			"without an ID":        {func(s *access.Session) { s.ID = "" }, ledger.ErrInvalid},
			"without a hash":       {func(s *access.Session) { s.Hash = [32]byte{} }, ledger.ErrInvalid},
			"with lines":           {func(s *access.Session) { s.Client = "a\nb" }, ledger.ErrInvalid},
			"with a long address":  {func(s *access.Session) { s.Address = strings.Repeat("x", 201) }, ledger.ErrInvalid},
			"with another's ID":    {func(s *access.Session) { s.ID = there.ID }, ledger.ErrConflict},
			"with another's secret": {func(s *access.Session) {
				s.ID, s.Hash, s.Email, s.Account = there.ID, there.Hash, "bob@example.com", "bob"
			}, ledger.ErrConflict},
		} {
			s := newSession(t, clock, "alice@example.com", "alice")
			c.change(&s)
			if err := db.People().AddSession(t.Context(), s, oneHash); err == nil {
				t.Errorf("a session %s is kept", what)
			} else {
				wants(t, err, c.want)
			}
		}
		wants(t, db.People().AddSession(t.Context(), newSession(t, clock, "alice@example.com", "alice"), otherHash),
			ledger.ErrNotFound)
		if got := testkit.Must(db.People().Sessions(t.Context(), "alice"))(t); len(got) != 1 {
			t.Errorf("alice has %v", got)
		}
	})
}

// A session lives while it is used, until it is over; what is over is not there,
// and stays so.
func TestASessionLivesWhileItIsUsed(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		used, idle := addSession(t, db, clock, "alice@example.com", "alice"),
			addSession(t, db, clock, "alice@example.com", "alice")
		clock.Advance(59 * time.Minute)
		ok(t, db.People().TouchSession(ctx, used.ID, clock.Now().Add(time.Hour)))
		clock.Advance(time.Minute - time.Millisecond)
		if !inside(t, db, idle) {
			t.Error("it is over a millisecond early")
		}
		clock.Advance(time.Millisecond)
		if inside(t, db, idle) || !inside(t, db, used) {
			t.Errorf("inside are: idle %t, used %t", inside(t, db, idle), inside(t, db, used))
		}
		ok(t, db.People().TouchSession(ctx, idle.ID, clock.Now().Add(time.Hour)))
		if inside(t, db, idle) {
			t.Error("what was over lives again")
		}
		if got := testkit.Must(db.People().Sessions(ctx, "alice"))(t); len(got) != 1 || got[0].ID != used.ID ||
			!got[0].Seen.Equal(noon.Add(59*time.Minute)) {
			t.Errorf("alice has %+v", got)
		}
		ok(t, db.Prune(ctx, people.Retention{}))
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM sessions"))(t); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}

func TestSessionsAreEndedByTheirAccountOnly(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		addLogin(t, db, "alice@example.com", "alice")
		addLogin(t, db, "bob@example.com", "bob")
		var alices []access.Session
		for range 3 {
			alices = append(alices, addSession(t, db, clock, "alice@example.com", "alice"))
		}
		bobs := addSession(t, db, clock, "bob@example.com", "bob")
		wants(t, db.People().EndSession(ctx, "bob", alices[0].ID), ledger.ErrNotFound)
		ok(t, db.People().EndSession(ctx, "alice", alices[0].ID))
		wants(t, db.People().EndSession(ctx, "alice", alices[0].ID), ledger.ErrNotFound)
		for range 2 {
			ok(t, db.People().EndSessions(ctx, "alice", alices[2].ID))
		}
		last := []bool{inside(t, db, alices[0]), inside(t, db, alices[1]), inside(t, db, alices[2]), inside(t, db, bobs)}
		same(t, "whose sessions last", last, []bool{false, false, true, true})
		ok(t, db.People().EndSessions(ctx, "alice", ""))
		same(t, "whose sessions last, after all of alice's have ended",
			[]bool{inside(t, db, alices[2]), inside(t, db, bobs)}, []bool{false, true})
	})
}

// The one that was not used for longest makes room, also where many come at once.
func TestAnAccountHasSoManySessions(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		used, idle := addSession(t, db, clock, "alice@example.com", "alice"),
			addSession(t, db, clock, "alice@example.com", "alice")
		clock.Advance(time.Second)
		for range people.MaxSessions - 2 {
			addSession(t, db, clock, "alice@example.com", "alice")
		}
		clock.Advance(time.Second)
		ok(t, db.People().TouchSession(ctx, used.ID, clock.Now().Add(time.Hour)))
		if !inside(t, db, idle) {
			t.Error("one too few is kept")
		}
		addSession(t, db, clock, "alice@example.com", "alice")
		if inside(t, db, idle) || !inside(t, db, used) {
			t.Errorf("inside are: idle %t, used %t", inside(t, db, idle), inside(t, db, used))
		}
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			s := newSession(t, clock, "alice@example.com", "alice")
			all.Go(func() { errs[i] = db.People().AddSession(ctx, s, oneHash) })
		}
		all.Wait()
		for _, err := range errs {
			ok(t, err)
		}
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM sessions"))(t); n != people.MaxSessions {
			t.Errorf("alice has %d sessions", n)
		}
	})
}

// What somebody else wrote into the books is an error, and opens nothing.
func TestADamagedSession(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		s := addSession(t, db, clock, "alice@example.com", "alice")
		testkit.Must(db.Exec(t.Context(), "UPDATE sessions SET hash = $1", []byte("short")))(t)
		_, one := db.People().Session(t.Context(), s.ID)
		_, all := db.People().Sessions(t.Context(), "alice")
		if one == nil || all == nil {
			t.Errorf("a session with a short hash: %v, %v", one, all)
		}
	})
}
