package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/scenario"
)

// TestEachAPIAnswersInItsOwnWords also what it does not have.
func TestEachAPIAnswersInItsOwnWords(t *testing.T) {
	s := newSite(t).serve()
	// It follows no redirect, as programs do not.
	straight := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, c := range []struct {
		method, path string
		status       int
		kind, has    string
	}{
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "ok"},
		{"GET", "/readyz", 200, "text/plain; charset=utf-8", "ready"},
		{"POST", "/healthz", 405, "text/plain; charset=utf-8", "Method Not Allowed"},
		{"GET", "/nowhere", 404, "text/html; charset=utf-8", "<html"},
		{"GET", "/login", 200, "text/html; charset=utf-8", "<form"},
		{"GET", "/api/v3/ping", 200, "application/json", "{}"},
		{"GET", "/sapi/v1/nowhere", 404, "application/json", `"code":`},
		{"GET", "//api/v3/ping", 200, "application/json", "{}"},
		{"GET", "/api//v3///ping", 200, "application/json", "{}"},
		{"GET", "//sapi/v1/soft-staking/list", 401, "application/json", `"code":-2014`},
		{"GET", "/api", 404, "application/json", `"code":-1020`},
		{"GET", "/api/", 404, "application/json", `"code":-1020`},
		{"GET", "//api", 404, "application/json", `"code":-1020`},
		{"POST", "/sapi", 404, "application/json", `"code":-1020`},
		{"GET", "/sapi/", 404, "application/json", `"code":-1020`},
		{"GET", "/sapi/../sapi/v1/system/status", 404, "application/json", `"code":-1020`},
		{"GET", "/api/./v3/ping", 404, "application/json", `"code":-1020`},
		{"GET", "/fapi/v1/nowhere", 404, "application/json", `"code":-1020`},
		{"GET", "/dapi", 404, "application/json", `"code":-1020`},
		{"GET", "/apis", 404, "text/html; charset=utf-8", "<html"},
		{"POST", "/sapi/v1/soft-staking/list", 405, "application/json", `"code":`},
		{"GET", "/sapi/v1/soft-staking/list", 401, "application/json", `"code":-2014`},
		{"GET", "/v1/openapi.json", 200, "application/", `"openapi"`},
		{"GET", "/v1/nowhere", 404, "application/problem+json", `"type":`},
		{"DELETE", "/v1/tokens", 405, "application/problem+json", `"type":`},
		{"GET", "/v1/accounts", 401, "application/problem+json", `"type":`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, s.at(c.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := straight.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != c.status || !strings.HasPrefix(response.Header.Get("Content-Type"), c.kind) ||
			!strings.Contains(string(body), c.has) {
			t.Errorf("%s %s: %s %q %.300s", c.method, c.path, response.Status, response.Header.Get("Content-Type"), body)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	s.end()
}

// TestAPathIsNotLedElsewhere: what a mux would make of the dots is never what was asked for.
func TestAPathIsNotLedElsewhere(t *testing.T) {
	w := newSite(t)
	token := w.token(access.Exchange)
	s := w.serve()
	address := s.address()
	for path, kind := range map[string]string{
		"/v1/accounts/../withdrawals": "application/problem+json", "/v1/accounts/./balances": "application/problem+json",
		"/v1/./journal": "application/problem+json",
		"/v1/..":        "application/problem+json", "/v1/entries/..": "application/problem+json",
		"/v1/accounts/a/..?limit=1":     "application/problem+json",
		"//v1/accounts/../withdrawals":  "application/problem+json",
		"/%761/accounts/../withdrawals": "application/problem+json",
		"/sapi/../v1/accounts":          "application/json", "/api/v3/../v3/ping": "application/json",
		"//api/v3/../v3/ping":  "application/json",
		"/fapi/../v1/accounts": "application/json", "/dapi/v1/./time": "application/json",
	} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n",
			path, token); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusNotFound || response.Header.Get("Content-Type") != kind {
			t.Errorf("GET %s: %s %q, to %q", path, response.Status, response.Header.Get("Content-Type"),
				response.Header.Get("Location"))
		}
		if err := errors.Join(response.Body.Close(), conn.Close()); err != nil {
			t.Error(err)
		}
	}
	s.end()
}

// TestAGigabyteIsNotRead: who sends one, with a right credential, is answered and cut off after little of it.
func TestAGigabyteIsNotRead(t *testing.T) {
	w := newSite(t)
	token, key := w.token(access.Exchange), w.key()
	s := w.serve()
	for _, path := range []string{"/v1/batches", "/v1/accounts", "/sapi/v1/capital/withdraw/apply", "/api/v3/ping"} {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d", 1<<30), "Transfer-Encoding: chunked"} {
			headers := "Authorization: Bearer " + token + "\r\nX-MBX-APIKEY: " + key +
				"\r\nContent-Type: application/json\r\n" + framing
			sent, status := flood(t, s.address(), path, headers)
			if status < 400 || status >= 500 {
				t.Errorf("%s, %s: status %d", path, framing, status)
			}
			if sent > 48<<20 {
				t.Errorf("%s, %s: %d bytes were taken", path, framing, sent)
			}
		}
	}
	s.end()
}

// flood sends a gigabyte to a path, until nobody takes any more, and returns how much that was and the answer's status.
func flood(t *testing.T, address, path, headers string) (sent, status int) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", path, headers); err != nil {
		t.Fatal(err)
	}
	taken := make(chan int)
	go func() {
		part := fmt.Appendf(nil, "%x\r\n%s\r\n", 64<<10, strings.Repeat(" ", 64<<10)) // a chunk; without chunks, just bytes
		n := 0
		for n < 1<<30 {
			m, err := conn.Write(part)
			n += m
			if err != nil {
				break
			}
		}
		taken <- n
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	sent = <-taken
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	return sent, response.StatusCode
}

// TestAnEventStreamEndsWithTheServer: it does not keep it from stopping, and ends as HTTP says.
func TestAnEventStreamEndsWithTheServer(t *testing.T) {
	w := newSite(t)
	token := w.token(access.Auditor)
	s := w.serve()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.at("/v1/events"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 ||
		!strings.HasPrefix(kind, "text/event-stream") {
		t.Errorf("%s %s", response.Status, kind)
	}
	if _, body := s.get("/metrics"); !strings.Contains(body, "softstake_event_streams 1\n") {
		t.Error("the stream is not counted")
	}
	began := time.Now()
	s.end()
	if took := time.Since(began); took >= stopWait {
		t.Errorf("stopping took %s", took)
	}
	if rest, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("%v after %q", err, rest)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestMetricsMayHaveAnAddressOfTheirOwn(t *testing.T) {
	s := newSite(t).serve(func(c *Config) { c.MetricsListen = "127.0.0.1:0" })
	own := s.waitFor(`msg="serving health and metrics" at=(\S+)`)[1]
	for url, want := range map[string]int{
		"http://" + own + "/metrics": 200, "http://" + own + "/healthz": 200, "http://" + own + "/api/v3/ping": 404,
		s.at("/metrics"): 404, s.at("/api/v3/ping"): 200,
	} {
		if response, body := fetch(t, url); response.StatusCode != want {
			t.Errorf("%s: %s %s", url, response.Status, body)
		}
	}
	s.end()
}

// TestPagesAreServedBesideTheRest, unless they are not wanted; what was asked for
// is not in the log.
func TestPagesAreServedBesideTheRest(t *testing.T) {
	w := newSite(t)
	on := w.serve()
	for path, want := range map[string]int{"/login?next=%2Fsecret": 200, "/healthz": 200, "/v1/nothing": 404,
		"/sapi/v1/nothing": 404, "/nothing": 404} {
		if status, page := on.get(path); status != want {
			t.Errorf("%s: %d %s", path, status, page)
		}
	}
	if _, page := on.get("/healthz"); page != "ok\n" {
		t.Errorf("/healthz says %s", page)
	}
	if _, page := on.get("/login"); strings.Contains(page, "demo") {
		t.Errorf("real books show a demo: %s", page)
	}
	if status, _ := on.get("/demo/clock"); status != 404 {
		t.Errorf("real books have a clock to move: %d", status)
	}
	on.waitFor(`route=/login status=200`)
	if log := on.log.String(); strings.Contains(log, "secret") {
		t.Errorf("the log has what was asked: %s", log)
	}
	on.end()
	off := w.serve(func(c *Config) { c.Pages = nil })
	if status, _ := off.get("/login"); status != 404 {
		t.Errorf("pages that are off are answered %d", status)
	}
	off.end()
}

// TestPagesAreLoggedWithTheirSession: its short ID, and nothing else that a client has
// written into its cookie.
func TestPagesAreLoggedWithTheirSession(t *testing.T) {
	s := newSite(t).serve()
	secret := strings.Repeat("s", 43)
	for i, c := range []struct{ cookie, shown string }{
		{"session=" + "abcdefgh1234" + secret, `"session abcdefgh"`},
		{"session=" + "abcd fgh1234" + secret, `""`},
		{"session=" + "abcd=fgh1234" + secret, `""`},
		{"session=forged-text", `""`},
		{"__Host-session=" + "abcdefgh1234" + secret, `""`},
		{"", `""`},
	} {
		id := "request-" + string(rune('a'+i))
		if response, body := (scenario.Request{Method: "GET", URL: s.at("/login"),
			Headers: map[string]string{"Cookie": c.cookie, "X-Request-Id": id}}).Do(t); response.StatusCode != 200 {
			t.Errorf("%s %.200s", response.Status, body)
		}
		if got := s.waitFor(`request=` + id + ` method=GET .* credential=(".*")`)[1]; got != c.shown {
			t.Errorf("%q is logged as %s", c.cookie, got)
		}
	}
	s.end()
	if log := s.log.String(); strings.Contains(log, secret) || strings.Contains(log, "1234s") ||
		strings.Contains(log, "forged") {
		t.Errorf("the log says too much:\n%s", log)
	}
}
