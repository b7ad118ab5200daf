package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// acknowledgements is a body of acknowledgements, each a JSON object.
func acknowledgements(rows ...string) string {
	return `{"acknowledgements":[` + strings.Join(rows, ",") + `]}`
}

// TestPayouts: another ledger reads what is paid by number, credits it, and says so, each by itself.
func TestPayouts(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("a-1", "alice", "2", "BNB")
		w.fund("f-1", "BNB", "10")
		w.ok(w.db.SetPayouts(t.Context(), true))
		w.clock.Set(4, "00:10")
		w.settle()
		id := func(day int) string { return "reward/" + w.day(day) + "/BNB/alice" }
		all := w.get("exchange", "/v1/payouts").is(200).says("payouts.#", "2", "payouts.0.number", "1", "payouts.0.id", id(2),
			"payouts.0.day", w.day(2), "payouts.0.asset", "BNB", "payouts.0.account", "alice",
			"payouts.0.amount", "0.00000821", "payouts.0.paidAt", w.day(4)+"T00:10:00.000Z", "payouts.1.id", id(3),
			"batches.#", "2", "batches.0.first", "1", "batches.0.last", "1", "batches.0.total", "0.00000821",
			"next", "2", "more", "false")
		w.get("exchange", "/v1/payouts?limit=1").is(200).says("payouts.#", "1", "next", "1", "more", "true")
		w.get("exchange", "/v1/payouts?after=1").is(200).says("payouts.#", "1", "payouts.0.id", id(3), "batches.#", "1")
		w.get("exchange", "/v1/payouts?after=2").is(200).says("payouts.#", "0", "batches.#", "0",
			"next", "2", "more", "false")
		w.get("exchange", "/v1/payouts?after=-1").refused(400, "invalid", "after")
		w.get("exchange", "/v1/payouts?limit=10001").refused(400, "invalid", "limit")
		const path = "/v1/payouts/acknowledgements"
		body := acknowledgements(`{"payout":"`+id(2)+`","transaction":"tx-1"}`, `{"payout":"`+id(3)+`","refused":"closed"}`,
			`{"payout":"reward/`+w.day(2)+`/BNB/bob","transaction":"tx-2"}`, `7`, `{"payout":"`+id(3)+`","note":1}`,
			`{"payout":"`+id(3)+`"}`)
		row := func(i int, pairs ...string) []string {
			for p := 0; p < len(pairs); p += 2 {
				pairs[p] = fmt.Sprintf("acknowledgements.%d.%s", i, pairs[p])
			}
			return pairs
		}
		first := w.post("exchange", path, body).is(200).says("acknowledgements.#", "6")
		first.says(row(0, "payout", id(2), "status", "recorded")...).says(row(1, "status", "recorded")...)
		first.says(row(2, "status", "refused", "problem.type", "/v1/docs#not-found", "problem.field", "payout")...)
		first.says(row(3, "index", "3", "status", "refused", "problem.type", "/v1/docs#invalid")...)
		first.says(row(4, "payout", id(3), "problem.type", "/v1/docs#invalid", "problem.field", "note")...)
		first.says(row(5, "problem.type", "/v1/docs#invalid", "problem.field", "transaction")...)
		w.post("exchange", path, body).is(200).says(row(0, "status", "repeated")...)
		w.post("exchange", path, acknowledgements(`{"payout":"`+id(2)+`","transaction":"tx-9"}`)).is(200).
			says(row(0, "status", "refused", "problem.type", "/v1/docs#conflict")...)
		w.get("exchange", "/v1/payouts/open").is(200).says("payouts.#", "1", "payouts.0.id", id(3),
			"payouts.0.refused", "closed", "payouts.0.answeredAt", w.day(4)+"T00:10:00.000Z")
		w.get("exchange", "/v1/payouts/open?state=refused").is(200).says("payouts.#", "1")
		w.post("exchange", path, acknowledgements(`{"payout":"`+id(3)+`","transaction":"tx-3"}`)).is(200).
			says(row(0, "status", "recorded")...)
		w.get("exchange", "/v1/payouts/open").is(200).says("payouts.#", "0")
		w.post("exchange", path, acknowledgements()).refused(400, "invalid", "acknowledgements")
		w.post("alice", path, body).refused(403, "forbidden", "")
		w.get("alice", "/v1/payouts").refused(403, "forbidden", "")
		if again := w.get("exchange", "/v1/payouts").is(200); again.body != all.body {
			t.Errorf("read again it is %s, first %s", again.body, all.body)
		}
	})
}
