package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

func TestConvert(t *testing.T) {
	w := moveWebsite(t)
	w.deposit("alice", "0.5 SOL")
	// BNB is at 600, SOL at 150; half the day is over.
	w.looked("/convert", "asset", "BNB", "amount", "1", "into", "SOL").
		has("You get 4 SOL", "1 BNB gives 4 SOL, rounded down", "prices of 2 Mar 2026, 12:00 UTC",
			"Today’s average of BNB becomes 2 (2.5 if", "Today’s average of SOL becomes 2.25 (0.25 if",
			"That reaches the minimum of 1 SOL").hasNot("spread")
	at, p := w.confirmed("/convert", "asset", "BNB", "amount", "1", "into", "SOL")
	p.has("Convert 1 BNB into 4 SOL")
	done := w.post(at, nil).is(http.StatusSeeOther).location
	w.get(done).is(200).has("Converted", "−1 BNB", "+4 SOL", "Free 4.5 SOL")
	if a, b := w.free("alice", "BNB"), w.free("alice", "SOL"); a != "1.5" || b != "4.5" {
		t.Errorf("alice has %s BNB and %s SOL", a, b)
	}
	w.conserves()

	// The same again leads to the same page, also where the prices have changed since.
	w.reprice("SOL", "200")
	w.post(at, nil).goesTo(done)
	form := []string{"id", formOfDraft(draftOf(at)), "asset", "BNB", "amount", "1"}
	w.filled("/convert", append(form, "into", "SOL")...).goesTo(done)
	w.filled("/convert", append(form, "into", "ADA")...).is(http.StatusConflict).has("moved something before")
	if got := w.free("alice", "BNB"); got != "1.5" {
		t.Errorf("alice has %s BNB", got)
	}
}

// reprice changes today's price of a token.
func (w *website) reprice(symbol, text string) {
	w.Helper()
	price, err := ledger.ParseDecimal(text, 8)
	w.ok(err)
	_, err = w.books.Prices().Set(w.Context(),
		[]pricing.Price{{Asset: symbol, Day: staking.DayOf(w.clock.Now()), Price: price}})
	w.ok(err)
}

// TestConvertAtThePriceThatWasSeen: where it has changed since, nothing is converted, and
// the form comes back.
func TestConvertAtThePriceThatWasSeen(t *testing.T) {
	w := moveWebsite(t)
	at, _ := w.confirmed("/convert", "asset", "BNB", "amount", "1", "into", "SOL")
	w.reprice("SOL", "200")
	w.post(at, query("price", "600", "other", "200", "gives", "300000000")).is(http.StatusConflict).
		has("The prices have changed", "You get 3 SOL", `value="1"`)
	w.get(at).is(http.StatusConflict).has("The prices have changed", "You get 3 SOL")
	if a, b := w.free("alice", "BNB"), w.free("alice", "SOL"); a != "2.5" || b != "0" {
		t.Errorf("alice has %s BNB and %s SOL", a, b)
	}
	now, _ := w.confirmed("/convert", "asset", "BNB", "amount", "1", "into", "SOL")
	w.post(now, nil).is(http.StatusSeeOther)
	if got := w.free("alice", "SOL"); got != "3" {
		t.Errorf("alice has %s SOL", got)
	}
	w.conserves()
}

func TestConvertRefuses(t *testing.T) {
	w := moveWebsite(t)
	w.deposit("alice", "100000000 SUI") // has no price
	refused := func(asset, amount, into string) answer {
		return w.filled("/convert", "asset", asset, "amount", amount, "into", into).is(http.StatusUnprocessableEntity)
	}
	for _, c := range []struct{ asset, amount, into, says string }{
		{"BNB", "1", "BNB", "Choose another token"},
		{"BNB", "1", "SUI", "SUI has no price of the last 2,880 minutes"},
		{"BNB", "1", "", "Choose another token"},
		{"BNB", "1", "DOGE", "Choose another token"},
		{"SUI", "1", "BNB", "SUI has no price of the last 2,880 minutes"},
		{"BNB", "3", "SOL", "That is more than the 2.5 BNB you have free."},
		{"BNB", "0", "SOL", "Enter an amount above zero"},
	} {
		refused(c.asset, c.amount, c.into).has(c.says)
	}
	w.reprice("SOL", "90000000000")
	refused("BNB", "0.00000001", "SOL").has("less than the smallest amount of SOL, 0.00000001")
	w.reprice("ADA", "0.00000001")
	refused("BNB", "2.5", "ADA").has("more ADA than can be given")
	w.conserves()
}

// TestConvertWithinLimits: beyond what an operator allows nothing is converted, and the
// page is why, when it is filled in and when it is confirmed.
func TestConvertWithinLimits(t *testing.T) {
	rules := &conversion.Rules{PriceMaxAge: 10 * time.Minute, Spread: 25, DailyLimit: 1000_00000000, Stocked: true}
	w := moveWebsite(t, func(o *Options) { o.Convert = rules })
	w.prices(map[string]string{"BNB": "600", "SOL": "150"})
	w.move(ledger.Deposit, ledger.Custody, "bob", "5 SOL")
	w.move(ledger.Trade, "bob", ledger.Desk, "5 SOL")
	one := []string{"asset", "BNB", "amount", "1", "into", "SOL"}
	w.looked("/convert", one...).has("You get 3.99 SOL", "A spread of 0.25% is taken off.", "BNB is at 600 USDT")
	at, p := w.confirmed("/convert", one...)
	p.has("Convert 1 BNB into 3.99 SOL", "A spread of 0.25% is taken off.")

	w.move(ledger.Trade, ledger.Desk, "bob", "2 SOL")
	w.post(at, nil).is(http.StatusUnprocessableEntity).has("This is more than can be paid out now: at most 3 SOL.")
	w.filled("/convert", "asset", "BNB", "amount", "0.1", "into", "ADA").is(http.StatusUnprocessableEntity).
		has("ADA has no price of the last 10 minutes")
	w.prices(map[string]string{"ADA": "0.5"})
	w.filled("/convert", "asset", "BNB", "amount", "0.1", "into", "ADA").is(http.StatusUnprocessableEntity).
		has("No ADA can be paid out now.")
	w.looked("/convert", "asset", "BNB", "amount", "0.1", "into", "ADA").has("No ADA can be paid out now.")
	w.move(ledger.Trade, "bob", ledger.Desk, "2 SOL")

	w.clock.Forward(w.clock.Now().Add(11 * time.Minute))
	w.post(at, nil).is(http.StatusUnprocessableEntity).has("BNB has no price of the last 10 minutes, " +
		"so it cannot be converted now.")
	w.get("/convert").is(200).has("BNB has no price of the last 10 minutes")
	w.prices(map[string]string{"BNB": "600", "SOL": "150"})
	w.post(at, nil).is(http.StatusSeeOther)

	w.filled("/convert", "asset", "BNB", "amount", "0.8", "into", "SOL").is(http.StatusUnprocessableEntity).
		has("You can convert 400 USDT more today. The limit is 1,000 USDT a day")
	if a, b := w.free("alice", "BNB"), w.free("alice", "SOL"); a != "1.5" || b != "3.99" {
		t.Errorf("alice has %s BNB and %s SOL", a, b)
	}
	w.conserves()
}

func TestConvertIsNotOffered(t *testing.T) {
	w := moveWebsite(t, func(o *Options) { o.Convert = nil })
	w.get("/convert").is(http.StatusNotFound).has("Converting is not offered here")
	w.post("/convert", query("asset", "BNB", "amount", "1", "into", "SOL")).is(http.StatusNotFound).has("not offered")
	if got := w.free("alice", "BNB"); got != "2.5" {
		t.Errorf("alice has %s BNB", got)
	}
}

func TestDepositInTheDemo(t *testing.T) {
	w := moveWebsite(t, inDemo)
	w.get("/deposit").is(200).has("Deposits of the last 31 days", "+2.5 BNB")
	w.looked("/deposit", "asset", "SOL", "amount", "4").has("Today’s average of SOL becomes 2 (0 if",
		"That reaches the minimum of 1 SOL")
	at, p := w.confirmed("/deposit", "asset", "SOL", "amount", "4")
	p.has("Deposit 4 SOL")
	done := w.post(at, nil).is(http.StatusSeeOther).location
	w.get(done).is(200).has("Deposited", "+4 SOL", "Average of today 2 SOL")
	w.post(at, nil).goesTo(done)
	if got := w.free("alice", "SOL"); got != "4" {
		t.Errorf("alice has %s SOL", got)
	}
	w.get("/deposit").is(200).has("+4 SOL")
	sol, err := w.books.Asset(t.Context(), "SOL")
	w.ok(err)
	w.filled("/deposit", "asset", "SOL", "amount", sol.Format(sol.MaxSupply)).is(http.StatusUnprocessableEntity).
		has("There are at most")
	w.conserves()
}

func TestDepositsOfRealBooks(t *testing.T) {
	w := moveWebsite(t)
	w.get("/deposit").is(200).has("credits a deposit to your account", "+2.5 BNB").
		hasNot("made-up", `action="/deposit"`)
	// An entry that was posted elsewhere may have slashes in its ID: the page finds itself all the same.
	elsewhere := "/deposit/" + url.PathEscape(w.deposit("alice", "1 ADA"))
	w.get(elsewhere).is(200).has(`hx-get="` + elsewhere + `"`)
	if p := w.post("/deposit", query("asset", "SOL", "amount", "4")); p.status < 400 {
		t.Errorf("%s: %d", p.what, p.status)
	}
	if got := w.free("alice", "SOL"); got != "0" {
		t.Errorf("alice has %s SOL", got)
	}
	w.get("/deposit").is(200).hasNot("Where to send deposits")
	for _, a := range []people.DepositAddress{
		{Account: "alice", Asset: "BNB", Network: "BSC", Address: "0x94df<b>", Tag: "7"},
		{Account: "bob", Asset: "BNB", Network: "BSC", Address: "0xb0b"},
	} {
		_, err := w.books.People().SetDepositAddress(t.Context(), a)
		w.ok(err)
	}
	w.get("/deposit").is(200).has("Where to send deposits", "BSC", "0x94df<b>", "Tag or memo", "7").hasNot("0xb0b")
	w.at(40, "12:00")
	w.get("/deposit").is(200).has("There was no deposit in this time")
}

// TestMovesOfEachOutcome: what a move means for the day is said in every state of the switch.
func TestMovesOfEachOutcome(t *testing.T) {
	w := newWebsite(t, longSessions)
	w.holder("bob", "DE")
	w.deposit("alice", "2 BNB")
	w.deposit("alice", "100 USDT")
	w.login("alice@example.com")
	one := func() answer { return w.looked("/send", "asset", "BNB", "amount", "1") }
	one().has("Soft Staking is off, so today earns nothing either way.")
	w.looked("/send", "asset", "USDT", "amount", "1").has("USDT earns nothing here").hasNot("average of USDT")
	w.enroll("alice")
	one().has("measured from 3 Mar 2026")
	w.at(2, "00:00")
	one().has("becomes 1 (2 if", "The reward for today becomes about")
	w.looked("/send", "asset", "BNB", "amount", "1.6").has("That is below the minimum of 0.5 BNB: " +
		"today would earn nothing")
	w.ok(w.books.Leave(t.Context(), "alice", staking.Client{Platform: "web"}, w.clock.Now()))
	one().has("Soft Staking is off")
}
