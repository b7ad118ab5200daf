package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/softstake/softstake/scenario"
)

// sight is a page to look at, as somebody.
type sight struct {
	name, email, path string
	status            int64
}

// sights are all pages, empty and full. {reward} is the first reward on the Earn page.
var sights = []sight{
	{"login", "", "/login", 200},
	{"invitation", "", "/invitation", 200},
	{"offline", "", "/offline", 200},
	{"not-found", "", "/nothing-here", 404},
	{"rates", "", "/rates", 200},
	{"rate", "", "/rates/BNB", 200},
	{"proofs", "", "/proofs", 200},
	{"spot", "alice@example.com", "/spot", 200},
	{"spot-earning", "bruno@example.com", "/spot", 200},
	{"spot-restricted", "carla@example.com", "/spot", 200},
	{"spot-no-tag", "dora@example.com", "/spot", 200},
	{"spot-history", "bruno@example.com", "/spot/history", 200},
	{"start", "alice@example.com", "/earn/start", 200},
	{"start-restricted", "carla@example.com", "/earn/start", 451},
	{"document", "alice@example.com", "/earn/documents/risk-warning", 200},
	{"earn-off", "alice@example.com", "/earn", 200},
	{"earn", "bruno@example.com", "/earn", 200},
	{"earn-restricted", "carla@example.com", "/earn", 200},
	{"stop", "bruno@example.com", "/earn/stop", 200},
	{"history", "bruno@example.com", "/earn/history", 200},
	{"reward", "bruno@example.com", "{reward}", 200},
	{"export", "bruno@example.com", "/earn/export", 200},
	{"tax", "bruno@example.com", "/earn/tax?currency=EUR", 200},
	{"help", "bruno@example.com", "/help", 200},
	{"convert", "alice@example.com", "/convert", 200},
	{"convert-confirm", "alice@example.com", "/convert", 200},
	{"withdraw", "alice@example.com", "/withdraw", 200},
	{"withdraw-confirm", "alice@example.com", "/withdraw", 200},
	{"send", "alice@example.com", "/send", 200},
	{"send-confirm", "alice@example.com", "/send", 200},
	{"send-over", "alice@example.com", "/send/draft/none/confirm", 410},
	{"deposit", "alice@example.com", "/deposit", 200},
	{"activity", "bruno@example.com", "/activity", 200},
	{"account", "alice@example.com", "/account", 200},
	{"password", "alice@example.com", "/account/password", 200},
	{"proof", "bruno@example.com", "/account/proofs", 200},
	{"keys", "alice@example.com", "/account/keys", 200},
	{"addresses", "alice@example.com", "/account/addresses", 200},
	{"security", "alice@example.com", "/account/security", 200},
	{"passkey-new", "alice@example.com", "/account/passkeys/new", 200},
	{"app-new", "alice@example.com", "/account/app/new", 200},
	{"limits", "alice@example.com", "/account/limits", 200},
	{"clock", "alice@example.com", "/demo/clock", 200},
}

// typed is what is filled in on a page, before it is looked at: pairs of field and value.
// Of one whose name ends with -confirm the form is sent, and the confirmation looked at.
var typed = map[string][]string{
	"convert":         {"asset", "BNB", "into", "USDT", "amount", "0.5"},
	"convert-confirm": {"asset", "BNB", "into", "USDT", "amount", "0.5"},
	"withdraw":        {"asset", "BNB", "amount", "0.5"},
	"withdraw-confirm": {"asset", "BNB", "amount", "0.5", "saved",
		"0x0000000000000000000000000000000000000001"},
	"send":         {"asset", "BNB", "amount", "0.5", "to", "dora"},
	"send-confirm": {"asset", "BNB", "amount", "0.5", "to", "dora"},
}

// TestEveryPage looks at every page, at both widths and in both themes: it has no
// barrier that axe knows, fits the screen, and says nothing odd. With
// SOFTSTAKE_SCREENSHOTS it leaves pictures in that folder.
func TestEveryPage(t *testing.T) { lookAtEach(t, sights, (*tab).logIn, (*tab).look) }

// lookAtEach looks at pages with one tab for each person, at both widths and in both themes.
func lookAtEach(t *testing.T, sights []sight, logIn func(b *tab, email string), look func(*tab, sight)) {
	t.Helper()
	axe, err := os.ReadFile(axeFile)
	if err != nil && os.Getenv("SOFTSTAKE_REQUIRE_BROWSER") == "1" {
		t.Fatal(err)
	}
	s := town(t)
	tabs := map[string]*tab{}
	for _, page := range sights {
		b := tabs[page.email]
		if b == nil {
			b = s.open(t, looks{width: phone, zone: "Europe/Berlin"})
			if page.email != "" {
				logIn(b, page.email)
			}
			tabs[page.email] = b
		}
		for n, as := range []looks{{width: phone}, {width: phone, dark: true}, {width: desk}, {width: desk, dark: true}} {
			theme := map[bool]string{false: "light", true: "dark"}[as.dark]
			t.Run(fmt.Sprintf("%s/%d/%s", page.name, as.width, theme), func(t *testing.T) {
				b := &tab{t, b.ctx, b.site, as}
				b.theme(as.dark)
				b.resize(as.width)
				if n == 0 { // and stays when the screen changes, which its style alone follows
					look(b, page)
				}
				rules := everyRule
				if as.dark && !scenario.Long() { // it has other colours in the dark, and no more
					rules = colourRules
				}
				b.read()
				if strings.HasPrefix(page.name, "console") {
					b.whole()
				}
				b.wayOut(page.email != "" && page.name != "clock")
				b.passwordFields()
				b.barriers(string(axe), rules)
				b.picture(fmt.Sprintf("%s-%d-%s.png", page.name, as.width, theme))
			})
		}
	}
}

// wayOut checks that each page of somebody who is logged in has the form that logs out (OWASP ASVS 7.4.4).
func (b *tab) wayOut(loggedIn bool) {
	b.t.Helper()
	if loggedIn && !eval[bool](b, `!!document.querySelector('form[method="post"][action$="/logout"] button')`) {
		b.t.Error("it has no form that logs out")
	}
}

// passwordFields checks that fields of passwords hide what is typed and take what is pasted (OWASP ASVS 6.2.6, 6.2.7).
func (b *tab) passwordFields() {
	b.t.Helper()
	for _, field := range eval[[]string](b, `[...document.querySelectorAll('input[autocomplete$="password"]')]
		.filter(i => i.type !== "password" || i.readOnly ||
			!i.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, cancelable: true})))
		.map(i => i.name)`) {
		b.t.Errorf("the field %s shows its password, or does not let it be pasted", field)
	}
}

// look goes to a page, and fills in what is to be filled in.
func (b *tab) look(page sight) {
	b.t.Helper()
	path := page.path
	if path == "{reward}" {
		b.visit("/earn")
		path = eval[string](b, `document.querySelector('main a[href^="/earn/rewards/"]').getAttribute("href")`)
	}
	if status := b.visit(path); status != page.status {
		b.t.Fatalf("%s answers %d and not %d:\n%s", path, status, page.status, b.text())
	}
	if fields := typed[page.name]; fields != nil {
		b.fillIn(path, fields...)
		b.until("what it does", `!!document.querySelector("#after .effect")`)
	}
	if strings.HasSuffix(page.name, "-confirm") {
		b.press("main form button.primary")
		b.confirmation()
	}
}

// read reads the page as a person would.
func (b *tab) read() {
	b.t.Helper()
	text := b.text()
	for _, odd := range []string{"NaN", "undefined", "null", "{{", "%!", "0.0000000000", "0,0000000000"} {
		if strings.Contains(text, odd) {
			b.t.Errorf("%s says %q:\n%s", b.path(), odd, text)
		}
	}
	if wider := eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wider > 0 {
		b.t.Errorf("%s is %d px wider than the screen", b.path(), wider)
	}
}

// The rules by which axe finds barriers: those of WCAG 2.2 A and AA, and those of them that
// look at colours.
const (
	everyRule   = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	colourRules = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// barriers fails with what keeps people out, by some rules.
func (b *tab) barriers(axe, rules string) {
	b.t.Helper()
	if !eval[bool](b, "!!window.axe") {
		b.do("load axe", chromedp.Evaluate[chromedp.Void](axe))
	}
	for _, found := range eval[[]string](b, `axe.run(document, {runOnly: `+rules+`})
		.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + "\n" + n.target + "\n" + n.html + "\n" + n.failureSummary)))`) {
		b.t.Errorf("a barrier at %s: %s", b.path(), found)
	}
}

// picture leaves a picture of the whole page, on a screen as high as it: what stays
// at the foot of a screen stands at the foot of the page.
func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("SOFTSTAKE_SCREENSHOTS")
	if folder == "" {
		return
	}
	height := eval[int64](b, "document.documentElement.scrollHeight")
	b.screen(max(height, screenHeight))
	defer b.screen(screenHeight)
	b.capture(folder, name)
}

// capture leaves a picture of the screen in a folder.
func (b *tab) capture(folder, name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), png, 0o644)
	}
	if err != nil {
		b.t.Errorf("picture %s: %v", name, err)
	}
}
