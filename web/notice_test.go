package web

import (
	"net/url"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// A log-in from a browser that is not known is a notice of the account's activity, in the visitor's language; a
// log-in from the same browser again is none.
func TestNoticesAreOnActivity(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.get("/activity?show=notices").has("Notice: log-in from a new device")
	w.get("/activity").has("Notice: log-in from a new device")
	w.get("/activity?show=sign-ins").hasNot("Notice:")
	before := len(w.notices("alice"))
	w.post("/logout", nil)
	w.login("alice@example.com")
	if n := len(w.notices("alice")); n != before {
		t.Errorf("a known browser makes notices: %d, then %d", before, n)
	}
	german := w.another()
	german.cookie("lang", "de")
	german.login("alice@example.com")
	german.get("/activity?show=notices").has("Mitteilung: Anmeldung mit neuem Gerät")
	settings, err := w.books.People().MailSettings(t.Context(), "alice@example.com")
	if w.ok(err); settings.Language != "de" {
		t.Errorf("her mail is in the language %q", settings.Language)
	}
}

// Mail that is not about security can be ended and begun again under Account, and ended by the link of a mail: by a
// person who has not logged in, or by a mail program. Only its own link ends an address's mail.
func TestUnsubscribe(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	optional := func(want bool) {
		t.Helper()
		settings, err := w.books.People().MailSettings(t.Context(), "alice@example.com")
		if w.ok(err); settings.Optional != want {
			t.Errorf("optional mail is %t, want %t", settings.Optional, want)
		}
	}
	optional(true)
	w.post("/account/mail", url.Values{}).goesTo("/account").has("Saved.")
	optional(false)
	w.post("/account/mail", url.Values{"optional": {"1"}})
	optional(true)

	secret, err := w.books.People().DerivedSecret(t.Context(), nil, people.UnsubscribeSecret, w.pages.Random)
	w.ok(err)
	signer := access.NewUnsubscriber(secret)
	link := "/unsubscribe/" + signer.Text("alice@example.com")
	stranger := w.another()
	stranger.get(link).has("No more mail about rewards")
	optional(true) // a program that follows all links of a mail ends nothing
	for range 2 {
		stranger.post(link, url.Values{"List-Unsubscribe": {"One-Click"}}).has("You get no more mail about rewards")
	}
	optional(false)
	w.get("/account").hasNot(" checked>")
	stranger.post("/unsubscribe/"+signer.Text("alice@example.com")+"x", nil).is(404)
	stranger.post("/unsubscribe/"+signer.Text("nobody@example.com"), nil).has("You get no more mail")
}

// notices are those of an account.
func (w *website) notices(id ledger.Account) []people.Notice {
	w.Helper()
	all, err := w.books.People().Notices(w.Context(), id, nil, 100)
	w.ok(err)
	return all
}
