package web

import (
	"testing"

	"github.com/softstake/softstake/staking"
)

// TestComingTerms: a rate that is set for a later day stands below today's.
func TestComingTerms(t *testing.T) {
	w := earnWebsite(t)
	w.get("/earn").hasNot("from 5 Mar 2026 on")
	terms := staking.Terms{
		Asset: "BNB", From: w.day(4), Offered: true, APR: 200_000, Min: 50_000_000, Cap: 1000_00000000,
	}
	w.ok(w.books.SetTerms(w.Context(), terms))
	w.get("/earn").has("<small>from 5 Mar 2026 on: 0.2%</small>")
	terms.Offered = false
	w.ok(w.books.SetTerms(w.Context(), terms))
	w.get("/earn").has("<small>from 5 Mar 2026 on: not offered</small>")
}

// TestAListedRegionIsShownAsActivity: the day from which it ends, and that it goes on after all.
func TestAListedRegionIsShownAsActivity(t *testing.T) {
	w := earnWebsite(t)
	w.enroll("alice")
	w.at(2, "12:00")
	_, err := w.books.AddRegion(w.Context(), "DE", 0, "")
	w.ok(err)
	w.get("/earn").has("Stop earning…", "From 4 Mar 2026 on it is not offered where you live.")
	w.get("/activity").has("Soft Staking ended", "It is not offered any more in",
		"4 Mar 2026 and later days are not paid.")
	_, err = w.books.RemoveRegion(w.Context(), "DE")
	w.ok(err)
	w.get("/activity").has("Soft Staking goes on", "It is offered in").hasNot("region DE")
}
