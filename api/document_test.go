package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

func accountID(prefix string, n int) ledger.Account {
	return ledger.Account(fmt.Sprintf("%s%d", prefix, n))
}

// served is what is answered without a token and without books.
func served(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	handler := api.New(api.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Rate: 600})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if answer.Code != 200 {
		t.Fatalf("%s: %d", path, answer.Code)
	}
	return answer
}

func docs(t *testing.T) string {
	t.Helper()
	return served(t, "/v1/docs").Body.String()
}

// TestTheDocumentationIsWhole: every operation is on the page, its links lead
// somewhere, and it needs nothing from elsewhere.
func TestTheDocumentationIsWhole(t *testing.T) {
	answer := served(t, "/v1/docs")
	page := answer.Body.String()
	for _, r := range api.Routes() {
		if !strings.Contains(page, `<article id="op-`+r.Operation+`">`) ||
			!strings.Contains(page, "<code>"+r.Path+"</code>") {
			t.Errorf("%s %s is not on the page", r.Method, r.Path)
		}
	}
	for _, link := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		anchor, inside := strings.CutPrefix(link[1], "#")
		if inside && strings.Count(page, ` id="`+anchor+`"`) != 1 {
			t.Errorf("%s leads nowhere, or to several places", link[1])
		}
		if !inside && link[1] != "/v1/docs.css" && link[1] != "/v1/openapi.json" {
			t.Errorf("%s is elsewhere", link[1])
		}
	}
	for _, word := range []string{"<script", "style=", "ErrorModel", "ZgotmplZ", "<no value>", "%!"} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %s in it", word)
		}
	}
	if policy := answer.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy,
		"default-src 'none'; style-src 'self';") {
		t.Errorf("the policy is %q", policy)
	}
	if css := served(t, "/v1/docs.css"); strings.Contains(css.Body.String(), "url(") ||
		strings.Contains(css.Body.String(), "@import") ||
		!strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") {
		t.Error("the stylesheet fetches something, or is none")
	}
}

// described is what the document says; every answer in these tests is compared with it.
var described = sync.OnceValue(api.NewDescription)

// eachOperation is called in this order, and succeeds.
var eachOperation = []struct{ operation, who, path, body string }{
	{"open-account", "exchange", "/v1/accounts", openCarol},
	{"list-accounts", "auditor", "/v1/accounts", ""},
	{"get-account", "alice", "/v1/accounts/alice", ""},
	{"set-region", "exchange", "/v1/accounts/bob/region", `{"region":"FR"}`},
	{"set-owner", "operator", "/v1/accounts/bob/owner", `{"owner":"customer-7"}`},
	{"list-owners", "auditor", "/v1/owners?owner=customer-7", ""},
	{"add-label", "operator", "/v1/accounts/bob/labels/vip", ""},
	{"remove-label", "operator", "/v1/accounts/bob/labels/vip", ""},
	{"close-account", "exchange", "/v1/accounts/carol/close", ""},
	{"erase-account", "operator", "/v1/accounts/carol/erase", ""},
	{"freeze-account", "operator", "/v1/accounts/bob/freeze", `{"reason":"order 7","earning":true}`},
	{"unfreeze-account", "operator", "/v1/accounts/bob/unfreeze", `{"reason":"order lifted"}`},
	{"post-entry", "alice", "/v1/entries", entry("alice/1", "transfer", "alice bob BNB 1")},
	{"get-entry", "auditor", "/v1/entries/alice%2F1", ""},
	{"post-batch", "exchange", "/v1/batches",
		batch(false, entry("t-1", "transfer", "bob alice BNB 0.5"), entry("t-2", "transfer", "bob alice BNB 5"))},
	{"list-reconciliation", "auditor", "/v1/reconciliation", ""},
	{"resolve-reconciliation", "operator", "/v1/reconciliation/resolutions",
		`{"entry":"w-flagged","reason":"it was late"}`},
	{"post-adjustment", "operator", "/v1/adjustments",
		`{"id":"fix-1","moves":[{"from":"@custody","to":"bob","asset":"BNB","amount":"1"}],"reason":"it was missed"}`},
	{"post-adjustments", "operator", "/v1/adjustments/batches",
		`{"adjustments":[{"id":"fix-2","moves":[{"from":"@custody","to":"bob","asset":"BNB","amount":"1"}],"reason":"it was missed"}]}`},
	{"request-withdrawal", "alice", "/v1/accounts/alice/withdrawals", `{"id":"alice/w-1","asset":"BNB","amount":"1"}`},
	{"list-withdrawals", "alice", "/v1/accounts/alice/withdrawals", ""},
	{"add-withdrawal-address", "alice", "/v1/accounts/alice/withdrawal-addresses",
		`{"asset":"BNB","network":"BSC","address":"0x1","label":"mine"}`},
	{"list-daily-limits", "auditor", "/v1/accounts/alice/limits", ""},
	{"list-withdrawal-addresses", "auditor", "/v1/accounts/alice/withdrawal-addresses", ""},
	{"remove-withdrawal-address", "alice", "/v1/accounts/alice/withdrawal-addresses/old", ""},
	{"set-saved-only", "alice", "/v1/accounts/alice/withdrawal-addresses/saved-only", ""},
	{"list-pending-withdrawals", "exchange", "/v1/withdrawals", ""},
	{"list-tokens", "alice", "/v1/tokens", ""},
	{"add-token", "operator", "/v1/tokens",
		`{"asset":"DOT","scale":8,"maxSupply":"2100000000","offered":true,"apr":"0.01","minimum":"1","cap":"100"}`},
	{"get-limits", "auditor", "/v1/tokens/BNB/limits", ""},
	{"set-limits", "admin", "/v1/tokens/BNB/limits", `{"maxTotal":"0.00000001","maxChange":"0"}`},
	{"list-terms", "alice", "/v1/tokens/BNB/terms", ""},
	{"set-terms", "operator", "/v1/tokens/BNB/terms",
		`{"from":"2026-03-10","offered":true,"apr":"0.01","minimum":"1","cap":"100"}`},
	{"correct-terms", "operator", "/v1/tokens/BNB/corrections",
		`{"day":"2026-03-03","reason":"a digit too many","offered":true,"apr":"0.01","minimum":"1","cap":"100"}`},
	{"list-rates", "alice", "/v1/tokens/BNB/rates", ""},
	{"set-disclosure", "operator", "/v1/tokens/BNB/disclosure", `{"text":"BNB is staked with two validators."}`},
	{"get-disclosure", "alice", "/v1/tokens/BNB/disclosure", ""},
	{"preview-run", "auditor", "/v1/runs/preview", ""},
	{"run", "operator", "/v1/runs", ""}, // BNB then waits
	{"approve-day", "operator", "/v1/runs/approvals", `{"asset":"BNB","day":"2026-03-03"}`},
	{"run", "operator", "/v1/runs", ""},
	{"list-payouts", "exchange", "/v1/payouts", ""},
	{"list-open-payouts", "operator", "/v1/payouts/open", ""},
	{"acknowledge-payouts", "exchange", "/v1/payouts/acknowledgements",
		`{"acknowledgements":[{"payout":"reward/2026-03-03/BNB/alice","transaction":"tx-1"}]}`},
	{"list-webhooks", "auditor", "/v1/webhooks", ""},
	{"replay-webhook", "operator", "/v1/webhooks/shop/replays", `{"from":"payouts_1"}`},
	{"test-webhook", "admin", "/v1/webhooks/shop/tests", ""},
	{"list-webhook-messages", "exchange", "/v1/webhooks/shop/messages", ""},
	{"set-webhook-state", "operator", "/v1/webhooks/shop/state", `{"state":"disabled","reason":"the shop moves"}`},
	{"get-webhook", "auditor", "/v1/webhooks/shop", ""},
	{"compensate", "operator", "/v1/compensations",
		`{"account":"alice","day":"2026-03-03","asset":"BNB","amount":"0.001","name":"d-1","reason":"it came late"}`},
	{"get-run-status", "auditor", "/v1/runs/status", ""},
	{"list-run-days", "auditor", "/v1/runs/days", ""},
	{"list-documents", "alice", "/v1/documents", ""},
	{"get-document", "alice", "/v1/documents/risk-warning/1", ""},
	{"publish-document", "operator", "/v1/documents", `{"name":"risk-warning","text":"Take care."}`},
	{"accept-document", "alice", "/v1/accounts/alice/acceptances", `{"document":"risk-warning","version":2}`},
	{"list-acceptances", "alice", "/v1/accounts/alice/acceptances", ""},
	{"list-regions", "alice", "/v1/regions", ""},
	{"preview-delisting", "auditor", "/v1/tokens/BNB/delisting", ""},
	{"preview-region", "auditor", "/v1/regions/BR/preview?from=2026-03-31", ""},
	{"add-region", "operator", "/v1/regions/BR", ""},
	{"remove-region", "operator", "/v1/regions/BR", ""},
	{"get-activation", "alice", "/v1/accounts/alice/activation", ""},
	{"set-activation", "alice", "/v1/accounts/alice/activation", `{"on":false}`},
	{"enroll-batch", "exchange", "/v1/enrollments",
		`{"enrollments":[{"account":"bob","acceptedAt":"2026-03-04T00:06:00Z"}]}`},
	{"exclude", "operator", "/v1/accounts/alice/exclusions", `{"asset":"BNB","product":"Launchpool"}`},
	{"exclude-batch", "operator", "/v1/exclusions",
		`{"exclusions":[{"account":"alice","asset":"BNB","product":"Launchpool","end":true}]}`},
	{"list-account-exclusions", "alice", "/v1/accounts/alice/exclusions", ""},
	{"list-exclusions", "auditor", "/v1/exclusions", ""},
	{"list-switch-events", "alice", "/v1/accounts/alice/activation/events", ""},
	{"set-prices", "operator", "/v1/prices", `{"prices":[{"asset":"BNB","day":"2026-03-04","price":"600"}]}`},
	{"list-prices", "alice", "/v1/prices?asset=BNB", ""},
	{"set-currency-rates", "operator", "/v1/currency-rates", `{"rates":[{"currency":"EUR","day":"2026-03-04","rate":"0.9213"}]}`},
	{"list-currency-rates", "alice", "/v1/currency-rates?currency=EUR", ""},
	{"get-tax", "alice", "/v1/accounts/alice/tax/2026?currency=EUR", ""},
	{"export-tax", "operator", "/v1/exports/tax/2026", ""},
	{"list-proofs", "auditor", "/v1/proofs", ""},
	{"get-record", "auditor", "/v1/proofs/2026-03-02", ""},
	{"get-proof", "alice", "/v1/accounts/alice/proofs/2026-03-02/BNB", ""},
	{"list-balances", "auditor", "/v1/balances", ""},
	{"reconcile", "exchange", "/v1/reconciliations", `{"assets":["BNB"],"balances":[]}`},
	{"list-reconciliations", "auditor", "/v1/reconciliations", ""},
	{"get-reconciliation", "auditor", "/v1/reconciliations/1", ""},
	{"list-differences", "auditor", "/v1/reconciliations/1/differences", ""},
	{"resolve-break", "operator", "/v1/reconciliations/1/resolutions", `{"asset":"BNB","reason":"known"}`},
	{"list-rewards", "alice", "/v1/accounts/alice/rewards", ""},
	{"explain-reward", "alice", "/v1/accounts/alice/rewards/2026-03-03/BNB", ""},
	{"get-earnings", "alice", "/v1/accounts/alice/earnings", ""},
	{"get-today", "alice", "/v1/accounts/alice/today", ""},
	{"get-balances", "alice", "/v1/accounts/alice/balances", ""},
	{"get-account-journal", "alice", "/v1/accounts/alice/journal", ""},
	{"get-journal", "auditor", "/v1/journal", ""},
	{"get-funds", "auditor", "/v1/funds", ""},
	{"enter-income", "treasurer", "/v1/incomes",
		`{"reference":"e-1","asset":"BNB","chain":"bsc","source":"v-1","first":"2026-03-02","last":"2026-03-03","gross":"1.5","evidence":"0x1"}`},
	{"move-fees", "treasurer", "/v1/fees", `{"id":"f-1","asset":"BNB","amount":"1","direction":"in"}`},
	{"list-fees", "auditor", "/v1/fees", ""},
	{"list-incomes", "auditor", "/v1/incomes", ""},
	{"add-campaign", "treasurer", "/v1/campaigns",
		`{"id":"spring","title":"Hold BNB","asset":"SOL","pool":"10","first":"2026-03-05","last":"2026-03-09","tokens":[{"token":"BNB"}],"multipliers":[{"label":"vip","factor":"1.5"}],"members":3,"measure":"daily-minimum"}`},
	{"end-campaign", "treasurer", "/v1/campaigns/spring/end", `{"last":"2026-03-06"}`},
	{"list-proposals", "auditor", "/v1/proposals?state=all", ""},
	{"get-proposal", "auditor", "/v1/proposals/" + proposed("ADA"), ""},
	{"approve-proposal", "approver", "/v1/proposals/" + proposed("ADA") + "/approve",
		`{"effectDigest":"` + draftOf("ADA").EffectDigest() + `"}`},
	{"reject-proposal", "approver", "/v1/proposals/" + proposed("SOL") + "/reject", `{"reason":"not now"}`},
	{"list-campaigns", "alice", "/v1/campaigns", ""},
	{"get-campaign", "alice", "/v1/campaigns/spring", ""},
	{"list-campaign-days", "alice", "/v1/campaigns/spring/days", ""},
	{"fund", "treasurer", "/v1/funds", `{"id":"f-1","asset":"BNB","amount":"100","direction":"in"}`},
	{"list-log", "auditor", "/v1/log", ""},
	{"export-account-rewards", "alice", "/v1/accounts/alice/exports/rewards?format=jsonl", ""},
	{"export-statement", "alice", "/v1/accounts/alice/exports/statement", ""},
	{"export-rewards", "auditor", "/v1/exports/rewards", ""},
	{"export-journal", "auditor", "/v1/exports/journal?format=jsonl", ""},
	{"export-balances", "auditor", "/v1/exports/balances", ""},
}

// olga proposes limits in readyForEachOperation, and approves nothing.
var olga = access.Actor{Role: access.Operator, Credential: "operator olga", Person: "olga"}

// draftOf is what she proposes: an approver is shown this effect, and finds it.
func draftOf(asset string) control.Draft {
	d, err := control.NewDraft(control.SetLimit, staking.Limit{Asset: asset, MaxTotal: 1_00000000}, asset,
		"a day's total 1, its change 0%; 0: none; without it: a day's total 0, its change 0%; 0: none")
	if err != nil {
		panic(err)
	}
	return d
}

// proposed is the ID of that proposal.
func proposed(asset string) string { return control.NewID(draftOf(asset), olga, 0) }

// readyForEachOperation makes the town in which eachOperation succeeds.
func (w *town) readyForEachOperation() {
	w.t.Helper()
	w.earner("alice")
	w.holder("bob", "DE")
	w.deposit("d-1", "alice", "10", "BNB")
	w.post("treasurer", "/v1/funds", `{"id":"f-0","asset":"BNB","amount":"100","direction":"in"}`).is(200)
	for _, asset := range []string{"ADA", "SOL"} {
		_, err := w.db.As(olga).Propose(w.t.Context(), draftOf(asset), "")
		w.ok(err)
	}
	w.ok(w.db.SetPayouts(w.t.Context(), true))
	w.ok(w.db.SetComparisonLimit(w.t.Context(), store.ComparisonLimit{Amount: 0, Accounts: 0}))
	w.addWebhook(1)
	w.clock.Set(3, "00:05")
	w.post("exchange", "/v1/entries", entry("d-flagged", "deposit", "@custody bob SOL 1")).is(201)
	w.clock.Set(3, "00:06")
	w.post(w.authoritative(), "/v1/entries",
		entry("w-flagged", "withdrawal", "bob @custody SOL 1", `"at":"`+w.day(3)+`T00:01:00Z"`,
			`"authoritative":true`)).is(201)
	w.ok(w.db.CloseDays(w.t.Context(), w.first, w.clock.Now()))
	w.sign()
	scenario.SavedAddress(w.t, w.db, "alice", "old")
}

// TestEachOperationAnswersAsItIsDescribed calls each once, as it is meant.
func TestEachOperationAnswersAsItIsDescribed(t *testing.T) {
	inTowns(t, func(t *testing.T, w *town) {
		w.readyForEachOperation()
		called := map[string]bool{}
		methods := map[string]string{}
		for _, r := range api.Routes() {
			methods[r.Operation] = r.Method
		}
		for _, q := range eachOperation {
			called[q.operation] = true
			if r := w.call(q.who, methods[q.operation], q.path, q.body); r.status/100 != 2 {
				t.Errorf("%s: %d %s", q.operation, r.status, r.body)
			}
		}
		called["events"] = true // a stream has no end to wait for; it has tests of its own
		for operation := range methods {
			if !called[operation] {
				t.Errorf("%s is not called", operation)
			}
		}
	})
}

// TestTheDocumentIsOpenAPI of the version that it says, without what huma would add.
func TestTheDocumentIsOpenAPI(t *testing.T) {
	answer := served(t, "/v1/openapi.json")
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Tags       []struct{ Name, Description string }
		Paths      map[string]map[string]operation
		Components struct {
			Schemas         map[string]json.RawMessage
			Responses       map[string]response
			SecuritySchemes map[string]struct{ Type, Scheme string }
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || answer.Header().Get("Content-Type") != "application/json" ||
		doc.Components.SecuritySchemes["token"].Scheme != "bearer" {
		t.Errorf("it is OpenAPI %s: %v, %+v", doc.OpenAPI, answer.Header(), doc.Components.SecuritySchemes)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]*)"`).
		FindAllStringSubmatch(answer.Body.String(), -1) {
		if doc.Components.Schemas[ref[1]] == nil {
			t.Errorf("there is no schema %s", ref[1])
		}
	}
	if doc.Components.Schemas["ErrorModel"] != nil || strings.Contains(answer.Body.String(), "$schema") {
		t.Error("there is something of huma's own in it")
	}
	tagged := map[string]bool{}
	for _, tag := range doc.Tags {
		tagged[tag.Name] = tag.Description != ""
	}
	operations := 0
	for path, methods := range doc.Paths {
		for method, o := range methods {
			operations++
			o.check(t, strings.ToUpper(method)+" "+path, tagged, doc.Components.Responses)
		}
	}
	if operations != len(api.Routes()) {
		t.Errorf("it has %d operations; there are %d", operations, len(api.Routes()))
	}
}

// TestWithoutALimit the document says nothing of one, but for that of recipients.
func TestWithoutALimit(t *testing.T) {
	for rate, want := range map[int]bool{0: false, 600: true} {
		answer := httptest.NewRecorder()
		api.New(api.Options{Rate: rate}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/openapi.json", nil))
		for word, others := range map[string]int{`"RateLimit-Limit"`: 0, `"429":`: 1} {
			if got := strings.Count(answer.Body.String(), word) > others; got != want {
				t.Errorf("at %d requests a minute %s is in the document: %t", rate, word, got)
			}
		}
	}
}

// TestOnlyKeptAnswersAreReplayed: of the refusals of a POST, only 400 may be repeated
// under an Idempotency-Key, and so only there is the header that says it.
func TestOnlyKeptAnswersAreReplayed(t *testing.T) {
	var doc struct {
		Paths      map[string]map[string]operation
		Components struct{ Responses map[string]response }
	}
	if err := json.Unmarshal(served(t, "/v1/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	answers := 0
	for path, methods := range doc.Paths {
		for method, o := range methods {
			for status, r := range o.Responses {
				if r.Ref != "" {
					r = doc.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
				}
				want := method == "post" && status <= "400"
				if got := r.Headers["Idempotency-Replayed"] != nil; got != want {
					t.Errorf("%s %s: a repeated %s is described: %t", method, path, status, got)
				}
				answers++
			}
		}
	}
	if answers < 100 {
		t.Errorf("only %d answers are described", answers)
	}
}

// TestAnswersAreOpenAndBodiesClosed: an answer may have a field that is new, a body
// none that is unknown.
func TestAnswersAreOpenAndBodiesClosed(t *testing.T) {
	if both := described().BothWays(); both != nil {
		t.Errorf("%v are asked and answered, and so neither open nor closed; give what is asked a type of its own",
			both)
	}
	var doc any
	if err := json.Unmarshal(served(t, "/v1/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	root := doc.(map[string]any)
	for path, methods := range root["paths"].(map[string]any) {
		for method, o := range methods.(map[string]any) {
			line, o := method+" "+path, o.(map[string]any)
			for at, closed := range objects(root, o["requestBody"], "", nil) {
				if !closed {
					t.Errorf("%s: the body is open at %q", line, at)
				}
			}
			for at, closed := range objects(root, o["responses"], "", nil) {
				if closed {
					t.Errorf("%s: the answer is closed at %q", line, at)
				}
			}
		}
	}
}

// objects are the places of the objects' schemas in a node of the document, and
// whether each is closed.
func objects(root map[string]any, node any, at string, found map[string]bool) map[string]bool {
	if found == nil {
		found = map[string]bool{}
	}
	switch node := node.(type) {
	case map[string]any:
		if ref, is := node["$ref"].(string); is {
			target := any(root)
			for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
				target = target.(map[string]any)[name]
			}
			return objects(root, target, at, found)
		}
		if node["type"] == "object" {
			found[at] = node["additionalProperties"] == false
		}
		for name, inner := range node {
			objects(root, inner, at+"/"+name, found)
		}
	case []any:
		for _, inner := range node {
			objects(root, inner, at+"/-", found)
		}
	}
	return found
}

// operation is what the document says of one.
type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Security                          []map[string][]string
	Parameters                        []struct{ Name, In, Description string }
	RequestBody                       *struct{ Content map[string]any }
	Responses                         map[string]response
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Headers     map[string]any
	Content     map[string]any
}

func (o operation) check(t *testing.T, line string, tagged map[string]bool, shared map[string]response) {
	t.Helper()
	if o.OperationID == "" || o.Summary == "" || o.Description == "" || len(o.Tags) != 1 || !tagged[o.Tags[0]] ||
		len(o.Security) != 1 {
		t.Errorf("%s: its ID, summary, description, tag or security is missing", line)
	}
	for _, p := range o.Parameters {
		if p.Description == "" {
			t.Errorf("%s: nothing is said of %s", line, p.Name)
		}
	}
	if o.RequestBody != nil && o.RequestBody.Content["application/json"] == nil {
		t.Errorf("%s: its body is no JSON: %v", line, o.RequestBody.Content)
	}
	for _, status := range []string{"400", "401", "403", "429", "500", "503"} {
		r := o.Responses[status]
		if r.Ref != "" {
			r = shared[strings.TrimPrefix(r.Ref, "#/components/responses/")]
		}
		if r.Content["application/problem+json"] == nil || r.Description == "" || r.Headers["X-Request-Id"] == nil {
			t.Errorf("%s: %s is not described", line, status)
		}
	}
}
