package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

func TestWithoutScripts(t *testing.T) {
	b := demo(t, 3).open(t, looks{width: phone, noScript: true})
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
	first := demo(t, 3).open(t, looks{width: desk})
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
	first.fillIn("/deposit", "asset", "BNB", "amount", "3")
	first.confirm()
	second.sees("6.5")
}

// A tab that was hidden before anything happened goes on from where its stream was up
// to date, and not from where the page was read.
func TestAHiddenTabGoesOn(t *testing.T) {
	b := town(t).open(t, looks{width: desk})
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
	b := demo(t, 3).open(t, looks{width: desk})
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
	b.fillIn("/deposit", "asset", "BNB", "amount", "2")
	b.pressTwice("main form button.primary")
	b.confirmation()
	b.pressTwice("main form button.primary")
	b.until("the deposit", done("deposit"))
	b.visit("/spot")
	b.sees("5.5") // and not 7.5
}

func TestBackButton(t *testing.T) {
	b := demo(t, 3).open(t, looks{width: desk})
	b.logIn("alice@example.com")
	b.visit("/earn/start")
	b.press("#accept")
	b.press("main button.primary")
	b.at("/earn")
	b.do("go back", chromedp.NavigateBack())
	b.seesNot("Something went wrong")
	b.visit("/spot")
	b.until("the yellow tag", `!!document.querySelector("main .tag.on")`)
	// Who goes back to a confirmation that was used finds what it has done.
	b.fillIn("/deposit", "asset", "BNB", "amount", "1")
	b.confirm()
	b.until("the deposit", done("deposit"))
	b.do("go back", chromedp.NavigateBack())
	b.until("the deposit", done("deposit"))
	b.visit("/spot")
	b.sees("4.5")
	b.press(`header form[action="/logout"] button`)
	b.at("/login")
	b.do("go back", chromedp.NavigateBack())
	b.until("no wallet after logging out", `!document.querySelector("main .tag")`)
}

func TestSessionEnded(t *testing.T) {
	b := demo(t, 3).open(t, looks{width: phone})
	b.logIn("alice@example.com")
	b.fillIn("/send", "asset", "BNB", "amount", "0.25", "to", "dora")
	b.press("main form button.primary")
	b.confirmation()
	call(b, storage.ClearDataForOrigin,
		storage.ClearDataForOriginParams{Origin: b.site.address, StorageTypes: "cookies"})
	b.press("main form button.primary")
	b.logInAgain() // the form is filled in again, and nothing is sent yet
	b.until("what was typed",
		`document.querySelector("#amount").value === "0.25" && document.querySelector("#to").value === "dora"`)

	// At the form as well, whether it is typed into or sent.
	call(b, storage.ClearDataForOrigin,
		storage.ClearDataForOriginParams{Origin: b.site.address, StorageTypes: "cookies"})
	b.press("main form button.primary")
	b.logInAgain()
	b.until("what was typed",
		`document.querySelector("#amount").value === "0.25" && document.querySelector("#to").value === "dora"`)
	call(b, storage.ClearDataForOrigin,
		storage.ClearDataForOriginParams{Origin: b.site.address, StorageTypes: "cookies"})
	b.fill("#amount", "0.5")
	// What happens in the books at this moment may take the place of one keystroke's
	// question, and leads nobody away from what is typed: a person types on.
	b.until("being asked to log in", `(() => {
		if (document.querySelector("#password")) return true;
		if (!(Date.now() - window.typedAt < 2000)) {
			window.typedAt = Date.now();
			document.querySelector("#amount")?.dispatchEvent(new Event("input", {bubbles: true}));
		}
		return false;
	})()`)
	b.logInAgain()
	b.until("what was typed",
		`document.querySelector("#amount").value === "0.5" && document.querySelector("#to").value === "dora"`)
	b.confirm()
	b.until("the sending", done("send"))
}

// A link fills nothing in, and opens no confirmation.
func TestALinkFillsNothingIn(t *testing.T) {
	b := town(t).open(t, looks{width: phone})
	b.logIn("alice@example.com")
	for _, path := range []string{"/send", "/withdraw", "/convert", "/deposit"} {
		b.visit(path +
			"?step=confirm&asset=BNB&amount=0.7531&to=dora&address=0xdead&network=BSC&tag=7&into=SOL" +
			"&id=00112233445566778899aabbccddeeff")
		if typed := eval[string](b,
			`Array.from(document.querySelectorAll("main input:not([type=hidden])"), e => e.value).join("")`); typed !=
			"" {
			t.Errorf("%s is filled in with %q", path, typed)
		}
		b.seesNot("0.7531")
		b.seesNot("0xdead")
	}
}

// logInAgain logs in as the same person, where the pages have asked for it, and comes back to the form.
func (b *tab) logInAgain() {
	b.t.Helper()
	b.until("being asked to log in", `!!document.querySelector("#password")`)
	b.fill("#email", "alice@example.com")
	b.fill("#password", b.site.password["alice@example.com"])
	b.press("main form button.primary")
	// The log-in may stand at the path of the form that was sent.
	b.until("the form",
		`document.readyState === "complete" && location.pathname === "/send" && !!document.querySelector("#amount")`)
}

// fillIn goes to a page, and fills its form in: pairs of the name of a field and a value.
func (b *tab) fillIn(path string, pairs ...string) {
	b.t.Helper()
	b.visit(path)
	for i := 0; i+1 < len(pairs); i += 2 {
		if field := "#" + pairs[i]; eval[bool](b, "document.querySelector("+quote(field)+").matches('select')") {
			eval[chromedp.Void](b, "(e => { const v = "+quote(pairs[i+1])+"; e.value = v; if (e.value !== v) "+
				"e.selectedIndex = [...e.options].findIndex(o => o.text.includes(v)); e.dispatchEvent(new Event('input', "+
				"{bubbles: true})) })(document.querySelector("+quote(field)+"))")
		} else {
			b.fill(field, pairs[i+1])
		}
	}
}

// confirmation waits until a draft is shown to be confirmed.
func (b *tab) confirmation() {
	b.t.Helper()
	b.until("the confirmation",
		`document.readyState === "complete" && location.pathname.endsWith("/confirm") && !!document.querySelector('main form[action$="/confirm"]')`)
}

// done checks that the page of a completed move is shown.
func done(kind string) string {
	return `document.readyState === "complete" && /^\/` + kind + `\/[^\/]+$/.test(location.pathname)`
}

func TestAnothersThingsAreNotFound(t *testing.T) {
	s := demo(t, 3)
	alice := s.open(t, looks{width: desk})
	alice.logIn("alice@example.com")
	alice.fillIn("/withdraw", "asset", "BNB", "amount", "0.1", "saved", "0x0000000000000000000000000000000000000001")
	alice.confirm()
	alice.until("the withdrawal", done("withdraw"))
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
	s := town(t)
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

// confirm goes on from what is typed, and clicks what says what it does.
func (b *tab) confirm() {
	b.t.Helper()
	b.press("main form button.primary")
	b.confirmation()
	b.press("main form button.primary")
}
