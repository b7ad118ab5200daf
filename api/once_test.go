package api_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"softstake/api"
)

const timeOfAnHour = time.Hour

// zeros are random bytes that are not.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

const openCarol = `{"id":"carol","region":"DE"}`

func TestIdempotencyKey(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		post := func(key, path, body string) reply {
			t.Helper()
			return w.call("exchange", http.MethodPost, path, body, "Idempotency-Key", key)
		}
		first := post("k-1", "/v1/accounts", openCarol).is(201)
		again := post("k-1", "/v1/accounts", openCarol).is(201)
		if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" ||
			again.header.Get("Content-Type") != "application/json" {
			t.Errorf("answered %s, and again %s %v", first.body, again.body, again.header)
		}
		post("k-2", "/v1/accounts", openCarol).is(200)
		w.call("exchange", http.MethodPost, "/v1/accounts", openCarol).is(200)
		post("k-1", "/v1/accounts", `{"id":"dave","region":"DE"}`).refused(422, "idempotency-key", "")
		post("k-1", "/v1/accounts", openCarol+" ").refused(422, "idempotency-key", "")
		post("k-1", "/v1/accounts?x=1", openCarol).refused(422, "idempotency-key", "")
		post("k-1", "/v1/entries", openCarol).refused(422, "idempotency-key", "")
		w.get("exchange", "/v1/accounts/dave").is(404)
		// Another credential's key is another key.
		w.call(own, http.MethodPost, "/v1/entries", openCarol, "Idempotency-Key", "k-1").is(400)

		// A refusal is kept as well, though it would go well now.
		transfer := `{"id":"t-1","kind":"transfer","moves":[{"from":"alice","to":"carol","asset":"BNB","amount":"1"}]}`
		post("k-3", "/v1/entries", transfer).refused(409, "insufficient-balance", "")
		w.deposit("d-1", own, "2", "BNB")
		if r := post("k-3", "/v1/entries", transfer); r.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%v", r.header)
		}
		post("k-4", "/v1/entries", transfer).is(201).says("repeated", "false")
		w.get("exchange", "/v1/accounts/carol/balances").is(200).says("items.0.free", "1")

		for _, key := range []string{"", " ", "a b", "é", strings.Repeat("k", 129), "a\tb"} {
			post(key, "/v1/accounts", openCarol).refused(400, "invalid", "Idempotency-Key")
		}
		post(strings.Repeat("k", 128), "/v1/accounts", openCarol).is(200)
		// On what changes nothing it means nothing.
		w.call("exchange", http.MethodGet, "/v1/accounts", "", "Idempotency-Key", "").is(200)

		w.at(2, "11:59")
		post("k-1", "/v1/accounts", openCarol).is(201)
		w.at(2, "12:00")
		post("k-1", "/v1/accounts", openCarol).is(200).says("id", "carol")
	})
}

// TestOneKeyAtOnce: of many who come at once with one key, one is answered first;
// the others get its answer, or are told to come again.
func TestOneKeyAtOnce(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		var work sync.WaitGroup
		answers := make(chan reply, 16)
		for range cap(answers) {
			work.Go(func() {
				answers <- w.call("exchange", http.MethodPost, "/v1/accounts", openCarol, "Idempotency-Key", "k-1")
			})
		}
		work.Wait()
		close(answers)
		made := 0
		for r := range answers {
			switch {
			case r.status == 201 && r.header.Get("Idempotency-Replayed") == "":
				made++
			case r.status == 201:
			case r.status == 409:
				r.refused(409, "in-progress", "")
				if r.header.Get("Retry-After") != "1" {
					t.Errorf("%v", r.header)
				}
			default:
				t.Errorf("%d %s", r.status, r.body)
			}
		}
		if made != 1 {
			t.Errorf("it was done %d times", made)
		}
	})
}

func TestRate(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		handler := api.New(api.Options{Books: w.db, Now: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Rate: 20})
		ask := func(who, key string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodPost, "/v1/accounts", strings.NewReader(openCarol))
			r.Header.Set("Authorization", "Bearer "+w.tokens[who])
			r.Header.Set("Idempotency-Key", key)
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			return answer
		}
		// A tenth of a minute's twenty may come at once, and then one each three seconds.
		says := func(a *httptest.ResponseRecorder, limit, remaining, reset string) {
			t.Helper()
			h := a.Header()
			if h.Get("RateLimit-Limit") != limit || h.Get("RateLimit-Remaining") != remaining || h.Get("RateLimit-Reset") != reset {
				t.Errorf("%s of %s are left, all in %s s, is wanted: %v", remaining, limit, reset, h)
			}
		}
		for _, left := range []struct{ remaining, reset string }{{"1", "3"}, {"0", "6"}} {
			a := ask("exchange", "k-1") // the second is a repetition, and counts as well
			if a.Code != 201 {
				t.Fatalf("%d %s", a.Code, a.Body)
			}
			says(a, "2", left.remaining, left.reset)
		}
		refused := ask("exchange", "k-2")
		says(refused, "2", "0", "6")
		if refused.Code != 429 || refused.Header().Get("Retry-After") != "3" || !strings.Contains(refused.Body.String(), `"/v1/docs#too-many-requests"`) {
			t.Errorf("%d %v %s", refused.Code, refused.Header(), refused.Body)
		}
		if a := ask("operator", "k-1"); a.Code != 403 {
			t.Errorf("another credential: %d %s", a.Code, a.Body)
		} else {
			says(a, "2", "1", "3")
		}
		if a := ask("nobody", "k-1"); a.Code != 401 {
			t.Errorf("no credential: %d %s", a.Code, a.Body)
		} else {
			says(a, "", "", "")
		}
		w.mu.Lock()
		w.now = w.now.Add(3 * time.Second)
		w.mu.Unlock()
		// The refusal was not kept under its key, and what was refused was not counted.
		if a := ask("exchange", "k-2"); a.Code != 200 || a.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("%d %v %s", a.Code, a.Header(), a.Body)
		}
		if a := ask("exchange", "k-2"); a.Code != 429 {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	})
}
