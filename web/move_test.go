package web

import (
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// playing is a clock that nobody moves: for pages that are there in the demo alone.
type playing struct{}

func (playing) Move(time.Duration) error { return nil }
func (playing) Progress() Progress       { return Progress{} }
func (playing) Visitors() []Visitor      { return nil }

func inDemo(o *Options) { o.Play = playing{} }

// moveWebsite is a website where alice has 2.5 BNB since before Day 2, earns, and has
// logged in; it is 12:00 on Day 2. bob is another.
func moveWebsite(t *testing.T, change ...func(*Options)) *website {
	t.Helper()
	w := newWebsite(t, append(change, longSessions)...)
	w.holder("bob", "DE")
	w.deposit("alice", "2.5 BNB")
	w.enroll("alice")
	w.at(2, "12:00")
	w.login("alice@example.com")
	return w
}

// free is what an account has free, as it is written.
func (w *website) free(id ledger.Account, symbol string) string {
	w.Helper()
	balances, err := reports.New(w.books.Reader()).Balances(w.Context(), id)
	w.ok(err)
	a, err := w.books.Asset(w.Context(), symbol)
	w.ok(err)
	for _, b := range balances {
		if b.Asset == symbol {
			return a.Format(b.Free)
		}
	}
	return "0"
}

// conserves fails if all that there is of any asset, the house's accounts with it,
// does not come to zero.
func (w *website) conserves() {
	w.Helper()
	sums := map[string]*big.Int{}
	add := func(asset string, n *big.Int) {
		if sums[asset] == nil {
			sums[asset] = new(big.Int)
		}
		sums[asset].Add(sums[asset], n)
	}
	house, err := reports.New(w.books.Reader()).HouseBalances(w.Context())
	w.ok(err)
	for _, b := range house {
		add(b.Asset, b.Sum)
	}
	accounts, err := reports.New(w.books.Reader()).Accounts(w.Context(), "", 100)
	w.ok(err)
	for _, a := range accounts {
		balances, err := reports.New(w.books.Reader()).Balances(w.Context(), a.ID)
		w.ok(err)
		for _, b := range balances {
			add(b.Asset, big.NewInt(int64(b.Free+b.Held)))
		}
	}
	for asset, sum := range sums {
		if sum.Sign() != 0 {
			w.Errorf("all %s come to %s", asset, sum)
		}
	}
}

// query writes fields: "asset", "BNB", "amount", "1".
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

// filled posts a page's form, as a person who fills it in does.
func (b *browser) filled(path string, pairs ...string) answer {
	b.w.Helper()
	form := query(pairs...)
	if form.Get("id") == "" {
		p := b.get(path).is(http.StatusOK)
		form.Set("id", p.hidden("id"))
		form.Set("account", p.hidden("account"))
	}
	return b.post(path, form)
}

// draftOf is the ID of the draft that is confirmed at a path.
func draftOf(at string) string {
	_, id, _ := strings.Cut(strings.TrimSuffix(at, "/confirm"), "/draft/")
	return id
}

// looked is what a page says while its form is typed.
func (b *browser) looked(path string, pairs ...string) answer {
	b.w.Helper()
	return b.post(path, query(append(pairs, "look", "1")...)).is(http.StatusOK)
}

// confirmed fills a page's form in, and gives where it is confirmed, and that page.
func (b *browser) confirmed(path string, pairs ...string) (at string, p answer) {
	b.w.Helper()
	p = b.filled(path, pairs...).is(http.StatusSeeOther)
	at = p.location
	if !strings.HasPrefix(at, path+"/draft/") || strings.Contains(at, "?") {
		b.w.Fatalf("%s: it goes to %s", p.what, at)
	}
	p = b.get(at).is(http.StatusOK).has(`method="post" action="` + at + `"`)
	_, after, _ := strings.Cut(p.body, `action="`+at+`"`)
	inner, _, _ := strings.Cut(after, "</form>")
	proofs := strings.Count(inner, `name="code"`) + strings.Count(inner, `name="answer"`) // with which it is confirmed
	if strings.Count(inner, "<input") != proofs {
		b.w.Errorf("%s: the confirmation says more than which draft it is of:\n%s", p.what, inner)
	}
	return at, p
}

func TestSend(t *testing.T) {
	w := moveWebsite(t)
	// Half a day of 2.5 and half of 1.5: 2.
	w.looked("/send", "asset", "BNB", "amount", "1", "to", "bob").
		has("Today’s average of BNB becomes 2 (2.5 if nothing moves).", "becomes about 0.00000821 BNB",
			"Free after it 1.5 BNB")
	at, p := w.confirmed("/send", "asset", "BNB", "amount", "1", "to", "bob")
	p.has("Send 1 BNB to bob", "becomes 2 (2.5 if")
	if w.free("alice", "BNB") != "2.5" {
		t.Error("looking at it has moved it")
	}
	// What a browser sends with the confirmation does not count.
	p = w.post(at, query("amount", "2", "units", "200000000", "to", "carol", "asset", "SOL", "id", "x")).
		is(http.StatusSeeOther)
	done := p.location
	w.get(done).is(200).has("Sent", "−1 BNB", "bob", "Free 1.5 BNB", "Average of today 2 BNB",
		strings.TrimPrefix(done, "/send/"))

	// The same confirmation again, at once or later, has no further effect; who goes
	// back to it, or to the form, finds what it has done.
	w.at(2, "12:30")
	w.post(at, nil).goesTo(done)
	w.get(at).goesTo(done)
	draft := draftOf(at)
	w.get("/send?draft=" + draft).goesTo(done)
	form := []string{"id", formOfDraft(draft), "asset", "BNB", "to", "bob"}
	w.filled("/send", append(form, "amount", "1")...).goesTo(done)
	// With another amount the form is not taken, and has a new name.
	again := w.filled("/send", append(form, "amount", "0.5")...).is(http.StatusConflict).
		has("moved something before", `value="0.5"`)
	if again.hidden("id") == formOfDraft(draft) {
		t.Error("the form has the name that was used")
	}
	w.filled("/send", append(form, "amount", "?")...).is(http.StatusConflict)
	if a, b := w.free("alice", "BNB"), w.free("bob", "BNB"); a != "1.5" || b != "1" {
		t.Errorf("alice has %s, bob %s", a, b)
	}
	w.conserves()

	// bob sees where it came from, and a third person nothing.
	bob := w.another()
	bob.login("bob@example.com")
	bob.get(done).is(200).has("Received", "+1 BNB", "From account alice")
	w.holder("carol", "DE")
	carol := w.another()
	carol.login("carol@example.com")
	carol.get(done).is(http.StatusNotFound)
	w.get(strings.Replace(done, "/send/", "/convert/", 1)).is(http.StatusNotFound)
}

// TestAFormsNameIsItsAccounts: the name of another's form is free for one's own.
func TestAFormsNameIsItsAccounts(t *testing.T) {
	w := moveWebsite(t)
	w.deposit("bob", "1 BNB")
	id := w.get("/send").hidden("id")
	at, _ := w.confirmed("/send", "id", id, "asset", "BNB", "amount", "1", "to", "bob")
	done := w.post(at, nil).is(http.StatusSeeOther).location
	bob := w.another()
	bob.login("bob@example.com")
	own, _ := bob.confirmed("/send", "id", id, "asset", "BNB", "amount", "1", "to", "alice")
	if own := bob.post(own, nil).is(http.StatusSeeOther).location; own == done {
		t.Errorf("both forms led to %s", own)
	}
	if a, b := w.free("alice", "BNB"), w.free("bob", "BNB"); a != "2.5" || b != "1" {
		t.Errorf("alice has %s, bob %s", a, b)
	}
	for _, account := range []ledger.Account{"reward", ledger.Account(strings.Repeat("a", 128))} {
		if err := ledger.CheckID("entry", entryID(account, id)); err != nil {
			t.Error(err)
		}
	}
}

func TestSendRefusesBesideTheField(t *testing.T) {
	w := moveWebsite(t)
	w.holder("gone", "DE")
	w.ok(w.books.CloseAccount(t.Context(), "gone"))
	for _, c := range []struct{ amount, to, says string }{
		{"3", "bob", "That is more than the 2.5 BNB you have free."},
		{"0", "bob", "Enter an amount above zero. The smallest is 0.00000001 BNB."},
		{"-1", "bob", "Enter an amount above zero."},
		{"", "bob", "Enter an amount."},
		{"0.000000001", "bob", "BNB is kept with 8 decimals."},
		{"1,500", "bob", "1,500 can be read in two ways. Write 1500 or 1.5."},
		{"one", "bob", "not a number"},
		{"1", "", "Enter the account it goes to."},
		{"1", "alice", "This is your own account."},
		{"1", "@desk", "An account ID has letters"},
		{"1", "alice/held", "An account ID has letters"},
		{"1", "nobody", "No open account has this ID."},
		{"1", "gone", "No open account has this ID."},
		{"1", "<script>alert(1)</script>", "An account ID has letters"},
	} {
		p := w.filled("/send", "asset", "BNB", "amount", c.amount, "to", c.to).is(http.StatusUnprocessableEntity)
		p.has(c.says, `value="`+c.amount+`"`, "aria-invalid").hasNot("<script>alert")
	}
	w.post("/send", query("asset", "DOGE", "amount", "1", "to", "bob")).is(http.StatusNotFound)
	w.post("/send", query("amount", "1", "to", "bob")).is(http.StatusUnprocessableEntity).has("Choose a token.")
	// While it is being typed it is not reproached.
	w.looked("/send", "asset", "BNB", "amount", "3").has("That is more than the 2.5 BNB you " +
		"have free.").hasNot("aria-invalid")
	if got := w.free("alice", "BNB"); got != "2.5" {
		t.Errorf("alice has %s", got)
	}
}

// TestSendDoesNotListAccounts: who tries many IDs has to wait, and then known
// accounts are refused like unknown ones.
func TestSendDoesNotListAccounts(t *testing.T) {
	w := moveWebsite(t)
	at, _ := w.confirmed("/send", "asset", "BNB", "amount", "1", "to", "bob")
	ask := func(to string) answer { return w.filled("/send", "asset", "BNB", "amount", "1", "to", to) }
	for range people.MostRecipients - 1 {
		ask("nobody").is(http.StatusUnprocessableEntity).has("No open account")
	}
	for _, to := range []string{"nobody", "bob"} {
		ask(to).is(http.StatusUnprocessableEntity).has("Try again in 60 minutes").hasNot("No open account")
	}
	w.post(at, nil).is(http.StatusUnprocessableEntity).has("Try again in 60 minutes", `value="bob"`)
	for range people.MostRecipients + 1 { // to look at a confirmation again asks nothing new
		w.get(at).is(200).has("becomes 2 (")
	}
	// what it does is shown all the same
	w.looked("/send", "asset", "BNB", "amount", "1", "to", "bob").has("becomes 2 (")
	w.at(2, "13:00")
	ask("bob").is(http.StatusSeeOther)
	w.post(at, nil).is(http.StatusSeeOther)
}

// TestEverythingAndTheMinimum: "use all" fills the field in, and a day that falls
// below the minimum says so.
func TestEverythingAndTheMinimum(t *testing.T) {
	w := moveWebsite(t)
	w.post("/send", query("asset", "BNB", "amount", "1", "max", "1", "to", "bob")).is(200).
		has(`value="2.5"`, `value="bob"`, "0 BNB 2.5 now", "becomes 1.25 (2.5 if")
	w.filled("/send", "asset", "BNB", "amount", "max", "to", "bob").is(http.StatusUnprocessableEntity).
		has("not a number")
	w.at(2, "01:00") // the clock stays where it is
	w.deposit("alice", "150 ADA")
	w.post("/send", query("asset", "ADA", "amount", "", "max", "1")).is(200).has("below the minimum of 150 ADA, " +
		"as it was")
	w.at(3, "00:00")
	w.looked("/send", "asset", "ADA", "amount", "1").has("Today’s average of ADA becomes 149 (150 if",
		"below the minimum of 150 ADA: today would earn nothing")
	w.deposit("alice", "1 SOL")
	w.at(3, "06:00")
	w.looked("/send", "asset", "SOL", "amount", "1").
		has("becomes 0.25 (1 if", "today would earn nothing, instead of about")

	w.cookie("lang", "de")
	w.looked("/send", "asset", "BNB", "amount", "1,5", "to", "bob").has("Der heutige Durchschnitt von BNB beträgt " +
		"dann 1,375 (2,5, wenn sich nichts bewegt).")
	w.filled("/send", "asset", "BNB", "amount", "1.500", "to", "bob").is(422).has("1.500 lässt sich auf zwei Arten " +
		"lesen. Schreiben Sie 1500 oder 1,5.")
	at, p := w.confirmed("/send", "asset", "BNB", "amount", "1,250", "to", "bob")
	p.has("1,25 BNB an bob senden")
	w.cookie("lang", "en") // in which 1,250 could be another amount
	w.get(at).is(200).has("Send 1.25 BNB to bob")
	w.post(at, nil).is(http.StatusSeeOther)
	if got := w.free("bob", "BNB"); got != "1.25" {
		t.Errorf("bob has %s", got)
	}
}

// TestWhatIsLeftToSend: what was spent after the page was made is shown beside the amount;
// of two concurrent moves of all that is free, one succeeds.
func TestWhatIsLeftToSend(t *testing.T) {
	w := moveWebsite(t)
	at, _ := w.confirmed("/send", "asset", "BNB", "amount", "2", "to", "bob")
	w.move(ledger.Transfer, "alice", "bob", "1 BNB")
	w.post(at, nil).is(http.StatusUnprocessableEntity).has("That is more than the 1.5 BNB you have free.", `value="2"`)

	one, _ := w.confirmed("/send", "asset", "BNB", "amount", "1.5", "to", "bob")
	two, _ := w.confirmed("/send", "asset", "BNB", "amount", "1.5", "to", "bob")
	var group sync.WaitGroup
	answers := make([]answer, 6)
	for i := range answers {
		group.Go(func() { answers[i] = w.post([]string{one, two}[i%2], nil) })
	}
	group.Wait()
	taken := map[string]bool{}
	for _, p := range answers {
		if p.status == http.StatusSeeOther {
			taken[p.location] = true
		} else {
			p.is(http.StatusUnprocessableEntity).has("That is more than the 0 BNB you have free.")
		}
	}
	if len(taken) != 1 || w.free("alice", "BNB") != "0" || w.free("bob", "BNB") != "2.5" {
		t.Errorf("%d were taken; alice has %s, bob %s", len(taken), w.free("alice", "BNB"), w.free("bob", "BNB"))
	}
	w.get("/send").is(200).has("You have nothing free")
	w.conserves()
}

func TestWithdraw(t *testing.T) {
	w := moveWebsite(t, inDemo)
	fields := []string{"asset", "BNB", "amount", "1", "network", "BSC", "address", "0xAbC", "tag", ""}
	w.get("/withdraw").is(200).has("Withdrawals that you request will be here")
	w.looked("/withdraw", fields...).has("held at once", "becomes 2 (2.5 if",
		"Withdrawals that you request will be here")
	at, p := w.confirmed("/withdraw", fields...)
	p.has("Withdraw 1 BNB", "0xAbC")
	done := w.post(at, nil).is(http.StatusSeeOther).location
	w.get(done).is(200).has("Pending", "0xAbC", "you are the operator too", "Free 1.5 BNB")
	w.post(at, nil).goesTo(done)
	id := formOfDraft(draftOf(at))
	w.filled("/withdraw", append(fields, "id", id)...).goesTo(done)
	w.filled("/withdraw", append(fields, "id", id, "address", "0xDef")...).is(http.StatusConflict).
		has("moved something before", `value="0xDef"`)
	w.get("/withdraw").is(200).has("Pending", "0xAbC", done)

	bob := w.another()
	bob.login("bob@example.com")
	bob.get(done).is(http.StatusNotFound)
	bob.post(done+"/end", query("how", "cancelled")).is(http.StatusNotFound)
	bob.get("/withdraw?after=" + strings.TrimPrefix(done, "/withdraw/")).is(http.StatusNotFound)

	w.post(done+"/end", query("how", "else")).is(http.StatusNotFound)
	w.at(2, "18:00")
	w.post(done+"/end", query("how", "cancelled")).goesTo(done).has("Cancelled", "Free 2.5 BNB",
		"Average of today 2.25 BNB")
	w.post(done+"/end", query("how", "cancelled")).is(http.StatusSeeOther)
	w.post(done+"/end", query("how", "completed")).is(http.StatusConflict).has("has ended already", "Cancelled")
	w.get(done + "/end").goesTo(done)

	at, _ = w.confirmed("/withdraw", "asset", "BNB", "amount", "2", "network", "BSC", "address", "0xAbC", "tag", "7")
	second := w.post(at, nil).is(http.StatusSeeOther).location
	w.post(second+"/end", query("how", "completed")).goesTo(second).has("Completed", "left your account",
		"Free 0.5 BNB")
	w.get("/withdraw").is(200).has("Completed", "Cancelled")
	w.conserves()
}

func TestWithdrawRefusesBesideTheField(t *testing.T) {
	w := moveWebsite(t)
	for _, c := range []struct{ network, address, tag, says string }{
		{"", "0xAbC", "", "Enter the network"},
		{"BSC", "", "", "Enter the address"},
		{"BSC", "0x AbC", "", "An address has no spaces"},
		{"BSC", "0xAbC", "a\x01b", "not plain text"},
		{"BSC", strings.Repeat("a", 201), "", "at most 200 characters"},
	} {
		w.filled("/withdraw", "asset", "BNB", "amount", "1", "network", c.network, "address", c.address, "tag", c.tag).
			is(http.StatusUnprocessableEntity).has(c.says)
	}
	// On real books nobody but an operator ends a withdrawal.
	at, _ := w.confirmed("/withdraw", "asset", "BNB", "amount", "1", "network", "BSC", "address", "0xAbC")
	done := w.post(at, nil).is(http.StatusSeeOther).location
	w.get(done).is(200).has("An operator will").hasNot("you are the operator too")
	if p := w.post(done+"/end", query("how", "cancelled")); p.status < 400 {
		t.Errorf("%s: %d", p.what, p.status)
	}
	if got := w.free("alice", "BNB"); got != "1.5" {
		t.Errorf("alice has %s", got)
	}
}

// TestWithdrawalsAreTurned: more than a page has are found on the next, each once.
func TestWithdrawalsAreTurned(t *testing.T) {
	w := moveWebsite(t)
	for n := range listed + 3 {
		_, err := w.books.Withdraw(t.Context(),
			store.Withdrawal{ID: "w" + string(rune('a'+n)), Account: "alice", Asset: "BNB", Amount: 1})
		w.ok(err)
	}
	first := w.get("/withdraw").is(200).has("Older withdrawals")
	second := w.get("/withdraw?after=wd").is(200).hasNot("Older withdrawals")
	for n := range listed + 3 {
		link := `href="/withdraw/w` + string(rune('a'+n)) + `"`
		if strings.Contains(first.body, link) == strings.Contains(second.body, link) {
			t.Errorf("%s is on both pages, or on none", link)
		}
	}
}
