package api_test

import (
	"net/http"
	"testing"
)

func TestAFrozenAccount(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder(own, "DE")
		w.accepted(own, own)
		w.holder("bob", "DE")
		w.deposit("d-1", own, "10", "BNB")
		w.call(own, http.MethodPut, "/v1/accounts/"+own+"/activation", `{"on":true}`).is(200)
		w.post(own, "/v1/accounts/"+own+"/withdrawals", `{"id":"`+own+`/w-1","asset":"BNB","amount":"1"}`).is(201)
		const path = "/v1/accounts/" + own
		w.post("operator", path+"/freeze", `{"reason":"order 7","earning":false}`).is(200).
			says("frozen.since", "2026-03-02T12:00:00.000Z", "frozen.earning", "false", "frozen.reason", "order 7")
		w.post("operator", path+"/freeze", `{"reason":"order 8","earning":false}`).is(200).
			says("frozen.reason", "order 7")
		w.post("operator", path+"/freeze", `{"reason":"order 7","earning":true}`).refused(400, "invalid", "")
		w.post("operator", path+"/freeze", `{"reason":"order 7"}`).refused(400, "invalid", "earning")
		w.post("operator", path+"/freeze", `{"earning":true}`).refused(400, "invalid", "reason")
		w.post("operator", "/v1/accounts/nobody/freeze", `{"reason":"x","earning":true}`).refused(404, "not-found", "")
		w.get("auditor", path).is(200).says("frozen.reason", "order 7")
		w.get(own, path).is(200).says("frozen.earning", "false", "frozen.reason", "")

		w.post(own, "/v1/entries", entry(own+"/t-1", "transfer", own+" bob BNB 1")).refused(409, "account-frozen", "")
		w.post("exchange", "/v1/entries", entry("t-1", "transfer", own+" bob BNB 1")).refused(409, "account-frozen", "")
		w.post("exchange", "/v1/entries",
			entry(own+"/w-1/completed", "withdrawal-completed", own+"/held @custody BNB 1")).
			refused(409, "account-frozen", "")
		w.post(own, path+"/withdrawals", `{"id":"`+own+`/w-2","asset":"BNB","amount":"1"}`).
			refused(409, "account-frozen", "")
		w.call(own, http.MethodPut, path+"/activation", `{"on":true}`).refused(409, "account-frozen", "")
		w.post("exchange", "/v1/batches",
			batch(true, entry("g-1", "deposit", "@custody bob BNB 1"), entry("t-1", "transfer", own+" bob BNB 1"))).
			refused(409, "account-frozen", "entries[1]")
		body := batch(false, entry("g-1", "transfer", "bob "+own+" BNB 1"), entry("t-1", "transfer", own+" bob BNB 1"),
			entry("d-2", "deposit", "@custody "+own+" BNB 1"))
		keyed := func() reply {
			return w.call("exchange", http.MethodPost, "/v1/batches", body, "Idempotency-Key", "k-1").is(200)
		}
		keyed().says("entries.1.problem.type", "/v1/docs#account-frozen", "entries.2.status", "posted")
		w.post("operator", "/v1/adjustments", `{"id":"fix-1","reason":"court","moves":[{"from":"`+own+
			`","to":"@custody","asset":"BNB","amount":"1"}]}`).is(201)

		w.post("operator", path+"/unfreeze", `{"reason":"lifted"}`).is(200).says("frozen", "")
		w.post("operator", path+"/unfreeze", `{"reason":"lifted"}`).is(200)
		w.get(own, path+"/activation").is(200).says("on", "true")
		// a freeze may end: the refusal was not kept
		keyed().says("entries.1.status", "posted", "entries.2.status", "repeated")
	})
}
