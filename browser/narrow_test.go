package browser

import "testing"

// zoomed is how wide a desk's screen is at 200 %.
const zoomed = 640

// TestNothingIsCut looks at amounts as long as they get, on a phone and at 200 %:
// nothing stands outside of the screen, and no cell lies over another.
func TestNothingIsCut(t *testing.T) {
	s := demo(t, 30)
	alice := s.open(t, looks{width: desk})
	alice.logIn("alice@example.com")
	for _, form := range [][]string{
		{"/deposit", "asset", "ADA", "amount", "10000000.12345678"},
		{"/withdraw", "asset", "ADA", "amount", "1234567.12345678", "saved", "addr1q"},
		{"/withdraw", "asset", "BNB", "amount", "0.12345678", "saved", "0x"},
	} {
		alice.fillIn(form[0], form[1:]...)
		alice.confirm()
		alice.until("what was done", done("(deposit|withdraw)"))
	}
	for _, email := range []string{"alice@example.com", "bruno@example.com", "carla@example.com"} {
		b := s.open(t, looks{width: phone})
		b.logIn(email)
		for _, path := range []string{
			"/spot", "/spot/history", "/earn", "/earn/start", "/earn/stop", "/earn/history", "/earn/export", "/earn/tax",
			"/help", "/convert", "/withdraw", "/send", "/deposit", "/activity", "/account", "/account/keys",
			"/account/keys/new", "/account/addresses", "/account/password", "/demo/clock", "/nothing-here",
		} {
			b.visit(path)
			b.wholeAt(path, email)
		}
		if email != "alice@example.com" {
			continue
		}
		for _, form := range [][]string{
			{"/convert", "asset", "ADA", "into", "USDT", "amount", "8765432.12345678"},
			{"/send", "asset", "ADA", "amount", "8765432.12345678", "to", "dora"},
			{"/withdraw", "asset", "ADA", "amount", "1234567.12345678", "saved", "addr1q"},
		} {
			b.fillIn(form[0], form[1:]...)
			b.until("what it does", `!!document.querySelector("#after .effect")`)
			b.wholeAt(form[0], email)
			b.press("main form button.primary")
			b.confirmation()
			b.wholeAt("the confirmation of "+form[0], email)
		}
	}
}

// wholeAt fails for what is cut on a page, at both widths.
func (b *tab) wholeAt(page, email string) {
	b.t.Helper()
	for _, width := range []int64{zoomed, phone} { // the next page is opened on a phone again
		b.resize(width)
		for _, what := range eval[[]string](b, cut) {
			b.t.Errorf("%s at %d px, as %s: %s", page, width, email, what)
		}
	}
}

// cut lists the texts that stand outside of the screen or of what clips them, and the
// cells that lie over others. What scrolls by itself, or is for the ear, may; and what
// ends in an ellipsis, as an address in a list does, is whole on a page of its own.
const cut = `(() => {
	document.querySelectorAll("details").forEach(e => { e.open = true });
	// Not innerWidth, which grows with what does not fit on a phone.
	const screen = document.documentElement.clientWidth;
	const found = [], say = (what, e) => found.push(what + ": " + e.textContent.trim().slice(0, 80));
	const spoken = e => e.closest(".unseen, .skip, thead, svg, .scroll, .reading-box, [hidden]");
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walk.nextNode();) {
		const e = n.parentElement;
		if (!n.data.trim() || spoken(e) || getComputedStyle(e).textOverflow === "ellipsis") continue;
		const boxes = [e.closest(".wide-table td, .wide-table th"), e.closest(".staff ~ main .card")].filter(b => b);
		const range = document.createRange();
		range.selectNodeContents(n);
		for (const r of range.getClientRects()) {
			if (r.right > screen + 1 || r.right > 0 && r.left < -1) say("outside of the screen", e);
			if (boxes.some(b => r.right > b.getBoundingClientRect().right + 1)) say("outside of its cell or card", e);
		}
	}
	for (const row of document.querySelectorAll("tr")) {
		const inner = Array.from(row.querySelectorAll(".amount, a, .name, small, .tag, .label")).filter(e => !spoken(e) && e.getClientRects().length && !e.querySelector("a, small, .label"));
		inner.forEach((a, i) => inner.slice(i + 1).forEach(b => {
			if (a.contains(b) || b.contains(a)) return;
			for (const p of a.getClientRects()) for (const q of b.getClientRects()) {
				if (Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 6) return say("over " + b.textContent.trim(), a);
			}
		}));
	}
	return Array.from(new Set(found));
})()`
