package cli

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/softstake/softstake/binance"
)

// rejectDotSegments treats an API path with a segment "." or ".." as an unmatched path.
// The mux would redirect it to the cleaned path: a client that asks for
// /v1/accounts/../withdrawals would get all withdrawals.
func rejectDotSegments(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Decoded, as the mux matches it: /%761 is /v1.
		first, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
		api := binance.Serves(r.URL.Path) || first == "v1"
		parts := strings.Split(r.URL.EscapedPath(), "/") // the mux cleans the escaped path
		if api && (slices.Contains(parts, ".") || slices.Contains(parts, "..")) {
			elsewhere := *r
			elsewhere.URL = &url.URL{Path: "/" + first + "/"}
			r = &elsewhere
		}
		next.ServeHTTP(w, r)
	})
}
