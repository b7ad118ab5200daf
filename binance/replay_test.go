package binance_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/binance"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// A signed write that comes again is answered as the first time, and changes
// nothing, in whatever way its signature is written and whichever process it reaches.
func TestAReplayChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		other := testkit.Must(store.Open(t.Context(), f.url, f.options()))(t)
		defer func() { ok(t, other.Close()) }()
		first := f.signed(setPath, "softStaking=true&recvWindow=60000")
		f.wants(f.send(first), success)
		tick(f)
		f.toggle(false, success)
		again := func(want string) {
			t.Helper()
			upper := first
			at := strings.Index(first.query, "signature=") + len("signature=")
			upper.query = first.query[:at] + strings.ToUpper(first.query[at:])
			moved := first
			moved.query = first.query[at-len("signature="):] + "&" + strings.TrimSuffix(first.query[:at], "&signature=")
			for _, a := range []ask{first, upper, moved} {
				f.wants(f.send(a), want)
			}
			if f.isOn() {
				t.Fatal("an old request has switched it on")
			}
		}
		again(success)
		handler := f.handler
		f.handler = binance.New(binance.Options{Books: other, Sealer: f.sealer, Now: f.now})
		again(success)
		f.handler = handler
		f.clock.Advance(time.Minute - time.Millisecond)
		again(success)
		ok(t, f.db.Prune(t.Context(), people.Retention{})) // what is kept of it is needed to its last moment
		again(success)
		tick(f)
		again(tooLate)
		f.clock.Advance(10 * time.Minute)
		ok(t, f.db.Prune(t.Context(), people.Retention{}))
		again(tooLate)
	})
}

// A refusal is remembered too: the same request is not answered otherwise later.
func TestARefusalIsRepeated(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const refused = `400 {"code":-6019,"msg":"Need confirm: accept the current Terms of Use, Soft Staking Terms and Risk Warning first, at https://example.com/accept"}`
		testkit.Must(f.db.Documents().Publish(t.Context(), staking.RiskWarning, "another"))(t)
		first := f.signed(setPath, "softStaking=true")
		f.wants(f.send(first), refused)
		ok(t, f.db.Documents().Accept(t.Context(), "alice", staking.RiskWarning, 0, staking.Client{}))
		f.wants(f.send(first), refused)
		tick(f)
		f.toggle(true, success)
	})
}

// Many at once with the same request switch once; those that come while it is being
// answered are asked to send it again.
func TestTheSameRequestAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first := f.signed(setPath, "softStaking=true")
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for {
					got := f.send(first)
					if got.status != http.StatusServiceUnavailable {
						f.wants(got, success)
						return
					}
					if want := `503 {"code":-1000,"msg":"The same request is being answered at this moment; send it again."}`; got.String() != want || got.headers.Get("Retry-After") != "1" {
						t.Errorf("answered %s, to come again after %q", got, got.headers.Get("Retry-After"))
						return
					}
				}
			})
		}
		all.Wait()
		if events := testkit.Must(reports.New(f.db.Reader()).SwitchEvents(t.Context(), "alice"))(t); len(events) != 1 {
			t.Errorf("the switch was pressed %d times", len(events))
		}
	})
}

// The same parameters of another path are another request.
func TestTheSamePayloadOfAnotherPath(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		query := fmt.Sprintf("softStaking=true&timestamp=%d", f.now().UnixMilli())
		query += "&signature=" + f.sign(query)
		f.wants(f.send(ask{method: http.MethodGet, path: setPath, query: query, headers: f.keyed()}), success)
		f.wants(f.send(ask{method: http.MethodPost, path: applyPath, query: query, headers: f.keyed()}),
			missing("coin"))
	})
}
