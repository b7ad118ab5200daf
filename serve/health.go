package serve

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readyWait is how long the books may take to answer before they count as not reached.
const readyWait = 5 * time.Second

// healthPaths are where health and metrics are served.
var healthPaths = []string{"/healthz", "/readyz", metricsPath}

const metricsPath = "/metrics"

// newHealth serves health and metrics. What fails is in the log: the responses name no
// user, host or port.
func newHealth(days *scheduler, s *Server) http.Handler {
	mux, db, log := http.NewServeMux(), days.books, days.log
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, log, http.StatusOK, "ok") })
	ready := &shared{ask: func() bool { return reached(days) }}
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.answer() {
			answer(w, log, http.StatusServiceUnavailable, "not ready")
			return
		}
		answer(w, log, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", newMetrics(days, s))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if db.Test() {
			w.Header().Set(testHeader, "true")
		}
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close") // or the server would wait for the body before it answers
		}
		mux.ServeHTTP(w, r)
	})
}

// reached reports whether the books can be reached, and logs why not.
func reached(s *scheduler) bool {
	ctx, cancel := context.WithTimeout(context.Background(), readyWait)
	defer cancel()
	if _, err := s.books.FirstOpen(ctx); err != nil {
		if !s.outage.failed(err) {
			s.log.Error("not ready", "error", err)
		}
		return false
	}
	s.outage.over()
	return true
}

// shared asks a question once for all who want to know it at the same time: anybody may
// ask whether the server is ready, and takes no slot for it. It is safe for concurrent use.
type shared struct {
	ask func() bool

	mu     sync.Mutex
	asking *asking // nil: nobody asks
}

type asking struct {
	done chan struct{}
	yes  bool // to be read after done is closed
}

// answer asks, or waits for the answer to one who asks already.
func (s *shared) answer() bool {
	s.mu.Lock()
	if a := s.asking; a != nil {
		s.mu.Unlock()
		<-a.done
		return a.yes
	}
	a := &asking{done: make(chan struct{})}
	s.asking = a
	s.mu.Unlock()
	a.yes = s.ask()
	s.mu.Lock()
	s.asking = nil
	s.mu.Unlock()
	close(a.done)
	return a.yes
}

// forwarding are headers by which a proxy, trusted or not, says that it is one.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// forThisMachine keeps the metrics from others than callers on this machine, where they
// are served beside the APIs. What comes through a proxy on this machine comes
// from elsewhere, whatever address the proxy names.
func (g *gateway) forThisMachine(health http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied := slices.ContainsFunc(forwarding, func(name string) bool { return r.Header.Values(name) != nil })
		if r.URL.Path == metricsPath && (proxied || !peer(r.RemoteAddr).IsLoopback()) {
			answer(w, g.log, http.StatusForbidden, "the metrics are for callers on this machine, unless they are served at an address of their own")
			return
		}
		health.ServeHTTP(w, r)
	})
}

// answer writes a line of text.
func answer(w http.ResponseWriter, log *slog.Logger, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := io.WriteString(w, text+"\n"); err != nil {
		log.Debug("the answer was not read", "error", err)
	}
}
