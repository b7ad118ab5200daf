package api_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
)

// TestUnknownTokensAreLimited: after some a network's requests are refused, the books unread; valid tokens that were
// seen before go on, and so do other networks.
func TestUnknownTokensAreLimited(t *testing.T) {
	inTownOf(t, []string{"sqlite"}, func(t *testing.T, w *town) {
		handler := api.New(api.Options{Books: w.db, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler)})
		ask := func(from, token string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, "/v1/runs/status", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			caller := access.Caller{Address: netip.MustParseAddr(from)}
			handler.ServeHTTP(answer, r.WithContext(access.WithCaller(r.Context(), caller)))
			return answer
		}
		is := func(from, token string, status int) {
			t.Helper()
			if a := ask(from, token); a.Code != status {
				t.Fatalf("from %s: %d, not %d: %s", from, a.Code, status, a.Body)
			}
		}
		_, unknown, err := access.NewToken(rand.Reader)
		w.ok(err)
		is("2001:db8::1", w.tokens["auditor"], 200)
		is("2001:db8::1", w.tokens["admin"], 200)
		for i := range 30 {
			is(fmt.Sprintf("2001:db8::%x", i+1), unknown, 401) // one network
		}
		is("2001:db8::ff", unknown, 429)
		if wait := ask("2001:db8::ff", unknown).Header().Get("Retry-After"); wait != "1" {
			t.Errorf("again in %q s", wait)
		}
		is("2001:db8::2", w.tokens["auditor"], 200)
		is("2001:db8::2", w.tokens["viewer"], 429) // it would be valid: the books are not read
		is("2001:db8:0:1::1", unknown, 401)
		is("2001:db8:0:1::1", w.tokens["viewer"], 200)
		is("2001:db8::2", w.tokens["viewer"], 200)
		id, _ := access.TokenID(w.tokens["admin"])
		w.ok(w.db.People().RevokeToken(t.Context(), id))
		is("2001:db8::2", w.tokens["admin"], 401) // valid before: looked at once more
		is("2001:db8::2", w.tokens["admin"], 429)
		w.clock.Advance(time.Second)
		is("2001:db8::1", unknown, 401)
		is("2001:db8::1", unknown, 429)
	})
}
