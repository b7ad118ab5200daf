package web

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// contentPolicy allows what is our own and nothing else; nothing stands in the page itself.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect refuses forms that come from other sites, sets the headers that keep a
// browser from doing more than it should, and compresses all but streams, and files,
// which are compressed already.
func (s *server) protect(next http.Handler) http.Handler {
	sameOrigin, packed := http.NewCrossOriginProtection(), gzhttp.GzipHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("Cache-Control", "no-store")
		if err := sameOrigin.Check(r); err != nil {
			s.visit(w, r).refuse(http.StatusForbidden, "other-site")
			return
		}
		if r.URL.Path == LivePath || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		packed.ServeHTTP(w, r)
	})
}
