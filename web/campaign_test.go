package web

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/softstake/softstake/staking"
)

// campaign makes a campaign that divides SOL among those who hold BNB on Days 2 to 4.
func (w *website) campaign(id string, members int64) {
	w.Helper()
	c := staking.Campaign{ID: id, Title: "Hold BNB, get SOL", Asset: "SOL", Pool: 3_00000000, First: w.day(2),
		Last:  w.day(4),
		Parts: staking.EqualParts(3_00000000, []string{"BNB"}), Members: members,
		Multipliers: []staking.Multiplier{{Label: "vip", Percent: 150}}}
	w.ok(errorOf(w.books.PostCampaign(w.Context(), c)))
}

// TestCampaignsOnThePages: a campaign that is coming and one that runs, who takes part and why not, the rate that it
// pays now, and a reward that comes from it.
func TestCampaignsOnThePages(t *testing.T) {
	w := shareWebsite(t)
	w.campaign("spring", 0)
	w.campaign("few", 1)
	_, _, err := w.books.AddLabel(t.Context(), "alice", "vip", w.day(2))
	w.ok(err)
	w.read("/earn").is(http.StatusOK).has("Campaigns", "Hold BNB, get SOL", "You take part from 3 Mar 2026 on with BNB.",
		"What you hold counts × 1.5.", "3 of 3 SOL", "3 days left", "known when the first day is paid", "vip × 1.5",
		"and SOL from a campaign", "the first 1: 1 place left", "Places go to those who were enrolled first")
	w.settle(2)
	w.settle(3)
	w.read("/earn").has("You take part with BNB.", "2 of 3 SOL", "2 days left", "SOL a year for each BNB",
		"from Hold BNB, get SOL")
	off := w.another()
	off.login("bob@example.com")
	off.get("/earn").has("You do not take part: all places are taken.", "You take part with BNB.").hasNot("counts × 1.5")
	w.holder("carl", "DE")
	carl := w.another()
	carl.login("carl@example.com")
	carl.get("/earn").has("You do not take part: Soft Staking is off.")
	stranger := w.another()
	stranger.get("/rates").is(http.StatusOK).has("Hold BNB, get SOL", "SOL a year for each BNB", "vip × 1.5").
		hasNot("You take part", "You do not take part")
	// alice's 3 BNB count 4.5 of 5.5: 9/11 of a SOL of each campaign that she takes part in.
	reward := fmt.Sprintf("/earn/rewards/%s/SOL", w.day(3))
	w.read(reward).is(http.StatusOK).has("Share of the campaign “Hold BNB, get SOL”", "Left in the pool for BNB",
		"÷ 3 days", "259,200", "× 1.5", "388,800", "475,200", "0.81818181", w.rewardOf(2)).hasNot("Less than")
	w.read("/earn/history").has("from Hold BNB, get SOL")
	w.cookie("lang", "de")
	w.read("/earn").has("Aktionen", "Sie nehmen mit BNB teil.")
	w.read(reward).has("Anteil an der Aktion „Hold BNB, get SOL“", "÷ 3 Tage")
}

// TestCampaignMeasuresOnThePages: a campaign that has a measure of its own says so, and so does the working-out of its
// share, in both languages.
func TestCampaignMeasuresOnThePages(t *testing.T) {
	w := shareWebsite(t)
	for id, measure := range map[string]staking.Measure{"still": staking.Lowest, "mean": staking.Average} {
		c := staking.Campaign{ID: id, Title: "Campaign " + id, Asset: "SOL", Pool: 3_00000000, First: w.day(2),
			Last: w.day(4), Parts: staking.EqualParts(3_00000000, []string{"BNB"}), Measure: &measure}
		w.ok(errorOf(w.books.PostCampaign(t.Context(), c)))
	}
	w.read("/earn").has("your smallest free balance of the day counts", "your average of the day counts")
	w.another().get("/rates").has("your smallest free balance of the day counts")
	w.settle(2)
	w.settle(3)
	reward := fmt.Sprintf("/earn/rewards/%s/SOL", w.day(3))
	w.read(reward).has("Your smallest balance of BNB, up to the cap, on", "Your average of BNB, up to the cap, on").
		hasNot("Your BNB that earned on")
	w.cookie("lang", "de")
	w.read("/earn").has("es zählt Ihr kleinster freier Bestand des Tages")
	w.read(reward).has("Ihr kleinster Bestand an BNB, bis zur Obergrenze, am")
}
