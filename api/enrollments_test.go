package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// enrollments is a batch of rows.
func enrollments(rows ...string) string {
	return `{"enrollments":[` + strings.Join(rows, ",") + `]}`
}

// A batch switches on as each account alone, says of each what became of it, and has
// no further effect when it is sent again.
func TestEnrollMany(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for _, id := range []ledger.Account{"alice", "bob", "carol", "dora"} {
			w.holder(id, "DE")
		}
		w.holder("eve", "US")
		const path = "/v1/enrollments"
		w.clock.Set(1, "13:00")
		accepted := `"acceptedAt":"` + w.day(1) + `T14:30:00+02:00"`
		body := enrollments(
			`{"account":"alice",`+accepted+`,"client":{"platform":"ios","version":"3.2.0","address":"192.0.2.7","country":"DE"}}`,
			`{"account":"bob",`+accepted+`,"accepted":[{"document":"terms-of-use"},{"document":"soft-staking-terms","version":1},{"document":"risk-warning"}]}`,
			`{"account":"carol"}`, `{"account":"dora","accepted":[{"document":"risk-warning"}]}`,
			`{"account":"eve",`+accepted+`}`, `{"account":"nobody",`+accepted+`}`,
			`{"account":"dora",`+accepted+`,"at":"yesterday"}`,
			`{"account":"dora","at":"2000-01-01T00:00:00Z"}`,
			`{"account":"dora",`+accepted+`,"accepted":[{"document":"risk-warning","version":-1}]}`,
			`{"account":"dora","acceptedAt":"2099-01-01T00:00:00Z"}`,
		)
		says := func(i int, pairs ...string) []string {
			for p := 0; p < len(pairs); p += 2 {
				pairs[p] = fmt.Sprintf("enrollments.%d.%s", i, pairs[p])
			}
			return pairs
		}
		first := w.post("exchange", path, body).is(200)
		first.says(says(0, "account", "alice", "status", "enrolled", "measuredFrom", w.day(2))...)
		first.says(says(1, "status", "enrolled")...)
		for i, want := range []string{2: "documents ", 3: "invalid acceptedAt", 4: "region ", 5: "not-found ",
			6: "invalid at", 7: "day-closed ", 8: "invalid accepted[0].version", 9: "invalid "} {
			if kind, field, is := strings.Cut(want, " "); is {
				first.says(says(i, "status", "refused", "problem.type", "/v1/docs#"+kind)...)
				if field != "" {
					first.says(says(i, "problem.field", field)...)
				}
			}
		}
		w.get("alice", "/v1/accounts/alice/acceptances").is(200).says("items.#", "3",
			"items.0.at", w.day(1)+"T12:30:00.000Z", "items.0.client", "ios 3.2.0", "items.0.address", "192.0.2.7 DE")
		w.get("alice", "/v1/accounts/alice/activation").is(200).says("on", "true", "measuredFrom", w.day(2))
		w.clock.Set(1, "14:00")
		unread := w.post("exchange", path, enrollments(`{"account":"alice","accepted":[{"document":7}]}`, `7`, `{"account":"bob","zone":1}`, `{"account":"bob","account":"bob"}`, `{"account":"bob"}`)).is(200)
		for i, field := range []string{"accepted[0].document", "", "zone", "account"} {
			unread.says(says(i, "index", fmt.Sprint(i), "status", "refused", "problem.type", "/v1/docs#invalid")...)
			if field != "" {
				unread.says(says(i, "problem.field", field)...)
			}
		}
		unread.says(says(4, "account", "bob", "status", "repeated")...)
		w.post("exchange", path, `{"enrollments":[{"account":"bob"},]}`).is(400)
		w.post("exchange", path, `{"enrollments":[{"account":"bob"}],"zone":1}`).is(400)
		again := w.post("exchange", path, body).is(200)
		again.says(says(0, "status", "repeated")...).says(says(1, "status", "repeated")...)
		again.says(says(5, "status", "refused")...)
		w.get("alice", "/v1/accounts/alice/activation/events").is(200).says("items.#", "1")
		w.get("dora", "/v1/accounts/dora/acceptances").is(200).says("items.#", "0")
		whole := enrollments(`{"account":"dora",` + accepted + `}`)
		kept := w.call("exchange", post, path, whole, "Idempotency-Key", "k-1").is(200).says(says(0, "status", "enrolled")...)
		replayed := w.call("exchange", post, path, whole, "Idempotency-Key", "k-1").is(200)
		if replayed.body != kept.body || replayed.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("under its key it is answered %s, first %s", replayed.body, kept.body)
		}
		w.call("exchange", post, path, enrollments(`{"account":"carol"}`), "X-Test-Need-Country", "1").is(200).says(says(0, "problem.type", "/v1/docs#unknown-country")...)
		w.post("exchange", path, enrollments()).refused(400, "invalid", "enrollments")
		w.post("exchange", path, enrollments(strings.TrimSuffix(strings.Repeat(`{"account":"a"},`, 10_001), ","))).refused(400, "invalid", "enrollments")
		w.post("exchange", path, whole[:len(whole)-1]+`,"atomic":true}`).refused(400, "invalid", "atomic")
		w.post("alice", path, whole).refused(403, "forbidden", "")
	})
}

// TestUnreadableRowsOfAnEnrollment are each refused by themselves; the others are switched on.
func TestUnreadableRowsOfAnEnrollment(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.accepted("alice", "alice")
		for _, c := range []struct{ text, field, account string }{
			{`"alice"`, "", ""},
			{`null`, "", ""},
			{`{"account":7}`, "account", ""},
			{`{"account":"a","account":"a"}`, "account", ""},
			{`{"account":"a","accepted":"all"}`, "accepted", "a"},
			{`{"account":"a","accepted":[{"document":7}]}`, "accepted[0].document", "a"},
			{`{"account":"a","client":"web"}`, "client", "a"},
			{`{"account":"a","note":"x"}`, "note", "a"},
		} {
			w.post("exchange", "/v1/enrollments", enrollments(c.text, `{"account":"alice"}`)).is(200).
				says("enrollments.#", "2", "enrollments.0.status", "refused", "enrollments.0.account", c.account,
					"enrollments.0.problem.type", "/v1/docs#invalid", "enrollments.0.problem.field", c.field)
		}
		w.get("alice", "/v1/accounts/alice/activation").is(200).says("on", "true")
	})
}
