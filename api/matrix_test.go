package api_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
)

// matrix says of every route who may call it: Exchange, Operator, Auditor, Holder; an approver reads what an auditor
// reads, and changes what has a P.
// It is written by hand, and not made of the table that it is compared with.
var matrix = map[string]string{
	"POST /v1/accounts":                                "E",
	"GET /v1/accounts":                                 "EOA",
	"GET /v1/accounts/{account}":                       "EOAH",
	"PUT /v1/accounts/{account}/region":                "EO",
	"PUT /v1/accounts/{account}/owner":                 "O",
	"GET /v1/owners":                                   "EOA",
	"PUT /v1/accounts/{account}/labels/{label}":        "O",
	"DELETE /v1/accounts/{account}/labels/{label}":     "O",
	"POST /v1/accounts/{account}/close":                "E",
	"POST /v1/accounts/{account}/freeze":               "O",
	"POST /v1/accounts/{account}/unfreeze":             "O",
	"POST /v1/adjustments/batches":                     "O",
	"POST /v1/compensations":                           "O",
	"GET /v1/reconciliation":                           "EOA",
	"POST /v1/reconciliation/resolutions":              "O",
	"POST /v1/entries":                                 "EH",
	"GET /v1/entries/{entry}":                          "EOA",
	"POST /v1/batches":                                 "E",
	"POST /v1/adjustments":                             "O",
	"POST /v1/enrollments":                             "E",
	"GET /v1/accounts/{account}/exclusions":            "EOAH",
	"POST /v1/accounts/{account}/exclusions":           "O",
	"GET /v1/exclusions":                               "EOA",
	"POST /v1/exclusions":                              "O",
	"POST /v1/accounts/{account}/withdrawals":          "EH",
	"GET /v1/accounts/{account}/withdrawals":           "EOAH",
	"GET /v1/withdrawals":                              "EOA",
	"GET /v1/accounts/{account}/balances":              "EOAH",
	"GET /v1/accounts/{account}/journal":               "EOAH",
	"GET /v1/journal":                                  "EOA",
	"GET /v1/tokens":                                   "EOAH",
	"POST /v1/tokens":                                  "O",
	"GET /v1/tokens/{asset}/limits":                    "OA",
	"PUT /v1/tokens/{asset}/limits":                    "O",
	"GET /v1/tokens/{asset}/terms":                     "EOAH",
	"GET /v1/tokens/{asset}/delisting":                 "OA",
	"POST /v1/tokens/{asset}/terms":                    "O",
	"POST /v1/tokens/{asset}/corrections":              "O",
	"GET /v1/tokens/{asset}/rates":                     "EOAH",
	"GET /v1/tokens/{asset}/disclosure":                "EOAH",
	"PUT /v1/tokens/{asset}/disclosure":                "O",
	"GET /v1/documents":                                "EOAH",
	"GET /v1/documents/{name}/{version}":               "EOAH",
	"POST /v1/documents":                               "O",
	"GET /v1/accounts/{account}/acceptances":           "EOAH",
	"POST /v1/accounts/{account}/acceptances":          "EH",
	"GET /v1/regions":                                  "EOAH",
	"GET /v1/regions/{code}/preview":                   "OA",
	"PUT /v1/regions/{code}":                           "O",
	"DELETE /v1/regions/{code}":                        "O",
	"GET /v1/accounts/{account}/activation":            "EOAH",
	"PUT /v1/accounts/{account}/activation":            "EH",
	"GET /v1/accounts/{account}/activation/events":     "EOAH",
	"GET /v1/accounts/{account}/rewards":               "EOAH",
	"GET /v1/accounts/{account}/rewards/{day}/{asset}": "EOAH",
	"GET /v1/accounts/{account}/earnings":              "EOAH",
	"GET /v1/accounts/{account}/today":                 "EOAH",
	"GET /v1/runs/status":                              "OA",
	"GET /v1/runs/preview":                             "OA",
	"GET /v1/runs/days":                                "OA",
	"POST /v1/runs":                                    "O",
	"POST /v1/runs/approvals":                          "O",
	"GET /v1/funds":                                    "OA",
	"POST /v1/funds":                                   "O",
	"GET /v1/incomes":                                  "OA",
	"POST /v1/incomes":                                 "O",
	"GET /v1/fees":                                     "OA",
	"POST /v1/fees":                                    "O",
	"GET /v1/campaigns":                                "EOAH",
	"GET /v1/campaigns/{campaign}":                     "EOAH",
	"GET /v1/campaigns/{campaign}/days":                "EOAH",
	"POST /v1/campaigns":                               "O",
	"POST /v1/campaigns/{campaign}/end":                "O",
	"GET /v1/prices":                                   "EOAH",
	"PUT /v1/prices":                                   "O",
	"GET /v1/currency-rates":                           "EOAH",
	"PUT /v1/currency-rates":                           "O",
	"GET /v1/accounts/{account}/tax/{year}":            "EOAH",
	"GET /v1/accounts/{account}/proofs/{day}/{asset}":  "EOAH",
	"GET /v1/exports/tax/{year}":                       "EOA",
	"GET /v1/log":                                      "OA",
	"GET /v1/accounts/{account}/exports/rewards":       "EOAH",
	"GET /v1/accounts/{account}/exports/statement":     "EOAH",
	"GET /v1/exports/rewards":                          "EOA",
	"GET /v1/exports/journal":                          "EOA",
	"GET /v1/exports/balances":                         "EOA",
	"GET /v1/events":                                   "EOAH",
	"GET /v1/proposals":                                "EOA",
	"GET /v1/proposals/{proposal}":                     "EOA",
	"POST /v1/proposals/{proposal}/approve":            "P",
	"POST /v1/proposals/{proposal}/reject":             "P",
}

// open are the paths that need no token.
var open = []string{"/v1/openapi.json", "/v1/docs", "/v1/docs.css"}

// holders are accounts by the word that stands for them in a path.
const (
	own     = "alice"
	another = "bob"
	nobody  = "nobody"
)

// pathOf is a route's path, about an account.
func pathOf(route api.Route, account string) string {
	return strings.NewReplacer("{account}", account, "{asset}", "BNB", "{name}", "risk-warning", "{version}", "1",
		"{code}", "US", "{day}", "2026-03-02", "{year}", "2026", "{entry}", "d-1", "{proposal}", "000000000000",
		"{label}", "vip").Replace(route.Path)
}

// status is what a request is answered with; its answer is not read to its end, which a stream has not.
func (w *town) status(who, method, path string) (status int, kind string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, w.server.URL+path, nil)
	w.ok(err)
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+w.tokens[who])
	}
	answer, err := w.server.Client().Do(r)
	w.ok(err)
	if answer.Header.Get("Content-Type") == "application/problem+json" {
		var text [4096]byte
		n, _ := answer.Body.Read(text[:])
		_, kind, _ = strings.Cut(string(text[:n]), "#")
		kind, _, _ = strings.Cut(kind, `"`)
	}
	cancel()
	w.ok(answer.Body.Close())
	return answer.StatusCode, kind
}

// TestEveryRouteAndEveryRole walks the table of routes: who is not listed is
// refused, and who is listed is not; a holder finds its own account and no other's.
func TestEveryRouteAndEveryRole(t *testing.T) {
	routes := api.Routes()
	for _, route := range routes {
		if _, known := matrix[route.Method+" "+route.Path]; !known {
			t.Errorf("%s %s is not in the matrix: say who may call it", route.Method, route.Path)
		}
	}
	if len(matrix) != len(routes) {
		t.Errorf("the matrix has %d routes, and the table %d", len(matrix), len(routes))
	}
	inTowns(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		w.holder(another, "DE")
		for _, route := range routes {
			line := route.Method + " " + route.Path
			letters := matrix[line]
			if status, kind := w.status("", route.Method, pathOf(route, own)); status != 401 || kind != "unauthorized" {
				t.Errorf("%s without a token: %d %s", line, status, kind)
			}
			for _, role := range access.Roles {
				who, letter := string(role), strings.ToUpper(string(role[:1]))
				if role == access.Approver && route.Method != http.MethodGet {
					letter = "P"
				}
				may := strings.Contains(letters, letter)
				if role == access.Holder {
					who = own
				}
				status, kind := w.status(who, route.Method, pathOf(route, own))
				if refused := status == 403 && kind == "forbidden"; refused == may || status == 401 || status == 405 ||
					status >= 500 {
					t.Errorf("%s by %s: %d %s", line, role, status, kind)
				}
			}
			if !strings.Contains(route.Path, "{account}") || !strings.Contains(letters, "H") {
				continue
			}
			for _, account := range []string{another, nobody, "alice%2Fheld", "Alice", "@custody"} {
				if status, kind := w.status(own, route.Method, pathOf(route, account)); status != 404 ||
					kind != "not-found" {
					t.Errorf("%s by another holder than %s: %d %s", line, account, status, kind)
				}
			}
		}
		for _, path := range open {
			if status, _ := w.status("", http.MethodGet, path); status != 200 {
				t.Errorf("%s: %d", path, status)
			}
		}
	})
}

// TestAnotherHoldersIsAsNobodys: the answer about another's account is that about none.
func TestAnotherHoldersIsAsNobodys(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		w.holder(another, "DE")
		for _, route := range api.Routes() {
			if !strings.Contains(route.Path, "{account}") || !slices.Contains(route.Roles, access.Holder) {
				continue
			}
			theirs := w.call(own, route.Method, pathOf(route, another), "")
			none := w.call(own, route.Method, pathOf(route, nobody), "")
			if got := strings.ReplaceAll(theirs.body, another, nobody); got != none.body ||
				theirs.status != none.status {
				t.Errorf("%s %s: another's is %d %s, nobody's %d %s",
					route.Method, route.Path, theirs.status, theirs.body, none.status, none.body)
			}
		}
	})
}

func TestTokens(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		good := w.tokens["auditor"]
		last := good[len(good)-1:]
		other := map[bool]string{true: "b", false: "a"}[last == "a"]
		for what, header := range map[string]string{
			"none":              "",
			"another scheme":    "Basic " + good,
			"no token":          "Bearer ",
			"two spaces":        "Bearer  " + good,
			"half":              "Bearer " + good[:30],
			"another's secret":  "Bearer " + good[:len("sst_")+12] + w.tokens["operator"][len("sst_")+12:],
			"one letter":        "Bearer " + good[:len(good)-1] + other,
			"an unknown ID":     "Bearer sst_AAAAAAAAAAAA" + good[len("sst_")+12:],
			"something behind":  "Bearer " + good + "x",
			"something shorter": "Bearer sst_",
		} {
			r := w.call("nobody", http.MethodGet, "/v1/accounts", "", "Authorization", header)
			r.refused(401, "unauthorized", "")
			if r.header.Get("WWW-Authenticate") != `Bearer realm="softstake"` {
				t.Errorf("%s: it is not said how to authenticate: %v", what, r.header)
			}
		}
		w.call("auditor", http.MethodGet, "/v1/accounts", "", "Authorization", "bearer "+good).is(200)
		id, _ := access.TokenID(good)
		w.ok(w.db.People().RevokeToken(t.Context(), id))
		w.get("auditor", "/v1/accounts").refused(401, "unauthorized", "")
	})
}

func TestTokensExpire(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		token, text, err := access.NewToken(zeros{})
		w.ok(err)
		token.Role, token.Expires = access.Auditor, w.clock.Now().Add(timeOfAnHour)
		w.ok(w.db.People().AddToken(t.Context(), token))
		w.tokens["guest"] = text
		w.get("guest", "/v1/accounts").is(200)
		w.clock.Set(1, "13:00")
		w.get("guest", "/v1/accounts").refused(401, "unauthorized", "")
	})
}
