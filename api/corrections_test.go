package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// correction is a correction of BNB with its reason.
func correction(id, from, to, amount, reason string) string {
	return fmt.Sprintf(`{"id":%q,"moves":[{"from":%q,"to":%q,"asset":"BNB","amount":%q}],"reason":%q}`,
		id, from, to, amount, reason)
}

func corrections(atomic bool, all ...string) string {
	return fmt.Sprintf(`{"adjustments":[%s],"atomic":%t}`, strings.Join(all, ","), atomic)
}

func TestABatchOfCorrections(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		const path = "/v1/adjustments/batches"
		good, poor, bad := correction("a-1", "@custody", "bob", "1", "missed"), correction("a-2", "bob", "@custody",
			"9", "too much"), correction("a-3", "@custody", "bob", "x", "no amount")
		w.post("operator", path, corrections(true, good, poor)).refused(409, "insufficient-balance", "adjustments[1]")
		w.post("operator", path, corrections(true, good, bad)).refused(400, "invalid", "adjustments[1].moves[0].amount")
		w.post("operator", path, corrections(true, correction("a-4", "@custody", "bob", "1", ""))).
			refused(400, "invalid", "adjustments[0].reason")
		w.post("operator", path, corrections(false)).refused(400, "invalid", "adjustments")
		w.post("operator", path, corrections(false, good, poor, bad)).is(200).
			says("entries.0.status", "posted", "entries.1.problem.type", "/v1/docs#insufficient-balance",
				"entries.2.problem.field", "moves[0].amount", "entries.2.index", "2")
		w.post("operator", path, corrections(true, good)).is(200).says("entries.0.status", "repeated")
		lines, err := reports.New(w.db.Reader()).Log(t.Context(), time.Time{}, 1000)
		w.ok(err)
		if !slices.ContainsFunc(lines, func(l store.LogLine) bool {
			return l.Action == "adjust" && l.Subject == "a-1" &&
				l.Detail == "adjustment 1 BNB from @custody to bob: missed"
		}) {
			t.Errorf("the log has no line of the correction: %v", lines)
		}
	})
}

func TestACompensation(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("d-1", "alice", "10", "BNB")
		w.post("treasurer", "/v1/funds", `{"id":"f-0","asset":"BNB","amount":"1","direction":"in"}`).is(200)
		body := func(day int, amount string) string {
			return `{"account":"alice","day":"` + w.day(day) + `","asset":"BNB","amount":"` + amount +
				`","name":"d-9","reason":"late"}`
		}
		const path = "/v1/compensations"
		w.clock.Set(3, "00:10")
		w.post("operator", path, body(2, "0.001")).refused(400, "invalid", "")
		w.settle()
		id := "compensation/" + w.day(2) + "/BNB/alice/d-9"
		w.post("operator", path, body(2, "0.001")).is(201).says("id", id, "repeated", "false")
		w.post("operator", path, body(2, "0.001")).is(200).says("repeated", "true")
		w.post("operator", path, body(2, "0.002")).refused(409, "conflict", "")
		w.post("operator", path, strings.Replace(body(2, "2"), "d-9", "d-8", 1)).
			refused(409, "insufficient-balance", "")
		w.post("operator", path, strings.Replace(body(2, "1"), "alice", "nobody", 1)).refused(404, "not-found", "")
		w.get("alice", "/v1/accounts/alice/rewards/"+w.day(2)+"/BNB").is(200).says("compensations.0.entry", id,
			"compensations.0.amount", "0.001")
		w.get("auditor", "/v1/entries/"+strings.ReplaceAll(id, "/", "%2F")).is(200).says("kind", "compensation",
			"moves.0.from", "@rewards", "moves.0.to", "alice")
	})
}
