package web

import (
	"net/http"
	"net/url"
	"testing"

	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

func TestConvert(t *testing.T) {
	w := moveWorld(t)
	w.deposit("alice", "0.5 SOL")
	// BNB is at 600, SOL at 150; half the day is over.
	w.get("/convert?asset=BNB&amount=1&into=SOL").is(200).has("You get 4 SOL", "1 BNB gives 4 SOL, rounded down", "the prices of 2 Mar 2026",
		"Today’s average of BNB becomes 2 (2.5 if", "Today’s average of SOL becomes 2.25 (0.25 if", "That reaches the minimum of 1 SOL")
	form, p := w.confirmed("/convert", "asset", "BNB", "amount", "1", "into", "SOL")
	p.has("Convert 1 BNB into 4 SOL")
	done := w.post("/convert", form).is(http.StatusSeeOther).location
	w.get(done).is(200).has("Converted", "−1 BNB", "+4 SOL", "Free 4.5 SOL")
	if a, b := w.free("alice", "BNB"), w.free("alice", "SOL"); a != "1.5" || b != "4.5" {
		t.Errorf("alice has %s BNB and %s SOL", a, b)
	}
	w.conserves()

	// The same form again leads to the same page, also where the prices have changed since.
	w.reprice("SOL", "200")
	w.post("/convert", form).goesTo(done)
	form.Set("into", "ADA")
	w.post("/convert", form).is(http.StatusConflict).has("moved something before")
	if got := w.free("alice", "BNB"); got != "1.5" {
		t.Errorf("alice has %s BNB", got)
	}
}

// reprice changes today's price of a token.
func (w *world) reprice(symbol, text string) {
	w.Helper()
	price, err := ledger.ParseDecimal(text, 8)
	w.ok(err)
	_, err = w.books.SetPrices(w.Context(), []store.Price{{Asset: symbol, Day: staking.DayOf(w.clock.Now()), Price: price}})
	w.ok(err)
}

// TestConvertAtThePriceThatWasSeen: where it has changed meanwhile nothing is
// converted, and the form comes back.
func TestConvertAtThePriceThatWasSeen(t *testing.T) {
	w := moveWorld(t)
	form, _ := w.confirmed("/convert", "asset", "BNB", "amount", "1", "into", "SOL")
	w.reprice("SOL", "200")
	w.post("/convert", form).is(http.StatusConflict).has("The prices have changed", "You get 3 SOL", `value="1"`)
	for _, forged := range []url.Values{{"price": {"6000"}}, {"other": {"0.01"}}, {"price": nil}} {
		other, err := url.ParseQuery(form.Encode())
		w.ok(err)
		other.Set("other", "200")
		for name, value := range forged {
			other[name] = value
		}
		w.post("/convert", other).is(http.StatusConflict)
	}
	if a, b := w.free("alice", "BNB"), w.free("alice", "SOL"); a != "2.5" || b != "0" {
		t.Errorf("alice has %s BNB and %s SOL", a, b)
	}
	form, _ = w.confirmed("/convert", "asset", "BNB", "amount", "1", "into", "SOL")
	w.post("/convert", form).is(http.StatusSeeOther)
	if got := w.free("alice", "SOL"); got != "3" {
		t.Errorf("alice has %s SOL", got)
	}
	w.conserves()
}

func TestConvertRefuses(t *testing.T) {
	w := moveWorld(t)
	w.deposit("alice", "100000000 SUI") // has no price
	for _, c := range []struct{ asset, amount, into, says string }{
		{"BNB", "1", "BNB", "Choose another token"},
		{"BNB", "1", "SUI", "Choose another token"},
		{"BNB", "1", "", "Choose another token"},
		{"BNB", "1", "DOGE", "Choose another token"},
		{"SUI", "1", "BNB", "SUI has no price of today or yesterday"},
		{"BNB", "3", "SOL", "That is more than the 2.5 BNB you have free."},
		{"BNB", "0", "SOL", "Enter an amount above zero"},
	} {
		q := query("asset", c.asset, "amount", c.amount, "into", c.into, "step", "confirm")
		w.get("/convert?" + q.Encode()).is(http.StatusUnprocessableEntity).has(c.says)
		w.post("/convert", q).is(http.StatusUnprocessableEntity).has(c.says)
	}
	w.reprice("SOL", "90000000000")
	w.get("/convert?asset=BNB&amount=0.00000001&into=SOL&step=confirm").is(http.StatusUnprocessableEntity).has("less than the smallest amount of SOL, 0.00000001")
	w.reprice("ADA", "0.00000001")
	w.get("/convert?asset=BNB&amount=2.5&into=ADA&step=confirm").is(http.StatusUnprocessableEntity).has("more ADA than can be given")
	// Nobody converts at a price that has been over for days.
	w.at(4, "00:00")
	w.get("/convert?asset=BNB&amount=1&into=SOL&step=confirm").is(http.StatusUnprocessableEntity).has("BNB has no price of today or yesterday")
	w.deposit("alice", "5 USDT")
	w.get("/convert?asset=USDT").is(200).has("No other token has a price of today or yesterday")
	w.conserves()
}

func TestConvertIsNotOffered(t *testing.T) {
	w := moveWorld(t, func(o *Options) { o.Convert = false })
	w.get("/convert?asset=BNB").is(http.StatusNotFound).has("Converting is not offered here")
	w.post("/convert", query("asset", "BNB", "amount", "1", "into", "SOL", "price", "600", "other", "150")).is(http.StatusNotFound).has("not offered")
	if got := w.free("alice", "BNB"); got != "2.5" {
		t.Errorf("alice has %s BNB", got)
	}
}

func TestDepositInTheDemo(t *testing.T) {
	w := moveWorld(t, inDemo)
	w.get("/deposit?asset=SOL&amount=4").is(200).has("Today’s average of SOL becomes 2 (0 if", "That reaches the minimum of 1 SOL", "Deposits of the last 31 days", "+2.5 BNB")
	form, p := w.confirmed("/deposit", "asset", "SOL", "amount", "4")
	p.has("Deposit 4 SOL")
	done := w.post("/deposit", form).is(http.StatusSeeOther).location
	w.get(done).is(200).has("Deposited", "+4 SOL", "Average of today 2 SOL")
	w.post("/deposit", form).goesTo(done)
	if got := w.free("alice", "SOL"); got != "4" {
		t.Errorf("alice has %s SOL", got)
	}
	w.get("/deposit").is(200).has("+4 SOL")
	sol, err := w.books.Asset(t.Context(), "SOL")
	w.ok(err)
	w.get("/deposit?step=confirm&asset=SOL&amount=" + sol.Format(sol.MaxSupply)).is(http.StatusUnprocessableEntity).has("There are at most")
	w.conserves()
}

func TestDepositsOfRealBooks(t *testing.T) {
	w := moveWorld(t)
	w.get("/deposit").is(200).has("credits a deposit to your account", "+2.5 BNB").hasNot("made-up", "<form method=\"get\"")
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
	for _, a := range []store.DepositAddress{
		{Account: "alice", Asset: "BNB", Network: "BSC", Address: "0x94df<b>", Tag: "7"}, {Account: "bob", Asset: "BNB", Network: "BSC", Address: "0xb0b"},
	} {
		_, err := w.books.SetDepositAddress(t.Context(), a)
		w.ok(err)
	}
	w.get("/deposit").is(200).has("Where to send deposits", "BSC", "0x94df<b>", "Tag or memo", "7").hasNot("0xb0b")
	w.at(40, "12:00")
	w.get("/deposit").is(200).has("There was no deposit in this time")
}

// TestMovesOfEachOutcome: what a move means for the day is said in every state of the switch.
func TestMovesOfEachOutcome(t *testing.T) {
	w := newWorld(t, longSessions)
	w.holder("bob", "DE")
	w.deposit("alice", "2 BNB")
	w.deposit("alice", "100 USDT")
	w.login("alice@example.com")
	path := "/send?asset=BNB&amount=1"
	w.get(path).is(200).has("Soft Staking is off, so today earns nothing either way.")
	w.get("/send?asset=USDT&amount=1").is(200).has("USDT earns nothing here").hasNot("average of USDT")
	w.enroll("alice")
	w.get(path).is(200).has("measured from 3 Mar 2026")
	w.at(2, "00:00")
	w.get(path).is(200).has("becomes 1 (2 if", "The reward for today becomes about")
	w.get("/send?asset=BNB&amount=1.6").is(200).has("That is below the minimum of 0.5 BNB: today would earn nothing")
	w.ok(w.books.Leave(t.Context(), "alice", staking.Client{Platform: "web"}, w.clock.Now()))
	w.get(path).is(200).has("Soft Staking is off")
}
