package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/api"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// logs says of each operation that changes the books what the log calls it. Whoever adds
// such an operation adds it here, and to eachOperation, a line each.
var logs = map[string]string{
	"open-account":           "account open",
	"set-region":             "account set-region",
	"set-owner":              "owner set",
	"add-label":              "label add",
	"remove-label":           "label remove",
	"close-account":          "account close",
	"post-entry":             "post",
	"post-batch":             "post",
	"post-adjustment":        "adjust",
	"post-adjustments":       "adjust",
	"compensate":             "compensate",
	"acknowledge-payouts":    "payouts answer",
	"replay-webhook":         "webhook replay",
	"test-webhook":           "webhook test",
	"set-webhook-state":      "webhook disable",
	"resolve-reconciliation": "reconciliation resolve",
	"reconcile":              "reconcile",
	"resolve-break":          "reconcile resolve",
	"erase-account":          "account erase",
	"freeze-account":         "account freeze",
	"unfreeze-account":       "account unfreeze",
	"enroll-batch":           "enroll",
	"exclude":                "exclude add",
	"exclude-batch":          "exclude end",
	"request-withdrawal":     "withdrawal request",

	"add-withdrawal-address":    "withdrawal-address add",
	"remove-withdrawal-address": "withdrawal-address remove",
	"set-saved-only":            "withdrawal-address saved-only",

	"add-token":          "asset add",
	"set-limits":         "limit set",
	"set-terms":          "terms set",
	"correct-terms":      "terms correct",
	"approve-day":        "settle approve",
	"run":                "day close",
	"publish-document":   "document publish",
	"accept-document":    "accept",
	"add-region":         "region add",
	"remove-region":      "region remove",
	"set-activation":     "leave",
	"set-prices":         "price set",
	"set-currency-rates": "currency set",
	"set-disclosure":     "disclosure set",
	"fund":               "fund",
	"enter-income":       "income",
	"move-fees":          "fees return",
	"add-campaign":       "campaign add",
	"end-campaign":       "campaign end",
	"approve-proposal":   "proposal approve",
	"reject-proposal":    "proposal reject",
}

// TestEachChangeIsLogged: every operation that is no GET leaves the line of the log that
// is expected of it, by the token that called it, with the ID of the request.
func TestEachChangeIsLogged(t *testing.T) {
	methods := map[string]string{}
	for _, r := range api.Routes() {
		methods[r.Operation] = r.Method
		if r.Method != http.MethodGet && logs[r.Operation] == "" {
			t.Errorf("%s changes something: what does the log call it?", r.Operation)
		}
		if _, known := control.RuleOf(control.Operation(logs[r.Operation])); !known && r.Method != http.MethodGet {
			t.Errorf("%s is %q in the log: say in the package control who may do it, and what needs approval", r.Operation,
				logs[r.Operation])
		}
	}
	for operation := range logs {
		if methods[operation] == "" || methods[operation] == http.MethodGet {
			t.Errorf("%s changes nothing, or is no operation", operation)
		}
	}
	inTowns(t, func(t *testing.T, w *town) {
		w.readyForEachOperation()
		for _, q := range eachOperation {
			if methods[q.operation] == http.MethodGet {
				continue
			}
			if r := w.call(q.who, methods[q.operation], q.path, q.body, "X-Request-Id",
				q.operation); r.status/100 != 2 {
				t.Errorf("%s: %d %s", q.operation, r.status, r.body)
			}
			id, _ := access.TokenID(w.tokens[q.who])
			lines, err := reports.New(w.db.Reader()).Log(t.Context(), time.Time{}, 10_000)
			w.ok(err)
			if !slices.ContainsFunc(lines, func(l store.LogLine) bool {
				role := map[string]access.Role{"alice": access.Holder}[q.who]
				if role == "" {
					role = access.Role(q.who)
				}
				return l.Action == logs[q.operation] &&
					l.Actor == access.Actor{Role: role, Credential: "token " + id, Request: q.operation}
			}) {
				t.Errorf("%s by %s has left no line %q: %v",
					q.operation, q.who, logs[q.operation], lines[max(0, len(lines)-3):])
			}
		}
	})
}

// TestAnEntryHasItsActor: who posted it is read with the entry, and in a batch as well.
func TestAnEntryHasItsActor(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		w.call("exchange", http.MethodPost, "/v1/batches",
			batch(true, entry("t-1", "transfer", "alice bob BNB 0.5"), entry("t-2", "transfer", "alice bob BNB 0.5")),
			"X-Request-Id", "r-77").is(200)
		id, _ := access.TokenID(w.tokens["exchange"])
		for _, entry := range []string{"t-1", "t-2"} {
			w.get("auditor", "/v1/entries/"+entry).is(200).says("actor", "token "+id, "role", "exchange",
				"request", "r-77")
		}
	})
}

// TestSupportIsLogged: support reads one holder at a time, and each read leaves who looked at whom; lists of all
// holders and an account that does not exist leave nothing but a refusal.
func TestSupportIsLogged(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		read := func() (lines []store.LogLine) {
			all, err := reports.New(w.db.Reader()).Log(t.Context(), time.Time{}, 10_000)
			w.ok(err)
			return slices.DeleteFunc(all, func(l store.LogLine) bool { return l.Action != string(control.ReadAccount) })
		}
		w.call("support", http.MethodGet, "/v1/accounts/alice/balances", "", "X-Request-Id", "r-1").is(200)
		w.get("support", "/v1/accounts").refused(403, "forbidden", "")
		w.get("support", "/v1/journal").refused(403, "forbidden", "")
		w.get("support", "/v1/accounts/nobody/balances").refused(404, "not-found", "")
		w.get("support", "/v1/tokens").is(200)
		w.get("auditor", "/v1/accounts/alice/balances").is(200)
		id, _ := access.TokenID(w.tokens["support"])
		lines := read()
		if len(lines) != 1 || lines[0].Subject != "alice" || lines[0].Detail != "/v1/accounts/{account}/balances" ||
			lines[0].Actor != (access.Actor{Role: access.Support, Credential: "token " + id, Request: "r-1"}) {
			t.Errorf("the log has %+v", lines)
		}
	})
}
