package browser

import (
	"os"
	"strconv"
	"testing"
)

// TestPicturesForTheReadme takes three pictures of one screen each, and leaves them
// in the folder SOFTSTAKE_PICTURES where there is one.
func TestPicturesForTheReadme(t *testing.T) {
	folder := os.Getenv("SOFTSTAKE_PICTURES")
	if folder == "" {
		folder = t.TempDir()
	}
	s := town(t)
	alice := s.open(t, looks{width: phone, zone: "Europe/Berlin"})
	alice.logIn("alice@example.com")
	alice.scrollTo("#total", 72)
	alice.capture(folder, "spot.png")
	bruno := s.open(t, looks{width: desk, zone: "Europe/Berlin"})
	bruno.logIn("bruno@example.com")
	bruno.visit("/earn")
	bruno.capture(folder, "earn.png")
	// Of a day whose balance rose there is something to explain.
	bruno.visit(eval[string](bruno,
		`Array.from(document.querySelectorAll("nav.chips a")).find(a => a.textContent === "SOL").href.replace(location.origin, "")`))
	bruno.visit(eval[string](bruno, `(() => {
		const rose = Array.from(document.querySelectorAll("tr[data-day]")).findLast(r => Number(r.dataset.opening) < Number(r.dataset.average) && r.dataset.opening > 0);
		return "/earn/rewards/" + new Date(rose.dataset.day * 86400000).toISOString().slice(0, 10) + "/SOL";
	})()`))
	bruno.scrollTo(`section:has(.day)`, 16)
	bruno.capture(folder, "reward.png")
}

// scrollTo scrolls until something stands so many pixels below the top.
func (b *tab) scrollTo(selector string, below int) {
	b.t.Helper()
	b.until(selector, "!!document.querySelector("+quote(selector)+")")
	top := eval[int](b, "Math.round(document.querySelector("+quote(selector)+").getBoundingClientRect().top + scrollY)")
	eval[any](b, "scrollTo(0, "+strconv.Itoa(top-below)+"), 0")
}
