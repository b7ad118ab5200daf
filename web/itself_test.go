package web

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// inItself makes a campaign that divides BNB among those who hold BNB, on Days 2 to 4.
func (w *website) inItself() {
	w.Helper()
	c := staking.Campaign{ID: "own", Title: "More BNB", Asset: "BNB", Pool: 3_00000000, First: w.day(2), Last: w.day(4),
		Parts: staking.EqualParts(3_00000000, []string{"BNB"})}
	w.ok(errorOf(w.books.PostCampaign(w.Context(), c)))
}

// TestWhyTheDayItselfEarnsNothing: a day that is not measured and has a share says why beside it, and shows neither
// minimum, nor cap, nor rate.
func TestWhyTheDayItselfEarnsNothing(t *testing.T) {
	w := earner(t, "2 BNB")
	w.inItself()
	w.exclude("BNB", "Launchpool", 3, 4)
	w.settle(2)
	day := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(3))
	const why = "The day itself is not measured: Launchpool has it."
	w.at(3, "12:00")
	w.read(day).is(http.StatusOK).has("As it stands", "The day is not over. This is what it pays", why)
	w.settle(3)
	w.read(day).has("Share of the campaign “More BNB”", why, "The column shares has your shares.").
		hasNot(append(keys, "✓ reached", "all of the average earns", "0.0015", "Rate a year, in", "the average of your free",
			"Shares of staking income", "change_x_left")...)
	e, err := reports.New(w.books.Reader()).Explain(t.Context(), "alice", w.day(3), "BNB")
	w.ok(err)
	if e.Why != "" || e.Itself != reports.WhyExcluded || e.ItselfReason != why {
		t.Errorf("why is %q, of the day itself %q: %q", e.Why, e.Itself, e.ItselfReason)
	}
	w.cookie("lang", "de")
	w.read(day).has("Der Tag selbst wird nicht gemessen: Launchpool hat ihn.").hasNot(keys...)
}

// TestCheckARewardOfParts: a day that earns by a rate and has a share of a campaign is checked by both, and not by a
// share of income; measured by the smallest balance, it is checked by that.
func TestCheckARewardOfParts(t *testing.T) {
	for _, measure := range []staking.Measure{staking.Average, staking.Lowest} {
		w := newWebsite(t)
		w.ok(w.books.SetTerms(t.Context(), staking.Terms{Asset: "BNB", From: w.day(2), Offered: true, APR: 150_000,
			Min: 50_000_000, Cap: 1000_00000000, Measure: measure}))
		w.fund("1 BNB")
		w.deposit("alice", "2 BNB")
		w.enroll("alice")
		w.inItself()
		w.settle(2)
		w.settle(3)
		day := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(3))
		text := map[staking.Measure]string{staking.Average: "the average of your free balance over the day",
			staking.Lowest: "your smallest free balance of the day"}
		w.read(day).is(http.StatusOK).has("The day itself: "+text[measure], "Shares of campaigns: the budget",
			"plus the fraction carried", "that is what the day itself earned. The column shares has your shares.").
			hasNot(append(keys, "Shares of staking income", text[1-measure])...)
		w.cookie("lang", "de")
		w.read(day).has("Anteile an Aktionen: Das Budget").hasNot(keys...)
	}
}
