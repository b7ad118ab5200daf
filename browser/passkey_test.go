package browser

import (
	"fmt"
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

// TestFirstWithdrawalWithAPasskey goes a holder's way, on a phone and at a desk: adds a passkey, keeps the recovery
// codes, logs in with the passkey alone, and withdraws with it; with the device lost, a recovery code does it.
func TestFirstWithdrawalWithAPasskey(t *testing.T) {
	for _, width := range []int64{phone, desk} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b := demo(t, 3).open(t, looks{width: width})
			device := b.passkeys()
			b.logIn("alice@example.com")
			b.visit("/account/security")
			b.whole()
			b.press(`main a[href="/account/passkeys/new"]`)
			b.at("/account/passkeys/new")
			b.fill("#label", "Phone")
			b.fill("#password", b.site.password["alice@example.com"])
			b.press("main form button.primary")
			b.until("the page that makes it", `!!document.querySelector("form[data-create]")`)
			b.whole()
			b.press("main form button.primary")
			b.until("the recovery codes", `document.querySelectorAll(".codes code").length === 10`)
			b.whole()
			code := eval[string](b, `document.querySelector(".codes code").innerText`)

			eval[bool](b, `fetch("/logout", {method: "POST"}).then(() => true)`)
			b.visit("/login")
			b.press(`main form[action="/login/passkey"] button`)
			b.at("/spot")

			b.fillIn("/withdraw", "asset", "BNB", "amount", "0.1", "saved", "0x0000000000000000000000000000000000000001")
			b.press("main form button.primary")
			b.confirmation()
			b.whole()
			b.press("main form button.primary")
			b.until("what was done", done("withdraw"))
			b.visit("/account/security")
			b.sees("Last used")

			call(b, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: device})
			call(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device})
			b.fillIn("/withdraw", "asset", "BNB", "amount", "0.2", "saved", "0x0000000000000000000000000000000000000001")
			b.press("main form button.primary")
			b.confirmation()
			b.press("main details[data-code] summary")
			b.fill("#code", code)
			b.press("main form button.primary")
			b.until("what was done", done("withdraw"))
		})
	}
}

// whole fails for what is cut, and for barriers, on the page that there is.
func (b *tab) whole() {
	b.t.Helper()
	for _, what := range eval[[]string](b, cut) {
		b.t.Errorf("%s at %d px: %s", b.path(), b.width, what)
	}
}
