package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/client"
	"github.com/softstake/softstake/testkit"
)

// server answers each request by the next of some handlers, and keeps what was asked.
type server struct {
	*httptest.Server
	answers []http.HandlerFunc
	asked   []*http.Request
	bodies  []string
	waited  []time.Duration
}

func serve(t *testing.T, answers ...http.HandlerFunc) (*server, *client.Client) {
	t.Helper()
	s := &server{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(body))
		if len(s.answers) == 0 {
			t.Errorf("%s %s was not expected", r.Method, r.URL)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		answer := s.answers[0]
		s.answers = s.answers[1:]
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	n := 0
	c := testkit.Must(client.New(s.URL+"/stake/", "secret", client.Config{
		HTTP: s.Client(),
		Key:  func() string { n++; return fmt.Sprintf("key-%d", n) },
		Wait: func(ctx context.Context, d time.Duration) error {
			s.waited = append(s.waited, d)
			return context.Cause(ctx)
		},
	}))(t)
	return s, c
}

// answer is a handler that answers with JSON.
func answer(status int, value any, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		kind := "application/json"
		if status >= 400 {
			kind = "application/problem+json"
		}
		w.Header().Set("Content-Type", kind)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
}

func refuse(status int, problem string, headers ...string) http.HandlerFunc {
	return answer(status, map[string]any{"type": "/v1/docs#" + problem, "title": "Title", "status": status,
		"detail": "the detail", "field": "moves[0].amount", "request": "R1"}, headers...)
}

// breakOff ends the connection without an answer.
func breakOff(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

var deposit = client.Entry{ID: "d-1", Kind: client.EntryKindDeposit, Moves: []client.Move{
	{From: "@custody", To: "alice", Asset: "BNB", Amount: "2.5"},
}}

// TestARequestIsRepeated: what may succeed later is asked again, as the same request under the same key,
// and not before the server wants it.
func TestARequestIsRepeated(t *testing.T) {
	s, c := serve(t, breakOff, refuse(429, "too-many-requests", "Retry-After", "7"), refuse(500, "internal"),
		refuse(409, "in-progress", "Retry-After", "1"), answer(201, client.PostedEntry{ID: "d-1"}))
	posted, err := c.PostEntry(t.Context(), deposit)
	if err != nil || posted.ID != "d-1" || len(s.asked) != 5 {
		t.Fatalf("%+v after %d requests: %v", posted, len(s.asked), err)
	}
	for i, r := range s.asked {
		if r.Header.Get("Idempotency-Key") != "key-1" || s.bodies[i] != s.bodies[0] || r.URL.Path != "/stake/v1/entries" ||
			r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %d: %s %v %s", i, r.URL, r.Header, s.bodies[i])
		}
	}
	if s.waited[1] != 7*time.Second || s.waited[3] < time.Second || s.waited[0] > time.Second {
		t.Errorf("it waited %v", s.waited)
	}
}

// TestARefusalIsAnError: what a repetition would not change is not repeated, and its parts are there.
func TestARefusalIsAnError(t *testing.T) {
	s, c := serve(t, refuse(409, "insufficient-balance"))
	_, err := c.PostEntry(t.Context(), deposit, client.IdempotencyKey("mine"), client.Reason("why"))
	want := client.Error{Status: 409, Type: "insufficient-balance", Title: "Title", Detail: "the detail",
		Field: "moves[0].amount", Request: "R1"}
	if got := (*client.Error)(nil); !errors.As(err, &got) || *got != want || !client.Is(err, "insufficient-balance") {
		t.Errorf("the error is %#v", err)
	}
	if h := s.asked[0].Header; h.Get("Idempotency-Key") != "mine" || h.Get("X-Reason") != "why" {
		t.Errorf("the headers are %v", h)
	}
}

// TestAttemptsEnd: after five attempts the last refusal is the answer, as is one that asks to wait for
// longer than five minutes; a context that has ended ends it at once.
func TestAttemptsEnd(t *testing.T) {
	busy := refuse(503, "busy")
	s, c := serve(t, busy, busy, busy, busy, busy)
	if _, err := c.ListTokens(t.Context()); !client.Is(err, "busy") || len(s.asked) != 5 {
		t.Errorf("%d requests: %v", len(s.asked), err)
	}
	s, c = serve(t, refuse(503, "busy", "Retry-After", "301"))
	if _, err := c.ListTokens(t.Context()); !client.Is(err, "busy") || len(s.waited) != 0 {
		t.Errorf("it waited %v: %v", s.waited, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, c = serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); busy(w, r) })
	if _, err := c.ListTokens(ctx); !errors.Is(err, context.Canceled) && !client.Is(err, "busy") {
		t.Errorf("a context that has ended: %v", err)
	}
}

// TestAProposalIsAnError: what was only proposed was not done.
func TestAProposalIsAnError(t *testing.T) {
	_, c := serve(t, answer(202, client.Proposal{ID: "P1", Effect: "600 BNB"}))
	_, err := c.PostEntry(t.Context(), deposit)
	needs := (*client.NeedsApproval)(nil)
	if !errors.As(err, &needs) || needs.Proposal.ID != "P1" || needs.Proposal.Effect != "600 BNB" {
		t.Errorf("the error is %#v", err)
	}
}

// TestPathsAreEscaped: an argument stays one part of the path, whatever is in it.
func TestPathsAreEscaped(t *testing.T) {
	s, c := serve(t, answer(200, client.Account{ID: "x"}))
	if _, err := c.GetAccount(t.Context(), "../tokens?a=1#b"); err != nil {
		t.Fatal(err)
	}
	if got := s.asked[0].URL.EscapedPath(); got != "/stake/v1/accounts/..%2Ftokens%3Fa=1%23b" {
		t.Errorf("the path is %s", got)
	}
}

// TestAListIsReadPageByPage: as far as it is asked for, and an error comes in its place.
func TestAListIsReadPageByPage(t *testing.T) {
	type list struct {
		Items []client.Account `json:"items"`
		Next  string           `json:"next,omitempty"`
	}
	first := answer(200, list{[]client.Account{{ID: "a"}, {ID: "b"}}, "n1"})
	s, c := serve(t, first, answer(200, list{[]client.Account{}, "n2"}),
		answer(200, list{[]client.Account{{ID: "c"}}, ""}))
	var got []string
	for account, err := range c.ListAccounts(t.Context(), client.ListAccountsQuery{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, account.ID)
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) || s.asked[2].URL.RawQuery != "cursor=n2&limit=2" {
		t.Errorf("%v, last asked %s", got, s.asked[2].URL)
	}
	_, c = serve(t, first, refuse(403, "forbidden"))
	got = nil
	for account, err := range c.ListAccounts(t.Context(), client.ListAccountsQuery{}) {
		if err != nil && !client.Is(err, "forbidden") {
			t.Fatal(err)
		}
		got = append(got, account.ID)
	}
	if !slices.Equal(got, []string{"a", "b", ""}) {
		t.Errorf("%v", got)
	}
	_, c = serve(t, first)
	for range c.ListAccounts(t.Context(), client.ListAccountsQuery{}) {
		break
	}
}

// TestAnExportThatBreaksIsAnError: a part of a file does not look like all of it.
func TestAnExportThatBreaksIsAnError(t *testing.T) {
	_, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "account,asset\n")
	}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "account,asset\n") })
	file := testkit.Must(c.ExportBalances(t.Context(), client.ExportBalancesQuery{}))(t)
	if text, err := io.ReadAll(file); err == nil || file.Size != 100 {
		t.Errorf("%q of %d without an error", text, file.Size)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	file = testkit.Must(c.ExportBalances(t.Context(), client.ExportBalancesQuery{Format: client.FormatCsv}))(t)
	if text, err := io.ReadAll(file); err != nil || string(text) != "account,asset\n" {
		t.Errorf("%q: %v", text, err)
	}
}

// TestARedirectIsNotFollowed: the token goes to the server that was named, and nowhere else.
func TestARedirectIsNotFollowed(t *testing.T) {
	away := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect))
	defer away.Close()
	c := testkit.Must(client.New(away.URL, "secret", client.Config{}))(t)
	_, err := c.ListTokens(t.Context())
	if e := (*client.Error)(nil); !errors.As(err, &e) || e.Status != http.StatusTemporaryRedirect {
		t.Errorf("a redirect: %v", err)
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, address := range []string{"", "stake.example.com", "ftp://x", "https://", "https://u:p@x", "https://x?a=1",
		"https://x#a", "http://[::1"} {
		if _, err := client.New(address, "secret", client.Config{}); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
	if _, err := client.New("https://x", "", client.Config{}); err == nil {
		t.Error("no token is accepted")
	}
}

// stream is a handler that sends a text as server-sent events, and ends.
func stream(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, text)
	}
}

// TestAStreamGoesOn: a stream that ends is connected again after the last ID, one that has moved on by a
// comment after that, and what cannot be read is no event.
func TestAStreamGoesOn(t *testing.T) {
	s, c := serve(t,
		stream("retry: 2000\n\nid: 5\nevent: ready\ndata: {}\n\nid: 6\nevent: balance\ndata: {\"account\":\"alice\",\n"+
			"data: \"change\":\"1.5\"}\n\n: alive\nid: 9\n\nid: 10\nevent: later\ndata: {}\n\nid: 11\nevent: settled\n"),
		breakOff, refuse(503, "busy"), stream("id: 12\nevent: reset\ndata: {\"reason\":\"old\"}\n\n"),
		refuse(403, "forbidden"))
	var got []string
	for event, err := range c.Events(t.Context(), client.EventsQuery{Account: "alice"}) {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		text := event.ID
		switch data := event.Data.(type) {
		case *client.BalanceEvent:
			text += " " + data.Account + " " + data.Change
		case *client.ResetEvent:
			text += " " + data.Reason
		case *client.ReadyEvent:
			text += " ready"
		}
		got = append(got, text)
	}
	want := []string{"5 ready", "6 alice 1.5", "9", "10", "12 old", "403: forbidden: moves[0].amount: the detail"}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	if s.asked[0].URL.RawQuery != "account=alice" || s.asked[1].URL.RawQuery != "account=alice&after=10" ||
		s.asked[4].URL.RawQuery != "account=alice&after=12" {
		t.Errorf("asked %v, %v, %v", s.asked[0].URL, s.asked[1].URL, s.asked[4].URL)
	}
	_, c = serve(t, stream("id: 1\nevent: balance\ndata: {\n\n"))
	for event, err := range c.Events(t.Context(), client.EventsQuery{}) {
		if err == nil {
			t.Errorf("%+v can be read", event)
		}
	}
}

// TestPayoutsGoOn: pages follow each other, and are waited for where there are no more.
func TestPayoutsGoOn(t *testing.T) {
	page := func(next int64, more bool, ids ...string) http.HandlerFunc {
		p := client.Payouts{Next: next, More: more, Batches: []client.PayoutBatch{}}
		for _, id := range ids {
			p.Payouts = append(p.Payouts, client.Payout{ID: id})
		}
		return answer(200, p)
	}
	s, c := serve(t, page(2, true, "a", "b"), page(3, false, "c"), page(3, false), page(4, false, "d"))
	var got []string
	for page, err := range c.Payouts(t.Context(), 0, time.Minute) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Payouts {
			got = append(got, p.ID)
		}
		if page.Next == 4 {
			break
		}
	}
	if strings.Join(got, "") != "abcd" || len(s.waited) != 2 || s.asked[3].URL.Query().Get("after") != "3" {
		t.Errorf("%v, waited %v", got, s.waited)
	}
}
