package serve

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/softstake/softstake/reports"
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
	ready := &readiness{ask: days.reach}
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ready.check() != nil {
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

// reach reads from the books, and logs why that fails.
func (s *scheduler) reach() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWait)
	defer cancel()
	if _, err := reports.New(s.books.Reader()).FirstOpen(ctx); err != nil {
		if !s.outage.failed(err) {
			s.log.Error("not ready", "error", err)
		}
		return err
	}
	s.outage.over()
	return nil
}

// readiness asks once whether the books can be reached for all who want to know it at the
// same time: anybody may ask, and no slot is taken for it. It is safe for concurrent use.
type readiness struct {
	ask    func() error
	asking singleflight.Group
}

// check asks, or waits for the answer to one who asks already.
func (r *readiness) check() error {
	_, err, _ := r.asking.Do("", func() (any, error) { return struct{}{}, r.ask() })
	return err
}

// forwarding are headers by which a proxy, trusted or not, shows that it is one.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// forThisMachine refuses the metrics, where they are served beside the APIs, to callers on
// other machines. A request through a proxy on this machine is from another one, whatever
// address the proxy names.
func (g *gateway) forThisMachine(health http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied := slices.ContainsFunc(forwarding, func(name string) bool { return r.Header.Values(name) != nil })
		if r.URL.Path == metricsPath && (proxied || !peer(r.RemoteAddr).IsLoopback()) {
			answer(w, g.log, http.StatusForbidden, "the metrics are for callers on this machine, unless they are "+
				"served at an address of their own")
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
		log.Debug("the response was not read", "error", err)
	}
}
