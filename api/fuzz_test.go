package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
)

// FuzzBodies: whatever stands in a body, the answer is one that is described, and
// nothing fails here.
func FuzzBodies(f *testing.F) {
	routes := slices.DeleteFunc(api.Routes(),
		func(r api.Route) bool { return r.Method == http.MethodGet || r.Method == http.MethodDelete })
	w := newTown(f, "sqlite")
	w.holder("alice", "DE")
	w.deposit("d-1", "alice", "1000000", "BNB")
	for _, body := range []string{
		openCarol, entry("x", "transfer", "alice bob BNB 1"),
		entry("alice/1", "withdrawal-request", "alice alice/held BNB 1", `"at":"2026-03-02T12:00:00Z"`),
		batch(true, entry("x", "deposit", "@custody alice BNB 1")),
		batch(false, entry("y", "trade", "alice @desk BNB 1,@desk alice SOL 1")),
		`{"id":"w-1","asset":"BNB","amount":"1","address":"é"}`,
		`{"on":true,"client":{"platform":"ios","version":"3.1.0"}}`,
		`{"prices":[{"asset":"BNB","day":"2026-03-02","price":"1"}]}`,
		`{"asset":"BNB","day":"2026-03-02"}`, `{"id":"f","asset":"BNB","amount":"1","direction":"in"}`,
		`{"document":"risk-warning","version":1}`,
		`{"from":"2026-03-10","offered":true,"apr":"0.01","minimum":"1","cap":"100"}`, `{"region":"DE"}`,
		`{"name":"risk-warning","text":"x"}`,
		"", "null", "[]", "{}", `{"id":1e999}`, "\xff", `{"id":"\ud800"}`, strings.Repeat("[", 10000),
	} {
		for i := range routes {
			f.Add(uint8(i), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		w := &town{t: t, db: w.db, server: w.server, tokens: w.tokens}
		route := routes[int(n)%len(routes)]
		for _, role := range route.Roles {
			who := string(role)
			if role == access.Holder {
				who = own
			}
			r := w.call(who, route.Method, pathOf(route, own), string(body))
			if r.status >= 500 || r.status == 401 || r.status == 405 {
				t.Errorf("%s: %d %s", r.what, r.status, r.body)
			}
		}
	})
}
