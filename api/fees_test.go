package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestFees: the fees of incomes and what the operator took out or returned are one list, the last entered first, whose
// amounts make the balance of @fees.
func TestFees(t *testing.T) {
	inTowns(t, func(t *testing.T, w *town) {
		sharing(w)
		w.call("treasurer", post, "/v1/incomes", fmt.Sprintf(`{"reference":"e0","asset":"SOL","chain":"solana",`+
			`"source":"v-2","first":%q,"last":%q,"gross":"2","evidence":"0x2"}`, w.day(2), w.day(3))).is(201)
		move := func(id, amount, direction string) {
			w.call("treasurer", post, "/v1/fees", fmt.Sprintf(`{"id":%q,"asset":"BNB","amount":%q,"direction":%q}`, id,
				amount, direction)).is(200)
		}
		w.clock.Set(6, "12:00")
		move("f-1", "0.002", "out")
		move("f-2", "0.0005", "in")
		w.clock.Set(7, "00:00")
		move("f-3", "0.0001", "out")
		const all = "fees/f-3 fees/f-1 fees/f-2 income/e0 income/e1"
		w.get("auditor", "/v1/fees").is(200).says("items.#", "5", "next", "",
			"items.0.kind", "out", "items.0.amount", "-0.0001", "items.0.at", w.day(7)+"T00:00:00.000Z",
			"items.1.entry", "fees/f-1", "items.1.kind", "out", "items.1.asset", "BNB", "items.1.amount", "-0.002",
			"items.1.income", "", "items.2.kind", "in", "items.2.amount", "0.0005",
			"items.3.kind", "income", "items.3.asset", "SOL", "items.3.amount", "0", "items.3.income.feeRate", "0",
			"items.3.income.net", "2",
			"items.4.entry", "income/e1", "items.4.amount", "0.003", "items.4.income.reference", "e1",
			"items.4.income.first", w.day(2), "items.4.income.last", w.day(3), "items.4.income.gross", "0.01",
			"items.4.income.feeRate", "0.3", "items.4.income.net", "0.007", "items.4.at", w.day(4)+"T12:00:00.000Z")
		for size := 1; size <= 3; size++ {
			if got := strings.Join(w.walked("treasurer", "/v1/fees", size, "entry"), " "); got != all {
				t.Errorf("the pages of %d have %s", size, got)
			}
		}
		bnb := w.walked("auditor", "/v1/fees?asset=BNB", 1, "entry")
		if got := strings.Join(bnb, " "); got != "fees/f-3 fees/f-1 fees/f-2 income/e1" {
			t.Errorf("those of BNB are %s", got)
		}
		w.get("auditor", "/v1/fees?from="+w.day(5)+"&to="+w.day(6)).is(200).says("items.#", "3", "items.0.entry", "fees/f-1")
		w.get("auditor", "/v1/fees?asset=NOPE").refused(404, "not-found", "asset")
		w.get("auditor", "/v1/fees?cursor=bm8").refused(400, "invalid", "cursor")
	})
}
