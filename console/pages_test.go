package console

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// withdraw requests a withdrawal of an account.
func (o *office) withdraw(from ledger.Account, id, asset string, amount ledger.Amount) {
	o.Helper()
	outcome, err := o.books.Withdraw(o.Context(), store.Withdrawal{ID: id, Account: from, Asset: asset, Amount: amount,
		Address: "0xabc", Network: "BSC"})
	o.ok(err)
	o.ok(outcome.Err)
}

// settle moves the clock to ten past midnight after Day n, and settles all days up to it.
func (o *office) settle(n int) {
	o.Helper()
	o.clock.Set(n+1, "00:10")
	_, err := staking.Run(o.Context(), o.books, o.clock.Now(), staking.Options{})
	o.ok(err)
}

// fund puts tokens into the pool.
func (o *office) fund(asset string, amount ledger.Amount) {
	o.Helper()
	_, err := o.books.Fund(o.Context(), "fund/"+asset, asset, amount, false)
	o.ok(err)
}

// enroll accepts all documents for an account, and switches on.
func (o *office) enroll(id ledger.Account) {
	o.Helper()
	client := staking.Client{Platform: "web", Address: "192.0.2.7"}
	for _, name := range staking.DocumentNames {
		o.ok(o.books.Documents().Accept(o.Context(), id, name, 0, client))
	}
	_, err := o.books.Enroll(o.Context(), id, client, o.clock.Now())
	o.ok(err)
}

// TestTheOverviewShowsWhatIsNeeded: a day that waits for funds, a break, an open proposal; and when all is well.
func TestTheOverviewShowsWhatIsNeeded(t *testing.T) {
	o := newOffice(t)
	olga := o.as("olga")
	olga.get("/console").has("Everything is all right")
	o.deposit("alice", "2 BNB")
	o.enroll("alice")
	o.settle(1)
	o.settle(2)
	olga.get("/console").has("needs funds", "accrued", "1 thing needs somebody")
	o.fund("BNB", 100_000_000)
	o.settle(2)
	o.until("tonight's preview is made again", func() bool {
		o.clock.Advance(nightLife * 2)
		return strings.Contains(olga.get("/console").body, "Everything is all right")
	})
	olga.get("/console").has("paid through 3 Mar 2026", "days")
}

// TestTheOverviewShowsCheckpointsThatDoNotArrive: since when, and why, until one does.
func TestTheOverviewShowsCheckpointsThatDoNotArrive(t *testing.T) {
	o := newOffice(t)
	olga := o.as("olga")
	o.settle(1)
	e := o.books.Evidence()
	o.ok(e.Delivered(t.Context(), 1, errors.New("the store answers 503")))
	olga.get("/console").has("Sending it to where it is kept fails: the store answers 503", "3 Mar 2026, 00:10 UTC",
		"1 thing needs somebody")
	o.clock.Advance(time.Minute)
	o.ok(e.Delivered(t.Context(), 1, nil))
	olga.get("/console").has("Sent to where it is kept:", "3 Mar 2026, 00:11 UTC", "Everything is all right").hasNot("503")
}

// digestOf is the digest of the effect that a page of a proposal shows.
func digestOf(page answer) string {
	page.o.Helper()
	found := regexp.MustCompile(`name="effect" value="([0-9a-f]{32})"`).FindStringSubmatch(page.body)
	if found == nil {
		page.o.Fatalf("%s shows no digest to approve:\n%s", page.what, page.body)
	}
	return found[1]
}

// TestOneProposesAndAnotherApproves: the form of the terms becomes a proposal, whose own proposer cannot decide it.
func TestOneProposesAndAnotherApproves(t *testing.T) {
	o := newOffice(t)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	olga, anton := o.as("olga"), o.as("anton")
	anton.get("/console/terms").is(http.StatusOK).has("0.15%").hasNot(`name="apr"`)
	olga.post("/console/terms", "asset", "BNB", "apr", "abc").is(http.StatusUnprocessableEntity).has("apr-fault", "abc")
	at := olga.post("/console/terms", "asset", "BNB", "apr", "0.002", "reason", "the market").
		is(http.StatusSeeOther).location
	if !strings.HasPrefix(at, "/console/proposals/") {
		t.Fatalf("it leads to %s", at)
	}
	olga.get(at).is(http.StatusOK).has("another person decides it", "the market",
		"without it", "0.15%", "with it", "0.2%").
		hasNot("Approve and carry out")
	olga.post(at, "do", "approve", "effect", "").is(http.StatusUnprocessableEntity)
	page := anton.get(at).is(http.StatusOK).has("Approve and carry out")
	anton.post(at, "do", "reject", "reason", "").is(http.StatusUnprocessableEntity).has("reason-fault")
	olga.get("/console").has("terms set")
	anton.post(at, "do", "approve", "effect", digestOf(page)).is(http.StatusSeeOther)
	anton.get(at).has("Executed").hasNot("Approve and carry out")
	olga.get("/console/terms").has("0.2%", "Coming")
	olga.get("/console/proposals?state=executed").has("terms set")
	olga.get("/console/log").has("proposal approve", "staff anton@example.com", "terms set")
}

// TestProposalsAreShownWithWhatTheyAreAbout: on the page of each account that they would change, and where an entry is
// searched for, before it is posted and after; not for support, who sees no proposals.
func TestProposalsAreShownWithWhatTheyAreAbout(t *testing.T) {
	o := newOffice(t)
	o.deposit("alice", "2 BNB")
	o.deposit("bob", "2 BNB")
	o.ok(o.books.SetFourEyes(t.Context(), true))
	var all []store.ReasonedEntry
	for i, id := range []ledger.Account{"alice", "bob"} {
		all = append(all, store.ReasonedEntry{Entry: ledger.Entry{ID: fmt.Sprintf("a-%d", i), Kind: ledger.Adjustment,
			Moves: []ledger.Move{{From: id, To: ledger.Custody, Asset: "BNB", Amount: 1}}}, Reason: "missed"})
	}
	by := access.Actor{Role: access.Operator, Credential: "staff olga@example.com", Person: "olga@example.com"}
	_, err := o.books.As(by).AdjustAll(t.Context(), all, true)
	needed, is := errors.AsType[*control.Needed](err)
	if !is {
		t.Fatalf("it needs approval: %v", err)
	}
	p, err := o.books.As(by).Propose(t.Context(), needed.Draft, "")
	o.ok(err)
	at := "/console/proposals/" + p.ID
	anton, susi := o.as("anton"), o.as("susi")
	for _, id := range []string{"alice", "bob"} {
		anton.get("/console/accounts/"+id).has(at, "Open")
		susi.get("/console/accounts/" + id).is(http.StatusOK).hasNot(at)
		anton.get("/console/proposals?account="+id).has(at, "account="+id+"&amp;state=executed", "<small>"+id+"</small>")
	}
	anton.get("/console/proposals?account=carol").is(http.StatusOK).hasNot(at)
	list := anton.get("/console/search?q=a-1").is(http.StatusSeeOther).location
	anton.get(list).is(http.StatusOK).has(at)
	anton.post(at, "do", "approve", "effect", p.EffectDigest()).is(http.StatusSeeOther)
	anton.get(anton.get("/console/search?q=a-1").is(http.StatusSeeOther).location).has(at, "Executed", "bob")
}

func TestAProposalIsRejected(t *testing.T) {
	o := newOffice(t)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	at := o.as("olga").post("/console/terms", "asset", "SOL", "cap", "20000").is(http.StatusSeeOther).location
	anton := o.as("anton")
	anton.post(at, "do", "reject", "reason", "not this month").is(http.StatusSeeOther)
	anton.get(at).has("Rejected", "not this month")
	o.as("udo").post(at, "do", "approve").is(http.StatusUnprocessableEntity)
}

// TestWithdrawalsEnd: one is completed, one cancelled, and a large one proposed.
func TestWithdrawalsEnd(t *testing.T) {
	o := newOffice(t)
	o.deposit("alice", "20 BNB")
	o.ok(o.books.SetLimit(t.Context(), staking.Limit{Asset: "BNB", MaxWithdrawal: 10_00000000}))
	o.withdraw("alice", "w/1", "BNB", 1_00000000)
	o.withdraw("alice", "w/2", "BNB", 2_00000000)
	o.withdraw("alice", "w/3", "BNB", 12_00000000)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	olga := o.as("olga")
	olga.get("/console/withdrawals").is(http.StatusOK).has("/console/withdrawals/alice/w%2F1", "12 BNB", "0xabc")
	olga.get("/console/withdrawals/alice/w%2F1").has("Complete", "Cancel the withdrawal")
	olga.post("/console/withdrawals/alice/w%2F1", "do", "complete").is(http.StatusSeeOther)
	olga.get("/console/withdrawals/alice/w%2F1").has("completed").hasNot("Cancel the withdrawal")
	olga.post("/console/withdrawals/alice/w%2F2", "do", "cancel").is(http.StatusSeeOther)
	olga.get("/console/withdrawals/alice/w%2F2").has("cancelled")
	at := olga.post("/console/withdrawals/alice/w%2F3", "do", "complete", "reason", "known address").location
	olga.get(at).has("withdrawal complete", "known address")
	olga.get("/console/withdrawals/alice/w%2F3").has("waits")
	o.as("udo").get("/console/withdrawals/alice/w%2F3").hasNot("Cancel the withdrawal")
	o.as("udo").post("/console/withdrawals/alice/w%2F3", "do", "cancel").is(http.StatusUnprocessableEntity)
}

// TestSearchFindsByAnyName: an account, an e-mail address, an entry, a day; and each page has what belongs to it.
func TestSearchFindsByAnyName(t *testing.T) {
	o := newOffice(t)
	entry := o.deposit("alice", "2 BNB")
	o.enroll("alice")
	o.fund("BNB", 100_000_000)
	o.ok(o.books.People().AddLogin(t.Context(), people.Login{Email: "al@example.com", Account: "alice",
		Password: testHash(t)}))
	o.settle(1)
	o.settle(2)
	olga := o.as("olga")
	for query, want := range map[string]string{
		"alice": "/console/accounts/alice", "AL@example.com": "/console/accounts/alice",
		entry: "/console/entries/deposit%2Falice%2FBNB", "2026-03-03": "/console/days/2026-03-03",
		"reward/2026-03-03/BNB/alice": "/console/entries/reward%2F2026-03-03%2FBNB%2Falice"} {
		found := olga.get("/console/search?q=" + strings.ReplaceAll(query, "/", "%2F")).is(http.StatusSeeOther)
		if at := found.location; at != want {
			t.Errorf("%q leads to %s", query, at)
		}
	}
	olga.get("/console/search?q=nobody").is(http.StatusNotFound).has("Nothing is called", "nobody")
	olga.get("/console/search?q=").is(http.StatusOK)
	olga.get("/console/accounts/alice").has("al@example.com", "Germany (DE)", "deposit", "reward", "on",
		"/console/accounts/alice/rewards/2026-03-03/BNB", "2 BNB")
	olga.get("/console/accounts/alice/rewards/2026-03-03/BNB").has("0.15%", "0.00000821", `<svg class="day"`, "The free balance of BNB on 3 Mar 2026")
	olga.get("/console/entries/deposit%2Falice%2FBNB").has("@custody", `href="/console/accounts/alice"`, "2 BNB")
	olga.get("/console/days/2026-03-03").has("It is closed", "0.00000821", "The day before")
	olga.get("/console/days/2026-03-04").has("It is open")
	olga.get("/console/days/2020-01-01").is(http.StatusNotFound)
	olga.get("/console/accounts/nobody").is(http.StatusNotFound)
}

// TestSupportSeesOneHolderAtATime: each look is logged, by whom and at whom; lists of holders are refused.
func TestSupportSeesOneHolderAtATime(t *testing.T) {
	o := newOffice(t)
	entry := o.deposit("alice", "2 BNB")
	susi := o.as("susi")
	susi.get("/console/accounts/alice").is(http.StatusOK).has("2 BNB")
	o.deposit("bob", "1 BNB")
	o.ok(o.books.People().AddLogin(t.Context(), people.Login{Email: "bob@example.com", Account: "bob",
		Password: testkit.Must(access.HashPassword(rand.Reader, "correct horse battery"))(t)}))
	susi.get("/console/search?q=bob%40example.com").is(http.StatusSeeOther)
	susi.get("/console/search?q=nobody%40example.com").is(http.StatusNotFound)
	for _, path := range []string{"/console/withdrawals", "/console/log", "/console/proposals",
		"/console/entries/" + strings.ReplaceAll(entry, "/", "%2F")} {
		susi.get(path).is(http.StatusForbidden).has("Not for your role")
	}
	lines, err := reports.New(o.books.Reader()).Log(t.Context(), o.clock.Now().Add(-1), 100)
	o.ok(err)
	seen := map[string]int{}
	for _, l := range lines {
		if l.Action == "account read" && l.Actor.Credential == "staff susi@example.com" {
			seen[l.Subject+" "+l.Detail]++
		}
	}
	if len(seen) != 2 || seen["alice account"] != 1 || seen["bob whose e-mail address it is"] != 1 {
		t.Errorf("the looks are logged as %v: %v", seen, lines)
	}
	o.as("olga").get("/console/accounts/alice").is(http.StatusOK)
	vera := o.as("vera")
	vera.get("/console/accounts/alice").is(http.StatusForbidden)
	vera.get("/console/search?q=alice").is(http.StatusNotFound)
	vera.get("/console").is(http.StatusOK).hasNot(`"/console/log"`)
}

// TestEachRoleSeesItsPages: for each role of staff each page either answers or is refused, as the table of routes says;
// the menu offers no page that is refused.
func TestEachRoleSeesItsPages(t *testing.T) {
	o := newOffice(t)
	for _, who := range staffOfTests {
		d := o.as(strings.TrimSuffix(who.Email, "@example.com"))
		menu := d.get("/console").is(http.StatusOK).body
		for _, s := range sections() {
			offered := strings.Contains(menu, `<a href="`+s.Path+`"`)
			if status := d.get(s.Path).status; offered != (status == http.StatusOK) {
				t.Errorf("%s: %s is offered: %t, and answers %d", who.Role, s.Path, offered, status)
			}
		}
	}
	if len(staffOfTests) != len(access.StaffRoles) {
		t.Errorf("the tests have %d members of staff for %d roles", len(staffOfTests), len(access.StaffRoles))
	}
}

// TestADayOverItsLimit waits until an operator has proposed to pay it, and another person has approved that.
func TestADayOverItsLimit(t *testing.T) {
	o := newOffice(t)
	o.deposit("alice", "2 BNB")
	o.enroll("alice")
	o.fund("BNB", 100_000_000)
	o.ok(o.books.SetLimit(t.Context(), staking.Limit{Asset: "BNB", MaxTotal: 1}))
	o.ok(o.books.SetFourEyes(t.Context(), true))
	o.settle(1)
	o.settle(2)
	olga, anton := o.as("olga"), o.as("anton")
	olga.get("/console").has("needs approval", `href="/console/days/2026-03-03"`)
	anton.get("/console/days/2026-03-03").has("over a limit", "the day&#39;s total ").hasNot("Propose to pay them")
	olga.get("/console/days/2026-03-03").has("Propose to pay them")
	at := olga.post("/console/days/2026-03-03", "asset", "BNB", "reason", "many new holders").
		is(http.StatusSeeOther).location
	page := anton.get(at).has("settle approve", "many new holders")
	anton.post(at, "do", "approve", "effect", digestOf(page)).is(http.StatusSeeOther)
	o.settle(2)
	olga.get("/console").has("paid through 3 Mar 2026")
}

// TestAnEffectThatHasChangedIsShownFirst: what was looked at is not what would be done, so nothing is, and the page
// shows what would; that can be approved.
func TestAnEffectThatHasChangedIsShownFirst(t *testing.T) {
	o := newOffice(t)
	o.ok(o.books.SetFourEyes(t.Context(), true))
	olga, anton := o.as("olga"), o.as("anton")
	first := olga.post("/console/terms", "asset", "BNB", "apr", "0.002").is(http.StatusSeeOther).location
	second := olga.post("/console/terms", "asset", "BNB", "apr", "0.003").is(http.StatusSeeOther).location
	looked := digestOf(anton.get(first))
	anton.post(second, "do", "approve", "effect", digestOf(anton.get(second))).is(http.StatusSeeOther)
	changed := anton.post(first, "do", "approve", "effect", looked).is(http.StatusConflict).
		has("It would do something else by now", "without it: from 2026-03-03 offered, APR 0.003")
	if digestOf(changed) == looked {
		t.Error("the page offers to approve what was looked at before")
	}
	anton.get("/console/terms").hasNot("0.2%")
	anton.post(first, "do", "approve", "effect", digestOf(changed)).is(http.StatusSeeOther)
	anton.get("/console/terms").has("0.2%")
}

// TestTheConsoleSpeaksGerman: its words and its numbers.
func TestTheConsoleSpeaksGerman(t *testing.T) {
	o := newOffice(t)
	o.deposit("alice", "1234.5 BNB")
	olga := o.as("olga")
	olga.get("/console", "Accept-Language", "de").has(`<html lang="de"`, "Ist alles in Ordnung?", "Betreiber")
	olga.get("/console/accounts/alice", "Accept-Language", "de").has("1.234,5", "Guthaben", "Deutschland (DE)")
}
