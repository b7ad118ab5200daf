package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// The widths of a phone and of a desk.
const (
	phone = 360
	desk  = 1280
)

// looks are how a page is looked at.
type looks struct {
	width    int64
	dark     bool
	noScript bool
	zone     string // IANA; "" is UTC
}

// tab is a browser's tab with a profile of its own: nobody has logged in.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site *site
	looks
}

// open opens a tab.
func (s *site) open(t *testing.T, l looks) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t, ctx, s, l}
	b.prepare()
	return b
}

// another opens a second tab of the same profile.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	second := &tab{b.t, ctx, b.site, b.looks}
	second.prepare()
	return second
}

// prepare makes the tab look as it should.
func (b *tab) prepare() {
	b.t.Helper()
	b.screen(screenHeight)
	b.listen()
	// What has the focus is drawn so, whichever tab was opened last.
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.theme(b.dark)
	if b.zone == "" {
		b.zone = "Etc/UTC"
	}
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: b.zone})
	if b.noScript {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
}

// screenHeight is how high a screen is, unless a picture is taken.
const screenHeight = 800

// screen gives the tab a screen of a height: a phone's, or a desk's.
func (b *tab) screen(height int64) {
	b.t.Helper()
	var how []chromedp.EmulateViewportOption
	if b.width == phone {
		how = append(how, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.do("set the screen", chromedp.EmulateViewport(b.width, height, how...))
}

// resize makes the screen as wide as a phone's or a desk's, and waits until the charts are
// drawn again.
func (b *tab) resize(width int64) {
	b.t.Helper()
	b.width = width
	b.screen(screenHeight)
	eval[any](b, "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true))))")
}

// listen fails the test with what the page complains of: what its policy forbids, and what its scripts throw.
func (b *tab) listen() {
	complaints := chromedp.Console(b.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range complaints {
			if err != nil {
				return // the tab is closed
			}
			if (m.Type == "error" || m.Type == "warning" || m.Type == chromedp.ConsoleException) && !expected(m.Text) {
				b.t.Errorf("the page complains (%s): %s", m.Type, m.Text)
			}
		}
	}()
	b.t.Cleanup(func() {
		if err := chromedp.Cancel(b.ctx); err != nil {
			b.t.Log(err)
		}
		<-done
	})
}

// expected reports whether a complaint only reports an answer that is a refusal.
func expected(complaint string) bool {
	return strings.Contains(complaint, "Failed to load resource: the server responded with a status of")
}

// theme is what the device prefers.
func (b *tab) theme(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// headers are sent with each request from now on.
func (b *tab) headers(h network.Headers) {
	b.t.Helper()
	call(b, network.Enable, network.EnableParams{})
	call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: h})
}

// do runs actions, which must succeed while a person would wait.
func (b *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%s at %s: %v", what, b.path(), err)
	}
}

// visit goes to a page, and returns its status.
func (b *tab) visit(path string) int64 {
	b.t.Helper()
	response, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(b.site.address+path))
	if err != nil {
		b.t.Fatalf("visit %s: %v", path, err)
	}
	if response == nil {
		return 0
	}
	return response.Status
}

// path is where the tab is, with its query.
func (b *tab) path() string {
	b.t.Helper()
	at, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		return "an unknown page"
	}
	u, err := url.Parse(at)
	if err != nil {
		b.t.Fatal(err)
	}
	return u.RequestURI()
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluate %.200s at %s: %v", expression, b.path(), err)
	}
	return v
}

// until waits until an expression is true in whatever page there is then.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	err := eventually(b.ctx, func(ctx context.Context) (bool, error) {
		return chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
	})
	if err != nil {
		b.t.Fatalf("%s does not come to pass at %s: %v\n%s", what, b.path(), err, b.text())
	}
}

// text is what a person reads in the page.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, "document.body.innerText")
}

// sees waits until the page says something.
func (b *tab) sees(words string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%q", words), "document.body.innerText.includes("+quote(words)+")")
}

// seesNot checks that the page does not have a text.
func (b *tab) seesNot(words string) {
	b.t.Helper()
	if text := b.text(); strings.Contains(text, words) {
		b.t.Fatalf("%s says %q:\n%s", b.path(), words, text)
	}
}

// at waits until the tab is at a path, whatever its query.
func (b *tab) at(path string) {
	b.t.Helper()
	b.until("being at "+path, "document.readyState === 'complete' && location.pathname === "+quote(path))
}

// press clicks what a person would, by a selector, with the mouse or a finger.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.click(selector, 1)
}

// pressTwice is a double click.
func (b *tab) pressTwice(selector string) {
	b.t.Helper()
	b.click(selector, 2)
}

// click clicks the middle of what is there, wherever parts of the page that are
// refreshed at the same time leave it.
func (b *tab) click(selector string, times int) {
	b.t.Helper()
	b.until(selector+", to be pressed",
		"(e => !!e && !e.disabled && e.getClientRects().length > 0)(document.querySelector("+quote(selector)+"))")
	at := eval[[2]float64](b, "(e => { e.scrollIntoView({block: 'center', behavior: 'instant'}); "+
		"const r = e.getClientRects()[0]; return [r.left + r.width / 2, "+
		"r.top + r.height / 2] })(document.querySelector("+quote(selector)+"))")
	for n := range times {
		b.do("press "+selector, chromedp.MouseClickXY(at[0], at[1], chromedp.ClickCount(n+1)))
	}
}

// fill types into a field, in the place of what is there.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.until(selector+", to be filled", "!!document.querySelector("+quote(selector)+")")
	eval[chromedp.Void](b, "(e => { e.focus(); e.select() })(document.querySelector("+quote(selector)+"))")
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}

// logIn logs in as one of the demo's visitors.
func (b *tab) logIn(email string) {
	b.t.Helper()
	b.visit("/login")
	b.fill("#email", email)
	b.fill("#password", b.site.password[email])
	b.press("main form button.primary")
	b.at("/spot")
}

// moveClock clicks the button of the demo's clock that moves it by an hour or a day, and waits until the clock
// has arrived there.
func (b *tab) moveClock(by string) {
	b.t.Helper()
	step := map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour}[by]
	before := eval[int64](b, "Number(document.querySelector('#clock').dataset.now)")
	b.press(`form[action="/demo/clock"] button[value="` + by + `"]`)
	b.until("the clock "+step.String()+" later", "(c => !!c && !c.hasAttribute('aria-busy') && Number(c.dataset.now) >= "+
		strconv.FormatInt(before+step.Milliseconds(), 10)+")(document.querySelector('#clock'))")
	b.visit(b.path())
}

// call sends a command to the browser.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}

// quote writes a text as JavaScript does.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts of our own
	}
	return string(text)
}
