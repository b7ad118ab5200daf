package console

import (
	"net/http"
	"testing"

	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// compared adds a reconciliation in which alice has less there.
func (o *office) compared() store.Comparison {
	o.Helper()
	asset, err := o.books.Asset(o.Context(), "BNB")
	o.ok(err)
	d := reconcile.Difference{Account: "alice", Asset: asset, Ours: 2_00000000, Theirs: 1_50000000}
	token := reconcile.Token{Asset: asset, Differences: 1, Off: 50000000}
	token.Ours.Accounts, token.Theirs.Accounts, token.Theirs.Root[0] = 1, 1, 1
	payout := d
	payout.Ours, payout.Theirs = 5, 4
	c, err := o.books.AddComparison(o.Context(), store.Comparison{Day: staking.DayOf(o.books.Now()) - 1, At: o.books.Now(),
		Source: store.FromFile, WithPayouts: true, Tokens: []store.ComparedToken{{Kind: reconcile.Balances, Token: token},
			{Kind: reconcile.Payouts, Token: token}},
		Differences: []store.ComparedDifference{
			{Kind: reconcile.Balances, Difference: d, Cause: reconcile.Cause{Kind: reconcile.CauseChange, Entry: "d-1",
				At: o.books.Now()}},
			{Kind: reconcile.Payouts, Difference: payout, Cause: reconcile.Cause{Kind: reconcile.CauseNone}}}})
	o.ok(err)
	return c
}

// TestReconciliations: the overview and the page say what differs and which token waits, and an admin's limit and an
// operator's resolution are proposed with four eyes.
func TestReconciliations(t *testing.T) {
	o := newOffice(t)
	const path = "/console/reconciliations"
	olga, ada, vera := o.as("olga"), o.as("ada"), o.as("vera")
	olga.get("/console").hasNot("Other ledger")
	olga.get(path).is(http.StatusOK).has("not compared with another ledger yet", "Nothing is compared each night").
		hasNot(`action="` + path)
	for _, wrong := range []string{"x", "-1"} {
		ada.post(path, "do", "limit", "asset", "BNB", "amount", wrong).is(http.StatusUnprocessableEntity).
			has("limit-amount-fault")
	}
	ada.post(path, "do", "every", "accounts", "few").is(http.StatusUnprocessableEntity).has("every-accounts-fault")
	ada.post(path, "do", "every", "accounts", "9").is(http.StatusSeeOther)
	ada.post(path, "do", "every", "amount", "0.5", "accounts", "9").is(http.StatusUnprocessableEntity).
		has("every-amount-fault")
	ada.post(path, "do", "every", "amount", "0", "accounts", "9").is(http.StatusSeeOther)
	ada.get(path).has(`name="amount" value="0"`, `name="accounts" value="9"`) // nothing is lost when it is sent again
	ada.post(path, "do", "limit", "asset", "BNB", "amount", "0.25").is(http.StatusSeeOther)
	ada.get(path).has("Every other token", "0.25")

	o.deposit("alice", "2 BNB")
	o.settle(3)
	c := o.compared()
	page := comparisonPath(c.Number)
	olga.get("/console").has("Other ledger", "and differs:", "<strong>BNB</strong>", "differs from the other ledger")
	olga.get(path).has("differs from the other ledger", `href="`+page+`"`, "over the limit: BNB", "Pay a token all the same")
	vera.get(path).has("over the limit: BNB").hasNot(`href="` + page)
	vera.get(page).is(http.StatusForbidden)
	olga.get(page).has("the end of 4 Mar 2026", "a file", "the first change of the day", "d-1", "no payout here",
		"over the limit", "balances", "payouts")
	o.as("olga").get(page, "Accept-Language", "de").has("Abgleich", "die erste Änderung des Tages", "über der Grenze")
	olga.get("/console/reconciliations/9").is(http.StatusNotFound)
	olga.get("/console/reconciliations/x").is(http.StatusNotFound)

	ada.post(path, "do", "limit", "asset", "SOL", "accounts", "0", "without", "wait").is(http.StatusSeeOther)
	o.settle(4)
	olga.get("/console").has("waits to be compared")
	olga.get(path).has("SOL", "waits to be compared", "Pay a day that is not compared", "SOL/2026-03-05")

	o.ok(o.books.SetFourEyes(t.Context(), true))
	olga.post(path, "do", "release", "day", "SOL/x", "reason", "known").is(http.StatusUnprocessableEntity)
	olga.post(path, "do", "release", "day", "SOL/2026-03-05", "reason", "known").is(http.StatusSeeOther)
	o.as("anton").get("/console/proposals").has("reconcile release", "2026-03-05 is paid though it was not compared")
	olga.post(path, "do", "resolve", "break", "x", "reason", "known").is(http.StatusUnprocessableEntity)
	olga.post(path, "do", "resolve", "break", "1/BNB", "reason", "").is(http.StatusUnprocessableEntity)
	olga.post(path, "do", "resolve", "break", "1/BNB", "reason", "known").is(http.StatusSeeOther)
	o.as("anton").get("/console/proposals").has("reconcile resolve", "it is paid though reconciliation 1")
	o.ok(o.books.EndComparison(t.Context(), http.ErrHandlerTimeout))
	olga.get("/console").has("Comparing fails", http.ErrHandlerTimeout.Error())
}
