package serve

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/store"
)

// TestAnOutageIsLoggedOnce, with its count and length when it is over, and is no secret's
// way out: an outside caller learns that the server is not ready, and no more.
func TestAnOutageIsLoggedOnce(t *testing.T) {
	server := pgtest.New(t)
	books, err := server.NewDatabase(t.Context(), "outage")
	if err != nil {
		t.Fatal(err)
	}
	w := newSiteAt(t, books)
	s := w.serve()
	if status, body := s.get("/readyz"); status != 200 || body != "ready\n" {
		t.Errorf("before: %d %s", status, body)
	}
	if err := server.StopNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.waitFor(`msg="the books cannot be reached; retrying" error="PostgreSQL at 127.0.0.1:\d+ cannot be reached: connection refused"`)
	for range 3 {
		if status, body := s.get("/readyz"); status != 503 || body != "not ready\n" {
			t.Errorf("without the database: %d %s", status, body)
		}
		if status, body := s.get("/metrics"); status != 200 || strings.Contains(body, "127.0.0.1") {
			t.Errorf("without the database: %d %.300s", status, body)
		}
	}
	w.clock.Forward(noon.Add(time.Minute))
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.waitFor(`msg="the books can be reached again" after=1m0s failures=\d+`)
	s.end()
	log := s.log.String()
	// Restarting, the server may refuse for another cause: that is said as well, once.
	if n := strings.Count(log, "connection refused"); n > 2 ||
		strings.Contains(log, "settling failed; retrying\" error=\"PostgreSQL") {
		t.Errorf("the outage is logged %d times:\n%s", n, log)
	}
}

// TestMetricsAreForThisMachine where they are served beside everything else.
func TestMetricsAreForThisMachine(t *testing.T) {
	g := newGateway(slog.New(slog.DiscardHandler), func(answered) {}, 1)
	g.proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	handler := g.forThisMachine(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.WriteHeader(http.StatusOK)
	}))
	for _, c := range []struct {
		path, remote, header, value string
		status                      int
	}{
		{"/metrics", "127.0.0.1:1", "", "", 200},
		{"/metrics", "[::1]:1", "", "", 200},
		{"/metrics", "[::ffff:127.0.0.1]:1", "", "", 200},
		{"/metrics", "192.0.2.1:1", "", "", 403},
		{"/metrics", "10.0.0.1:1", "", "", 403},
		{"/metrics", "[2001:db8::1]:1", "", "", 403},
		{"/metrics", "192.0.2.1:1", "X-Forwarded-For", "127.0.0.1", 403},
		{"/metrics", "127.0.0.1:1", "X-Forwarded-For", "192.0.2.1", 403},
		{"/metrics", "127.0.0.1:1", "X-Forwarded-For", "127.0.0.1", 403},
		{"/metrics", "127.0.0.1:1", "Forwarded", "for=192.0.2.1", 403},
		{"/metrics", "127.0.0.1:1", "X-Real-IP", "192.0.2.1", 403},
		{"/metrics", "127.0.0.1:1", "Via", "1.1 proxy", 403},
		{"/metrics", "", "", "", 403},
		{"/readyz", "192.0.2.1:1", "", "", 200},
		{"/healthz", "127.0.0.1:1", "X-Forwarded-For", "192.0.2.1", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.RemoteAddr = c.remote
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s from %s, %s %s: %d", c.path, c.remote, c.header, c.value, w.Code)
		}
	}
}

// TestReadinessIsAskedOnce for all who want to know it at the same time, and again for the next.
func TestReadinessIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn, asked, yes := make(chan struct{}), 0, atomic.Int64{}
		r := &readiness{ask: func() error {
			asked++
			<-goOn
			if asked > 1 {
				return errors.New("the books cannot be reached")
			}
			return nil
		}}
		for range 10 {
			go func() {
				if r.check() == nil {
					yes.Add(1)
				}
			}()
		}
		synctest.Wait() // all of them wait for an answer
		close(goOn)
		synctest.Wait()
		if asked != 1 || yes.Load() != 10 {
			t.Errorf("asked %d times, %d are ready", asked, yes.Load())
		}
		if r.check() == nil {
			t.Error("the first answer is kept")
		}
	})
}

func TestServeIsNotReadyWithoutItsBooks(t *testing.T) {
	w := newSite(t)
	closed, err := store.Open(t.Context(), w.url, store.Options{Clock: w.clock.Now})
	w.ok(err)
	w.ok(closed.Close())
	c := Config{Books: closed, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler)}
	server, err := New(c)
	w.ok(err)
	handler := newHealth(newScheduler(c, server.outage), server)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("GET %s: %d %s", path, answer.Code, answer.Body)
		}
	}
}
