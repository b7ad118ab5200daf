package console

import (
	"errors"
	"net/http"
	"testing"

	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// TestAnExplanationHasTheSum: from the balance over the day to the reward, with what is carried from day to day; what
// was made good; and the way to the rewards beside it.
func TestAnExplanationHasTheSum(t *testing.T) {
	o := newOffice(t)
	o.deposit("alice", "2 BNB")
	o.enroll("alice")
	o.fund("BNB", 100_000_000)
	for day := range 3 {
		o.settle(day + 1)
	}
	day2 := staking.DayOf(o.clock.Now()) - 2
	outcome, err := o.books.Compensate(t.Context(), store.Compensation{Account: "alice", Asset: "BNB", Day: day2,
		Name: "c-1", Amount: 700}, "a late deposit")
	o.ok(errors.Join(err, outcome.Err))
	olga := o.as("olga")
	const path = "/console/accounts/alice/rewards/"
	first := olga.get(path + "2026-03-03/BNB").is(http.StatusOK)
	// 2 × 0.0015 ÷ 365 is 0.000008219178082191…: what is beyond eight decimals is carried on.
	first.has("The sum", "Balance × time over the day", "172,800", "2 × 0.0015 ÷ 365", "0.0000082191780821…",
		"0.00000821<", "0.0000000091780821…", path+"2026-03-04/BNB", "The reward after",
		"Made good since", "compensation/2026-03-03/BNB/alice/c-1", "0.000007").hasNot("The reward before")
	olga.get(path+"2026-03-04/BNB").is(http.StatusOK).
		has("0.0000000091780821…", "The reward before", path+"2026-03-03/BNB").hasNot("Made good")
	olga.get(path+"2026-03-02/BNB", "Accept-Language", "de").is(http.StatusOK).has("Schalter gilt an dem Tag").
		hasNot("Die Rechnung")
	olga.get(path + "2020-01-01/BNB").is(http.StatusNotFound)
}
