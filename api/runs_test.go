package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/staking"
)

func TestRuns(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("a-1", "alice", "1000", "BNB")
		w.clock.Set(3, "00:10")
		w.get("auditor", "/v1/runs/status").is(200).says("firstOpen", w.day(1), "tokens.#", "10", "tokens.3.asset", "BNB",
			"tokens.3.pool", "0", "tokens.3.paidThrough", "", "tokens.3.daysLeft", "")
		w.get("operator", "/v1/runs/preview").is(200).says("items.3.asset", "BNB", "items.3.day", w.day(1),
			"items.3.total", "0", "items.3.before", "", "items.3.verdict", "").
			says("open.day", w.day(3), "open.at", w.day(3)+"T00:10:00.000Z", "open.tokens.#", "10",
				"open.tokens.3.asset", "BNB", "open.tokens.3.holders", "1", "open.tokens.3.average", "1000.00410958",
				"open.tokens.3.total", "0.00410959", "open.tokens.3.owed", "0.00410958",
				"open.tokens.3.missing", "0.00821917", "open.tokens.3.needsApproval", "")
		r := w.call("operator", post, "/v1/runs", "").is(200).says("closed", w.day(2), "waiting.#", "1",
			"waiting.0.asset", "BNB", "waiting.0.day", w.day(2), "paid.#", "19")
		if reason := r.at("waiting.0.reason"); !strings.Contains(reason, "@rewards") {
			t.Errorf("BNB waits because of %q", reason)
		}
		w.get("auditor", "/v1/runs/status").is(200).says("firstOpen", w.day(3), "tokens.3.paidThrough", w.day(1),
			"tokens.1.paidThrough", w.day(2))
		r = w.get("operator", "/v1/runs/preview").is(200).says("items.#", "1", "items.0.day", w.day(2), "items.0.holders",
			"1", "items.0.average", "1000", "items.0.total", "0.00410958", "items.0.before", "0")
		if verdict := r.at("items.0.verdict"); !strings.Contains(verdict, "@rewards") {
			t.Errorf("the preview's verdict is %q", verdict)
		}

		fundOf(w)
		approved(w)
		w.get("auditor", "/v1/runs/days?from="+w.day(2)).is(200).says("items.#", "10", "items.3.asset", "BNB",
			"items.3.total", "0.00410958", "items.3.holders", "1")
		if got := w.walked("auditor", "/v1/runs/days", 3, "asset"); len(got) != 20 {
			t.Errorf("two days of ten tokens are %d", len(got))
		}
		w.call("auditor", post, "/v1/runs", "").refused(403, "forbidden", "")
		for _, path := range []string{"/v1/runs/status", "/v1/runs/preview", "/v1/runs/days"} {
			w.get("alice", path).refused(403, "forbidden", "")
		}

		w.ok(w.db.SetCloseAfter(t.Context(), staking.Closing{From: w.first + 2, After: 2 * time.Hour}))
		w.clock.Set(4, "01:59")
		w.get("auditor", "/v1/runs/preview").is(200).says("items.#", "10", "items.3.day", w.day(3), "items.3.lateUntil",
			w.day(4)+"T02:00:00.000Z", "open.day", w.day(4))
		w.clock.Set(4, "02:00")
		w.get("auditor", "/v1/runs/preview").is(200).says("items.3.day", w.day(3), "items.3.lateUntil", "")
	})
}

// fundOf moves tokens into the pool of BNB and out of it.
func fundOf(w *town) {
	fund := `{"id":"november","asset":"BNB","amount":"1.5","direction":"in"}`
	w.call("treasurer", post, "/v1/funds", fund).is(200).says("id", "fund/november", "repeated", "false")
	w.call("treasurer", post, "/v1/funds", fund).is(200).says("repeated", "true")
	w.call("treasurer", post, "/v1/funds", strings.Replace(fund, "1.5", "2", 1)).refused(409, "conflict", "")
	w.call("treasurer", post, "/v1/funds", strings.NewReplacer("november", "out", `"in"`, `"out"`, "1.5", "2").Replace(fund)).refused(409, "insufficient-balance", "")
	w.call("treasurer", post, "/v1/funds", strings.NewReplacer("november", "out", `"in"`, `"out"`, "1.5", "0.5").Replace(fund)).is(200)
	w.call("treasurer", post, "/v1/funds", strings.Replace(fund, "1.5", "0", 1)).refused(400, "invalid", "amount")
	w.call("treasurer", post, "/v1/funds", strings.Replace(fund, "1.5", "-1", 1)).refused(400, "invalid", "amount")
	w.call("treasurer", post, "/v1/funds", strings.Replace(fund, `"in"`, `"up"`, 1)).refused(400, "invalid", "direction")
	w.call("treasurer", post, "/v1/funds", strings.Replace(fund, "november", "a b", 1)).refused(400, "invalid", "id")
	w.call("exchange", post, "/v1/funds", fund).refused(403, "forbidden", "")
	w.get("auditor", "/v1/funds").is(200).says("pools.3.asset", "BNB", "pools.3.pool", "1", "house.0.account",
		"@custody", "house.0.balance", "-1001")
	w.get("exchange", "/v1/funds").refused(403, "forbidden", "")
}

// approved approves the day that is over its limit, and runs.
func approved(w *town) {
	w.call("admin", put, "/v1/tokens/BNB/limits", `{"maxTotal":"0.001","maxChange":"0"}`).is(200)
	over := w.get("operator", "/v1/runs/preview").is(200).at("open.tokens.3.needsApproval")
	if !strings.Contains(over, "is above 0.001") {
		w.t.Errorf("the open day is over its limit, and says %q", over)
	}
	w.call("operator", post, "/v1/runs", "").is(200).says("waiting.#", "1", "paid.#", "0")
	w.call("operator", post, "/v1/runs/approvals", `{"day":"`+w.day(3)+`","asset":"BNB"}`).refused(400, "invalid", "")
	w.call("operator", post, "/v1/runs/approvals", `{"day":"`+w.day(2)+`","asset":"XYZ"}`).refused(404, "not-found", "")
	w.call("auditor", post, "/v1/runs/approvals", `{"day":"`+w.day(2)+`","asset":"BNB"}`).refused(403, "forbidden", "")
	w.call("operator", post, "/v1/runs/approvals", `{"day":"`+w.day(2)+`","asset":"BNB"}`).is(204)
	w.call("operator", post, "/v1/runs", "", "Idempotency-Key", "run-1").is(200).says("waiting.#", "0", "paid.#", "1",
		"paid.0.asset", "BNB", "paid.0.day", w.day(2))
	w.call("operator", post, "/v1/runs", "", "Idempotency-Key", "run-1").is(200).says("paid.#", "1")
	w.call("operator", post, "/v1/runs", "").is(200).says("waiting.#", "0", "paid.#", "0")
	w.get("operator", "/v1/runs/preview").is(200).says("items.#", "0")
	w.get("operator", "/v1/runs/status").is(200).says("tokens.3.pool", "0.99589042", "tokens.3.lastTotal",
		"0.00410958", "tokens.3.daysLeft", "242")
	w.get("alice", "/v1/accounts/alice/rewards").is(200).says("items.0.reward", "0.00410958")
}
