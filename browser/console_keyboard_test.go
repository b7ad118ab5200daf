package browser

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestTheKeyboardAloneInTheConsole logs in, and simulates other terms, without a mouse; what comes of it appears by
// itself.
func TestTheKeyboardAloneInTheConsole(t *testing.T) {
	b := town(t).open(t, looks{width: desk})
	b.visit("/console/login")
	b.tabTo(`form:has(input[value="olga@example.com"]) button`)
	b.types(kb.Enter)
	b.at("/console")
	b.types(kb.Tab)
	if skip := eval[bool](b, `document.activeElement.matches(".skip")`); !skip {
		t.Fatal("Tab does not begin with the way to the content")
	}
	b.tabTo(`.sections a[href="/console/what-if"]`)
	b.types(kb.Enter)
	b.at("/console/what-if")

	// A fault is said where it was made, and what was typed is kept.
	b.tabTo("#from")
	b.types("2025-10")
	b.types(kb.Enter)
	b.until("the fault", `document.readyState === "complete" && !!document.querySelector("#from-fault")`)
	b.tabTo("#from")
	b.types(kb.End + "-25")
	b.tabTo("#min")
	b.types("3")
	b.types(kb.Enter)
	b.until("what it would have cost", `!!document.querySelector("#trial table")`)
}
