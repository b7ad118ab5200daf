package cli

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"softstake/store"
)

// readyWait is how long the books may take to answer before they count as not reached.
const readyWait = 5 * time.Second

// healthPaths are where health and metrics are served.
var healthPaths = []string{"/healthz", "/readyz", "/metrics"}

// newHealth serves health and metrics.
func newHealth(db *store.DB, s *scheduler, m *meters, g *gateway, log *slog.Logger) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, log, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWait)
		defer cancel()
		if _, err := db.FirstOpen(ctx); err != nil {
			answer(w, log, http.StatusServiceUnavailable, "the books cannot be reached: "+plain(err))
			return
		}
		answer(w, log, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", newMetrics(db, s, m, g, log))
	return mux
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
