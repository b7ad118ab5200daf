package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/scenario"
)

// slowRequest is a request whose body never comes as a whole.
func slowRequest(t *testing.T, address, line, headers, begun string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(time.Minute))
	}
	if err == nil {
		_, err = fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", line, headers, begun)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// waitForMetric waits until what is served at a URL matches, and fails the test after a while.
func waitForMetric(t *testing.T, url, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, text := fetch(t, url)
		if re.MatchString(text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the metrics do not say %q:\n%s", pattern, text)
		}
	}
}

// reads waits until the server reads this number of bodies.
func reads(t *testing.T, metrics string, bodies int) {
	t.Helper()
	waitForMetric(t, metrics, fmt.Sprintf(`(?m)^softstake_bodies_reading %d$`, bodies))
}

// TestSlowBodiesKeepNobodyOut: hundreds of them, of every API, and also of methods whose
// bodies nobody wants, leave the few slots to those who send theirs: of another network,
// and of the same one, where the oldest of the slow give way.
func TestSlowBodiesKeepNobodyOut(t *testing.T) {
	w := newSite(t)
	token := w.token(access.Exchange)
	s := w.serve(func(c *Config) {
		c.MaxRequests, c.Proxies, c.MetricsListen = 2, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "127.0.0.1:0"
	})
	metrics := "http://" + s.waitFor(`msg="serving health and metrics" at=(\S+)`)[1] + "/metrics"
	address := s.address()
	bearer := "Authorization: Bearer " + token + "\r\n"
	slow := []struct{ line, headers, begun string }{
		{"POST /login", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 40\r\n", "email="},
		{"POST /v1/entries", bearer + "Content-Length: 40\r\n", "{"},
		{"POST /v1/entries", "Transfer-Encoding: chunked\r\n", "1\r\n{\r\n"},
		{"POST /sapi/v1/capital/withdraw/apply", "Content-Length: 40\r\n", "coin"},
		{"GET /login", "Content-Length: 40\r\n", ""},
		{"DELETE /v1/nowhere", "Content-Length: 40\r\n", ""},
		{"POST /v1/events", bearer + "Content-Length: 40\r\n", ""},
		{"POST /live", "Content-Length: 40\r\n", ""},
	}
	const most = mostBodies / 2 // of one network
	var first net.Conn
	for i := range most + 88 {
		c := slow[i%len(slow)]
		conn := slowRequest(t, address, c.line, "X-Forwarded-For: 192.0.2.1\r\n"+c.headers, c.begun)
		if first == nil {
			first = conn
			reads(t, metrics, 1)
		}
	}
	reads(t, metrics, most)
	answer, err := http.ReadResponse(bufio.NewReader(first), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusRequestTimeout || answer.Header.Get("Retry-After") != "1" ||
		answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the oldest is answered %s %v", answer.Status, answer.Header)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	began := time.Now()
	for _, from := range []string{"198.51.100.1", "192.0.2.1", "2001:db8::1"} {
		for _, c := range []struct {
			scenario.Request
			status int
		}{
			{scenario.Request{Method: "GET", URL: s.at("/login")}, 200},
			{scenario.Request{Method: "POST", URL: s.at("/login"), Body: "email=nobody%40example.com&password=wrong",
				Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 422},
			{scenario.Request{Method: "POST", URL: s.at("/v1/entries"), Body: `{"id":"d-` + from + `","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"1"}]}`, Headers: map[string]string{"Authorization": "Bearer " + token}}, 201},
			{scenario.Request{Method: "GET", URL: s.at("/api/v3/ping")}, 200},
			{scenario.Request{Method: "POST", URL: s.at("/sapi/v1/capital/withdraw/apply"), Body: "coin=BNB"}, 401},
		} {
			if c.Headers == nil {
				c.Headers = map[string]string{}
			}
			c.Headers["X-Forwarded-For"] = from
			if response, body := c.Do(t); response.StatusCode != c.status {
				t.Errorf("%s, %s %s: %s %s", from, c.Method, c.URL, response.Status, body)
			}
		}
	}
	if took := time.Since(began); took > bodyWait {
		t.Errorf("the answers took %s", took)
	}
	s.end()
}

// TestALargeBodyIsReadForThoseWhoMaySendIt, and not in a slot; others learn what is
// wrong with them after a small part of it.
func TestALargeBodyIsReadForThoseWhoMaySendIt(t *testing.T) {
	w := newSite(t)
	exchange, auditor := w.token(access.Exchange), w.token(access.Auditor)
	s := w.serve(func(c *Config) { c.MaxRequests = 1 })
	address := s.address()
	large := `{"entries":[{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"1"}]}` + strings.Repeat(" ", 1<<20) + `]}`
	unknown := exchange[:len(exchange)-1] + "_"
	for _, c := range []struct {
		token, path string
		status      int
	}{{exchange, "/v1/batches", 200}, {auditor, "/v1/batches", 403}, {unknown, "/v1/batches", 401},
		{"", "/v1/batches", 401}, {exchange, "/v1/entries", 413}} {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d", len(large)), "Transfer-Encoding: chunked"} {
			body := large
			if strings.HasPrefix(framing, "T") {
				body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(large), large)
			}
			conn := slowRequest(t, address, "POST "+c.path, "Authorization: Bearer "+c.token+"\r\n"+framing+"\r\n", "")
			go func() {
				if _, err := io.WriteString(conn, body); err != nil && c.status < 400 {
					t.Error(err)
				}
			}()
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != c.status {
				t.Errorf("%.12s %s, %.10s: %s", c.token, c.path, framing, answer.Status)
			}
			if err := answer.Body.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	stalled := slowRequest(t, address, "POST /v1/batches", "Authorization: Bearer "+exchange+
		"\r\nContent-Length: 1000000\r\n", strings.Repeat(" ", api.SmallBody+1))
	waitForMetric(t, s.at("/metrics"), `(?m)^softstake_large_body_bytes 1e\+06$`)
	if response, body := (scenario.Request{Method: "GET", URL: s.at("/v1/tokens"),
		Headers: map[string]string{"Authorization": "Bearer " + exchange}}).Do(t); response.StatusCode != 200 {
		t.Errorf("beside a large body that does not come: %s %s", response.Status, body)
	}
	answer, err := http.ReadResponse(bufio.NewReader(stalled), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusRequestTimeout || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("it is answered %s %v\n%s", answer.Status, answer.Header, s.log.String())
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	s.end()
}

// TestABodyThatFailsIsAnsweredByItsAPI in that API's own words, and its connection ends.
func TestABodyThatFailsIsAnsweredByItsAPI(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the body failed with %v", err)
		}
		w.WriteHeader(http.StatusRequestTimeout)
	}
	answers := make(chan answered, 1)
	g := newGateway(slog.New(slog.DiscardHandler), func(a answered) { answers <- a }, 1)
	g.bodies.wait = time.Millisecond
	server := httptest.NewServer(g.wrap(ownAPI, http.HandlerFunc(handler)))
	defer server.Close()
	conn := slowRequest(t, server.Listener.Addr().String(), "PUT /v1/x", "Content-Length: 10\r\n", "abc")
	text, err := io.ReadAll(conn) // it ends only when the server hangs up
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 408") ||
		!strings.Contains(string(text), "Connection: close") {
		t.Errorf("%v: %s", err, text)
	}
	if a := <-answers; a.refused != refusedSlow {
		t.Errorf("refused for %q", a.refused)
	}
}

func TestABudgetEvictsTheOldest(t *testing.T) {
	one, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	b := newBudget(3, 2)
	var evicted []string
	acquire := func(name string, network netip.Prefix) *share {
		return b.acquire(network, 1, func() { evicted = append(evicted, name) })
	}
	first := acquire("first", one)
	kept := acquire("kept", one)
	if err := b.keep(kept); err != nil {
		t.Error(err)
	}
	acquire("third", one) // its network has two: the one that is read gives way
	fourth := acquire("fourth", other)
	acquire("fifth", other) // there are three: the oldest that is read gives way, whoever's it is
	if got := fmt.Sprint(evicted); got != "[first third]" {
		t.Errorf("evicted %s", got)
	}
	for _, err := range []error{b.keep(first), b.extend(first, func() error { return nil })} {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an evicted body goes on: %v", err)
		}
	}
	b.release(first)
	if err := b.keep(fourth); err != nil || b.taken() != 3 {
		t.Errorf("%v, and %d are taken", err, b.taken())
	}
	if full := newBudget(1, 1); full.acquire(one, 2, func() {}) != nil {
		t.Error("what is larger than the budget gets a share")
	}
}
