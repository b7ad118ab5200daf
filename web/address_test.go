package web

import (
	"net/url"
	"regexp"
	"testing"
	"time"
)

// A holder saves an address, reads for how long it waits, and withdraws to it two days later; not to another, not
// sooner, and not when it is removed.
func TestWithdrawToASavedAddress(t *testing.T) {
	w := newWebsite(t, longSessions)
	w.ok(w.books.People().SetSavedOnly(t.Context(), "alice", true)) // as accounts are at first
	w.deposit("alice", "10 BNB")
	w.login("alice@example.com")
	w.get("/withdraw").has("Choose a saved address", "/account/addresses").hasNot(`name="address"`)
	w.post("/withdraw", query("id", w.get("/withdraw").hidden("id"), "asset", "BNB", "amount", "1", "network", "BSC",
		"address", "0xother")).is(422).has("Choose a saved address that can be used")

	w.get("/account/addresses").has("None yet", "You withdraw to saved addresses only")
	fields := query("asset", "BNB", "network", "bsc", "address", "0xabcdef0123456789", "label", "my wallet")
	w.post("/account/addresses", fields).goesTo("/account/addresses").has("The address is saved", "my wallet",
		"usable in 48 h")
	w.post("/account/addresses", query("asset", "BNB", "network", "", "address", "0x 1")).is(422).
		has("0x 1", "Enter the network")
	w.post("/account/addresses", query("asset", "BNB", "network", "B/S", "address", "0x1")).is(422).has("only letters")
	w.get("/activity?show=notices").has("Notice: new withdrawal address: BNB, BSC, 6789").hasNot("0xabcdef")

	all, err := w.books.People().WithdrawalAddresses(t.Context(), "alice")
	w.ok(err)
	form := func() url.Values {
		return query("id", w.get("/withdraw").hidden("id"), "asset", "BNB", "amount", "1", "saved", all[0].ID)
	}
	w.post("/withdraw", form()).is(422).has("usable in")
	w.clock.Advance(48 * time.Hour)
	w.login("alice@example.com")
	other := form()
	other.Set("asset", "SOL")
	w.post("/withdraw", other).is(422).has("not for SOL")
	at := w.post("/withdraw", form()).is(303).location
	w.get(at).has("0xabcdef0123456789", "BSC")
	w.post(at, nil).is(303)
	pending := w.get("/withdraw")
	pending.has("0xabcdef0123456789")

	at = w.post("/withdraw", form()).is(303).location
	w.post("/account/addresses/remove", query("address", all[0].ID)).goesTo("/account/addresses").has("None yet")
	w.post(at, nil).is(422).has("was removed")
}

// That withdrawals go to any address takes 48 hours, and is taken back at once.
func TestAnyAddressTakesTwoDays(t *testing.T) {
	w := newWebsite(t, longSessions)
	w.ok(w.books.People().SetSavedOnly(t.Context(), "alice", true)) // as accounts are at first
	w.deposit("alice", "10 BNB")
	w.login("alice@example.com")
	try := func(status int) {
		t.Helper()
		w.post("/withdraw", query("id", w.get("/withdraw").hidden("id"), "asset", "BNB", "amount", "1", "network", "BSC",
			"address", "0xother")).is(status)
	}
	w.post("/account/addresses/saved-only", query("any", "1")).goesTo("/account/addresses").
		has("Any address is allowed from")
	try(422)
	w.post("/account/addresses/saved-only", nil).goesTo("/account/addresses").has("You withdraw to saved addresses only")
	w.post("/account/addresses/saved-only", query("any", "1"))
	w.clock.Advance(48 * time.Hour)
	w.login("alice@example.com")
	try(303)
	w.get("/account/addresses").has("You may withdraw to any address")
	w.post("/account/addresses/saved-only", nil)
	try(422)
}

// Who has a passkey confirms both forms of the page with it, and each form says what is wrong with itself alone.
func TestAddressesAreConfirmed(t *testing.T) {
	w := newWebsite(t, sealed(t), longSessions)
	w.ok(w.books.People().SetSavedOnly(t.Context(), "alice", true))
	w.login("alice@example.com")
	a := w.authenticator()
	w.addPasskey(a, "Laptop")
	page := w.get("/account/addresses").has("/passkey.", `id="code"`, `id="any-code"`)
	for field, needed := range map[string]bool{"network": true, "address": true, "tag": false, "label": false} {
		if regexp.MustCompile(`<input id="`+field+`"[^>]* required>`).MatchString(page.body) != needed {
			t.Errorf("the field %s has to be filled in: %t", field, !needed)
		}
	}
	fields := query("asset", "BNB", "network", "bsc", "address", "0xabcdef0123456789")
	w.post("/account/addresses", fields).is(422).has(`id="code-fault"`).hasNot(`id="any-code-fault"`)
	w.post("/account/addresses/saved-only", query("any", "1")).is(422).has(`id="any-code-fault"`).hasNot(`id="code-fault"`)
	w.post("/account/addresses", w.answered(a, "/account/addresses", fields)).goesTo("/account/addresses").
		has("The address is saved")
	w.post("/account/addresses/saved-only", w.answered(a, "/account/addresses/saved-only", query("any", "1"))).
		goesTo("/account/addresses").has("Any address is allowed from")
}
