package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// exclusions is a batch of rows.
func exclusions(rows ...string) string { return `{"exclusions":[` + strings.Join(rows, ",") + `]}` }

// TestExclude: the operator excludes a token for days, the holder reads it, and every answer
// about the day names the product.
func TestExclude(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("d-1", "alice", "10", "BNB")
		w.clock.Set(3, "12:00")
		const path = "/v1/accounts/alice/exclusions"
		body := `{"asset":"BNB","product":"Launchpool","until":"` + w.day(6) + `"}`
		w.post("operator", path, body).is(200).says("status", "set", "from", w.day(3), "until", w.day(6))
		w.post("operator", path, body).is(200).says("status", "repeated", "from", w.day(3))
		w.get("alice", path).is(200).says("items.#", "1", "items.0.product", "Launchpool", "items.0.asset", "BNB",
			"items.0.from", w.day(3), "items.0.until", w.day(6), "items.0.setBy", "")
		w.get("auditor", "/v1/exclusions").is(200).says("items.#", "1", "items.0.account", "alice")

		w.get("alice", "/v1/accounts/alice/rewards/"+w.day(3)+"/BNB").is(200).says("earned", "false",
			"excludedBy", "Launchpool", "reason", "BNB is not measured on "+w.day(3)+": Launchpool has it.")
		today := w.get("alice", "/v1/accounts/alice/today").is(200)
		for i := range 10 {
			if at := fmt.Sprintf("tokens.%d.", i); today.at(at+"asset") == "BNB" {
				today.says(at+"excludedBy", "Launchpool", at+"eligible", "0", at+"reward", "0",
					at+"notice", "BNB is not measured today: Launchpool has it. "+w.day(2)+" is not settled yet: "+
						"what it pays is still to come, and is not in these figures.")
			}
		}
		end := `{"asset":"BNB","product":"Launchpool","end":true}`
		w.post("operator", path, end).is(200).says("status", "set", "from", w.day(3), "until", w.day(4))
		w.post("operator", path, end).is(200).says("status", "repeated")
		w.clock.Set(4, "12:00")
		w.get("alice", path).is(200).says("items.#", "0")
		w.get("alice", path+"?from=1970-01-01").is(200).says("items.#", "1")

		for field, wrong := range map[string]string{
			"product": `{"product":" "}`, "from": `{"product":"a","from":"` + w.day(3) + `"}`,
			"until": `{"product":"a","until":"` + w.day(4) + `"}`,
		} {
			w.post("operator", path, wrong).refused(400, "invalid", field)
		}
		w.post("operator", path, `{"product":"a","end":true,"from":"`+w.day(5)+`"}`).refused(400, "invalid", "from")
		w.post("operator", path, `{"product":"a","asset":"XYZ"}`).refused(404, "not-found", "asset")
		w.post("operator", "/v1/accounts/nobody/exclusions", `{"product":"a"}`).refused(404, "not-found", "")
		w.post("alice", path, body).refused(403, "forbidden", "")
	})
}

// TestExcludeMany: each row is taken or refused by itself, and pages are read on.
func TestExcludeMany(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.holder("bob", "DE")
		const path = "/v1/exclusions"
		body := exclusions(`{"account":"alice","product":"Launchpool"}`, `{"account":"bob","asset":"BNB","product":"Locked"}`,
			`{"account":"nobody","product":"Launchpool"}`, `{"account":"bob","product":7}`, `7`,
			`{"account":"bob","product":"Locked","from":"2000-01-01"}`)
		for _, status := range []string{"set", "repeated"} {
			r := w.post("operator", path, body).is(200)
			r.says("exclusions.#", "6", "exclusions.0.status", status, "exclusions.1.status", status,
				"exclusions.2.status", "refused", "exclusions.2.problem.type", "/v1/docs#not-found",
				"exclusions.3.problem.field", "product", "exclusions.3.account", "bob", "exclusions.4.status", "refused",
				"exclusions.5.problem.field", "from")
		}
		first := w.get("auditor", path+"?limit=1").is(200).says("items.#", "1")
		second := w.get("auditor", path+"?limit=1&cursor="+first.at("next")).is(200).says("items.#", "1")
		if first.at("items.0.account") == second.at("items.0.account") {
			t.Error("the same is listed twice")
		}
		w.get("auditor", path+"?cursor=bm8").refused(400, "invalid", "cursor")
		w.post("operator", path, exclusions()).refused(400, "invalid", "exclusions")
	})
}
