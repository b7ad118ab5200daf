package cli

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/scenario"
)

// server is "softstake serve" in this process, with a clock to turn.
type server struct {
	t      *testing.T
	log    scenario.Buffer
	mu     sync.Mutex
	now    time.Time
	stop   context.CancelFunc
	status chan int
}

func startServe(t *testing.T, url string, now time.Time, flags ...string) *server {
	t.Helper()
	s := &server{t: t, now: now, status: make(chan int, 1)}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	env := &Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &s.log, Now: s.clock, Random: rand.Reader,
		Context: ctx, Getenv: func(string) string { return "" }}
	go func() {
		s.status <- run(env, append([]string{"serve", "--listen", "127.0.0.1:0", "--poll", "10ms", "--db", url}, flags...))
	}()
	return s
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) turn(to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = to
}

// waitFor waits until the log matches, and returns what it matches.
func (s *server) waitFor(pattern string) []string {
	s.t.Helper()
	return s.log.WaitFor(s.t, pattern)
}

// at is a served path's URL.
func (s *server) at(path string) string {
	s.t.Helper()
	return "http://" + s.waitFor(`msg=serving address=(\S+)`)[1] + path
}

// get asks the server, and returns status and body.
func (s *server) get(path string) (int, string) {
	s.t.Helper()
	return ask(s.t, scenario.Request{Method: http.MethodGet, URL: s.at(path)})
}

// end stops the server, which must end well.
func (s *server) end() {
	s.t.Helper()
	s.stop()
	select {
	case status := <-s.status:
		if status != 0 {
			s.t.Errorf("exit status %d:\n%s", status, s.log.String())
		}
	case <-time.After(20 * time.Second):
		s.t.Fatal("the server did not stop")
	}
	s.waitFor("stopped")
}

// TestServe plays three days: one is paid by itself, one waits for funds, and a
// server that was stopped and started goes on where it was.
func TestServe(t *testing.T) {
	url := books(t)
	must(t, "", "accept", "alice", "--db", url)
	must(t, "", "enroll", "alice", "--db", url)
	must(t, "", "fund", "BNB", "0.00000821", "--db", url)
	must(t, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`, "post", "-", "--db", url)

	s := startServe(t, url, noon)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/nowhere": 404} {
		if status, body := s.get(path); status != want {
			t.Errorf("GET %s: %d %s", path, status, body)
		}
	}
	s.turn(noon.Add(36*time.Hour + 4*time.Minute)) // 00:04 of the day after the first that earns
	s.waitFor(`msg=settled day=2026-11-22`)
	if strings.Contains(s.log.String(), "day=2026-11-23") {
		t.Error("the day was settled before --close-after")
	}
	s.turn(noon.Add(36*time.Hour + 5*time.Minute))
	s.waitFor(`msg=settled day=2026-11-23 tokens=".*BNB.*"`)
	s.turn(noon.Add(61 * time.Hour))
	s.waitFor(`msg="a token waits" token=BNB day=2026-11-24 reason="not enough funds`)
	s.end()
	if n := strings.Count(s.log.String(), "a token waits"); n != 1 {
		t.Errorf("that a token waits is logged %d times", n)
	}

	s = startServe(t, url, noon.Add(61*time.Hour))
	s.waitFor(`msg="a token waits" token=BNB day=2026-11-24`)
	mustAt(t, s.clock(), "", "fund", "BNB", "1", "--db", url)
	s.waitFor(`msg=settled day=2026-11-24 tokens=.?\[BNB\]`)
	s.end()
	if out := mustAt(t, s.clock(), "", "audit", "--db", url); !strings.Contains(out, "All is right through 2026-11-24") ||
		!strings.Contains(out, "2 rewards") {
		t.Errorf("the audit says %s", out)
	}
}

func TestServeReportsThatItsAddressIsTaken(t *testing.T) {
	url := books(t)
	first := startServe(t, url, noon)
	address := first.waitFor(`msg=serving address=(\S+)`)[1]
	_, stderr, status := command(t, t.Context(), strings.NewReader(""), "serve", "--listen", address, "--db", url)
	if status != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	first.end()
}

// TestServeGoesByTheBooks: a flag or environment that says another time is refused, and
// a change of the time is seen while it runs.
func TestServeGoesByTheBooks(t *testing.T) {
	url := books(t)
	for _, name := range []string{"", "SOFTSTAKE_CLOSE_AFTER"} {
		var stderr scenario.Buffer
		env := &Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr, Now: func() time.Time { return noon },
			Random: rand.Reader, Context: t.Context(),
			Getenv: func(asked string) string {
				if asked == name && name != "" {
					return "2h"
				}
				return ""
			}}
		for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"settle"}, {"settle", "--preview"}} {
			if name == "" {
				args = append(args, "--close-after", "2h")
			}
			if status := run(env, append(args, "--db", url)); status != 1 || !strings.Contains(stderr.String(), `says 2h, and the books say 5m: leave it out, or change the books with "softstake days set-close-after 2h"`) {
				t.Errorf("%q: exit status %d: %s", args, status, stderr.String())
			}
		}
	}
	s := startServe(t, url, noon, "--close-after", "5m")
	s.waitFor("msg=serving")
	must(t, "", "days", "set-close-after", "1h", "--db", url)
	s.turn(noon.Add(12*time.Hour + 59*time.Minute))
	_, stderr, status := commandAt(t.Context(), s.clock(), strings.NewReader(""), "settle", "--db", url)
	if status != 0 {
		t.Errorf("settle: %s", stderr)
	}
	if strings.Contains(s.log.String(), "msg=settled") {
		t.Errorf("the day was closed before the books say:\n%s", s.log.String())
	}
	s.turn(noon.Add(13 * time.Hour))
	s.waitFor(`msg=settled day=2026-11-22`)
	s.end()
}

// TestServeEndsWhenTheBooksAreUpgraded, with an error, so that a supervisor starts the new program.
func TestServeEndsWhenTheBooksAreUpgraded(t *testing.T) {
	url := books(t)
	s := startServe(t, url, noon)
	if status, body := s.get("/readyz"); status != http.StatusOK {
		t.Fatalf("not ready: %d %s", status, body)
	}
	alter(t, url, "INSERT INTO migrations (number) VALUES (1000)")
	select {
	case status := <-s.status:
		if status != 1 {
			t.Errorf("exit status %d", status)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
	s.waitFor(`stopped serving: these books have another schema: schema`)
}

// TestRequestsToBooksThatAreUpgraded are refused in each API's own words.
func TestRequestsToBooksThatAreUpgraded(t *testing.T) {
	url := books(t)
	token := regexp.MustCompile(`sst_[\w-]+`).FindString(must(t, "", "token", "create", "--role", "exchange", "--db", url))
	must(t, "", "login", "add", "alice@example.com", "--account", "alice", "--db", url)
	s := startServe(t, url, noon, "--poll", "1h")
	s.waitFor("msg=serving")
	alter(t, url, "INSERT INTO migrations (number) VALUES (1000)")
	for _, ask := range []struct{ method, path, body, want string }{
		{"GET", "/readyz", "", "not ready"},
		{"GET", "/v1/accounts", "", "/v1/docs#upgrading"},
		{"GET", "/api/v3/exchangeInfo", "", "-1008"},
		{"POST", "/login", "email=alice%40example.com&password=wrong-password", "being upgraded"},
	} {
		q := scenario.Request{Method: ask.method, URL: s.at(ask.path), Body: ask.body,
			Headers: map[string]string{"Authorization": "Bearer " + token}}
		if ask.body != "" {
			q.Headers["Content-Type"] = "application/x-www-form-urlencoded"
		}
		answer, body := q.Do(t)
		if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), ask.want) {
			t.Errorf("%s %s: %s %s", ask.method, ask.path, answer.Status, body)
		}
	}
}

func TestServeReadsItsFlagsFromTheEnvironment(t *testing.T) {
	url := books(t)
	for name, value := range map[string]string{"SOFTSTAKE_TRUSTED_PROXY": "nonsense", "SOFTSTAKE_MAX_REQUESTS": "0",
		"SOFTSTAKE_COUNTRY_HEADER": "X-Country", "SOFTSTAKE_LOG": "xml", "SOFTSTAKE_TLS_CERT": "x"} {
		var stderr strings.Builder
		env := &Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr, Now: func() time.Time { return noon },
			Context: t.Context(),
			Getenv:  func(asked string) string { return map[string]string{name: value}[asked] }}
		if status := run(env, []string{"serve", "--listen", "127.0.0.1:0", "--db", url}); status != 2 {
			t.Errorf("%s=%s: exit status %d: %s", name, value, status, stderr.String())
		}
	}
}
