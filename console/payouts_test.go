package console

import (
	"net/http"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// TestPayouts: what another ledger has not credited, where payouts are delivered to, and what a person says of one;
// nothing of it on the overview without any. Who sees no entries sees no accounts.
func TestPayouts(t *testing.T) {
	o := newOffice(t)
	olga, vera := o.as("olga"), o.as("vera")
	const path = "/console/payouts"
	olga.get("/console").hasNot("Payouts")
	olga.get(path).is(http.StatusOK).has("delivered nowhere", "No payout waits")
	o.ok(o.books.SetPayouts(t.Context(), true))
	o.fund("BNB", 100_00000000)
	for _, id := range []ledger.Account{"alice", "bob"} {
		o.deposit(id, "200 BNB")
		o.enroll(id)
	}
	_, err := o.books.AddTarget(t.Context(), store.NewTarget{Stream: store.PayoutStream, Name: "exchange",
		Address: "postgres://softstake@db.example.com/exchange"})
	o.ok(err)
	o.settle(3)
	o.ok(o.books.FailTarget(t.Context(), store.PayoutStream, "exchange", "it cannot be reached"))
	outcomes, err := o.books.AnswerPayouts(t.Context(), []store.PayoutAnswer{
		{Payout: "reward/2026-03-03/BNB/bob", Refused: "the account is closed"}})
	o.ok(err)
	o.ok(outcomes[0].Err)

	olga.get("/console").has("Payouts", "exchange", "it cannot be reached", "Not answered", `href="/console/payouts"`,
		"1 thing needs somebody")
	olga.get(path).has("db.example.com", "it cannot be reached", "the account is closed", "/console/accounts/bob",
		"reward/2026-03-03/BNB/alice", "decide", `<form method="post" action="`+path)
	vera.get(path, "Accept-Language", "de").has("Wohin sie geliefert werden", "Ohne Antwort").
		hasNot("/console/accounts/bob", `<form method="post" action="`+path)

	olga.post(path, "do", "answer", "payout", "reward/1", "transaction", "tx").is(http.StatusUnprocessableEntity)
	olga.post(path, "do", "answer", "payout", "reward/2026-03-03/BNB/bob", "transaction", "tx-1").
		is(http.StatusSeeOther)
	olga.get(path).hasNot("the account is closed")
	o.clock.Advance(undeliveredFrom)
	olga.get(path).has("late")
}
