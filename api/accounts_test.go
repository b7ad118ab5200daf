package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func (w *town) put(who, path, body string) reply {
	w.t.Helper()
	return w.call(who, http.MethodPut, path, body)
}

func TestAccounts(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		first := w.post("exchange", "/v1/accounts", `{"id":"carol","region":"de"}`).is(201)
		first.says("id", "carol", "region", "DE", "opened", "2026-03-02T12:00:00.000Z", "closed", "")
		w.clock.Set(1, "13:00")
		if again := w.post("exchange", "/v1/accounts", openCarol).is(200); again.body != first.body {
			t.Errorf("%s, and again %s", first.body, again.body)
		}
		w.post("exchange", "/v1/accounts", `{"id":"carol","region":"FR"}`).refused(409, "conflict", "")
		w.post("exchange", "/v1/accounts", `{"id":"carol"}`).refused(409, "conflict", "")
		w.post("exchange", "/v1/accounts", `{"id":"dave"}`).is(201).says("region", "")
		if r := w.get("exchange", "/v1/accounts/erin"); r.status != 404 ||
			strings.Contains(r.body, "softstake account") {
			t.Error(r.body)
		}
		w.get("exchange", "/v1/accounts/@rewards").refused(400, "invalid", "")

		w.put("exchange", "/v1/accounts/dave/region", `{"region":"FR"}`).is(200).says("region", "FR")
		w.put("operator", "/v1/accounts/dave/region", `{"region":""}`).is(200).says("region", "")
		w.put("operator", "/v1/accounts/dave/region", `{}`).refused(400, "invalid", "region")
		w.put("operator", "/v1/accounts/dave/region", `{"region":"Europe"}`).refused(400, "invalid", "region")
		for _, code := range []string{"XX", "ZZ", "UK", "EU", "QQ", "T1", "US-ZZ", "001", "x"} {
			w.post("exchange", "/v1/accounts", `{"id":"nowhere","region":"`+code+`"}`).refused(400, "invalid", "region")
			w.put("exchange", "/v1/accounts/dave/region", `{"region":"`+code+`"}`).refused(400, "invalid", "region")
		}
		w.put("operator", "/v1/accounts/erin/region", `{"region":"FR"}`).refused(404, "not-found", "")
	})
}

func TestClosingAnAccount(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("d-1", "alice", "2", "BNB")
		const path = "/v1/accounts/alice/close"
		w.post("exchange", path, "").refused(409, "in-use", "")
		w.post("exchange", "/v1/entries", entry("w-1", "withdrawal", "alice @custody BNB 2")).is(201)
		w.post("exchange", path, "").refused(409, "in-use", "")
		w.put("alice", "/v1/accounts/alice/activation", `{"on":false}`).is(200)
		w.post("exchange", path, "").is(200).says("closed", "2026-03-02T12:00:00.000Z")
		w.post("exchange", path, "").is(200)
		w.post("exchange", "/v1/entries", entry("d-2", "deposit", "@custody alice BNB 2")).refused(400, "invalid", "")
		w.post("exchange", "/v1/accounts", `{"id":"alice","region":"DE"}`).refused(409, "conflict", "")
		w.post("exchange", "/v1/accounts/erin/close", "").refused(404, "not-found", "")
	})
}

func TestAccountsInPagesWhileOthersAreOpened(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for i := range 25 {
			w.holder(accountID("a", i), "DE")
		}
		seen := map[string]int{}
		for next, page := "", 0; page == 0 || next != ""; page++ {
			r := w.get("auditor", "/v1/accounts?limit=4&cursor="+next).is(200)
			for i := range 4 {
				if id := r.at(fmt.Sprintf("items.%d.id", i)); id != "" {
					seen[id]++
				}
			}
			next = r.at("next")
			w.holder(accountID("b", page), "DE")
		}
		for i := range 25 {
			if id := string(accountID("a", i)); seen[id] != 1 {
				t.Errorf("%s is listed %d times", id, seen[id])
			}
		}
	})
}

func TestBalances(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		w.post("exchange", "/v1/entries", entry("h-1", "hold", "alice alice/held BNB 1")).is(201)
		w.post("exchange", "/v1/entries", entry("d-2", "deposit", "@custody alice SOL 3")).is(201)
		w.put("operator", "/v1/prices", `{"prices":[{"asset":"BNB","day":"2026-03-02","price":"600.12345678"}]}`).
			is(200)
		w.get("alice", "/v1/accounts/alice/balances").is(200).says(
			"at", "2026-03-02T12:00:00.000Z", "items.#", "2", "total", "6001.2345678", "unpriced.#", "1",
			"unpriced.0", "SOL",
			"items.0.asset", "BNB", "items.0.free", "9", "items.0.held", "1", "items.0.earned", "0",
			"items.0.value", "6001.2345678",
			"items.1.asset", "SOL", "items.1.free", "3", "items.1.value", "")
		w.get("bob", "/v1/accounts/bob/balances").is(200).says("items.#", "0", "total", "0", "unpriced.#", "0")
		// More than 63 bits of 1e-8 USDT: a price set wrongly must not take the balances away.
		w.put("operator", "/v1/prices", `{"prices":[{"asset":"BNB","day":"2026-03-02","price":"90000000000"}]}`).is(200)
		w.get("alice", "/v1/accounts/alice/balances").is(200).says("items.0.value", "900000000000",
			"total", "900000000000")
		w.clock.Set(10, "12:00")
		w.get("alice", "/v1/accounts/alice/balances").is(200).says("total", "0", "unpriced.#", "2")
	})
}

func TestJournals(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		w.post("exchange", "/v1/entries",
			entry("x-1", "trade", "alice bob BNB 1,bob @desk BNB 1,@desk alice SOL 4")).is(201)
		w.post("exchange", "/v1/entries", entry("h-1", "hold", "alice alice/held BNB 2")).is(201)
		w.clock.Set(2, "12:00")
		w.post("exchange", "/v1/entries", entry("t-1", "transfer", "alice bob BNB 0.5")).is(201)

		const path = "/v1/accounts/alice/journal"
		w.get("alice", path).is(200).says("items.#", "6", "next", "",
			"items.0.entry", "t-1", "items.0.at", "2026-03-03T12:00:00.000Z", "items.0.amount", "-0.5",
			"items.0.other", "bob", "items.0.kind", "transfer", "items.0.part", "free",
			"items.3.part", "held", "items.3.amount", "2", "items.3.other", "alice")
		want := "t-1 d-1 h-1 h-1 x-1 x-1"
		for size := 1; size <= 7; size++ {
			if got := strings.Join(w.walked("alice", path, size, "entry"), " "); got != want {
				t.Errorf("in pages of %d: %s; %s is wanted", size, got, want)
			}
		}
		for query, want := range map[string]string{
			"asset=SOL": "x-1", "kind=hold": "h-1 h-1", "kind=reward": "", "from=2026-03-03": "t-1",
			"to=2026-03-02&asset=BNB": "d-1 h-1 h-1 x-1", "from=2026-03-04": "",
		} {
			if got := strings.Join(w.walked("alice", path+"?"+query, 2, "entry"), " "); got != want {
				t.Errorf("%s: %s; %s is wanted", query, got, want)
			}
		}
		w.get("alice", path+"?from=2026-03-03&to=2026-03-02").refused(400, "invalid", "to")
		w.get("alice", path+"?from=today").refused(400, "invalid", "from")
		for _, cursor := range []string{
			"MA", "MApkCjAKMg", "LTEKZAowCjA", "MDAKZAowCjA", "MQpkCjEwMAow", "MQpkCjAKMQox",
		} {
			w.get("alice", path+"?cursor="+cursor).refused(400, "invalid", "cursor")
		}

		all := w.walked("auditor", "/v1/journal", 3, "entry")
		slices.Sort(all)
		if got := strings.Join(all, " "); got != "d-1 d-1 h-1 h-1 t-1 t-1 x-1 x-1 x-1 x-1 x-1 x-1" {
			t.Errorf("the journal has %s", got)
		}
		w.get("auditor", "/v1/journal?from=2026-03-03").is(200).says("items.#", "2")
		w.get("auditor", "/v1/journal?cursor=MA").refused(400, "invalid", "cursor")
	})
}

// An account that is closed with sweepTo leaves what it has, and its last reward, to another.
func TestCloseAnAccountAndSweepIt(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.holder("bob", "DE")
		w.deposit("d-1", "alice", "20", "BNB")
		w.call("treasurer", post, "/v1/funds", `{"id":"f","asset":"BNB","amount":"1","direction":"in"}`).is(200)
		w.clock.Set(3, "09:00")
		const path = "/v1/accounts/alice/close?sweepTo="
		w.post("exchange", path+"nobody", "").refused(404, "not-found", "")
		w.post("exchange", path+"@desk", "").refused(400, "invalid", "sweepTo")
		w.post("exchange", path+"alice", "").refused(409, "in-use", "")
		w.post("operator", path+"bob", "").refused(403, "forbidden", "")
		w.post("exchange", path+"bob", "").is(200).says("closed", "2026-03-04T09:00:00.000Z", "sweepTo", "bob",
			"unpaidFrom", w.day(2),
			"moved.0.entry", "close/alice/1", "moved.0.asset", "BNB", "moved.0.amount", "20", "refused", "")
		w.post("exchange", path+"bob", "").is(200).says("moved.#", "0", "unpaidFrom", w.day(2))
		w.call("operator", post, "/v1/runs", "").is(200).says("waiting.#", "0")
		w.post("exchange", path+"bob", "").is(200).says("moved.#", "0", "unpaidFrom", "", "left.0.asset", "BNB",
			"left.0.smallestUnits", "0.178082191780821917")
		w.get("exchange", "/v1/accounts/bob/balances").is(200).says("items.0.asset", "BNB",
			"items.0.free", "20.00008219")
	})
}
