package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softstake/softstake/people"
)

// A holder's token learns which accounts there are no faster than the pages, with which
// it is counted together: each recipient that is named counts, and after the last one
// those that are there are answered as those that are not.
func TestATokenDoesNotListAccounts(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.holder("bob", "DE")
		w.post("exchange", "/v1/entries", entry("d-1", "deposit", "@custody alice BNB 10")).is(201)
		const path = "/v1/entries"
		send := func(n int, moves string) reply {
			return w.post("alice", path, entry(fmt.Sprintf("alice/t-%d", n), "transfer", moves))
		}
		send(0, "alice bob BNB 1").is(201)
		for n := range people.MostRecipients - 12 {
			send(n+1, "alice nobody BNB 1").refused(404, "not-found", "")
		}
		for range 20 { // what was posted is repeated, and shows nothing new
			send(0, "alice bob BNB 1").is(200)
		}
		wait, err := w.db.People().CountRecipient(t.Context(), "alice") // as the pages count
		w.ok(err)
		var many []string
		for n := range 10 {
			many = append(many, fmt.Sprintf("alice nobody-%d BNB 0.1", n), fmt.Sprintf("alice nobody-%d BNB 0.2", n))
		}
		send(100, strings.Join(many, ",")).refused(404, "not-found", "")
		for _, moves := range []string{"alice nobody BNB 1", "alice bob BNB 1"} {
			r := send(101, moves)
			if r.refused(429, "too-many-requests", ""); r.header.Get("Retry-After") != "3600" || wait != 0 {
				t.Errorf("%s: to wait %s, and before %s", moves, r.header.Get("Retry-After"), wait)
			}
		}
		if left, err := w.db.People().CountRecipient(t.Context(), "alice"); err != nil || left == 0 {
			t.Errorf("the pages let alice go on: %v", err)
		}
		send(0, "alice bob BNB 1").is(200)
		w.post("exchange", path, entry("t-x", "transfer", "alice bob BNB 1")).is(201) // the exchange knows them all
		w.post("alice", "/v1/accounts/alice/withdrawals", `{"id":"alice/w-1","asset":"BNB","amount":"1"}`).is(201)
		w.clock.Set(1, "13:00")
		send(101, "alice bob BNB 1").is(201)

		// What else a holder may name: another's account is answered as one that there is not.
		for _, route := range []string{"", "/balances", "/activation", "/withdrawals", "/exports/rewards"} {
			there, not := w.get("alice", "/v1/accounts/bob"+route), w.get("alice", "/v1/accounts/nobody"+route)
			there.refused(404, "not-found", "")
			not.refused(404, "not-found", "")
		}
	})
}
