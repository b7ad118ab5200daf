package api_test

import (
	"testing"

	"github.com/softstake/softstake/store"
)

// addWebhook adds an endpoint that gets payouts.
// addWebhook adds an endpoint that has got the payouts up to a number.
func (w *town) addWebhook(after int64) {
	w.t.Helper()
	w.ok(w.db.AddWebhook(w.t.Context(), store.NewWebhook{Name: "shop", URL: "https://shop.example.com/hooks",
		Kinds: "payouts", Secret: []byte("sealed"), PayoutsAfter: after}))
}

// TestWebhooks: who runs the books sees how far an endpoint is, and has messages sent again.
func TestWebhooks(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.addWebhook(0)
		w.earner("alice")
		w.deposit("a-1", "alice", "2", "BNB")
		w.fund("f-1", "BNB", "10")
		w.ok(w.db.SetPayouts(t.Context(), true))
		w.clock.Set(4, "00:10")
		w.settle()
		w.get("auditor", "/v1/webhooks").is(200).says("webhooks.#", "1", "webhooks.0.name", "shop",
			"webhooks.0.state", "sending", "webhooks.0.payouts", "2", "webhooks.0.events", "0",
			"webhooks.0.oldestAt", w.day(4)+"T00:10:00.000Z",
			"webhooks.0.secret", "")
		const shop = "/v1/webhooks/shop"
		w.post("operator", shop+"/replays", `{"from":"payouts_1"}`).refused(400, "invalid", "to") // it comes by itself
		w.ok(w.db.RemoveWebhook(t.Context(), "shop"))
		w.addWebhook(2)
		w.post("operator", shop+"/replays", `{"from":"payouts_1","to":"payouts_2"}`).is(200).says("messages", "2")
		w.post("operator", shop+"/replays", `{"from":"payouts_3"}`).refused(404, "not-found", "from")
		w.post("operator", shop+"/replays", `{"from":"shoes"}`).refused(400, "invalid", "from")
		w.post("operator", shop+"/replays", `{"from":"event_1-1"}`).refused(400, "invalid", "to")
		w.get("exchange", shop+"/messages").is(200).says("messages.#", "2", "messages.0.message", "payouts_1",
			"messages.0.replay", "true", "messages.0.attempts", "0")
		w.call("admin", "PUT", shop+"/state", `{"state":"disabled"}`).refused(400, "invalid", "reason")
		w.call("admin", "PUT", shop+"/state", `{"state":"sending","reason":"x"}`).refused(400, "invalid", "reason")
		w.call("admin", "PUT", shop+"/state", `{"state":"disabled","reason":"it moves"}`).is(200).says("state", "disabled",
			"reason", "it moves")
		w.call("admin", "PUT", shop+"/state", `{"state":"sending"}`).is(200).says("state", "sending")
		w.get("auditor", shop).is(200).says("attempts.#", "0")
		w.get("auditor", "/v1/webhooks/other").refused(404, "not-found", "name")
		w.post("exchange", shop+"/replays", `{"from":"payouts_1"}`).refused(403, "forbidden", "")
	})
}
