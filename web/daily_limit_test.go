package web

import (
	"net/http"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// A holder reads what may still leave the account today, is refused more, and sets a limit of the own: a lower one at
// once, a higher one with the passkey, from tomorrow on.
func TestDailyLimitsOnThePages(t *testing.T) {
	w := newWebsite(t, sealed(t), longSessions)
	const bnb = ledger.Amount(100_000_000)
	w.deposit("alice", "10 BNB")
	w.holder("bob", "DE")
	w.login("alice@example.com")
	w.get("/send").hasNot("may still be withdrawn or sent")
	w.get("/account/limits").has("No token has a daily limit")
	w.ok(w.books.SetAccountLimit(t.Context(), store.AccountLimit{Asset: "BNB", Amount: 2 * bnb}))
	w.get("/send").has("Today 2 of 2 BNB may still be withdrawn or sent")
	w.get("/withdraw").has("Today 2 of 2 BNB may still be withdrawn or sent")
	w.post("/send", query("id", w.get("/send").hidden("id"), "asset", "BNB", "amount", "2.5", "to", "bob")).
		is(http.StatusUnprocessableEntity).has("more than the 2 BNB that may still leave your account today")
	one, _ := w.confirmed("/send", "asset", "BNB", "amount", "1.5", "to", "bob")
	two, _ := w.confirmed("/send", "asset", "BNB", "amount", "1", "to", "bob")
	w.post(one, nil).is(http.StatusSeeOther)
	w.post(two, nil).is(http.StatusUnprocessableEntity).has("more than the 0.5 BNB")

	w.get("/account").has("/account/limits")
	w.get("/account/limits").has("2 BNB a day", "Today 1.5 BNB have left your account", "Set by us")
	w.post("/account/limits", query("asset", "BNB", "amount", "x")).is(http.StatusUnprocessableEntity)
	w.post("/account/limits", query("asset", "BNB", "amount", "1.75")).goesTo("/account/limits").
		has("The limit is set", "1.75 BNB a day", "0.25 BNB may still do so", "Your own limit: 1.75 BNB")
	a := w.authenticator()
	w.addPasskey(a, "Laptop")
	more := query("asset", "BNB", "amount", "1.9")
	w.post("/account/limits", more).is(http.StatusUnprocessableEntity).
		has("This limit is higher than yours", "data-passkey")
	w.post("/account/limits", query("asset", "BNB", "none", "1")).is(http.StatusUnprocessableEntity).
		has("Remove your own limit of BNB")
	w.post("/account/limits", w.answered(a, "/account/limits", more)).goesTo("/account/limits").
		has("The limit is changed in 24 hours", "1.75 BNB a day", "Your own limit becomes 1.9 BNB")
	w.get("/activity?show=notices").has("daily limit of BNB is to be raised")
}
