package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestSecurityEventsAreReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		var want []string // the newest first
		for i, action := range []string{"log-in", "password", "log-out", "log-in", "key create", "log-out everywhere",
			"log-in refused"} {
			ok(t, db.People().AddSecurityEvent(ctx, "alice",
				people.SecurityEvent{Action: action, Detail: "détail", Client: "Firefox", Address: "192.0.2.7 DE"}))
			want = slices.Insert(want, 0, action)
			if i%3 == 2 { // several at one moment
				clock.Advance(time.Second)
			}
		}
		ok(t, db.People().AddSecurityEvent(ctx, "bob", people.SecurityEvent{Action: "log-in"}))
		var got []string
		var after *people.SecurityEvent
		for {
			page := testkit.Must(db.People().SecurityEvents(ctx, "alice", after, 2))(t)
			for _, a := range page {
				got = append(got, a.Action)
				same(t, "what is kept", a, people.SecurityEvent{At: a.At, Nonce: a.Nonce, Action: a.Action, Detail: "détail",
					Client: "Firefox", Address: "192.0.2.7 DE"})
				if a.At.Before(noon) {
					t.Errorf("it is kept as of %s", a.At)
				}
			}
			if len(page) < 2 {
				break
			}
			after = &page[1]
			// What comes in between is another's.
			ok(t, db.People().AddSecurityEvent(ctx, "bob", people.SecurityEvent{Action: "log-out"}))
		}
		if !slices.Equal(got, want) {
			t.Errorf("read are %q, want %q", got, want)
		}
		if page := testkit.Must(db.People().SecurityEvents(ctx, "alice", nil, 0))(t); len(page) != 0 {
			t.Errorf("none is asked for: %v", page)
		}
	})
}

func TestSecurityEventsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		for _, a := range []people.SecurityEvent{{}, {Action: "a\nb"}, {Action: "log-in", Client: strings.Repeat("x", 201)},
			{Action: "log-in", Address: "\xff"}, {Action: "log-in", Detail: strings.Repeat("x", 255)}} {
			wants(t, db.People().AddSecurityEvent(ctx, "alice", a), ledger.ErrInvalid)
		}
		// The longest address there is.
		ok(t, db.People().AddSecurityEvent(ctx, "alice",
			people.SecurityEvent{Action: "log-in", Detail: strings.Repeat("x", 242) + "@example.com"}))
		wants(t, db.People().AddSecurityEvent(ctx, "carol", people.SecurityEvent{Action: "log-in"}), ledger.ErrNotFound)
		_, err := db.People().SecurityEvents(ctx, "carol", nil, 1)
		wants(t, err, ledger.ErrNotFound)
		_, err = db.People().SecurityEvents(ctx, "@rewards", nil, 1)
		wants(t, err, ledger.ErrInvalid)
		if n := testkit.Must(db.Count(ctx, "SELECT count(*) FROM security_events"))(t); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}
