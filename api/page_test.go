package api_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
)

// FuzzCursor: whatever a cursor says, it is one of the list or it is refused.
func FuzzCursor(f *testing.F) {
	for _, place := range []string{
		"", "2026-03-02\nBNB", "2026-03-02\n1", "9999-12-31", "1772452800000\nrefused: region", "1772452800000\n3",
		"-9223372036854775808\n-1", "1772452800000\nd-1\n0\n1", "5\n1772452800000\nd-1\n-1\n0", "\n", "\x00\n\xff",
		"a\nb\nc",
	} {
		f.Add(place, true)
		f.Add(place, false)
	}
	w := newTown(f, "sqlite")
	earning(w)
	f.Fuzz(func(t *testing.T, place string, encode bool) {
		w := &town{t: t, db: w.db, server: w.server, tokens: w.tokens}
		if encode {
			place = base64.RawURLEncoding.EncodeToString([]byte(place))
		}
		for _, path := range []string{
			"/v1/tokens/BNB/terms?", "/v1/accounts/alice/rewards?", "/v1/accounts/alice/activation/events?",
			"/v1/runs/days?", "/v1/prices?asset=BNB&", "/v1/log?", "/v1/accounts?", "/v1/accounts/alice/journal?",
			"/v1/journal?", "/v1/withdrawals?", "/v1/accounts/alice/withdrawals?",
		} {
			r := w.get("operator", path+"cursor="+url.QueryEscape(place))
			if r.status != http.StatusOK && r.status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", r.what, r.status, r.body)
			}
		}
	})
}
