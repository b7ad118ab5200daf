package web

import (
	"fmt"
	"testing"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// exclude gives alice's token to a product from a day of the books on, and before another.
func (w *website) exclude(asset, product string, from, until int) {
	w.Helper()
	x := staking.Exclusion{Account: "alice", Asset: asset, Product: product, From: w.day(from), Until: w.day(until)}
	outcomes, err := w.books.Exclude(w.Context(), []store.ExclusionRequest{{Exclusion: x}})
	w.ok(err)
	w.ok(outcomes[0].Err)
}

// TestThePagesNameWhatHasAToken: each place that says why names the product.
func TestThePagesNameWhatHasAToken(t *testing.T) {
	w := earner(t, "2 BNB", "400 ADA")
	w.at(2, "12:00")
	w.exclude("BNB", "Launchpool", 2, 3)
	const now = "Not measured today: Launchpool has it"
	w.read("/earn").is(200).has(now, "Earning since", "ADA: what is free").hasNot("earn.excluded")
	reward := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	why := "BNB is not measured on 3 Mar 2026: Launchpool has it."
	w.read(reward).is(200).has("No reward", why)

	w.exclude("", "Auto-Subscribe", 2, 4)
	w.read("/earn").has(now, "Not measured today: Auto-Subscribe has it", "but nothing earns now", "None due",
		"ADA is not measured today: Auto-Subscribe has it.", "Another product has your tokens today.")
	w.read("/spot").is(200).has("is not measured today")
	w.read("/help").is(200).has("BNB is not measured today: Launchpool has it.")
	w.settle(2)
	w.read(reward).has(why)
	w.at(3, "12:00")
	w.read("/earn").has("Another product had your tokens").hasNot("Launchpool")
	w.at(4, "12:00")
	w.read("/earn").hasNot("has it")
}

// TestSendingWhatIsExcluded: the form says that today earns nothing either way.
func TestSendingWhatIsExcluded(t *testing.T) {
	w := moveWebsite(t)
	w.exclude("BNB", "Launchpool", 2, 3)
	w.looked("/send", "asset", "BNB", "amount", "1", "to", "bob").
		has("BNB is not measured today: Launchpool has it. Today earns nothing either way.").hasNot("becomes about")
}
