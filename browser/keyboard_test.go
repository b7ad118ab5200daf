package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestTheKeyboardAlone goes from the log-in to Start Earning without a mouse.
func TestTheKeyboardAlone(t *testing.T) {
	b := demo(t, 3).open(t, looks{width: desk})
	b.visit("/login")
	b.tabTo("#email")
	b.types("alice@example.com")
	b.tabTo("#password")
	b.types(b.site.password["alice@example.com"])
	b.types(kb.Enter)
	b.at("/spot")

	// The first thing that Tab reaches leads past the menu.
	b.types(kb.Tab)
	if skip := eval[bool](b, `document.activeElement.matches(".skip")`); !skip {
		t.Fatal("Tab does not begin with the way to the content")
	}
	b.types(kb.Enter)
	b.tabTo("main .tag")
	b.types(kb.Enter)
	b.until("the sheet", `document.querySelector("#sheet").open`)

	// The focus stays inside the sheet; Esc closes it, and gives the focus back.
	for range 40 {
		b.types(kb.Tab)
		if !eval[bool](b, `document.activeElement === document.body || !!document.activeElement.closest("#sheet")`) {
			t.Fatalf("Tab leaves the sheet for %s", eval[string](b, "document.activeElement.outerHTML"))
		}
	}
	b.types(kb.Escape)
	b.until("the focus on the tag again",
		`!document.querySelector("#sheet").open && document.activeElement.matches("main .tag")`)

	b.types(kb.Enter)
	b.until("the sheet again", `document.querySelector("#sheet").open`)
	b.tabTo("#sheet summary")
	b.types(kb.Enter)
	b.until("the document to be read", `document.querySelector("#sheet details").open`)
	b.tabTo("#accept")
	b.types(" ")
	b.tabTo("#start-earning")
	b.types(kb.Enter)
	b.at("/earn")
	b.sees("Soft Staking is on.")
}

// types sends keys, one after the other.
func (b *tab) types(keys string) {
	b.t.Helper()
	b.do("type", chromedp.KeyEvent(keys))
}

// tabTo sends Tab until something has the focus, and says so where a person looks:
// with an outline, within the screen.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 60 {
		if eval[bool](b, "document.activeElement.matches("+quote(selector)+")") {
			if seen := eval[bool](b, `(e => {
				const style = getComputedStyle(e), r = e.getBoundingClientRect();
				return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && r.bottom > 0 && r.top < innerHeight;
			})(document.activeElement)`); !seen {
				b.t.Errorf("it is not seen that %s has the focus", selector)
			}
			return
		}
		b.types(kb.Tab)
	}
	b.t.Fatalf("Tab does not come to %s at %s", selector, b.path())
}
