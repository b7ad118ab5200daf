package api_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/api"
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
		if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" ||
			first.header.Get("Idempotency-Replayed") != "" ||
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

		for _, key := range []string{"", " ", "a b", "é", strings.Repeat("k", 129), "a\tb"} {
			post(key, "/v1/accounts", openCarol).refused(400, "invalid", "Idempotency-Key")
		}
		post(strings.Repeat("k", 128), "/v1/accounts", openCarol).is(200)
		// On what changes nothing it means nothing.
		w.call("exchange", http.MethodGet, "/v1/accounts", "", "Idempotency-Key", "").is(200)

		w.clock.Set(2, "11:59")
		post("k-1", "/v1/accounts", openCarol).is(201)
		w.clock.Set(2, "12:00")
		post("k-1", "/v1/accounts", openCarol).is(200).says("id", "carol")
	})
}

// TestIdempotencyKeyOfARefusal: what time or another request cures is asked again
// under its key, and what is wrong in itself is answered as the first time.
func TestIdempotencyKeyOfARefusal(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		post := func(who, key, path, body string) reply {
			t.Helper()
			return w.call(who, http.MethodPost, path, body, "Idempotency-Key", key)
		}
		const entries, batches = "/v1/entries", "/v1/batches"
		transfer := entry("t-1", "transfer", "alice bob BNB 1")
		atomic := batch(true, entry("a-1", "deposit", "@custody alice SOL 1"), entry("a-2", "transfer", "alice bob SOL 2"))
		each := batch(false, entry("e-1", "deposit", "@custody alice SOL 1"), entry("e-2", "transfer", "alice bob SOL 4"),
			entry("e-3", "no-kind", "alice bob SOL 1"))
		token := `{"asset":"DOT","scale":8,"maxSupply":"1000","offered":true,"apr":"0.02","minimum":"5","cap":"20"}`
		ahead := func(by string) string { return `"at":"2026-03-02T12:00:0` + by + `Z"` }

		// What clocks differ.
		post("exchange", "now", entries, entry("n-1", "deposit", "@custody alice ADA 1", ahead("1.000"))).is(201)
		post("exchange", "time", entries, entry("n-2", "deposit", "@custody alice ADA 1", ahead("1.001"))).refused(400,
			"invalid", "")
		post("exchange", "time-batch", batches, batch(true,
			entry("n-3", "deposit", "@custody alice ADA 1", ahead("2.000")))).refused(400, "invalid", "entries[0]")
		post("exchange", "account", entries, entry("b-1", "deposit", "@custody bob ADA 1")).refused(404, "not-found", "")
		post("exchange", "asset", entries, entry("dot", "deposit", "@custody alice DOT 1")).refused(400, "invalid",
			"moves[0].asset")
		post("alice", "withdrawal", "/v1/accounts/alice/withdrawals", `{"id":"alice/w","asset":"BNB","amount":"1"}`).refused(409, "insufficient-balance", "")
		post("exchange", "atomic", batches, atomic).refused(404, "not-found", "entries[1]")
		post("exchange", "each", batches, each).is(200).says("entries.0.status", "posted", "entries.1.status", "refused",
			"entries.2.status", "refused")
		post("exchange", "close", "/v1/accounts/alice/close", "").refused(409, "in-use", "")

		w.clock.Set(1, "12:01")
		w.holder("bob", "DE")
		post("exchange", "balance", entries, transfer).refused(409, "insufficient-balance", "")
		post("operator", "token", "/v1/tokens", token).is(200)
		w.deposit("d-1", "alice", "3", "BNB")
		w.deposit("d-2", "alice", "3", "SOL")
		for _, again := range []reply{
			post("exchange", "time", entries, entry("n-2", "deposit", "@custody alice ADA 1", ahead("1.001"))).is(201),
			post("exchange", "time-batch", batches, batch(true,
				entry("n-3", "deposit", "@custody alice ADA 1", ahead("2.000")))).is(200),
			post("exchange", "account", entries, entry("b-1", "deposit", "@custody bob ADA 1")).is(201),
			post("exchange", "asset", entries, entry("dot", "deposit", "@custody alice DOT 1")).is(201),
			post("alice", "withdrawal", "/v1/accounts/alice/withdrawals", `{"id":"alice/w","asset":"BNB","amount":"1"}`).is(201),
			post("exchange", "balance", entries, transfer).is(201),
			post("exchange", "atomic", batches, atomic).is(200).says("entries.1.status", "posted"),
			// Still not enough.
			post("exchange", "each", batches, each).is(200).says("entries.0.status", "repeated", "entries.1.status", "refused"),
			// The key is free for another request.
			post("exchange", "close", "/v1/accounts/alice/close", " ").is(409).says("type", "/v1/docs#in-use"),
		} {
			if again.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("%s: a refusal that is cured is kept", again.what)
			}
		}
		w.deposit("d-3", "alice", "1", "SOL")
		post("exchange", "each", batches, each).is(200).says("entries.0.status", "repeated", "entries.1.status", "posted",
			"entries.2.status", "refused")
		if r := post("exchange", "each", batches, each).says("entries.1.status",
			"posted"); r.header.Get("Idempotency-Replayed") != "true" {
			t.Error("an answer to a batch is kept whose one refusal is of an entry that is wrong in itself")
		}
		// A success is kept for as long as it says.
		if r := post("exchange", "balance", entries, transfer).is(201); r.header.Get("Idempotency-Replayed") != "true" {
			t.Error("a success is not kept")
		}
	})
}

// TestIdempotencyKeyOfAWrongRequest: it is refused as the first time, and names the
// request that is answered.
func TestIdempotencyKeyOfAWrongRequest(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		for n, c := range []struct{ who, path, body, field string }{
			{"exchange", "/v1/entries", entry("e", "deposit", "@custody alice BNB x"), "moves[0].amount"},
			{"exchange", "/v1/entries", entry("e", "deposit", "@custody alice BNB 0"), "moves[0].amount"},
			{"exchange", "/v1/entries", entry("e", "deposit", "alice @custody BNB 1"), "moves[0]"},
			{"exchange", "/v1/entries", entry("..", "deposit", "@custody alice BNB 1"), "id"},
			{"exchange", "/v1/entries", entry("e", "gift", "@custody alice BNB 1"), "kind"},
			{"exchange", "/v1/entries", entry("e", "deposit", "@custody alice BNB 1", `"at":"today"`), "at"},
			{"exchange", "/v1/entries", `{"id":"e","id":"f"}`, "id"},
			{"exchange", "/v1/entries", `{`, ""},
			{"exchange", "/v1/batches", batch(true, entry("e", "deposit", "@custody alice BNB 0")),
				"entries[0].moves[0].amount"},
			{"exchange", "/v1/accounts", `{"id":"bob","region":"XX"}`, "region"},
			{"exchange", "/v1/accounts", `{"id":"bob","town":"Paris"}`, "town"},
			{"treasurer", "/v1/funds", `{"id":"1","asset":"BNB","amount":"1","direction":"up"}`, "direction"},
		} {
			key := fmt.Sprintf("k-%d", n)
			first := w.call(c.who, post, c.path, c.body, "Idempotency-Key", key, "X-Request-Id", "first").is(400).says("field",
				c.field)
			again := w.call(c.who, post, c.path, c.body, "Idempotency-Key", key, "X-Request-Id", "again").is(400)
			if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" ||
				again.header.Get("Content-Type") != first.header.Get("Content-Type") {
				t.Errorf("%s: answered with %v, and again with %v", c.body, first.header, again.header)
			}
			if first.at("request") != "first" || again.body != strings.Replace(first.body, `"request":"first"`, `"request":"again"`, 1) {
				t.Errorf("answered %s, and again %s", first.body, again.body)
			}
		}
	})
}

// TestOneKeyAtOnce: of many who come at once with one key, one is answered first;
// the others get its answer, or are asked to come again.
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
		handler := api.New(api.Options{Books: w.db, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Rate: 20})
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
			if h.Get("RateLimit-Limit") != limit || h.Get("RateLimit-Remaining") != remaining ||
				h.Get("RateLimit-Reset") != reset {
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
		w.clock.Advance(3 * time.Second)
		// The refusal was not kept under its key, and what was refused was not counted.
		if a := ask("exchange", "k-2"); a.Code != 200 || a.Header().Get("Idempotency-Replayed") != "" {
			t.Errorf("%d %v %s", a.Code, a.Header(), a.Body)
		}
		if a := ask("exchange", "k-2"); a.Code != 429 {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	})
}
