package web

import (
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// shareWebsite is a website whose BNB is in the mode share from Day 2 on, with a fee of 30 %. alice has 3 BNB, bob 1.
func shareWebsite(t *testing.T) *website {
	w := newWebsite(t)
	w.ok(w.books.SetTerms(t.Context(), staking.Terms{
		Asset: "BNB", From: w.day(2), Offered: true, Mode: staking.Share, Min: 50_000_000, Cap: 1000_00000000,
		Fee: 3 * staking.Whole / 10,
	}))
	w.holder("bob", "DE")
	for id, text := range map[ledger.Account]string{"alice": "3 BNB", "bob": "1 BNB"} {
		w.deposit(id, text)
		w.enroll(id)
	}
	return w
}

// income enters income of BNB for some days.
func (w *website) income(reference string, first, last int, gross ledger.Amount) {
	w.Helper()
	_, err := w.books.PostIncome(w.Context(), staking.Income{
		Reference: reference, Asset: "BNB", Chain: "bsc", Source: "validator-7", First: w.day(first), Last: w.day(last),
		Gross: gross, Evidence: "0x1",
	})
	w.ok(err)
}

// rewardOf is the page of a day's reward of BNB.
func (w *website) rewardOf(day int) string { return fmt.Sprintf("/earn/rewards/%s/BNB", w.day(day)) }

// TestEarnInTheModeShare: days are accrued and wait, with an estimate once a period was paid, and the rate has the
// gross rate and the fee beside it.
func TestEarnInTheModeShare(t *testing.T) {
	w := shareWebsite(t)
	w.settle(3)
	w.read("/earn").is(http.StatusOK).has("Accrued, waiting for the chain", "2 days", "3 Mar 2026 to 4 Mar 2026",
		"known with the first income; fee 30%", "With the chain's income", "paid with the chain's income",
		"Your next reward will be here when the chain has paid").
		hasNot("No token reached its minimum", "about 0 BNB", "carried on")
	w.read("/earn/history").has("There are no rewards yet")
	w.at(4, "12:00")
	w.income("e1", 2, 3, 1_000_000)
	w.settle(5)
	// 0.007 of 8 BNB-days: 31.9375 % a year.
	w.read("/earn").has("gross 45.62%, fee 30%, you get 31.93%", "≈ 0.00525459", "estimate, at 31.93% a year",
		"5 Mar 2026 to 6 Mar 2026")
	w.read("/help").has("BNB: gross 45.62%, fee 30%, you get 31.93%.", "when the chain has paid for the days")
	w.cookie("lang", "de")
	w.read("/earn").has("Erfasst, wartet auf die Chain", "brutto 45,62", "Gebühr 30", "Sie erhalten 31,93")
}

// TestSharesOnTheRewardPage: a day that waits, a day that is paid by another, and a day that pays.
func TestSharesOnTheRewardPage(t *testing.T) {
	w := shareWebsite(t)
	w.settle(2)
	w.read(w.rewardOf(2)).is(http.StatusOK).has("Accrued, waiting for the chain", "There is no estimate",
		"259,200", "345,600").hasNot("Less than the smallest unit")
	w.at(4, "12:00")
	w.read(w.rewardOf(4)).has("it weighs as shown here")
	w.income("e1", 2, 3, 1_000_000)
	w.settle(3)
	w.read(w.rewardOf(2)).has("Accrued, its income is known", "Its income was entered on 5 Mar 2026").
		hasNot("waiting for the chain")
	w.read("/earn").has("Accrued, the income is known", "income entered on 5 Mar 2026", "Next reward").
		hasNot("waiting for the chain")
	w.read(w.rewardOf(4)).has("Share of the staking income, 3 Mar 2026 to 4 Mar 2026", "may still change")
	w.settle(4)
	w.read(w.rewardOf(2)).has("Its income was divided with the days 3 Mar 2026 to 4 Mar 2026", w.rewardOf(4)).
		hasNot("waiting for the chain")
	w.read(w.rewardOf(4)).has("+0.00525", "Fee, 30%", "− 0.003", "0.007", "518,400", "691,200",
		"to be divided × yours ÷ everybody's", "1655640000000000000000000", "Accrued, waiting for the chain",
		"About 0.002625 BNB").
		hasNot("may still change")
	if rows := w.read(w.rewardOf(4) + "/changes.csv").file(); rows[0]["shares"] != "0.00525" {
		t.Errorf("the file has %v", rows[0])
	}
	off := w.another()
	off.login("bob@example.com")
	off.get(w.rewardOf(4)).has("+0.00175")
	w.read("/earn/history").has("BNB 5 Mar 2026 from staking income")
	w.cookie("lang", "de")
	w.read(w.rewardOf(4)).has("Anteil am Staking-Einkommen, 3. März 2026 bis 4. März 2026", "Ihr Anteil")
}

// TestRatesForEverybody: the rates are public, with what is kept and where they come from, as pages and as a file.
func TestRatesForEverybody(t *testing.T) {
	w := shareWebsite(t)
	stranger := w.another()
	stranger.get("/rates").is(http.StatusOK).has("BNB", "A stated rate", "0.15%")
	w.at(4, "00:10")
	w.settle(3)
	w.at(4, "12:00")
	w.income("e1", 2, 3, 1_000_000)
	w.ok(w.books.SetTerms(t.Context(), staking.Terms{
		Asset: "SOL", From: w.day(5), Offered: true, APR: 2_870_000, Fee: 30_000_000, GrossAPR: 4_100_000, Min: 1,
		Cap: 100,
	}))
	w.settle(4)
	p := stranger.get("/rates").is(http.StatusOK).has("31.93%", "45.62%", "30%", "A share of staking income",
		"as of 4 Mar 2026", "bsc, validator-7", "2.87%", "4.1%")
	if cache := p.header.Get("Cache-Control"); cache != publicFor {
		t.Errorf("the page is kept as %q", cache)
	}
	if cache := w.read("/rates").header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("the page of somebody who has logged in is kept as %q", cache)
	}
	w.ok(errorOf(w.books.Disclose(t.Context(), "BNB", "We stake BNB with\n\n- validator-7 <b>")))
	stranger.get("/rates/BNB").is(http.StatusOK).has("What BNB earns", "31.93%", "validator-7", "0.01",
		"30% of the staking income",
		"validator-7 &lt;b&gt;", "Version 1", "waits for the chain", `<path class="net" d="`)
	stranger.get("/rates/SOL").has("30% of the gross rate of 4.1%, that is 1.23% a year")
	stranger.get("/rates/ADA").has("What the operator earns beside the rate is not stated")
	rows := stranger.get("/rates/BNB/rates.csv").file()
	paid := map[string]string{"first": w.day(2).String(), "last": w.day(3).String(), "asset": "BNB", "mode": "share",
		"gross": "0.45625", "fee": "0.3", "net": "0.319375", "from_earlier": "0"}
	if len(rows) != 3 || !maps.Equal(rows[1], paid) || rows[0]["net"] != "" || rows[2]["net"] != "0.0015" {
		t.Errorf("the file has %v", rows)
	}
	stranger.get("/rates/NOPE").is(http.StatusNotFound)
	stranger.get("/rates/NOPE/rates.csv").is(http.StatusNotFound)
	stranger.get("/login").has(`href="/rates"`)
	w.read("/help").has(`href="/rates"`)
}

// errorOf is the error alone of what answers more.
func errorOf[T any](_ T, err error) error { return err }

// TestStartInTheModeShare: the sheet has an estimate at the rate of the last paid period, and says that it is one.
func TestStartInTheModeShare(t *testing.T) {
	w := shareWebsite(t)
	w.holder("carl", "DE")
	w.deposit("carl", "3 BNB")
	carl := w.another()
	w.settle(3)
	carl.login("carl@example.com")
	carl.get("/earn/start").is(http.StatusOK).has("known with the first income; fee 30%", "not known yet")
	w.at(4, "12:00")
	w.income("e1", 2, 3, 1_000_000)
	w.settle(4)
	carl.login("carl@example.com")
	carl.get("/earn/start").has("0.002625", "gross 45.62%, fee 30%, you get 31.93%", "has no promised rate", `href="/rates"`)
	carl.get("/convert?asset=BNB&amount=1&into=USDT").is(http.StatusOK)
}

// TestRateInWords: a stated gross rate has the fee beside it; one that an earlier version let contradict the fee has
// what is kept.
func TestRateInWords(t *testing.T) {
	w := newWebsite(t)
	w.ok(w.books.SetTerms(t.Context(), staking.Terms{
		Asset: "BNB", From: w.day(3), Offered: true, APR: 3_000_000, Fee: 25_000_000, GrossAPR: 4_000_000, Cap: 100,
	}))
	w.ok(w.books.SetTerms(t.Context(), staking.Terms{
		Asset: "SOL", From: w.day(3), Offered: true, Mode: staking.Share, Fee: 25_000_000, Cap: 100,
	}))
	w.ok(w.books.SetTerms(t.Context(), staking.Terms{
		Asset: "ADA", From: w.day(2), Offered: true, APR: 3_000_000, Fee: 25_000_000, Cap: 100,
	}))
	w.at(2, "12:00")
	w.read("/earn").has("on: gross 4%, fee 25%, you get 3%", "a share of the staking income, less a fee of 25%")
	w.read("/rates/ADA").has("The operator keeps 25% of the staking income; the rate before that is not stated")
	w.at(3, "12:00")
	w.read("/earn").has("gross 4%, fee 25%, you get 3%", "known with the first income; fee 25%")
	w.read("/rates/BNB").has("25% of the gross rate of 4%, that is 1% a year")
	p := &view{View: ui.View{Locale: allLocales(t)[0]}}
	old := reports.StatedRate(staking.Terms{APR: 3_000_000, GrossAPR: 4_000_000, Fee: 20_000_000})
	if words := p.RateWords(old); words != "gross 4%, 1% is kept, you get 3%" {
		t.Errorf("got %q", words)
	}
}

// TestEstimateOfAnyRate: a period of little holdings came to a rate that no terms can have. The pages have their
// estimate all the same, as they say.
func TestEstimateOfAnyRate(t *testing.T) {
	w := shareWebsite(t)
	w.holder("carl", "DE")
	w.deposit("carl", "3 BNB")
	w.settle(3)
	w.at(4, "12:00")
	w.income("e1", 2, 3, 100_00000000) // of 8 BNB-days: 3193.75 a year is left of 4562.5
	w.settle(5)
	w.read("/earn").has("estimate, at 319,375% a year").hasNot("known with the first income")
	w.read(w.rewardOf(5)).has("About 485.625").hasNot("There is no estimate")
	carl := w.another()
	carl.login("carl@example.com")
	carl.get("/earn/start").has("26.25", "9,581.25").hasNot("not known yet")
}
