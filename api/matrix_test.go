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

// matrix says of every route who may call it, by letters: of a back end deposits, trades, withdrawals and enrollment,
// where all of them may E; Viewer, Support, Operator, aPprover, treasUrer, Auditor, adMin and Holder; "all" is all.
// It is written by hand, and not made of the tables that it is compared with.
var matrix = map[string]string{
	"POST /v1/accounts":                             "de",
	"GET /v1/accounts":                              "EOPA",
	"GET /v1/accounts/{account}":                    "ESOPAH",
	"PUT /v1/accounts/{account}/region":             "eO",
	"PUT /v1/accounts/{account}/owner":              "O",
	"GET /v1/owners":                                "EOPA",
	"PUT /v1/accounts/{account}/labels/{label}":     "O",
	"DELETE /v1/accounts/{account}/labels/{label}":  "O",
	"POST /v1/accounts/{account}/close":             "e",
	"POST /v1/accounts/{account}/erase":             "O",
	"POST /v1/accounts/{account}/freeze":            "O",
	"POST /v1/accounts/{account}/unfreeze":          "O",
	"POST /v1/adjustments/batches":                  "O",
	"POST /v1/compensations":                        "O",
	"GET /v1/reconciliation":                        "EOPA",
	"POST /v1/reconciliation/resolutions":           "O",
	"GET /v1/reconciliations":                       "EOPA",
	"POST /v1/reconciliations":                      "d",
	"GET /v1/reconciliations/{number}":              "EOPA",
	"GET /v1/reconciliations/{number}/differences":  "EOPA",
	"POST /v1/reconciliations/{number}/resolutions": "O",
	"GET /v1/balances":                              "EOPA",
	"POST /v1/entries":                              "dtwH",
	"GET /v1/entries/{entry}":                       "EOPA",
	"POST /v1/batches":                              "dtw",
	"POST /v1/adjustments":                          "O",
	"POST /v1/enrollments":                          "e",
	"GET /v1/accounts/{account}/exclusions":         "ESOPAH",
	"POST /v1/accounts/{account}/exclusions":        "O",
	"GET /v1/exclusions":                            "EOPA",
	"POST /v1/exclusions":                           "O",
	"POST /v1/accounts/{account}/withdrawals":       "wH",
	"GET /v1/accounts/{account}/withdrawals":        "ESOPAH",
	"GET /v1/withdrawals":                           "EOPA",

	"GET /v1/accounts/{account}/withdrawal-addresses":            "ESOPAH",
	"POST /v1/accounts/{account}/withdrawal-addresses":           "H",
	"DELETE /v1/accounts/{account}/withdrawal-addresses/{id}":    "OH",
	"PUT /v1/accounts/{account}/withdrawal-addresses/saved-only": "OH",

	"GET /v1/accounts/{account}/limits":                "ESOPAH",
	"GET /v1/accounts/{account}/balances":              "ESOPAH",
	"GET /v1/accounts/{account}/journal":               "ESOPAH",
	"GET /v1/journal":                                  "EOPA",
	"GET /v1/tokens":                                   "all",
	"POST /v1/tokens":                                  "O",
	"GET /v1/tokens/{asset}/limits":                    "VOPUAM",
	"PUT /v1/tokens/{asset}/limits":                    "M",
	"GET /v1/tokens/{asset}/terms":                     "all",
	"GET /v1/tokens/{asset}/delisting":                 "VOPUAM",
	"POST /v1/tokens/{asset}/terms":                    "O",
	"POST /v1/tokens/{asset}/corrections":              "O",
	"GET /v1/tokens/{asset}/rates":                     "all",
	"GET /v1/tokens/{asset}/disclosure":                "all",
	"PUT /v1/tokens/{asset}/disclosure":                "O",
	"GET /v1/documents":                                "all",
	"GET /v1/documents/{name}/{version}":               "all",
	"POST /v1/documents":                               "O",
	"GET /v1/accounts/{account}/acceptances":           "ESOPAH",
	"POST /v1/accounts/{account}/acceptances":          "eH",
	"GET /v1/regions":                                  "all",
	"GET /v1/regions/{code}/preview":                   "VOPUAM",
	"PUT /v1/regions/{code}":                           "OM",
	"DELETE /v1/regions/{code}":                        "OM",
	"GET /v1/accounts/{account}/activation":            "ESOPAH",
	"PUT /v1/accounts/{account}/activation":            "eH",
	"GET /v1/accounts/{account}/activation/events":     "ESOPAH",
	"GET /v1/accounts/{account}/rewards":               "ESOPAH",
	"GET /v1/accounts/{account}/rewards/{day}/{asset}": "ESOPAH",
	"GET /v1/accounts/{account}/earnings":              "ESOPAH",
	"GET /v1/accounts/{account}/today":                 "ESOPAH",
	"GET /v1/runs/status":                              "VOPUAM",
	"GET /v1/runs/preview":                             "VOPUAM",
	"GET /v1/runs/days":                                "VOPUAM",
	"POST /v1/runs":                                    "O",
	"POST /v1/runs/approvals":                          "O",
	"GET /v1/funds":                                    "VOPUAM",
	"POST /v1/funds":                                   "U",
	"GET /v1/payouts":                                  "EOPA",
	"GET /v1/payouts/open":                             "EOPA",
	"POST /v1/payouts/acknowledgements":                "dO",
	"GET /v1/webhooks":                                 "EOPAM",
	"GET /v1/webhooks/{name}":                          "EOPAM",
	"GET /v1/webhooks/{name}/messages":                 "EOPAM",
	"POST /v1/webhooks/{name}/replays":                 "OM",
	"POST /v1/webhooks/{name}/tests":                   "OM",
	"PUT /v1/webhooks/{name}/state":                    "OM",
	"GET /v1/incomes":                                  "VOPUAM",
	"POST /v1/incomes":                                 "U",
	"GET /v1/fees":                                     "VOPUAM",
	"POST /v1/fees":                                    "U",
	"GET /v1/campaigns":                                "all",
	"GET /v1/campaigns/{campaign}":                     "all",
	"GET /v1/campaigns/{campaign}/days":                "all",
	"POST /v1/campaigns":                               "U",
	"POST /v1/campaigns/{campaign}/end":                "OU",
	"GET /v1/prices":                                   "all",
	"PUT /v1/prices":                                   "O",
	"GET /v1/currency-rates":                           "all",
	"PUT /v1/currency-rates":                           "O",
	"GET /v1/accounts/{account}/tax/{year}":            "ESOPAH",
	"GET /v1/accounts/{account}/proofs/{day}/{asset}":  "ESOPAH",
	"GET /v1/proofs":                                   "all",
	"GET /v1/proofs/{day}":                             "all",
	"GET /v1/exports/tax/{year}":                       "EOPA",
	"GET /v1/log":                                      "OPAM",
	"GET /v1/accounts/{account}/exports/rewards":       "ESOPAH",
	"GET /v1/accounts/{account}/exports/statement":     "ESOPAH",
	"GET /v1/exports/rewards":                          "EOPA",
	"GET /v1/exports/journal":                          "EOPA",
	"GET /v1/exports/balances":                         "EOPA",
	"GET /v1/events":                                   "EOPAH",
	"GET /v1/proposals":                                "EVOPUAM",
	"GET /v1/proposals/{proposal}":                     "EVOPUAM",
	"POST /v1/proposals/{proposal}/approve":            "P",
	"POST /v1/proposals/{proposal}/reject":             "P",
}

// lettersOf are those who call, with the letters that stand for them.
var lettersOf = map[string]string{"deposits": "d", "trades": "t", "withdrawals": "w", "enrollment": "e", "viewer": "V",
	"support": "S", "operator": "O", "approver": "P", "treasurer": "U", "auditor": "A", "admin": "M", own: "H"}

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
	if strings.HasSuffix(route.Path, "/erase") {
		account = nobody // the holder's token would end with the person
	}
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
		for part := range strings.SplitSeq(access.AllParts.String(), ",") {
			w.token(access.Role(part), "")
		}
		for _, route := range routes {
			line := route.Method + " " + route.Path
			letters := matrix[line]
			if status, kind := w.status("", route.Method, pathOf(route, own)); status != 401 || kind != "unauthorized" {
				t.Errorf("%s without a token: %d %s", line, status, kind)
			}
			for who, letter := range lettersOf {
				may := letters == "all" || strings.Contains(letters, letter)
				if strings.Contains("dtwe", letter) {
					may = may || strings.Contains(letters, "E")
				}
				status, kind := w.status(who, route.Method, pathOf(route, own))
				if refused := status == 403 && kind == "forbidden"; refused == may || status == 401 || status == 405 ||
					status >= 500 {
					t.Errorf("%s by %s: %d %s", line, who, status, kind)
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
