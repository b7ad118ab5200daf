package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

func TestWithoutScripts(t *testing.T) {
	b := demo(t).open(t, looks{width: phone, noScript: true})
	b.logIn("alice@example.com")
	b.press("main .tag.off")
	b.at("/earn/start")
	b.press("#accept")
	b.press("main button.primary")
	b.at("/earn")
	b.visit("/spot")
	b.until("the yellow tag", `!!document.querySelector("main .tag.on")`)
	b.visit("/earn/stop")
	b.press("main form button.danger")
	b.at("/earn")
	b.sees("Not earning")
}

func TestTwoTabs(t *testing.T) {
	first := demo(t).open(t, looks{width: desk})
	first.logIn("alice@example.com")
	second := first.another()
	for _, b := range []*tab{first, second} {
		b.visit("/earn/start")
		b.press("#accept")
	}
	for _, b := range []*tab{first, second} {
		b.press("main button.primary")
		b.at("/earn")
		b.seesNot("Something went wrong")
	}
	// A token that one tab sends is gone in the other, without a reload.
	second.visit("/spot")
	first.visit("/deposit?asset=BNB&amount=3")
	first.confirm()
	second.sees("6.5")
}

// A tab that was hidden before anything happened goes on from where its stream was up
// to date, and not from where the page was read.
func TestAHiddenTabGoesOn(t *testing.T) {
	b := demo(t).open(t, looks{width: desk})
	b.logIn("alice@example.com")
	b.visit("/spot")
	b.do("record the streams", chromedp.Evaluate[chromedp.Void](`
		window.streams = [];
		window.EventSource = class extends EventSource {
			constructor(url) {
				super(url);
				streams.push(this);
				this.addEventListener("ready", (e) => { this.ready = e.lastEventId; });
			}
		};
		window.hideAndShow = () => {
			for (const hidden of [true, false]) {
				Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
				document.dispatchEvent(new Event("visibilitychange"));
			}
		};
		hideAndShow();`))
	b.until("a stream that is up to date", `!!streams[0]?.ready`)
	if !eval[bool](b, `hideAndShow(), streams[1].url.endsWith("/live?after=" + encodeURIComponent(streams[0].ready))`) {
		t.Fatalf("the next stream is %s", eval[string](b, "streams[1].url"))
	}
}

func TestDoubleClick(t *testing.T) {
	b := demo(t).open(t, looks{width: desk})
	b.logIn("alice@example.com")
	b.visit("/earn/start")
	b.press("#accept")
	b.pressTwice("main button.primary")
	b.at("/earn")
	b.seesNot("Something went wrong")
	b.visit("/activity?show=soft-staking")
	if on := strings.Count(b.text(), "Soft Staking switched on"); on != 1 {
		t.Fatalf("the switch was pressed %d times:\n%s", on, b.text())
	}
	b.visit("/deposit?asset=BNB&amount=2&step=confirm")
	b.pressTwice("main form[method=post] button.primary")
	b.until("the deposit", "document.readyState === 'complete' && location.pathname.startsWith('/deposit/')")
	b.visit("/spot")
	b.sees("5.5") // and not 7.5
}

func TestBackButton(t *testing.T) {
	b := demo(t).open(t, looks{width: desk})
	b.logIn("alice@example.com")
	b.visit("/earn/start")
	b.press("#accept")
	b.press("main button.primary")
	b.at("/earn")
	b.do("go back", chromedp.NavigateBack())
	b.seesNot("Something went wrong")
	b.visit("/spot")
	b.until("the yellow tag", `!!document.querySelector("main .tag.on")`)
	b.press(`header form[action="/logout"] button`)
	b.at("/login")
	b.do("go back", chromedp.NavigateBack())
	b.until("no wallet after logging out", `!document.querySelector("main .tag")`)
}

func TestSessionEnded(t *testing.T) {
	b := demo(t).open(t, looks{width: phone})
	b.logIn("alice@example.com")
	b.visit("/send?asset=BNB&amount=0.25&to=dora&step=confirm")
	call(b, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: b.site.address, StorageTypes: "cookies"})
	b.press("main form[method=post] button.primary")
	b.until("being asked to log in", `!!document.querySelector("#password")`)
	b.fill("#email", "alice@example.com")
	b.fill("#password", b.site.password["alice@example.com"])
	b.press("main form button.primary")
	b.at("/send")
	b.sees("0.25") // asked once more, and not sent yet
	b.press("main form[method=post] button.primary")
	b.until("the sending", "document.readyState === 'complete' && location.pathname.startsWith('/send/')")
}

func TestAnothersThingsAreNotFound(t *testing.T) {
	s := demo(t)
	alice := s.open(t, looks{width: desk})
	alice.logIn("alice@example.com")
	alice.visit("/withdraw?asset=BNB&amount=0.1&address=0x0000000000000000000000000000000000000001&network=BSC")
	alice.confirm()
	alice.until("the withdrawal", `location.pathname.startsWith("/withdraw/")`)
	path, _, _ := strings.Cut(alice.path(), "?")
	if status := alice.visit(path); status != 200 {
		t.Fatalf("her own withdrawal at %s answers %d", path, status)
	}
	bruno := s.open(t, looks{width: desk})
	bruno.logIn("bruno@example.com")
	if status := bruno.visit(path); status != 404 {
		t.Fatalf("another's withdrawal answers %d:\n%s", status, bruno.text())
	}
}

func TestRefusals(t *testing.T) {
	s := demo(t)
	carla := s.open(t, looks{width: phone})
	carla.logIn("carla@example.com")
	if tags := eval[int](carla, `document.querySelectorAll("main .tag").length`); tags != 0 {
		t.Fatal("a resident of a restricted region has a tag")
	}
	if status := carla.visit("/earn/start"); status != 451 {
		t.Fatalf("the sheet answers a resident of a restricted region with %d", status)
	}
	alice := s.open(t, looks{width: phone})
	alice.logIn("alice@example.com")
	alice.headers(network.Headers{"X-Client-Platform": "ios", "X-Client-Version": "3.0.9"})
	if status := alice.visit("/earn/start"); status != 403 {
		t.Fatalf("the sheet answers an old app with %d", status)
	}
	alice.sees("3.1.0")
}

// confirm goes on from what is typed, and presses what says what it does.
func (b *tab) confirm() {
	b.t.Helper()
	b.press(`main form[method=get] button.primary`)
	b.press(`main form[method=post] button.primary`)
}
