package web

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// measureLowest has BNB measured by the smallest balance of the day, from Day 2 on.
func (w *website) measureLowest() {
	w.Helper()
	terms, err := reports.New(w.books.Reader()).TermsOn(w.Context(), w.day(2))
	w.ok(err)
	for _, t := range terms {
		if t.Asset == "BNB" {
			t.From, t.Measure, t.PerOwner = w.day(2), staking.Lowest, true
			w.ok(w.books.SetTerms(w.Context(), t))
		}
	}
}

// TestSmallestBalanceOnThePages: a token that is measured by it says so wherever it says what counts.
func TestSmallestBalanceOnThePages(t *testing.T) {
	w := earner(t, "2 BNB", "3 SOL")
	w.measureLowest()
	w.holder("bob", "DE")
	w.at(2, "12:00")
	w.move(ledger.Withdrawal, "alice", ledger.Custody, "1.6 BNB")
	w.at(2, "18:00")
	w.deposit("alice", "5 BNB")
	day := fmt.Sprintf("/earn/rewards/%s/BNB", w.day(2))
	w.read(day).is(200).has("its smallest balance will be 0.4 BNB: 0.1 BNB less than the minimum of 0.5 BNB",
		"Your smallest free balance of the day counts", "Smallest balance of the day 0.4", "Smallest balance 0.4 BNB",
		"It counts for 24 hours").hasNot(keys...)
	w.read("/earn").is(200).has("0.4 smallest balance of the day", "0.1 too little at its smallest",
		"0.5 smallest balance of the day of an owner’s accounts together").hasNot(keys...)
	w.looked("/send", "asset", "BNB", "amount", "5.2", "to", "bob").has("Smallest balance of today 0.2 BNB",
		"Today’s smallest balance of BNB becomes 0.2 (0.4 if nothing moves).")
	w.settle(2)
	w.read(day).has("Your smallest balance of the day, 0.4 BNB, was 0.1 BNB less than the minimum of 0.5 BNB")
	w.settle(3)
	day = fmt.Sprintf("/earn/rewards/%s/BNB", w.day(3))
	w.read(day).has("all of the smallest balance earns", "Smallest balance × 24 h", "Find the smallest number").
		hasNot(keys...)
	w.read(fmt.Sprintf("/earn/rewards/%s/SOL", w.day(3))).
		has("Average of the day ÷ 86,400 s 3", "all of the average earns")
}

// TestAnyDaysFileHasItsSmallestBalance: who looks for the smallest balance as the page says comes to what was paid for.
func TestAnyDaysFileHasItsSmallestBalance(t *testing.T) {
	w := earner(t, "900 BNB")
	w.measureLowest()
	w.holder("bob", "DE")
	w.deposit("bob", "900 BNB")
	random := rand.New(rand.NewPCG(4, 2))
	for day := 2; day <= 4; day++ {
		for hour := range 6 {
			w.at(day, fmt.Sprintf("%02d:00", hour*3+random.IntN(3)))
			for range 1 + random.IntN(3) { // some of the same moment
				from, to := ledger.Account("alice"), ledger.Account("bob")
				if random.IntN(2) == 0 {
					from, to = to, from
				}
				w.move(ledger.Transfer, from, to, ledger.FormatDecimal(1+random.Int64N(50_00000000), 8)+" BNB")
			}
		}
		w.settle(day)
		e, err := reports.New(w.books.Reader()).Explain(t.Context(), "alice", w.day(day), "BNB")
		w.ok(err)
		rows := w.read(fmt.Sprintf("/earn/rewards/%s/BNB/changes.csv", w.day(day))).file()
		smallest := exactly(t, rows[0]["balance"])
		for _, row := range rows {
			if b := exactly(t, row["balance"]); row["milliseconds_until_next"] != "0" && b.Cmp(smallest) < 0 {
				smallest = b
			}
		}
		if want := exactly(t, e.Asset.Format(e.Measured.Average)); !e.Paid || smallest.Cmp(want) != 0 {
			t.Errorf("Day %d: the file's smallest balance is %s, and %s was paid for", day, smallest, want)
		}
	}
}
