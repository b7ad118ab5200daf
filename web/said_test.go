package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/softstake/softstake/staking"
)

// TestCampaignOfTwoTokensIsNamedOnce: a reward with two shares of one campaign names it once; and a rate that is below
// what can be shown is not one that is not known yet.
func TestCampaignOfTwoTokensIsNamedOnce(t *testing.T) {
	w := earner(t, "2 BNB", "500 ADA")
	w.fund("10 ADA")
	c := staking.Campaign{ID: "two", Title: "Two", Asset: "SOL", Pool: 3_00000000, First: w.day(2), Last: w.day(4),
		Parts: staking.EqualParts(3_00000000, []string{"BNB", "ADA"})}
	w.ok(errorOf(w.books.PostCampaign(t.Context(), c)))
	tiny := staking.Campaign{ID: "tiny", Title: "Tiny", Asset: "SOL", Pool: 3, First: w.day(2), Last: w.day(4),
		Parts: staking.EqualParts(3, []string{"ADA"})}
	w.ok(errorOf(w.books.PostCampaign(t.Context(), tiny)))
	w.settle(2)
	w.settle(3)
	p := w.read("/earn/history").is(http.StatusOK).has("from Two")
	if n := strings.Count(p.body, "from Two"); n != 1 {
		t.Errorf("the campaign is named %d times", n)
	}
	w.read("/earn").has("less than 0.00000001 SOL a year for each ADA").hasNot("known when the first day is paid")
}

// TestStatedRateIsTheSameEverywhere: a stated rate is shown with all its digits, on each page.
func TestStatedRateIsTheSameEverywhere(t *testing.T) {
	w := newWebsite(t)
	w.ok(w.books.SetTerms(t.Context(), staking.Terms{Asset: "BNB", From: w.day(2), Offered: true, APR: 5_205_900,
		Cap: 1000_00000000}))
	w.at(2, "12:00")
	for _, path := range []string{"/earn", "/rates", "/rates/BNB"} {
		w.read(path).is(http.StatusOK).has("5.2059%")
	}
}

// TestExcludedAccountIsNotInTheSum: what is not measured is not said to be in what the owner's accounts have together.
func TestExcludedAccountIsNotInTheSum(t *testing.T) {
	w := earner(t, "6 BNB")
	w.holder("bob", "DE")
	w.deposit("bob", "9 BNB")
	w.enroll("bob")
	w.holder("carl", "DE")
	w.deposit("carl", "1 BNB")
	w.perOwner(8_00000000, 10_00000000)
	_, _, err := w.books.SetOwner(t.Context(), "carl", "c-7", w.day(2))
	w.ok(err)
	w.at(2, "12:00")
	w.exclude("BNB", "Launchpool", 2, 3)
	w.read("/earn").has("Launchpool has it").hasNot("your accounts together")
	off := w.another()
	off.login("carl@example.com")
	off.get("/earn").has("your accounts together, with this one:")
}
