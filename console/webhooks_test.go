package console

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/webhook"
)

// TestWebhooksOnThePage: an admin adds an endpoint, which another person approves, and sees its secret once; who
// operates sends messages again, stops and goes on.
func TestWebhooksOnThePage(t *testing.T) {
	o := newOffice(t)
	const path = "/console/webhooks"
	adam, olga, vera := o.as("ada"), o.as("olga"), o.as("vera")
	vera.get(path).is(http.StatusForbidden)
	adam.get(path).is(http.StatusOK).has("Nobody gets messages by HTTP")
	adam.post(path, "do", "add", "name", "shop", "url", "https://shop.example.com/hooks", "kinds", "payouts",
		"signature", "hmac").is(http.StatusUnprocessableEntity).has("softstake key create")
	o.served.sealer = testkit.Must(access.NewSealer(testkit.Must(access.NewSealKey(rand.Reader))(t)))(t)
	made := adam.post(path, "do", "add", "name", "shop", "url", "https://shop.example.com/hooks", "kinds", "payouts",
		"ordered", "yes", "signature", "hmac").is(http.StatusOK)
	if !regexp.MustCompile(`whsec_[A-Za-z0-9+/&#;]+=`).MatchString(made.body) {
		t.Errorf("no secret is shown: %s", made.body)
	}
	adam.post(path, "do", "add", "name", "other", "url", "http://shop.example.com", "kinds", "payouts", "ordered", "yes",
		"signature", "hmac").is(http.StatusUnprocessableEntity).has("url-fault")
	adam.get(path).has("shop", "https://shop.example.com/hooks", "in order, one at a time", "sending").hasNot("whsec_")
	for _, hours := range []string{"721", "-1"} {
		adam.post(path, "do", "rotate", "name", "shop", "hours", hours).is(http.StatusUnprocessableEntity).
			has("rotate-hours-fault")
	}
	adam.post(path, "do", "rotate", "name", "shop", "hours", "0", "signature", "ed25519").has("whpk_")
	adam.post(path, "do", "change", "name", "shop", "kinds", "payouts,reward", "payoutsAfter", "x").
		is(http.StatusUnprocessableEntity).has("change-payoutsAfter-fault")
	adam.post(path, "do", "change", "name", "shop", "kinds", "payouts,reward", "payoutsAfter", "7").is(http.StatusSeeOther)
	olga.get(path).has("reward, payouts").hasNot("form-add")
	olga.post(path, "do", "test", "name", "shop").is(http.StatusSeeOther)
	olga.post(path, "do", "replay", "name", "shop", "from", "payouts_7").is(http.StatusUnprocessableEntity)
	olga.post(path, "do", "disable", "name", "shop", "reason", "it moves").is(http.StatusSeeOther)
	olga.get(path, "Accept-Language", "de").has("abgeschaltet", "it moves", "1 Nachrichten erneut")
	olga.get("/console").has("Webhooks that are not delivered", "it moves").hasNot("shop.example.com")
	olga.post(path, "do", "enable", "name", "shop").is(http.StatusSeeOther)
	olga.get("/console").hasNot("Webhooks that are not delivered")
	o.ok(o.books.AddWebhook(t.Context(), store.NewWebhook{Name: "poisoned", URL: "https://poisoned.example.com",
		Kinds: "payouts", Secret: []byte("sealed"), PayoutsAfter: 7}))
	o.ok(o.books.SendWebhookAgain(t.Context(), "poisoned", []webhook.Key{{Stream: webhook.PayoutStream, Number: 7}}))
	olga.post(path, "do", "skip", "name", "poisoned", "message", "payouts_7", "reason", "poison").is(http.StatusSeeOther)

	o.ok(o.books.SetFourEyes(t.Context(), true))
	proposed := adam.post(path, "do", "add", "name", "bi", "url", "https://bi.example.com/", "kinds", "balance",
		"ordered", "no", "signature", "hmac").has("whsec_", "It can be used when another person has approved it")
	if _, err := o.books.TestWebhook(t.Context(), "bi"); err == nil {
		t.Errorf("it is there already: %s", proposed.body)
	}
	adam.post(path, "do", "rotate", "name", "poisoned").is(http.StatusOK).has("whsec_",
		"It can be used when another person has approved it")
	for _, name := range []string{"poisoned", "shop"} {
		adam.post(path, "do", "remove", "name", name).is(http.StatusSeeOther)
	}
	adam.get(path).has("shop.example.com", "poisoned.example.com")
}
