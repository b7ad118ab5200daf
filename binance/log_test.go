package binance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// change is a request that changes the books, and what the log calls it.
type change struct {
	path, query, action string
	send                func(f *fixture, path, query string) answered
}

// logs are requests to each endpoint that changes the books, in order. Whoever adds such
// an endpoint adds it here.
var logs = []change{
	{setPath, "softStaking=true", "enroll", (*fixture).get},
	{setPath, "softStaking=false", "leave", (*fixture).get},
	{applyPath, "coin=BNB&amount=1&address=bnb1&network=BNB", "withdrawal request", (*fixture).post},
}

// TestEachChangeIsLogged: every endpoint that changes the books leaves the line of the log
// that is expected of it, by the key that signed, with the ID of the request.
func TestEachChangeIsLogged(t *testing.T) {
	for _, path := range binance.Changes() {
		if !slices.ContainsFunc(logs, func(l change) bool { return l.path == path }) {
			t.Errorf("%s changes something: what does the log call it?", path)
		}
	}
	each(t, func(t *testing.T, f *fixture) {
		f.deposit("d-1", "alice", 10, "BNB")
		want := access.Actor{Role: access.Holder, Credential: "key " + f.key.Short()}
		for _, l := range logs {
			want.Request = l.action
			f.caller.Request = l.action
			if got := l.send(f, l.path, l.query); got.status != 200 {
				t.Errorf("%s?%s: %s", l.path, l.query, got)
			}
			lines := testkit.Must(reports.New(f.db.Reader()).Log(t.Context(), time.Time{}, 1000))(t)
			if !slices.ContainsFunc(lines, func(line store.LogLine) bool {
				return line.Action == l.action && line.Actor == want
			}) {
				t.Errorf("%s?%s has left no line %q: %v", l.path, l.query, l.action, lines)
			}
			f.clock.Advance(time.Millisecond)
		}
	})
}
