package api_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
)

// TestUnknownTokensAreLimited: after some a network's requests are refused, the books unread. Tokens of staff and of
// back ends go on, also those that this process has never seen, and so do holders' that it has, and other networks.
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
		w.holder("alice", "DE")
		w.holder("bob", "DE")
		is("2001:db8::1", w.tokens["alice"], 403)
		for i := range 30 {
			is(fmt.Sprintf("2001:db8::%x", i+1), unknown, 401) // one network
		}
		is("2001:db8::ff", unknown, 429)
		if wait := ask("2001:db8::ff", unknown).Header().Get("Retry-After"); wait != "1" {
			t.Errorf("again in %q s", wait)
		}
		is("2001:db8::2", w.tokens["auditor"], 200) // which was not used in this process before
		is("2001:db8::2", w.tokens["alice"], 403)   // a holder's, which was
		is("2001:db8::2", w.tokens["bob"], 429)     // the books are not read
		is("2001:db8:0:1::1", unknown, 401)         // another network
		is("2001:db8:0:1::1", w.tokens["bob"], 403)
		is("2001:db8::2", w.tokens["bob"], 403)
		id, _ := access.TokenID(w.tokens["admin"])
		w.ok(w.db.People().RevokeToken(t.Context(), id))
		is("2001:db8::2", w.tokens["admin"], 401) // looked at once more
		is("2001:db8::2", w.tokens["admin"], 429)
		w.clock.Advance(time.Second)
		is("2001:db8::1", unknown, 401)
		is("2001:db8::1", unknown, 429)

		made, text, err := access.NewToken(rand.Reader)
		w.ok(err)
		made.Role = access.Viewer
		w.ok(w.db.People().AddToken(t.Context(), made))
		is("2001:db8::1", text, 429) // it was made since the books were looked at
		w.clock.Advance(9 * time.Second)
		for range 9 {
			is("2001:db8::1", unknown, 401)
		}
		is("2001:db8::1", text, 200)
	})
}

// TestAnUnknownTokenCountsOnce: a request whose body may be large is looked at before its body is read, and is
// counted once all the same.
func TestAnUnknownTokenCountsOnce(t *testing.T) {
	inTownOf(t, []string{"sqlite"}, func(t *testing.T, w *town) {
		handler := api.New(api.Options{Books: w.db, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler)})
		_, unknown, err := access.NewToken(rand.Reader)
		w.ok(err)
		for i := range 31 {
			r := httptest.NewRequest(http.MethodPost, "/v1/batches", strings.NewReader("{}"))
			r.Header.Set("Authorization", "Bearer "+unknown)
			if most := handler.MaxBody(r); most != api.SmallBody {
				t.Fatalf("%d bytes are read for nobody", most)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			if want := map[bool]int{true: 401, false: 429}[i < 30]; answer.Code != want {
				t.Fatalf("request %d: %d, not %d", i+1, answer.Code, want)
			}
		}
	})
}
