package cli

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// undotted answers a path of the APIs that has a part "." or ".." as one that there is
// not. The mux would redirect it to the path that is left without them, and so lead a
// client that asks for /v1/accounts/../withdrawals to everybody's withdrawals.
func undotted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.EscapedPath(), "/")
		api := len(parts) > 1 && slices.Contains([]string{"api", "sapi", "v1"}, parts[1])
		if api && (slices.Contains(parts, ".") || slices.Contains(parts, "..")) {
			elsewhere := *r
			elsewhere.URL = &url.URL{Path: "/" + parts[1] + "/"}
			r = &elsewhere
		}
		next.ServeHTTP(w, r)
	})
}
