package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/store"
)

// safeBuffer is a buffer that several goroutines may use.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// server is "softstake serve" in this process, with a clock to turn.
type server struct {
	t      *testing.T
	log    safeBuffer
	mu     sync.Mutex
	now    time.Time
	stop   context.CancelFunc
	status chan int
}

func serve(t *testing.T, url string, now time.Time, flags ...string) *server {
	t.Helper()
	s := &server{t: t, now: now, status: make(chan int, 1)}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	w := &World{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &s.log, Now: s.clock, Random: rand.Reader, Context: ctx, Env: func(string) string { return "" }}
	go func() {
		s.status <- run(w, append([]string{"serve", "--listen", "127.0.0.1:0", "--poll", "10ms", "--db", url}, flags...))
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
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if found := re.FindStringSubmatch(s.log.String()); found != nil {
			return found
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the log does not say %q:\n%s", pattern, s.log.String())
		}
	}
}

// get asks the server, and returns status and body.
func (s *server) get(path string) (int, string) {
	s.t.Helper()
	address := s.waitFor(`msg=serving address=(\S+)`)[1]
	response, err := http.Get("http://" + address + path)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = response.Body.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(body)
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

// TestServe tells three days: one is paid by itself, one waits for funds, and a
// server that was stopped and started goes on where it was.
func TestServe(t *testing.T) {
	url := books(t)
	must(t, "", "accept", "alice", "--db", url)
	must(t, "", "enroll", "alice", "--db", url)
	must(t, "", "fund", "BNB", "0.00000821", "--db", url)
	must(t, `{"id":"d-1","kind":"deposit","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"2"}]}`, "post", "-", "--db", url)

	s := serve(t, url, noon)
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
		t.Errorf("that a token waits is told %d times", n)
	}

	s = serve(t, url, noon.Add(61*time.Hour))
	s.waitFor(`msg="a token waits" token=BNB day=2026-11-24`)
	mustAt(t, s.clock(), "", "fund", "BNB", "1", "--db", url)
	s.waitFor(`msg=settled day=2026-11-24 tokens=.?\[BNB\]`)
	s.end()
	if out := mustAt(t, s.clock(), "", "audit", "--db", url); !strings.Contains(out, "All is right through 2026-11-24") || !strings.Contains(out, "2 rewards") {
		t.Errorf("the audit says %s", out)
	}
}

func TestServeIsNotReadyWithoutItsBooks(t *testing.T) {
	url := books(t)
	db, err := store.Open(t.Context(), url, store.Options{Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	handler := newHealth(db, &scheduler{}, newMeters(), newGateway(log, nil, 1), log)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("GET %s: %d %s", path, answer.Code, answer.Body)
		}
	}
}

func TestServeTellsThatItsAddressIsTaken(t *testing.T) {
	url := books(t)
	first := serve(t, url, noon)
	address := first.waitFor(`msg=serving address=(\S+)`)[1]
	_, told, status := command(t, t.Context(), strings.NewReader(""), "serve", "--listen", address, "--db", url)
	if status != 1 || !strings.Contains(told, "address already in use") {
		t.Errorf("exit status %d: %s", status, told)
	}
	first.end()
}

// TestServeGoesByTheBooks: a flag or environment that says another time is refused, and
// a change of the time is seen while it runs.
func TestServeGoesByTheBooks(t *testing.T) {
	url := books(t)
	for _, name := range []string{"", "SOFTSTAKE_CLOSE_AFTER"} {
		var told safeBuffer
		w := &World{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &told, Now: func() time.Time { return noon }, Random: rand.Reader, Context: t.Context(),
			Env: func(asked string) string {
				if asked == name && name != "" {
					return "2h"
				}
				return ""
			}}
		for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"settle"}, {"settle", "--preview"}} {
			if name == "" {
				args = append(args, "--close-after", "2h")
			}
			if status := run(w, append(args, "--db", url)); status != 1 || !strings.Contains(told.String(), `says 2h, and the books say 5m: leave it out, or change the books with "softstake days set-close-after 2h"`) {
				t.Errorf("%q: exit status %d: %s", args, status, told.String())
			}
		}
	}
	s := serve(t, url, noon, "--close-after", "5m")
	s.waitFor("msg=serving")
	must(t, "", "days", "set-close-after", "1h", "--db", url)
	s.turn(noon.Add(12*time.Hour + 59*time.Minute))
	_, told, status := commandAt(t.Context(), s.clock(), strings.NewReader(""), "settle", "--db", url)
	if status != 0 {
		t.Errorf("settle: %s", told)
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
	s := serve(t, url, noon)
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
	must(t, "", "login", "add", "alice@example.com", "--account", "alice", "--generate", "--db", url)
	s := serve(t, url, noon, "--poll", "1h")
	address := "http://" + s.waitFor(`msg=serving address=(\S+)`)[1]
	alter(t, url, "INSERT INTO migrations (number) VALUES (1000)")
	for _, ask := range []struct{ method, path, want string }{
		{"GET", "/readyz", "not ready"},
		{"GET", "/v1/accounts", "/v1/docs#upgrading"},
		{"GET", "/api/v3/exchangeInfo", "-1008"},
		{"POST", "/login?email=alice%40example.com&password=wrong-password", "being upgraded"},
	} {
		r, err := http.NewRequest(ask.method, address+ask.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if ask.method == http.MethodPost {
			_, query, _ := strings.Cut(ask.path, "?")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(query)), int64(len(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), ask.want) {
			t.Errorf("%s %s: %s %s", ask.method, ask.path, answer.Status, body)
		}
	}
}
