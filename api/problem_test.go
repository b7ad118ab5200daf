package api_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

func TestWhatIsAskedInTwoWaysIsRefused(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		for _, c := range []struct{ query, field string }{
			{"limit=1&limit=2", "limit"},
			{"limit=1&limit=1", "limit"},
			{"limit=1&%6cimit=1", "limit"},
			{"limit=0", "limit"},
			{"limit=1001", "limit"},
			{"limit=x", "limit"},
			{"limit=1e2", "limit"},
			{"limit=99999999999999999999", "limit"},
			{"Limit=1", "Limit"},
			{"size=1", "size"},
			{"cursor=%ff", "cursor"},
			{"cursor=!", "cursor"},
			{"cursor=AA", "cursor"},
			{"cursor=YWxpY2UvaGVsZA", "cursor"},
			{"cursor=" + strings.Repeat("A", 3000), "cursor"},
			{"limit=1;cursor=x", ""},
			{"limit=%zz", ""},
		} {
			w.get("exchange", "/v1/accounts?"+c.query).refused(400, "invalid", c.field)
		}
		for _, c := range []struct{ body, field string }{
			{`{"id":"carol","region":"DE","region":"FR"}`, "region"},
			{`{"id":"carol","ID":"carol"}`, "ID"},
			{`{"Id":"carol"}`, "Id"},
			{`{"id":7}`, "id"},
			{`{"id":null}`, "id"},
			{`{"region":"DE"}`, "id"},
			{`{"id":"carol","region":"Germany"}`, "region"},
			{`{"id":"carol","region":"D"}`, "region"},
			{`{"id":"car ol"}`, "id"},
			{`{"id":"@rewards"}`, "id"},
			{`{"id":"carol/held"}`, "id"},
			{`{"id":""}`, "id"},
			{`{"id":"` + strings.Repeat("x", 129) + `"}`, "id"},
			{`{"id":"carol"}{}`, ""},
			{`{"id":"carol"`, ""},
			{"{\"id\":\"carol\xff\"}", ""},
			{`["carol"]`, ""},
			{`"carol"`, ""},
			{``, ""},
		} {
			w.post("exchange", "/v1/accounts", c.body).refused(400, "invalid", c.field)
		}
		w.get("exchange", "/v1/accounts").is(200).says("items.#", "1")
	})
}

func TestWhatIsNoJSON(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for _, path := range []string{"/v1/accounts", "/v1/entries", "/v1/batches"} {
			for _, kind := range []string{
				"text/plain", "application/x-www-form-urlencoded", "application/cbor",
				"application/json; charset=utf-8; charset=x", "/", "application/problem+json",
			} {
				w.call("exchange", http.MethodPost, path, openCarol, "Content-Type", kind).
					refused(415, "media-type", "")
			}
			w.call("exchange", http.MethodPost, path, openCarol, "Content-Encoding", "gzip").
				refused(415, "media-type", "")
		}
		w.call("exchange", http.MethodPost, "/v1/accounts", openCarol, "Content-Type",
			"Application/JSON; charset=UTF-8").is(201)
		w.call("exchange", http.MethodPost, "/v1/accounts", openCarol, "Content-Type", "", "Accept",
			"text/html, */*;q=0.1").is(200)
	})
}

func TestWhereThereIsNothing(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.get("exchange", "/v1/nothing").refused(404, "not-found", "")
		w.get("nobody", "/v1/").refused(404, "not-found", "")
		w.get("exchange", "/v1/openapi.yaml").refused(404, "not-found", "")
		r := w.call("exchange", http.MethodPatch, "/v1/accounts", "{}")
		r.refused(405, "method", "")
		if r.header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("allowed are %v", r.header)
		}
	})
}

// TestABodyThatNeverEnds is cut off where its limit is, and costs no more than that.
func TestABodyThatNeverEnds(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.server.Listener.Addr().String())
		w.ok(err)
		defer func() { w.ok(conn.Close()) }()
		w.ok(conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = io.WriteString(conn, "POST /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+
			w.tokens["exchange"]+"\r\nContent-Length: 1000000000\r\n\r\n"+strings.Repeat(" ", 65<<10))
		w.ok(err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		w.ok(err)
		text, err := io.ReadAll(answer.Body)
		if answer.StatusCode != 413 || err != nil || !strings.Contains(string(text), "too-large") {
			t.Errorf("%s %s %v", answer.Status, text, err)
		}
		w.ok(answer.Body.Close())
	})
}

// TestProblemsAreDocumented: each type leads to its place in the documentation.
func TestProblemsAreDocumented(t *testing.T) {
	names, onlyOf := api.Problems()
	page := docs(t)
	for name := range names {
		if !strings.Contains(page, `<tr id="`+name+`">`) {
			t.Errorf("nothing is said of %s", name)
		}
	}
	for _, name := range []string{"internal", "busy"} { // what comes from before the API speaks of these
		if names[name] < 500 {
			t.Errorf("%s is not a type of problem any more", name)
		}
	}
	for name, operations := range onlyOf {
		for _, operation := range operations {
			if names[name] == 0 ||
				!slices.ContainsFunc(api.Routes(), func(r api.Route) bool { return r.Operation == operation }) {
				t.Errorf("%s is said to come of %s only, and one of them is not there", name, operation)
			}
		}
	}
}

// TestWhatFailedHereIsNotShown: the books are gone, and the client hears no more than
// that; the log shows what it was.
func TestWhatFailedHereIsNotShown(t *testing.T) {
	db, err := store.Create(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "books.db"),
		store.Options{Clock: time.Now, Actor: access.Process("test")},
		store.Setup{From: staking.DayOf(time.Now()), Documents: staking.ShippedDocuments(),
			Limits: staking.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	handler := api.New(api.Options{Books: db, Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	_, text, err := access.NewToken(zeros{})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/accounts", nil)
	r.Header.Set("Authorization", "Bearer "+text)
	r = r.WithContext(access.WithCaller(r.Context(), access.Caller{Request: "R-1"}))
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	want := `{"type":"/v1/docs#internal","title":"Internal error","status":500,"detail":"Something failed here, and is logged under this request's ID; the same request may be made again.","request":"R-1"}`
	if answer.Code != 500 || strings.TrimSpace(answer.Body.String()) != want {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if logged := log.String(); !strings.Contains(logged, "request=R-1") || !strings.Contains(logged, "closed") ||
		strings.Contains(logged, text[20:]) {
		t.Errorf("the log says %s", logged)
	}
}

// TestWhatIsNoTextIsRefused alike by both databases, one of which cannot keep NUL.
func TestWhatIsNoTextIsRefused(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		nul, broken := base64.RawURLEncoding.EncodeToString([]byte("20000\n\x00")),
			base64.RawURLEncoding.EncodeToString([]byte("20000\n\xff"))
		for _, path := range []string{
			"/v1/accounts/alice/rewards?cursor=" + nul, "/v1/accounts/alice/rewards?cursor=" + broken,
			"/v1/accounts/alice/journal?cursor=" + nul, "/v1/accounts/alice/activation/events?cursor=" + broken,
			"/v1/accounts/alice/journal?kind=%00", "/v1/accounts/alice/withdrawals?asset=%00",
			"/v1/entries/%00", "/v1/entries/%ff", "/v1/documents/%00/1",
		} {
			if r := w.get("auditor", path); r.status != 400 {
				t.Errorf("%s: %d %s", path, r.status, r.body)
			}
		}
	})
}

// TestHeadOfAStream would be all of its work with nothing to show.
func TestHeadOfAStream(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for path, want := range map[string]int{"/v1/events": 405, "/v1/exports/journal": 405, "/v1/tokens": 200} {
			if status, _ := w.status("auditor", http.MethodHead, path); status != want {
				t.Errorf("HEAD %s: %d; want %d", path, status, want)
			}
		}
	})
}
