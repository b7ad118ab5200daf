package web

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// perOwner has BNB's minimum and cap be those of an owner from Day 2 on, and alice and bob of one owner.
func (w *website) perOwner(minimum, most ledger.Amount) {
	w.Helper()
	terms, err := reports.New(w.books.Reader()).TermsOn(w.Context(), w.day(2))
	w.ok(err)
	for _, t := range terms {
		if t.Asset == "BNB" {
			t.From, t.PerOwner, t.Min, t.Cap = w.day(2), true, minimum, most
			w.ok(w.books.SetTerms(w.Context(), t))
		}
	}
	for _, id := range []ledger.Account{"alice", "bob"} {
		_, _, err := w.books.SetOwner(w.Context(), id, "c-7", w.day(2))
		w.ok(err)
	}
}

// TestAccountsOfAnOwnerOnThePages: what is compared with minimum and cap is that of all accounts of the owner, and the
// cap is shared. The other account is neither named nor shown by itself.
func TestAccountsOfAnOwnerOnThePages(t *testing.T) {
	w := earner(t, "6 BNB")
	w.holder("bob", "DE")
	w.deposit("bob", "9 BNB")
	w.enroll("bob")
	w.perOwner(8_00000000, 10_00000000)
	w.at(2, "12:00")
	w.read("/earn").is(200).has("4 BNB this account’s part of the cap your accounts together: 15 BNB today").
		hasNot("bob", "BNB more", "do not earn")
	w.settle(2)
	day := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	w.read(day).is(200).has("Average of the day ÷ 86,400 s 6", "Your accounts together 1,296,000",
		"Their average of the day ÷ 86,400 s 15", "Minimum 8 ✓ reached", "Cap 10 your accounts share it",
		"the cap × its own ÷ together 10 × 518,400 ÷ 1,296,000 4", "4 × 0.0015 ÷ 365", "0.00001643",
		"the cap × 86,400,000 × yours ÷ together", "Minimum and cap are those of your accounts together").
		hasNot(append(keys, "bob", "777,600")...)
	w.cookie("lang", "de")
	w.read(day).has("Ihre Konten zusammen 1.296.000", "Ihre Konten teilen sie sich").hasNot(keys...)
	w.read("/earn").has("der Teil dieses Kontos an der Obergrenze", "Ihre Konten zusammen: 15").hasNot(keys...)
}

// TestTooLittleTogether: what all accounts of the owner lack is shown, not what one does.
func TestTooLittleTogether(t *testing.T) {
	w := earner(t, "6 BNB")
	w.holder("bob", "DE")
	w.deposit("bob", "9 BNB")
	w.enroll("bob")
	w.perOwner(20_00000000, 100_00000000)
	w.at(2, "12:00")
	day := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	w.read(day).has("your accounts together will have an average of 15 BNB: 5 BNB less than the minimum of 20 BNB")
	w.read("/earn").has("your accounts together 5 too little on average", "hold 5 BNB more").hasNot(keys...)
	w.settle(2)
	w.read(day).has("Your accounts together held 15 BNB on average: 5 BNB less than the minimum of 20 BNB",
		"✗ not reached").hasNot(append(keys, "bob")...)
	for _, l := range allLocales(t) {
		for _, why := range []reports.Why{reports.WhyBelow, reports.WhyBelowYet} {
			for _, m := range []staking.Measure{staking.Average, staking.Lowest} {
				if key := ui.TextBy(m, "reward.why."+string(why)) + ".together"; l.T(key) == key {
					t.Errorf("%s has no %s", l.Tag, key)
				}
			}
		}
	}
}

// limitOwners puts ADA under a minimum and a cap of an owner's accounts together, in whole tokens, from a day on.
func (w *website) limitOwners(day int, minimum, most ledger.Amount) {
	w.Helper()
	terms, err := reports.New(w.books.Reader()).TermsOn(w.Context(), w.day(day))
	w.ok(err)
	for _, t := range terms {
		if t.Asset == "ADA" {
			t.From, t.PerOwner, t.Min, t.Cap = w.day(day), true, minimum*1_00000000, most*1_00000000
			w.ok(w.books.SetTerms(w.Context(), t))
		}
	}
}

// TestLimitsOfAnOwnerOnThePages: accounts that earn together say so, wherever a page says what earns; below the minimum
// they say what is missing together. No page names another account.
func TestLimitsOfAnOwnerOnThePages(t *testing.T) {
	w := newWebsite(t, longSessions)
	w.fund("1000 ADA")
	w.limitOwners(2, 30, 35)
	w.limitOwners(4, 60, 70)
	w.holder("bobby", "DE")
	for _, id := range []ledger.Account{"alice", "bobby"} {
		_, _, err := w.books.SetOwner(t.Context(), id, "c-7", w.day(2))
		w.ok(err)
	}
	w.deposit("alice", "20.07 ADA")
	w.deposit("bobby", "20.05 ADA")
	w.enroll("bobby")
	w.login("alice@example.com")
	w.get("/spot").hasNot(`class="tag off"`)
	w.at(2, "12:00")
	w.get("/earn").has("At today's balances you would earn on ADA.", "17.50872382").hasNot("bobby", "20.05")
	w.get("/earn/start").has("your accounts have together above 35 ADA").hasNot("bobby", "20.05")
	w.enroll("alice")
	w.at(3, "12:00")
	w.get("/earn").has("Earning since", "17.50872382", "this account’s part of the cap").
		hasNot("hold 9.93 ADA", "bobby", "20.05")
	w.get("/spot").has(`class="tag on"`).hasNot("bobby")
	w.at(4, "12:00")
	w.get("/earn").has("hold 19.8").hasNot("hold 39.9", "bobby", "20.05")
}

// TestTheFileHasThePartOfTheCap: a day whose cap accounts of an owner share is computed from the file alone, exactly.
func TestTheFileHasThePartOfTheCap(t *testing.T) {
	w := earner(t, "6.00000001 BNB")
	w.holder("bob", "DE")
	w.deposit("bob", "9.33333333 BNB")
	w.enroll("bob")
	w.perOwner(8_00000000, 10_00000000)
	w.settle(2)
	day := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	w.read(day).has("What of this account earns is in the column eligible_x_day")
	facts := w.read(day + "/changes.csv").file()[0]
	earns := exactly(t, facts["eligible_x_day"])
	earns.Quo(earns, big.NewRat(staking.DayMillis, 1))
	if limit := exactly(t, "10"); earns.Cmp(limit) >= 0 || earns.Sign() <= 0 {
		t.Fatalf("%s of it earns", earns.FloatString(30))
	}
	earns.Mul(earns, exactly(t, facts["apr"]))
	earns.Quo(earns, big.NewRat(365, 1))
	earns.Add(earns, exactly(t, facts["carried_before"]))
	paid := new(big.Rat).Add(exactly(t, facts["reward"]), exactly(t, facts["carried_after"]))
	if off := paid.Sub(paid, earns); off.Abs(off).Cmp(exactly(t, "0.0000000000000000000000001")) > 0 {
		t.Errorf("the file's figures are off by %s", off.FloatString(30))
	}
	w.cookie("lang", "de")
	w.read(day).has("steht in der Spalte eligible_x_day")
}
