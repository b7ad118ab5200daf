package browser

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

func TestInGerman(t *testing.T) {
	axe, err := os.ReadFile(axeFile)
	if err != nil && os.Getenv("SOFTSTAKE_REQUIRE_BROWSER") == "1" {
		t.Fatal(err)
	}
	s := town(t)
	alice := s.open(t, looks{width: phone, zone: "Europe/Berlin"})
	alice.headers(network.Headers{"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"})
	alice.logIn("alice@example.com")
	bruno := s.open(t, looks{width: phone, zone: "Europe/Berlin"})
	bruno.visit("/login")
	bruno.press(`button[name="lang"][value="de"]`)
	bruno.sees("Anmelden")
	bruno.logIn("bruno@example.com")
	for _, page := range []struct {
		b     *tab
		path  string
		words []string
	}{
		{alice, "/spot", []string{"1.250,75", "Soft Staking aus", "1. Nov. 2025", "Ihrer Zeit"}},
		{alice, "/earn/start", []string{"0,5\u00a0% im Jahr", "2. Nov. 2025", "Jetzt verdienen"}},
		{alice, "/account/security", []string{"Sicherheit", "Passkey", "Authenticator-App"}},
		{alice, "/account/limits", []string{"Tageslimits", "Eigenes Limit setzen"}},
		{alice, "/account/addresses", []string{"Auszahlungsadressen"}},
		{bruno, "/earn", []string{"Sie verdienen seit dem 2. Okt. 2025", "800.000", "Wie wurde das berechnet?"}},
	} {
		page.b.visit(page.path)
		if lang := eval[string](page.b, "document.documentElement.lang"); lang != "de" {
			t.Errorf("%s is in %q", page.path, lang)
		}
		text := page.b.text()
		for _, words := range page.words {
			if !strings.Contains(text, words) {
				t.Errorf("%s does not say %q:\n%s", page.path, words, text)
			}
		}
		page.b.barriers(string(axe), everyRule)
	}
	alice.fillIn("/send", "asset", "ADA", "amount", "1000,75", "to", "dora")
	alice.sees("jetzt 1.250,75")
	alice.press("main form button.primary")
	alice.confirmation()
	for _, words := range []string{"1.000,75 ADA an dora senden", "250 ADA"} {
		alice.sees(words)
	}
	alice.barriers(string(axe), everyRule)
}
