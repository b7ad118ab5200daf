package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestReconciliations: a back end posts what its ledger says, is answered what differs, and a person resolves it.
func TestReconciliations(t *testing.T) {
	inTowns(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.holder("bob", "DE")
		w.deposit("d-1", "alice", "10", "BNB")
		w.deposit("d-2", "bob", "3", "SOL")
		w.ok(w.db.SetComparisonLimit(t.Context(), store.ComparisonLimit{Amount: 0, Accounts: store.AnyDifference}))
		same := `{"account":"alice","asset":"BNB","amount":"10"},{"account":"bob","asset":"SOL","amount":"3"}`
		w.post("exchange", "/v1/reconciliations", `{"balances":[`+same+`]}`).is(400).says("field", "day")
		w.clock.Set(3, "00:10")
		w.post("operator", "/v1/runs", "").is(200)
		w.post("exchange", "/v1/reconciliations", `{"position":"88","balances":[`+same+`]}`).is(200).says(
			"number", "1", "day", w.day(2), "theirPosition", "88", "differing", "0", "source", "request")
		w.post("exchange", "/v1/reconciliations", `{"day":"`+w.day(1)+`","assets":["SOL"],"balances":[
			{"account":"bob","asset":"SOL","amount":"2.5"},{"account":"carol","asset":"SOL","amount":"1"},
			{"account":"alice","asset":"BNB","amount":"10"}],"payouts":[]}`).is(200).says("number", "2", "ignored", "1",
			"differing", "2", "tokens.0.off", "1.5", "tokens.0.stops", "true", "tokens.1.kind", "payout")
		for body, field := range map[string]string{
			`{"balances":[` + same + `],"day":"2026-13-01"}`:                             "day",
			`{"balances":[` + same + `],"day":"` + w.day(3) + `"}`:                       "day",
			`{"balances":[` + same + `,{"account":"bob","asset":"SOL","amount":"x"}]}`:   "balances[2].balance",
			`{"balances":[],"payouts":[{"account":"@desk","asset":"SOL","amount":"1"}]}`: "payouts[0].account",
			`{"balances":[` + same + `,{"account":"bob","asset":"SOL","amount":"3"}]}`:   "",
			`{"balances":[],"at":"noon"}`:                                                "at",
		} {
			w.post("exchange", "/v1/reconciliations", body).is(400).says("field", field)
		}
		w.post("exchange", "/v1/reconciliations", `{"balances":[],"assets":["DOGE"]}`).is(404).says("field", "assets")
		w.get("auditor", "/v1/reconciliations?limit=1").is(200).says("items.#", "1", "items.0.number", "2")
		next := w.get("auditor", "/v1/reconciliations?limit=1").at("next")
		w.get("auditor", "/v1/reconciliations?limit=1&cursor="+next).is(200).says("items.0.number", "1", "next", "")
		w.get("auditor", "/v1/reconciliations/3").is(404)
		w.get("auditor", "/v1/reconciliations/3/differences").is(404)
		page := w.get("auditor", "/v1/reconciliations/2/differences?limit=1").is(200).says("items.0.account", "bob",
			"items.0.missing", "0.5", "items.0.cause", "change")
		w.get("auditor", "/v1/reconciliations/2/differences?limit=1&cursor="+page.at("next")).is(200).says(
			"items.0.account", "carol", "items.0.cause", "account", "next", "")
		w.post("operator", "/v1/reconciliations/1/resolutions", `{"asset":"SOL","reason":"known"}`).is(404)
		// The reconciliation of a later day is within the limit.
		w.post("operator", "/v1/reconciliations/2/resolutions", `{"asset":"SOL","reason":"known"}`).is(404)
		w.post("exchange", "/v1/reconciliations", `{"balances":[`+strings.Replace(same, `"3"`, `"4"`, 1)+`]}`).is(200)
		w.post("operator", "/v1/reconciliations/3/resolutions", `{"asset":"SOL","reason":"known"}`).is(200).says(
			"repeated", "false")
		w.get("auditor", "/v1/reconciliations/3").is(200).says("tokens.7.asset", "SOL", "tokens.7.reason", "known")
	})
}

// TestBulkBalances: by pages and as lines, at the end of a closed day, whatever comes later.
func TestBulkBalances(t *testing.T) {
	inTowns(t, func(t *testing.T, w *town) {
		w.get("auditor", "/v1/balances").is(400).says("field", "day")
		want := map[string]string{}
		for _, id := range []ledger.Account{"alice", "bob", "carol", "dave", "erin"} {
			name := string(id)
			w.holder(id, "DE")
			w.deposit("d-"+name, id, "10", "BNB")
			w.deposit("s-"+name, id, "3", "SOL")
			want[name+" BNB"], want[name+" SOL"] = "10 0", "3 0"
		}
		w.post("exchange", "/v1/entries", entry("h", "hold", "bob bob/held BNB 4")).is(201)
		w.post("exchange", "/v1/entries", entry("w", "withdrawal", "carol @custody SOL 3")).is(201)
		want["bob BNB"] = "6 4"
		delete(want, "carol SOL")
		w.clock.Set(3, "00:10")
		w.post("operator", "/v1/runs", "").is(200)
		w.deposit("late", "alice", "5", "BNB")
		w.post("exchange", "/v1/entries", entry("w-2", "withdrawal", "dave @custody SOL 3")).is(201)
		for _, limit := range []string{"1", "2", "1000"} {
			got, order := map[string]string{}, []string(nil)
			for cursor, more := "", true; more; {
				page := w.get("auditor", "/v1/balances?limit="+limit+"&cursor="+cursor).is(200).says("items.0.day", w.day(2))
				for i := range testkit.Must(strconv.Atoi(page.at("items.#")))(t) {
					of := func(name string) string { return page.at(fmt.Sprintf("items.%d.%s", i, name)) }
					key := of("account") + " " + of("asset")
					got[key] = of("free") + " " + of("held")
					order = append(order, key)
				}
				cursor = page.at("next")
				more = cursor != ""
			}
			if len(order) != len(want) || !maps.Equal(got, want) {
				t.Errorf("by pages of %s: %q", limit, order)
			}
		}
		lines := w.call("auditor", http.MethodGet, "/v1/balances?day="+w.day(1), "", "Accept",
			"application/x-ndjson").is(200).body
		if n := strings.Count(lines, "\n"); n != len(want) || !strings.Contains(lines,
			`{"day":"`+w.day(1)+`","account":"bob","asset":"BNB","free":"6","held":"4"}`+"\n") {
			t.Errorf("the lines are %s", lines)
		}
		w.get("auditor", "/v1/balances?day="+w.day(3)).is(400).says("field", "day")
		w.get("auditor", "/v1/balances?cursor=x").is(400).says("field", "cursor")
	})
}
