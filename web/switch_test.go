package web

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// shown are the fields of the sheet, as it was shown, with the tick.
func shown(sheet answer) url.Values {
	form := url.Values{"accept": {"yes"}}
	for _, name := range staking.DocumentNames {
		form.Set(name, sheet.hidden(name))
	}
	return form
}

// isOn reports whether an account's switch is on.
func (w *website) isOn() bool {
	w.Helper()
	h, err := reports.New(w.books.Reader()).Holder(w.Context(), "alice", staking.Client{}, 0)
	w.ok(err)
	return h.On()
}

// TestTheSwitch goes the way of the guide: grey tag, sheet, tick, Start Earning, yellow tag.
func TestTheSwitch(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.cookie("zone", "Europe%2FBerlin")
	w.deposit("alice", "2.14 BNB")
	w.deposit("alice", "500 SUI") // qualifies, without a price
	w.get("/spot").has("tag off")
	sheet := w.get("/earn/start").is(http.StatusOK).has("Earn on what you hold", "0.005274 USDT a day",
		"1.92 USDT a year",
		"BNB 0.15% a year 0.00000879 a day 0.00321 a year", "SUI 1% a year 0.01369863 a day 5 a year",
		"Not counted in USDT, because no price is known: SUI.",
		"3 Mar 2026, 00:00 UTC (01:00 your time)", "4 Mar 2026",
		"Terms of Use version 1", "Soft Staking Terms version 1", "Risk Warning version 1",
		"The price of a token can fall", "<ol start=\"1\">",
		"required data-enables=\"start-earning\"", `id="start-earning"`)
	form := shown(sheet)

	untaken := url.Values{"accept": {""}}
	for _, name := range staking.DocumentNames {
		untaken.Set(name, form.Get(name))
	}
	w.post("/earn/start", untaken).is(http.StatusUnprocessableEntity).has("Please tick that you accept",
		"Nothing was switched on")
	if accepted, err := reports.New(w.books.Reader()).Acceptances(t.Context(), "alice"); err != nil || len(accepted) > 0 ||
		w.isOn() {
		t.Fatalf("without a tick %v is accepted, %v", accepted, err)
	}

	w.post("/earn/start", form).goesTo("/earn").is(http.StatusOK)
	w.get("/spot").has("tag on").hasNot("tag off")
	accepted, err := reports.New(w.books.Reader()).Acceptances(t.Context(), "alice")
	if err != nil || len(accepted) != 3 || accepted[0].Version != 1 || accepted[0].Client != "web" ||
		accepted[0].Address != "192.0.2.7" {
		t.Errorf("accepted: %+v, %v", accepted, err)
	}
	// The back button, and another tab: it is on already, and stays so.
	w.post("/earn/start", form).goesTo("/earn")
	w.get("/earn/start").is(http.StatusOK).has("Soft Staking is on",
		"The first day that counts is 3 Mar 2026").hasNot("<form method=\"post\" action=\"/earn/start\"")
	h, err := reports.New(w.books.Reader()).Holder(t.Context(), "alice", staking.Client{}, 0)
	if err != nil || len(h.Enrollments) != 1 || h.Enrollments[0].From != w.day(2) {
		t.Errorf("enrolled %+v, %v", h.Enrollments, err)
	}
}

func TestStartTwiceAtOnce(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	form := shown(w.get("/earn/start").has("Nothing you hold now reaches its minimum",
		"You can switch on all the same"))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { w.post("/earn/start", form).goesTo("/earn") })
	}
	all.Wait()
	if enrollments, err := reports.New(w.books.Reader()).Enrollments(t.Context(), "alice"); err != nil ||
		len(enrollments) != 1 {
		t.Errorf("%+v, %v", enrollments, err)
	}
}

func TestStartRefused(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	form := shown(w.get("/earn/start"))
	w.holder("uma", "US-CA")
	w.holder("nora", "")
	ask := func(b *browser, headers ...string) []answer {
		return []answer{b.get("/earn/start", headers...), b.post("/earn/start", form, headers...)}
	}
	for _, email := range []string{"uma@example.com", "nora@example.com"} {
		b := w.another()
		b.login(email)
		for _, page := range ask(b) {
			page.is(http.StatusUnavailableForLegalReasons).has("Everything else works as before")
		}
	}
	for _, page := range ask(w.browser, "X-Test-Country", "US") {
		page.is(http.StatusUnavailableForLegalReasons)
	}
	for _, page := range ask(w.browser, "X-Test-Need-Country", "1") {
		page.is(http.StatusUnavailableForLegalReasons).has("We do not know which country " +
			"you are in").hasNot(">refused.")
	}
	w.get("/earn", "X-Test-Need-Country", "1").has("your country is not known", "turn off the VPN or Tor").
		hasNot("Start Earning", "earn.")
	w.get("/spot", "X-Test-Need-Country", "1").has("We do not know which country you are in now")
	w.get("/account", "X-Test-Need-Country", "1").has("we do not know which country you " +
		"are in now").hasNot("account.residence.")
	w.get("/earn/start", "X-Test-Need-Country", "1", "X-Test-Country", "DE").is(http.StatusOK)
	for _, version := range []string{"3.0.9", "", "nonsense"} {
		for _, page := range ask(w.browser, "X-Client-Platform", "ios", "X-Client-Version", version) {
			page.is(http.StatusForbidden).has("Update the app", "3.1.0")
		}
	}
	if accepted, err := reports.New(w.books.Reader()).Acceptances(t.Context(), "alice"); err != nil || len(accepted) > 0 ||
		w.isOn() {
		t.Fatalf("what is refused has accepted %v, %v", accepted, err)
	}
	w.post("/earn/start", form, "X-Client-Platform", "android", "X-Client-Version", "3.1.0").goesTo("/earn")
	// On already: nothing is asked any more, wherever one is.
	w.post("/earn/start", form, "X-Test-Country", "US").goesTo("/earn")
	w.post("/earn/start", form, "X-Test-Need-Country", "1").goesTo("/earn")
	w.get("/earn/start", "X-Test-Country", "US").is(http.StatusOK).has("Soft Staking is on")
}

// TestStartWithAnotherDocument: what was not shown is not accepted.
func TestStartWithAnotherDocument(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	old := shown(w.get("/earn/start"))
	_, err := w.books.Documents().Publish(t.Context(), staking.RiskWarning,
		"# Risk Warning\n\nEverything may be <b>lost</b>.\nReally.\n\n- one\n- two\n")
	w.ok(err)
	again := w.post("/earn/start", old).is(http.StatusConflict).has("Changed since you opened this page: Risk Warning.",
		"version 2", "new",
		"Everything may be &lt;b&gt;lost&lt;/b&gt;. Really.", "Nothing was accepted").hasNot(" checked")
	if strings.Contains(again.body, "<b>lost") {
		t.Error("what an operator writes is HTML")
	}
	if accepted, err := reports.New(w.books.Reader()).Acceptances(t.Context(), "alice"); err != nil || len(accepted) > 0 ||
		w.isOn() {
		t.Fatalf("%v is accepted, %v", accepted, err)
	}
	w.post("/earn/start", url.Values{"accept": {"yes"}}).is(http.StatusConflict)
	w.post("/earn/start", shown(again)).goesTo("/earn")

	w.get("/earn/documents/risk-warning").is(http.StatusOK).has("Version 2", "Really.").hasNot("There is a newer " +
		"version")
	w.get("/earn/documents/risk-warning?version=1").is(http.StatusOK).has("Version 1", "There is a newer version: 2")
	w.another().get("/earn/documents/terms-of-use").is(http.StatusOK).has("Your tokens stay yours")
	for _, path := range []string{
		"risk-warning?version=3", "risk-warning?version=0", "risk-warning?version=x", "nothing", "%2e%2e",
	} {
		w.get("/earn/documents/" + path).is(http.StatusNotFound)
	}

	// Accepted before: it is said, and no tick is asked for.
	w.ok(w.books.Leave(t.Context(), "alice", staking.Client{}, time.Time{}))
	sheet := w.get("/earn/start").has("You have accepted these versions already", "accepted 2 Mar 2026, 12:00").
		hasNot(`name="accept"`)
	form := shown(sheet)
	form.Del("accept")
	w.post("/earn/start", form).goesTo("/earn")
}

// TestStartAfterTheSession: who has logged in again finds the sheet, and ticks again.
func TestStartAfterTheSession(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	form := shown(w.get("/earn/start"))
	w.ok(w.books.People().EndSessions(t.Context(), "alice", ""))
	login := w.post("/earn/start", form).is(http.StatusUnauthorized)
	next := login.hidden("next")
	if next != "/earn/start" {
		t.Fatalf("back to %q", next)
	}
	w.login("alice@example.com")
	w.get(next).is(http.StatusOK).has("Start Earning").hasNot(" checked")
	if w.isOn() {
		t.Error("it is on")
	}
}

func TestStop(t *testing.T) {
	w := newWebsite(t)
	w.login("alice@example.com")
	w.get("/earn/stop").is(http.StatusOK).has("Soft Staking is off", "nothing to stop").hasNot(`class="danger"`)
	w.deposit("alice", "40 BNB")
	w.fund("1 BNB")
	w.enroll("alice")
	w.get("/earn/stop").has("no day has been measured yet", "the first day that counts is 3 Mar 2026", `class="danger"`)
	w.at(3, "00:02")
	w.login("alice@example.com")
	w.get("/earn/stop").has("Today, 4 Mar 2026, will not be paid.", "it would come to 0.00016438 BNB",
		"Yesterday, 3 Mar 2026, will still be paid: 0.00016438 BNB.")
	w.settle(2)
	w.get("/earn/stop").has("Yesterday, 3 Mar 2026, is paid: 0.00016438 BNB.",
		"the first day that counts is 5 Mar 2026")
	w.post("/earn/stop", nil, "X-Client-Platform", "ios", "X-Client-Version", "1.0.0", "X-Test-Country", "US",
		"X-Test-Need-Country", "1").goesTo("/earn")
	w.post("/earn/stop", nil).goesTo("/earn")
	if w.isOn() {
		t.Error("it is on")
	}
	w.get("/spot").has("tag off")
}

func TestBlocks(t *testing.T) {
	got := blocks("# One\nplain\ngoes on\n\n1. first\n   still first\n2. second\n\n- a\n-b\n# \n" +
		"2026. a year is no item\n")
	want := []block{{Heading: "One"}, {Paragraph: "plain goes on"},
		{Items: []string{"first still first", "second"}, Ordered: true, Start: 1},
		{Items: []string{"a -b # 2026. a year is no item"}}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i].Heading != want[i].Heading || got[i].Paragraph != want[i].Paragraph ||
			strings.Join(got[i].Items, "|") != strings.Join(want[i].Items, "|") ||
			got[i].Ordered != want[i].Ordered || got[i].Start != want[i].Start {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}
