package cli

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"softstake/store"
)

// readyWait is how long the books may take to answer before they count as not reached.
const readyWait = 5 * time.Second

// healthPaths are where health and metrics are served.
var healthPaths = []string{"/healthz", "/readyz", metricsPath}

const metricsPath = "/metrics"

// newHealth serves health and metrics. What fails is in the log: the answers name no
// user, host or port.
func newHealth(db *store.DB, s *scheduler, m *meters, g *gateway, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, log, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWait)
		defer cancel()
		if _, err := db.FirstOpen(ctx); err != nil {
			if r.Context().Err() == nil && !s.outage.failed(err) {
				log.Error("not ready", "error", plain(err))
			}
			answer(w, log, http.StatusServiceUnavailable, "not ready")
			return
		}
		s.outage.over()
		answer(w, log, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", newMetrics(db, s, m, g, log))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close") // or the server would wait for the body before it answers
		}
		mux.ServeHTTP(w, r)
	})
}

// forwarding are headers by which a proxy, trusted or not, says that it is one.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// forThisMachine keeps the metrics from others than callers on this machine, where they
// are served beside everything else. What comes through a proxy on this machine comes
// from elsewhere, whatever address the proxy names.
func (g *gateway) forThisMachine(health http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied := slices.ContainsFunc(forwarding, func(name string) bool { return r.Header.Values(name) != nil })
		if r.URL.Path == metricsPath && (proxied || !peer(r.RemoteAddr).IsLoopback()) {
			answer(w, g.log, http.StatusForbidden, "the metrics are for callers on this machine; serve --metrics-listen serves them elsewhere")
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
