package browser

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

// passkeys gives the tab a device that keeps passkeys, and verifies its user.
func (b *tab) passkeys() webauthn.AuthenticatorID {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	return call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	}).AuthenticatorID
}

// TestFirstWithdrawalWithAPasskey goes the way of a holder without a second factor to a first withdrawal, on a phone
// and at a desk: adds a passkey where the page asks for it, keeps the recovery codes, comes back to what was typed,
// saves an address, and withdraws to it two days later, logged in with the passkey alone; with the device lost, a
// recovery code does it.
func TestFirstWithdrawalWithAPasskey(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil && os.Getenv("SOFTSTAKE_REQUIRE_BROWSER") == "1" {
		t.Fatal(err)
	}
	for _, width := range []int64{phone, desk} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b := demo(t, 3, "--withdrawal-factor", "on").open(t, looks{width: width})
			look := func(name string) {
				t.Helper()
				b.whole()
				b.barriers(string(axe), everyRule)
				b.picture(fmt.Sprintf("first-withdrawal-%s-%d.png", name, width))
			}
			device := b.passkeys()
			b.logIn("alice@example.com")
			b.fillIn("/withdraw", "asset", "BNB", "amount", "0.1")
			b.press("main form button.primary")
			b.sees("What you entered is kept")
			look("needs-factor")
			code := b.addFirstPasskey(look)
			b.at("/withdraw")
			b.until("what was typed", `document.querySelector("#amount").value === "0.1"`)
			b.saveAddress(look)
			for range 2 {
				b.moveClock("day")
			}

			eval[bool](b, `fetch("/logout", {method: "POST"}).then(() => true)`)
			b.visit("/login")
			b.press(`main form[action="/login/passkey"] button`)
			b.at("/spot")
			withdraw := func(amount string) {
				t.Helper()
				b.fillIn("/withdraw", "asset", "BNB", "amount", amount, "saved", "my wallet")
				b.press("main form button.primary")
				b.confirmation()
			}
			withdraw("0.1")
			look("confirm")
			b.press("main form button.primary")
			b.until("what was done", done("withdraw"))
			b.visit("/account/security")
			b.sees("Last used")

			call(b, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: device})
			call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device})
			withdraw("0.2")
			b.press("main details[data-code] summary")
			b.fill("#code", code)
			b.press("main form button.primary")
			b.until("what was done", done("withdraw"))
		})
	}
}

// addFirstPasskey goes from a withdrawal that needs a factor to a passkey and its recovery codes, and back. It returns
// one of the codes.
func (b *tab) addFirstPasskey(look func(name string)) (code string) {
	b.t.Helper()
	b.press(`main a[href="/account/security"]`)
	b.at("/account/security")
	look("security")
	b.press(`main a[href="/account/passkeys/new"]`)
	b.at("/account/passkeys/new")
	b.fill("#label", "Phone")
	b.fill("#password", b.site.password["alice@example.com"])
	look("passkey-new")
	b.press("main form button.primary")
	b.until("the page that makes it", `!!document.querySelector("form[data-create]")`)
	look("passkey-make")
	b.press("main form button.primary")
	b.until("the recovery codes", `document.querySelectorAll(".codes code").length === 10`)
	look("codes")
	code = eval[string](b, `document.querySelector(".codes code").innerText`)
	b.press("main .actions a.primary")
	return code
}

// saveAddress saves a withdrawal address, confirmed with the passkey.
func (b *tab) saveAddress(look func(name string)) {
	b.t.Helper()
	b.visit("/account/addresses")
	look("addresses")
	b.fillIn("/account/addresses", "asset", "BNB", "network", "BSC", "address", "0xabcdef0123456789", "label", "my wallet")
	b.press(`main form[action="/account/addresses"] button.primary`)
	b.until("the address", `document.body.innerText.includes("The address is saved")`)
	look("address-saved")
}

// whole fails for what is cut, and for barriers, on the page that there is.
func (b *tab) whole() {
	b.t.Helper()
	for _, what := range eval[[]string](b, cut) {
		b.t.Errorf("%s at %d px: %s", b.path(), b.width, what)
	}
}
