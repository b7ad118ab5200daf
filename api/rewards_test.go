package api_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// settle runs what is due.
func (w *town) settle() {
	w.t.Helper()
	_, err := staking.Run(w.t.Context(), w.db, w.clock.Now(), staking.Options{Workers: 1})
	w.ok(err)
}

// fund puts whole tokens into the pool.
func (w *town) fund(id, asset, amount string) {
	w.t.Helper()
	w.call("treasurer", post, "/v1/funds",
		fmt.Sprintf(`{"id":%q,"asset":%q,"amount":%q,"direction":"in"}`, id, asset, amount)).is(200)
}

// price sets what a token was worth on a day.
func (w *town) price(asset string, day int, price string) {
	w.t.Helper()
	w.call("operator", put, "/v1/prices",
		fmt.Sprintf(`{"prices":[{"asset":%q,"day":%q,"price":%q}]}`, asset, w.day(day), price)).is(200)
}

// earning is a town in which alice has earned for Day 2 and Day 3, in BNB with a
// price and in SOL without, and it is the morning of Day 4.
func earning(w *town) {
	w.earner("alice")
	w.holder("bob", "DE")
	w.deposit("a-1", "alice", "2", "BNB")
	w.deposit("a-2", "alice", "12.5", "SOL")
	w.price("BNB", 1, "600")
	w.fund("f-1", "BNB", "10")
	w.fund("f-2", "SOL", "10")
	w.clock.Set(2, "12:00")
	w.deposit("a-3", "alice", "1", "BNB")
	w.clock.Set(3, "00:10")
	w.settle()
	w.clock.Set(4, "00:10")
	w.settle()
}

func TestRewards(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		const path = "/v1/accounts/alice/rewards"
		// 2.5 × 0.0015 / 365 = 0.0000102739…; 3.00001027 × 0.0015 / 365 and what was carried = 0.0000123…
		w.get("alice", path).is(200).says("items.#", "4", "items.0.day", w.day(3), "items.0.asset", "BNB",
			"items.1.asset", "SOL", "items.2.day", w.day(2),
			"items.2.opening", "2", "items.2.average", "2.5", "items.2.eligible", "2.5", "items.2.apr", "0.0015",
			"items.2.reward", "0.00001027",
			"items.2.priceUsdt", "600", "items.2.valueUsdt", "0.006162",
			"items.2.creditedAt", w.day(3)+"T00:10:00.000Z",
			"items.0.opening", "3.00001027", "items.3.priceUsdt", "", "items.3.valueUsdt", "", "next", "")
		for query, want := range map[string]string{
			"?asset=SOL": "SOL SOL", "?from=" + w.day(3): "BNB SOL", "?to=" + w.day(2) + "&asset=BNB": "BNB",
			"?asset=ADA": "", "?from=" + w.day(4): "",
		} {
			if got := strings.Join(w.walked("alice", path+query, 100, "asset"), " "); got != want {
				t.Errorf("%s: %s; %s is wanted", query, got, want)
			}
		}
		all := w.walked("auditor", path, 100, "reward")
		for size := 1; size <= 5; size++ {
			if got := w.walked("exchange", path, size, "reward"); !slices.Equal(got, all) {
				t.Errorf("in pages of %d: %q; %q is wanted", size, got, all)
			}
		}
		w.get("bob", "/v1/accounts/bob/rewards").is(200).says("items.#", "0")
		w.get("bob", path).refused(404, "not-found", "")
		w.get("operator", "/v1/accounts/nobody/rewards").refused(404, "not-found", "")
		w.get("alice", path+"?asset=XYZ").refused(404, "not-found", "")
		w.get("alice", path+"?cursor=Zm9v").refused(400, "invalid", "cursor")

		w.get("alice", "/v1/accounts/alice/earnings").is(200).says("on", "true", "tokens.#", "2",
			"tokens.0.asset", "BNB", "tokens.0.earned", "0.0000226", "tokens.1.asset", "SOL",
			"valueUsdt", "0.01356", "unpriced", "2")
		w.get("bob", "/v1/accounts/bob/earnings").is(200).says("on", "false", "tokens.#", "0", "valueUsdt", "0",
			"unpriced", "0")
		w.get("bob", "/v1/accounts/alice/earnings").refused(404, "not-found", "")
		w.get("auditor", "/v1/accounts/nobody/earnings").refused(404, "not-found", "")
	})
}

func TestExplainedReward(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		at := func(day int, asset string) string {
			return fmt.Sprintf("/v1/accounts/alice/rewards/%s/%s", w.day(day), asset)
		}
		for _, day := range []int{2, 3} {
			r := w.get("alice", at(day, "BNB")).is(200).says("paid", "true", "earned", "true", "over", "true",
				"enrolled", "true", "reason", "", "terms.cap", "1000")
			number := func(name string) *big.Int {
				n, is := new(big.Int).SetString(r.at("working."+name), 10)
				if !is {
					t.Fatalf("%s is %q", name, r.at("working."+name))
				}
				return n
			}
			sum := new(big.Int).Mul(number("earning"), number("rate"))
			sum.Add(sum, number("carriedBefore"))
			units, rest := new(big.Int).QuoRem(sum, number("divisor"), new(big.Int))
			if sum.Cmp(number("numerator")) != 0 || units.Cmp(number("units")) != 0 ||
				rest.Cmp(number("carriedAfter")) != 0 {
				t.Errorf("Day %d does not work out: %s", day, r.body)
			}
		}
		w.get("alice", at(2, "BNB")).says("opening", "2", "average", "2.5", "changes.#", "1", "changes.0.entry", "a-3",
			"changes.0.change", "1", "changes.0.balance", "3",
			"changes.0.counterparty", "@custody", "reward", "0.00001027", "creditedAt", w.day(3)+"T00:10:00.000Z")
		w.get("alice", at(4, "BNB")).is(200).says("over", "false", "paid", "false", "earned", "true")
		w.get("alice", at(1, "BNB")).is(200).says("enrolled", "false", "earned", "false", "working", "", "reward", "0")
		w.get("alice", at(2, "ADA")).is(200).says("earned", "false", "average", "0")
		w.get("alice", at(5, "BNB")).refused(400, "invalid", "")
		w.get("alice", "/v1/accounts/alice/rewards/tomorrow/BNB").refused(400, "invalid", "day")
		w.get("alice", at(2, "XYZ")).refused(404, "not-found", "")
		w.get("bob", at(2, "BNB")).refused(404, "not-found", "")

		// What a day waits for is shown to those who can do something about it.
		w.call("treasurer", post, "/v1/funds", `{"id":"out","asset":"SOL","amount":"9.999","direction":"out"}`).is(200)
		w.clock.Set(5, "00:10")
		w.settle()
		if reason := w.get("operator", at(4, "SOL")).is(200).at("reason"); reason != "" {
			t.Errorf("SOL of Day 4 is paid from 0.0005: %q", reason)
		}
		w.call("treasurer", post, "/v1/funds",
			`{"id":"out-2","asset":"SOL","amount":"`+w.pool("SOL")+`","direction":"out"}`).is(200)
		w.clock.Set(6, "00:10")
		w.settle()
		if reason := w.get("operator", at(5, "SOL")).is(200).at("reason"); !strings.Contains(reason, "@rewards") {
			t.Errorf("an operator is shown %q", reason)
		}
		if reason := w.get("alice", at(5, "SOL")).is(200).at("reason"); reason == "" ||
			strings.Contains(reason, "@rewards") {
			t.Errorf("a holder is shown %q", reason)
		}
	})
}

// pool is what there is to pay a token's rewards from.
func (w *town) pool(asset string) string {
	w.t.Helper()
	tokens, err := reports.New(w.db.Reader()).TokenStatus(w.t.Context())
	w.ok(err)
	i := slices.IndexFunc(tokens, func(st reports.TokenStatus) bool { return st.Asset == asset })
	a, err := w.db.Asset(w.t.Context(), asset)
	w.ok(err)
	return a.Format(tokens[i].Pool)
}

func TestTodaySoFar(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		const path = "/v1/accounts/alice/today"
		w.earner("alice")
		w.holder("bob", "DE")
		w.deposit("a-1", "alice", "2", "BNB")
		w.deposit("a-2", "alice", "20000", "SOL")
		w.get("alice", path).is(200).says("on", "true", "enrolled", "false", "measuredFrom", w.day(2), "tokens.#", "10",
			"tokens.3.asset", "BNB", "tokens.3.reward", "0", "tokens.3.eligible", "0")
		if notice := w.get("alice", path).at("notice"); !strings.Contains(notice, "switched on today") ||
			!strings.Contains(notice, w.day(2)) {
			t.Errorf("on Day 1: %q", notice)
		}
		w.clock.Set(2, "12:00")
		w.deposit("a-3", "alice", "1", "BNB")
		w.clock.Set(2, "18:00")
		r := w.get("alice", path).is(200).says("enrolled", "true", "day", w.day(2),
			"at", w.day(2)+"T18:00:00.000Z", "notice", "",
			"tokens.3.free", "3", "tokens.3.opening", "2", "tokens.3.averageSoFar", "2.33333333",
			"tokens.3.average", "2.5", "tokens.3.reward", "0.00001027", "tokens.3.notice", "",
			"tokens.7.asset", "SOL", "tokens.7.average", "20000", "tokens.7.eligible", "10000", "tokens.0.asset", "ADA",
			"tokens.0.reward", "0")
		for place, word := range map[string]string{
			"tokens.7.notice": "above the cap", "tokens.0.notice": "below the minimum",
		} {
			if got := r.at(place); !strings.Contains(got, word) {
				t.Errorf("%s: %q", place, got)
			}
		}
		w.clock.Set(3, "00:01")
		r = w.get("alice", path).is(200).says("tokens.3.awaited", w.day(2), "tokens.3.opening", "3")
		if got := r.at("tokens.3.notice"); !strings.Contains(got, "still to come") {
			t.Errorf("while Day 2 is unpaid: %q", got)
		}
		w.fund("f-1", "BNB", "10")
		w.fund("f-2", "SOL", "10")
		w.clock.Set(3, "00:10")
		w.settle()
		w.get("alice", path).is(200).says("tokens.3.awaited", "", "tokens.3.opening", "3.00001027",
			"tokens.3.notice", "")
		w.call("alice", put, "/v1/accounts/alice/activation", `{"on":false}`).is(200)
		r = w.get("operator", path).is(200).says("on", "false", "enrolled", "false", "tokens.3.reward", "0")
		if got := r.at("notice"); !strings.Contains(got, "is off") {
			t.Errorf("switched off: %q", got)
		}
		w.get("bob", "/v1/accounts/bob/today").is(200).says("on", "false", "tokens.3.free", "0",
			"tokens.3.averageSoFar", "0")
		w.get("bob", path).refused(404, "not-found", "")
		w.get("exchange", "/v1/accounts/nobody/today").refused(404, "not-found", "")
	})
}
