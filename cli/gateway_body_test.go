package cli

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
	"strconv"
	"strings"
	"testing"
	"time"
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

// reads waits until the server reads this number of bodies.
func (s *server) reads(metrics string, bodies int) {
	s.t.Helper()
	count := regexp.MustCompile(`(?m)^softstake_bodies_reading (\d+)$`)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, text := fetch(s.t, metrics)
		found := count.FindStringSubmatch(text)
		if found != nil && found[1] == strconv.Itoa(bodies) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%v bodies are being read, not %d", found, bodies)
		}
	}
}

// TestSlowBodiesKeepNobodyOut: hundreds of them, of every API, and also of methods whose
// bodies nobody wants, leave the few slots to those who send theirs: of another network,
// and of the same one, where the oldest of the slow give way.
func TestSlowBodiesKeepNobodyOut(t *testing.T) {
	url := books(t)
	token := made(t, "token", "create", "--role", "exchange", "--json", "--db", url)["token"]
	s := serve(t, url, noon, "--max-requests", "2", "--trusted-proxy", "127.0.0.0/8", "--metrics-listen", "127.0.0.1:0")
	metrics := "http://" + s.waitFor(`msg="serving health and metrics" at=(\S+)`)[1] + "/metrics"
	address := strings.TrimPrefix(s.at(""), "http://")
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
			s.reads(metrics, 1)
		}
	}
	s.reads(metrics, most)
	answer, err := http.ReadResponse(bufio.NewReader(first), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusRequestTimeout || answer.Header.Get("Retry-After") != "1" || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the oldest is answered %s %v", answer.Status, answer.Header)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	began := time.Now()
	for _, from := range []string{"198.51.100.1", "192.0.2.1", "2001:db8::1"} {
		for _, c := range []struct {
			asked
			status int
		}{
			{asked{"GET", s.at("/login"), "", nil}, 200},
			{asked{"POST", s.at("/login"), "email=nobody%40example.com&password=wrong", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 422},
			{asked{"POST", s.at("/v1/entries"), `{"id":"d-` + from + `","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"1"}]}`, map[string]string{"Authorization": "Bearer " + token}}, 201},
			{asked{"GET", s.at("/api/v3/ping"), "", nil}, 200},
			{asked{"POST", s.at("/sapi/v1/capital/withdraw/apply"), "coin=BNB", nil}, 401},
		} {
			if c.headers == nil {
				c.headers = map[string]string{}
			}
			c.headers["X-Forwarded-For"] = from
			if status, body := ask(t, c.asked); status != c.status {
				t.Errorf("%s, %s %s: %d %s", from, c.method, c.url, status, body)
			}
		}
	}
	if took := time.Since(began); took > bodyWait {
		t.Errorf("the answers took %s", took)
	}
	s.end()
}

// TestALargeBodyIsReadForThoseWhoMaySendIt, and not in a slot; others are told what is
// wrong with them after a small part of it.
func TestALargeBodyIsReadForThoseWhoMaySendIt(t *testing.T) {
	url := books(t)
	made := func(role string) string {
		return made(t, "token", "create", "--role", role, "--json", "--db", url)["token"]
	}
	exchange, auditor := made("exchange"), made("auditor")
	s := serve(t, url, noon, "--max-requests", "1")
	address := strings.TrimPrefix(s.at(""), "http://")
	large := `{"entries":[{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"1"}]}` + strings.Repeat(" ", 1<<20) + `]}`
	unknown := exchange[:len(exchange)-1] + "_"
	for _, c := range []struct {
		token, path string
		status      int
	}{{exchange, "/v1/batches", 200}, {auditor, "/v1/batches", 403}, {unknown, "/v1/batches", 401}, {"", "/v1/batches", 401}, {exchange, "/v1/entries", 413}} {
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
	stalled := slowRequest(t, address, "POST /v1/batches", "Authorization: Bearer "+exchange+"\r\nContent-Length: 1000000\r\n", strings.Repeat(" ", smallBody+1))
	s.waitForMetric(`(?m)^softstake_large_body_bytes 1e\+06$`)
	if status, body := ask(t, asked{"GET", s.at("/v1/tokens"), "", map[string]string{"Authorization": "Bearer " + exchange}}); status != 200 {
		t.Errorf("beside a large body that does not come: %d %s", status, body)
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

// waitForMetric waits until the metrics match.
func (s *server) waitForMetric(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, text := s.get("/metrics")
		if re.MatchString(text) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the metrics do not say %q:\n%s", pattern, text)
		}
	}
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
	told := make(chan answered, 1)
	g := newGateway(slog.New(slog.DiscardHandler), func(a answered) { told <- a }, 1)
	g.bodies.wait = time.Millisecond
	server := httptest.NewServer(g.wrap(ownAPI, http.HandlerFunc(handler)))
	defer server.Close()
	conn := slowRequest(t, server.Listener.Addr().String(), "PUT /v1/x", "Content-Length: 10\r\n", "abc")
	text, err := io.ReadAll(conn) // it ends only when the server hangs up
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 408") || !strings.Contains(string(text), "Connection: close") {
		t.Errorf("%v: %s", err, text)
	}
	if a := <-told; a.refused != refusedSlow {
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
