package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
)

// row is a token's row on the Spot page, as it is read.
func (p answer) row(symbol string) string {
	p.b.w.Helper()
	_, after, there := strings.Cut(p.body, `id="balance-`+symbol+`"`)
	row, _, closed := strings.Cut(after, "</tr>")
	if !there || !closed {
		p.b.w.Fatalf("%s: there is no row of %s", p.what, symbol)
	}
	p.body = "<" + row
	return p.text()
}

// rows are the symbols of the rows, in their order.
func (p answer) rows() (symbols []string) {
	for part := range strings.SplitSeq(p.body, `id="balance-`) {
		symbol, _, _ := strings.Cut(part, `"`)
		symbols = append(symbols, symbol)
	}
	return symbols[1:]
}

func TestSpot(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.get("/spot").is(http.StatusOK).has("There is nothing in this wallet yet", "Total 0 USDT",
		"Why is there no Soft Staking tag?", "Nothing you hold now reaches its minimum", "Go to the Soft Staking page")

	w.deposit("alice", "2.14 BNB")
	w.deposit("alice", "1234567.00000001 ADA")
	w.deposit("alice", "0.5 USDT")
	w.deposit("alice", "7 TON") // without a price
	w.move(ledger.Hold, "alice", "alice/held", "0.64 BNB")
	page := w.get("/spot").is(http.StatusOK).hasNot("NaN", "There is nothing", "Why is there no")
	page.has("618,568.00 <span class=\"symbol\">USDT</span>", "Not counted, because no price is known: TON.",
		"11 tokens are shown.")
	for symbol, want := range map[string]string{
		"BNB":  "BNB 1.5 0.64 held 1,284.00 USDT",
		"ADA":  "ADA Cardano Soft Staking off 1,234,567.00000001 0 held 617,283.50 USDT",
		"USDT": "USDT Tether 0.5 0 held 0.5 USDT",
		"TON":  "T TON Toncoin 7 0 held – No price is known",
		"SOL":  "SOL Solana 0 0 held 0 USDT",
	} {
		if got := page.row(symbol); got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}
	if got := page.rows(); !slices.Equal(got,
		[]string{"ADA", "BNB", "USDT", "TON", "ALGO", "AXS", "NEAR", "POL", "S", "SOL", "SUI"}) {
		t.Errorf("in the order %v", got)
	}
}

func TestSpotSearch(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.deposit("alice", "2 BNB")
	w.deposit("alice", "0.5 USDT")
	w.deposit("alice", "0.00000001 TON")
	for _, c := range []struct{ query, want string }{
		{"q=bn", "BNB"},
		{"q=+CARDA+", "ADA"},
		{"q=lana", "SOL"}, // by its name
		{"small=hide", "BNB TON"},
		{"small=show", "BNB USDT TON ADA ALGO AXS NEAR POL S SOL SUI"},
		{"small=hide&q=usdt", ""},
		{"q=%FF%00", ""},
		{"q=" + strings.Repeat("x", 5000), ""},
	} {
		page := w.get("/spot?" + c.query).is(http.StatusOK)
		if got := strings.Join(page.rows(), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
		page.has("1,200.50") // the total is of all
	}
	w.get("/spot?small=hide&q=usdt").has("1 small balance is hidden.", `href="/spot?q=usdt"`)
	page := w.get(`/spot?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E`).is(http.StatusOK).has("&lt;script&gt;alert(1)",
		"No token is called")
	if strings.Contains(page.body, "<script>alert") {
		t.Error("what is searched for is HTML")
	}
}

// TestSpotTag: one token bears it, and all see at once whether it is on.
func TestSpotTag(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.deposit("alice", "0.38 BNB")
	w.get("/spot").has("The nearest is BNB: hold 0.12 BNB more.").hasNot(`id="tag"`)
	w.deposit("alice", "200 ADA")
	w.deposit("alice", "2 SOL")
	off := w.get("/spot")
	if n := strings.Count(off.body, `id="tag"`); n != 1 || !strings.Contains(off.row("SOL"), "Soft Staking off") {
		t.Errorf("%d tags, and SOL says %s", n, off.row("SOL"))
	}
	off.has(`class="tag off" id="tag" href="/earn/start"`)
	w.move(ledger.Hold, "alice", "alice/held", "1.5 SOL") // what is held does not count
	if page := w.get("/spot"); !strings.Contains(page.row("ADA"), "Soft Staking off") {
		t.Errorf("ADA says %s", page.row("ADA"))
	}
	w.enroll("alice")
	w.get("/spot").has(`class="tag on" id="tag" href="/earn"`).hasNot("tag off")

	w.holder("uma", "US-CA")
	w.deposit("uma", "9 BNB")
	other := w.another()
	other.login("uma@example.com")
	other.get("/spot").is(http.StatusOK).hasNot(`id="tag"`).has("Your verified residence is US-CA, " +
		"where Soft Staking is not offered.")
	// Who earns already and travels goes on earning; who does not may not begin there.
	w.get("/spot", "X-Test-Country", "US").has("tag on")
}

func TestSpotHistory(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.get("/spot/history").is(http.StatusOK).has("Nothing has happened yet.")
	w.holder("bob", "DE")
	w.deposit("alice", "40 BNB")
	w.fund("1 BNB")
	w.enroll("alice")
	w.settle(2)
	w.login("alice@example.com")
	w.move(ledger.Transfer, "alice", "bob", "1.5 BNB")
	w.move(ledger.Hold, "alice", "alice/held", "2 BNB")
	page := w.get("/spot/history").is(http.StatusOK).
		has("Soft Staking reward , BNB, 3 Mar 2026: how it was computed for 3 Mar 2026", "/earn/rewards/2026-03-03/BNB",
			"+0.00016438 BNB", "Sent to bob", "−1.5 BNB", "Held for an order", "−2 BNB +2 BNB held", "+40 BNB",
			"Deposit").hasNot("Older", "Newest")
	if !strings.Contains(page.body, `class="number free credit">&#43;0.00016438`) {
		t.Error("the reward is not green")
	}
	w.get("/spot/history?asset=SOL").is(http.StatusOK).hasNot("Deposit 2 Mar", "Sent to").has("/deposit?asset=SOL")
	w.get("/spot/history?asset=BNB").has("Sent to bob", "History of BNB")
	w.get("/spot/history?asset=%3Cb%3E").is(http.StatusNotFound)
	for _, place := range []string{
		"x", "1.2", "1.0.7.e", "9999999999999999.0.0.e", "1.0.0.%00", "1.-2.0.e", strings.Repeat("9", 40) + ".0.0.e",
	} {
		w.get("/spot/history?after=" + place).is(http.StatusNotFound)
	}
	w.get("/spot/history?after=1772409600000.0.0.%FF").is(http.StatusOK).has("Nothing happened before.", "Newest")
}

// TestSpotHistoryPages: every change is on one page, and on one only, and what is
// held is not torn in two.
func TestSpotHistoryPages(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	var entries []ledger.Entry
	for n := range 137 {
		deposit := ledger.Entry{
			ID: fmt.Sprint("many/", n), Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "SUI", Amount: ledger.Amount(1000 + n)}},
		}
		if n%3 > 0 {
			deposit.Kind, deposit.Moves[0].From, deposit.Moves[0].To = ledger.Hold, "alice", "alice/held"
			deposit.Moves[0].Amount = ledger.Amount(1 + n)
		}
		entries = append(entries, deposit)
	}
	_, err := w.books.PostAll(t.Context(), entries)
	w.ok(err)
	seen, pages := 0, 0
	for path := "/spot/history?asset=SUI"; path != ""; pages++ {
		page := w.get(path).is(http.StatusOK)
		rows := strings.Count(page.body, `class="what"`)
		if held, lines := strings.Count(page.text(), " SUI held"),
			strings.Count(page.text(), "Held for an order"); held != lines {
			t.Errorf("%s: %d are held and %d say so", path, held, lines)
		}
		seen += rows
		_, after, more := strings.Cut(page.body, `<a class="button" href="`)
		for more && !strings.HasPrefix(after, "/spot/history?") {
			_, after, more = strings.Cut(after, `<a class="button" href="`)
		}
		link, _, _ := strings.Cut(after, `"`)
		if path = strings.ReplaceAll(link, "&amp;", "&"); !more {
			path = ""
		}
	}
	if seen != 137 || pages != 3 {
		t.Errorf("%d changes on %d pages", seen, pages)
	}
}

// TestSpotHistoryGap: a wallet in which nothing moved for years still shows what it
// began with, on its first page or behind a link.
func TestSpotHistoryGap(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.deposit("alice", "3 AXS")
	w.at(5*365, "12:00")
	w.login("alice@example.com")
	page := w.get("/spot/history").is(http.StatusOK).has("Nothing happened in these months.", "Older").
		hasNot("Nothing has happened yet")
	for range 8 {
		_, after, more := strings.Cut(page.body, `" href="/spot/history?after=`)
		if !more {
			break
		}
		place, _, _ := strings.Cut(after, `"`)
		page = w.get("/spot/history?after=" + place).is(http.StatusOK)
	}
	page.has("+3 AXS", "Newest")
}

func TestLinePlaces(t *testing.T) {
	for _, text := range []string{"1772409600000.0.1.deposit.7/x", "0.-1.0."} {
		k, err := lineAfter(text)
		if err != nil || lineText(*k) != text {
			t.Errorf("%q is read as %+v, %v", text, k, err)
		}
	}
	if _, err := lineAfter(""); err == nil {
		t.Error("nothing is a place")
	}
}
