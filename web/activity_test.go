package web

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// TestActivityShowsAll shows one account's whole life on its page, the newest first.
func TestActivityShowsAll(t *testing.T) {
	w := newWebsite(t)
	w.holder("bob", "DE")
	w.login("alice@example.com")
	w.deposit("alice", "10 BNB")
	w.at(1, "12:10")
	w.move(ledger.Hold, "alice", "alice/held", "2 BNB")
	w.at(1, "12:20")
	w.move(ledger.Release, "alice/held", "alice", "1.5 BNB")
	w.move(ledger.Transfer, "alice", "bob", "1 BNB")
	w.at(1, "12:30")
	w.move(ledger.Transfer, "bob", "alice", "0.25 BNB")
	w.at(1, "12:40")
	w.enroll("alice")
	w.fund("1000 BNB")
	w.settle(1)
	w.settle(2)
	w.trade("alice", "1 BNB", "600 USDT")
	w.login("alice@example.com") // the first session has ended

	page := w.get("/activity").is(http.StatusOK)
	page.has("Logged in", "Deposit", "+10", "Held for an order", "−2", "Released from an order", "+1.5",
		"Sent to bob", "Received from bob", "Soft Staking switched on", "Risk Warning accepted, version 1",
		"Soft Staking reward for 3 Mar 2026", "/earn/rewards/2026-03-03/BNB", "Converted BNB to USDT", "+600",
		"Account opened", "192.0.2.7")
	page.hasNot("activity.is", "activity.note", "Something else", "@desk", "@custody", "rel=\"next\"")
	inOrder(t, page.text(), "Converted BNB", "Soft Staking reward", "switched on", "Terms of Use accepted",
		"Received from bob", "Sent to bob", "Held for an order", "Account opened")

	for show, want := range map[string][2]string{
		"wallet":       {"Sent to bob", "Soft Staking reward"},
		"rewards":      {"Soft Staking reward", "Sent to bob"},
		"soft-staking": {"Risk Warning accepted", "Logged in"},
		"sign-ins":     {"Logged in", "Risk Warning accepted"},
		"nonsense":     {"Sent to bob", "no such text"},
	} {
		w.get("/activity?show=" + show).is(http.StatusOK).has(want[0]).hasNot(want[1])
	}
	w.get("/activity?asset=USDT").is(http.StatusOK).has("Conversion or trade", "+600").
		hasNot("Deposit", "Logged in", "switched on")
	w.get("/activity?asset=TON").is(http.StatusOK).has("Nothing has happened with TON")
	w.get("/activity?show=wallet&asset=SOL").is(http.StatusOK).hasNot("rel=\"next\"")
	w.get("/activity?asset=NOPE").is(http.StatusOK).has("Deposit")
	w.get("/activity?from=nonsense").is(http.StatusNotFound)
	w.cookie("lang", "de")
	w.get("/activity").is(http.StatusOK).has("Gesendet an bob", "−1 BNB", "+1,5",
		"Soft-Staking-Ertrag für den 3. März 2026").hasNot("activity.is", "activity.note")

	other := w.another()
	other.login("bob@example.com")
	other.get("/activity").is(http.StatusOK).has("Received from alice").hasNot("Converted", "Hold")
}

// inOrder fails unless the texts stand one behind the other.
func inOrder(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, after, there := strings.Cut(page, text)
		if !there {
			t.Errorf("%q does not stand where it should", text)
			return
		}
		page = after
	}
}

// trade posts a conversion at the desk.
func (w *website) trade(id ledger.Account, from, to string) {
	w.Helper()
	a, n := w.amount(from)
	b, m := w.amount(to)
	w.posted++
	_, err := w.books.PostAll(w.Context(),
		[]ledger.Entry{{ID: fmt.Sprint("test/", w.posted), Kind: ledger.Trade, Moves: []ledger.Move{
			{From: id, To: ledger.Desk, Asset: a.Symbol, Amount: n},
			{From: ledger.Desk, To: id, Asset: b.Symbol, Amount: m},
		}}})
	w.ok(err)
}

var (
	olderLink = regexp.MustCompile(`href="([^"]*)" rel="next"`)
	titles    = regexp.MustCompile(`<div class="what"><strong>([^<]*)</strong>`)
)

// TestActivityPages goes from page to page over what happened in the same moment,
// while more happens, and compares with the file.
func TestActivityPages(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	for range 30 { // the clock stands: one moment for all
		w.deposit("alice", "1 BNB")
		w.ok(w.books.People().AddSecurityEvent(w.Context(), "alice", people.SecurityEvent{Action: "log-out"}))
		w.ok(w.books.Leave(w.Context(), "alice", staking.Client{}, w.clock.Now()))
		w.trade("alice", "0.5 BNB", "300 USDT")
	}
	lines, err := csv.NewReader(strings.NewReader(w.get("/activity.csv").is(http.StatusOK).body)).ReadAll()
	w.ok(err)
	count := map[string]int{}
	pages := 0
	for path := "/activity"; path != "" && pages < 20; pages++ {
		page := w.get(path).is(http.StatusOK)
		for _, m := range titles.FindAllStringSubmatch(page.body, -1) {
			count[m[1]]++
		}
		path = ""
		if m := olderLink.FindStringSubmatch(page.body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
			// on the first page, which is read
			w.ok(w.books.People().AddSecurityEvent(w.Context(), "alice", people.SecurityEvent{Action: "password"}))
		}
	}
	want := map[string]int{
		"Deposit": 30, "Logged out": 30, "Converted BNB to USDT": 30, "Soft Staking switched off": 1, "Logged in": 1,
		"Account opened": 1,
	}
	for title, n := range want {
		if count[title] != n {
			t.Errorf("%s is shown %d times, and happened %d times", title, count[title], n)
		}
	}
	if pages != 3 || len(lines) != 1+30+30+60+4 { // a log-in, its notice, the account, the switch
		t.Errorf("%d pages, and %d lines", pages, len(lines))
	}
}

// TestActivityKeepsEntriesWhole reads more of one moment than is read at the same time: no
// entry loses a side where the reading stops and goes on.
func TestActivityKeepsEntriesWhole(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.deposit("alice", "1000 BNB")
	for range journalLines {
		w.trade("alice", "0.5 BNB", "300 USDT")
	}
	lines, err := csv.NewReader(strings.NewReader(w.get("/activity.csv?show=wallet").is(http.StatusOK).body)).ReadAll()
	w.ok(err)
	sides := map[string]int{}
	for _, line := range lines[1:] {
		sides[line[6]]++
	}
	for entry, n := range sides {
		if n != 2 && entry != "test/1" {
			t.Errorf("%s has %d lines, and not 2", entry, n)
		}
	}
	if len(sides) != 1+journalLines {
		t.Errorf("there are %d entries", len(sides))
	}
}

// TestActivityFile shows that the file says the same as the page, and is no formula.
func TestActivityFile(t *testing.T) {
	w := newWebsite(t)
	w.browser.header.Set("User-Agent", `=HYPERLINK("http://example.org")`)
	w.login("alice@example.com")
	w.deposit("alice", "10.5 BNB")
	w.move(ledger.Hold, "alice", "alice/held", "2 BNB")
	file := w.get("/activity.csv").is(http.StatusOK)
	if got := file.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		t.Error(got)
	}
	lines, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
	w.ok(err)
	found := map[string][]string{}
	for _, line := range lines[1:] {
		found[line[1]] = line
	}
	for event, want := range map[string]string{
		"deposit": "2026-03-02T12:00:00.000Z deposit BNB 10.5 free",
		"hold":    "2026-03-02T12:00:00.000Z hold BNB -2 free",
		"log-in":  "2026-03-02T12:00:00.000Z log-in",
	} {
		if line := strings.Join(found[event], " "); !strings.HasPrefix(line, want) {
			t.Errorf("%s: %q", event, line)
		}
	}
	if client := found["log-in"][9]; client != `'=HYPERLINK("http://example.org")` {
		t.Errorf("a formula is left as it is: %q", client)
	}
	if body := w.get("/activity.csv?show=wallet&asset=SOL").is(http.StatusOK).body; strings.Count(body, "\n") != 1 {
		t.Errorf("of no token there are lines: %s", body)
	}
	w.another().get("/activity.csv").is(http.StatusSeeOther)
}

// TestActivityOfYears walks over years in which nothing happened without an end that is none.
func TestActivityOfYears(t *testing.T) {
	w := newWebsite(t)
	w.deposit("alice", "1 BNB")
	w.at(2000, "12:00")
	w.login("alice@example.com")
	found := false
	path := "/activity?show=wallet"
	for range 40 {
		page := w.get(path).is(http.StatusOK)
		found = found || strings.Contains(page.text(), "Deposit")
		m := olderLink.FindStringSubmatch(page.body)
		if m == nil {
			break
		}
		page.has("There may be more before it")
		path = strings.ReplaceAll(m[1], "&amp;", "&")
	}
	if !found {
		t.Error("the deposit of years ago is not found")
	}
	if _, err := url.Parse(path); err != nil {
		t.Error(err)
	}
}

// TestEveryHappeningHasItsText: also those that no test makes happen.
func TestEveryHappeningHasItsText(t *testing.T) {
	names := []string{
		"transfer-in", "transfer-out", "bought", "sold", "opening", "import", "reward-from-elsewhere", "reward.one",
		"reward.other", "accepted", "opened", "other", "log-in", "log-in-refused", "log-out", "log-out-everywhere",
		"session-end", "password", "password-refused", "login-add", "login-remove", "key-create", "key-limit",
		"key-revoke", "factor-add", "factor-rename", "factor-remove", "factor-codes", "factor-reset", "factor-refused",
	}
	for _, kind := range ledger.Kinds {
		if kind != ledger.Transfer {
			names = append(names, string(kind))
		}
	}
	for _, name := range switchEventNames {
		names = append(names, name)
	}
	for _, l := range allLocales(t) {
		for _, name := range names {
			if !l.Has("activity.is." + name) {
				t.Errorf("%s: there is no text for %s", l.Tag, name)
			}
		}
	}
}
