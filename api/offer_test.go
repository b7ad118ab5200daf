package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/staking"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
)

func TestTokensAndTerms(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.get("alice", "/v1/tokens").is(200).says("items.#", "10", "items.3.asset", "BNB", "items.3.scale", "8",
			"items.3.offered", "true",
			"items.3.terms.apr", "0.0015", "items.3.terms.minimum", "0.5", "items.3.terms.cap", "1000", "items.3.maxSupply",
			"200000000")

		dot := `{"asset":"DOT","scale":6,"maxSupply":"2100000000","offered":true,"apr":"0.02","minimum":"5","cap":"20000.5"}`
		w.call("operator", post, "/v1/tokens", dot).is(200).says("asset", "DOT", "offered", "false", "terms", "")
		w.call("operator", post, "/v1/tokens", dot).is(200)
		w.call("operator", post, "/v1/tokens", strings.Replace(dot, "0.02", "0.03", 1)).refused(409, "conflict", "")
		w.call("operator", post, "/v1/tokens", strings.Replace(dot, "2100000000", "1e9", 1)).refused(400, "invalid",
			"maxSupply")
		w.call("operator", post, "/v1/tokens", strings.Replace(dot, `"scale":6`, `"scale":18`, 1)).refused(400, "invalid", "maxSupply")
		w.call("operator", post, "/v1/tokens", strings.Replace(dot, "20000.5", "4", 1)).refused(400, "invalid", "cap")
		for _, who := range []string{"alice", "exchange", "auditor"} {
			w.call(who, post, "/v1/tokens", dot).refused(403, "forbidden", "")
		}

		terms := `{"from":"` + w.day(3) + `","offered":true,"apr":"0.002","minimum":"0.5","cap":"500"}`
		w.call("operator", post, "/v1/tokens/BNB/terms", terms).is(200).says("apr", "0.002", "cap", "500", "offered", "true")
		w.call("operator", post, "/v1/tokens/BNB/terms", strings.Replace(terms, "0.002", "0.003", 1)).is(200)
		w.call("operator", post, "/v1/tokens/BNB/terms",
			strings.Replace(strings.Replace(terms, w.day(3), w.day(5), 1), "true", "false", 1)).is(200).says("offered", "false")
		w.get("alice", "/v1/tokens").is(200).says("items.3.terms.apr", "0.0015", "items.3.coming.#", "2",
			"items.3.coming.0.from", w.day(3), "items.3.coming.0.apr", "0.003",
			"items.3.coming.1.from", w.day(5), "items.3.coming.1.offered", "false", "items.0.coming.#", "0")
		w.call("operator", post, "/v1/tokens/BNB/terms", strings.Replace(terms, w.day(3), w.day(1), 1)).refused(400,
			"invalid", "")
		w.call("operator", post, "/v1/tokens/BNB/terms", strings.Replace(terms, "0.002", "0.000000001", 1)).refused(400,
			"invalid", "apr")
		w.call("operator", post, "/v1/tokens/BNB/terms", strings.Replace(terms, w.day(3), "2026-02-30", 1)).refused(400,
			"invalid", "from")
		w.call("operator", post, "/v1/tokens/XYZ/terms", terms).refused(404, "not-found", "")
		w.call("exchange", post, "/v1/tokens/BNB/terms", terms).refused(403, "forbidden", "")

		w.get("auditor", "/v1/tokens/BNB/terms").is(200).says("items.#", "4", "items.0.from", w.day(5), "items.0.offered",
			"false",
			"items.1.revision", "2", "items.1.apr", "0.003", "items.2.revision", "1", "items.3.from", w.day(1), "items.3.setBy",
			"test", "next", "")
		w.get("alice", "/v1/tokens/BNB/terms").is(200).says("items.0.apr", "0.002", "items.0.setBy", "")
		w.get("alice", "/v1/tokens/XYZ/terms").refused(404, "not-found", "")
		for size := 1; size <= 5; size++ {
			if got := strings.Join(w.walked("alice", "/v1/tokens/BNB/terms", size, "apr"),
				" "); got != "0.002 0.003 0.002 0.0015" {
				t.Errorf("in pages of %d: %s", size, got)
			}
		}
		w.get("alice", "/v1/tokens/BNB/terms?cursor=%21").refused(400, "invalid", "cursor")
		w.get("alice", "/v1/tokens/BNB/terms?cursor=Zm9v").refused(400, "invalid", "cursor")
		w.get("alice", "/v1/tokens/BNB/terms?limit=0").refused(400, "invalid", "limit")

		w.termsWithModes(terms)

		w.clock.Set(3, "09:00")
		correction := `{"day":"` + w.day(2) + `","reason":"A digit too many.","offered":true,"apr":"0.001","minimum":"0.5","cap":"1000"}`
		w.call("operator", post, "/v1/tokens/BNB/corrections", correction).is(200).says("apr", "0.001")
		w.call("operator", post, "/v1/tokens/BNB/corrections",
			strings.Replace(correction, w.day(2), w.day(3), 1)).refused(400, "invalid", "")
		w.call("operator", post, "/v1/tokens/BNB/corrections",
			strings.Replace(correction, "A digit too many.", "", 1)).refused(400, "invalid", "reason")
		w.call("auditor", post, "/v1/tokens/BNB/corrections", correction).refused(403, "forbidden", "")
		w.get("operator", "/v1/tokens/BNB/terms").is(200).says("items.#", "5", "items.3.reason", "A digit too many.",
			"items.3.apr", "0.001")
		w.get("alice", "/v1/tokens").is(200).says("items.3.terms.apr", "0.003", "items.4.asset", "DOT", "items.4.offered",
			"true", "items.4.terms.cap", "20000.5")
	})
}

// termsWithModes sets terms of SOL in every mode, from later days on. terms are a request from day 3 on.
func (w *town) termsWithModes(terms string) {
	set := func(more string) reply {
		body := strings.Replace(strings.Replace(terms, w.day(3), w.day(9), 1), `,"apr":"0.002"`, more, 1)
		return w.call("operator", post, "/v1/tokens/SOL/terms", body)
	}
	set(``).is(200).says("apr", "0.008", "mode", "fixed", "measure", "average", "perOwner", "false", "grossApr", "")
	set(`,"mode":"share","apr":"0.01"`).refused(400, "invalid", "apr")
	set(`,"mode":"pool"`).refused(400, "invalid", "mode")
	set(`,"measure":"median"`).refused(400, "invalid", "measure")
	set(`,"mode":"share","fee":"0.3","measure":"daily-minimum","perOwner":true`).is(200).says("apr", "0", "mode", "share",
		"fee", "0.3", "measure", "daily-minimum", "perOwner", "true")
	set(``).is(200).says("mode", "share", "fee", "0.3", "measure", "daily-minimum", "perOwner", "true")
	set(`,"mode":"fixed"`).refused(400, "invalid", "apr")
	set(`,"mode":"fixed","apr":"0.01","grossApr":"0.009"`).refused(400, "invalid", "grossApr")
	set(`,"mode":"fixed","apr":"0.01","grossApr":"0.02"`).refused(400, "invalid", "grossApr")
	set(`,"mode":"fixed","grossApr":"0.02","fee":"0.35"`).is(200).says("grossApr", "0.02", "fee", "0.35", "apr", "0.013")
	set(`,"mode":"fixed","apr":"0.014","fee":"0.3","grossApr":"0.02","perOwner":false`).is(200).says("grossApr", "0.02",
		"fee", "0.3", "measure", "daily-minimum", "perOwner", "false")
	w.call("operator", post, "/v1/tokens", `{"asset":"KSM","scale":6,"maxSupply":"100","offered":true,"minimum":"5",`+
		`"cap":"20"}`).refused(400, "invalid", "apr")
}

func TestLimits(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.get("auditor", "/v1/tokens/BNB/limits").is(200).says("maxTotal", "0", "maxChange", "0", "maxApr", "0")
		if err := w.db.SetLimit(t.Context(), staking.Limit{Asset: "BNB", MaxWithdrawal: 2_00000000, MaxAPR: 20_000_000,
			MaxInflow: 3_00000000}); err != nil {
			t.Fatal(err)
		}
		w.call("admin", put, "/v1/tokens/BNB/limits", `{"maxTotal":"12.5","maxChange":"25.5"}`).is(200).says("maxTotal", "12.5", "maxChange", "25.5")
		w.get("admin", "/v1/tokens/BNB/limits").is(200).says("maxTotal", "12.5", "maxChange", "25.5", "maxWithdrawal", "2",
			"maxApr", "0.2", "maxInflow", "3")
		w.call("admin", put, "/v1/tokens/BNB/limits", `{"maxTotal":"12.5","maxChange":"25.555"}`).refused(400, "invalid", "maxChange")
		w.call("admin", put, "/v1/tokens/BNB/limits", `{"maxTotal":"x","maxChange":"0"}`).refused(400, "invalid", "maxTotal")
		w.call("admin", put, "/v1/tokens/BNB/limits", `{"maxTotal":"1"}`).refused(400, "invalid", "maxChange")
		w.call("admin", put, "/v1/tokens/XYZ/limits", `{"maxTotal":"0","maxChange":"0"}`).refused(404, "not-found", "")
		for _, who := range []string{"alice", "exchange", "auditor"} {
			w.call(who, put, "/v1/tokens/BNB/limits", `{"maxTotal":"0","maxChange":"0"}`).refused(403, "forbidden", "")
		}
		w.get("alice", "/v1/tokens/BNB/limits").refused(403, "forbidden", "")
	})
}

func TestRegions(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.earner("alice")
		w.deposit("d-1", "alice", "2", "BNB")
		w.clock.Set(2, "12:00")
		w.get("alice", "/v1/regions").is(200).says("items.#", "15", "items.0", "AS")
		w.get("auditor", "/v1/regions/de/preview").is(200).says("from", w.day(3), "accounts", "1", "enrolled", "1",
			"tokens.0.asset", "BNB", "tokens.0.holders", "1", "tokens.0.earning", "2")
		w.get("auditor", "/v1/regions/de/preview?from="+w.day(1)).refused(400, "invalid", "from")
		w.get("exchange", "/v1/regions/de/preview").refused(403, "forbidden", "")
		w.call("operator", put, "/v1/regions/de?reason=a+new+law", "").is(200).says("code", "DE", "from", w.day(3), "ended",
			"1", "reason", "a new law")
		w.get("alice", "/v1/regions").is(200).says("items.#", "16", "items.2", "DE", "listings.2.code", "DE",
			"listings.2.from", w.day(3))
		w.get("alice", "/v1/accounts/alice/activation").is(200).says("on", "true", "enrollments.0.until", w.day(3),
			"missing.0.what", "region")
		w.call("operator", http.MethodDelete, "/v1/regions/DE", "").is(200).says("restored", "1")
		w.get("alice", "/v1/accounts/alice/activation").is(200).says("on", "true", "enrollments.0.until", "")
		w.call("operator", put, "/v1/regions/de?from="+w.day(2), "").is(200).says("from", w.day(2), "ended", "1")
		w.call("operator", put, "/v1/regions/de?from="+w.day(3), "").refused(409, "conflict", "code")
		w.get("alice", "/v1/accounts/alice/activation").is(200).says("on", "false", "missing.0.what", "region")
		w.call("operator", http.MethodDelete, "/v1/regions/DE", "").is(200).says("restored", "1")
		w.call("operator", http.MethodDelete, "/v1/regions/DE", "").refused(404, "not-found", "")
		w.call("operator", put, "/v1/regions/Germany", "").refused(400, "invalid", "code")
		for _, code := range []string{"D1", "T1", "XX", "ZZ", "UK", "EU", "UA-99"} {
			w.call("operator", put, "/v1/regions/"+code, "").refused(400, "invalid", "code")
		}
		// It might be on the list of older books.
		w.call("operator", http.MethodDelete, "/v1/regions/UK", "").refused(404, "not-found", "")
		w.call("auditor", put, "/v1/regions/FR", "").refused(403, "forbidden", "")
		w.call("alice", http.MethodDelete, "/v1/regions/US", "").refused(403, "forbidden", "")
	})
}

func TestPrices(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.clock.Set(3, "12:00")
		three := `{"prices":[{"asset":"BNB","day":"` + w.day(1) + `","price":"600.25"},{"asset":"BNB","day":"` + w.day(2) + `","price":"610"},{"asset":"SOL","day":"` + w.day(2) + `","price":"0.00000001"}]}`
		w.call("operator", put, "/v1/prices", three).is(200).says("set", "3")
		w.call("operator", put, "/v1/prices", three).is(200).says("set", "0")
		w.get("alice", "/v1/prices?asset=BNB").is(200).says("items.#", "2", "items.0.price", "600.25", "items.1.day",
			w.day(2))
		w.get("alice", "/v1/prices?asset=BNB&from="+w.day(2)).is(200).says("items.#", "1", "items.0.price", "610")
		w.get("alice", "/v1/prices?asset=SOL&to="+w.day(1)).is(200).says("items.#", "0")
		if got := w.walked("alice", "/v1/prices?asset=BNB", 1, "price"); !slices.Equal(got, []string{"600.25", "610"}) {
			t.Errorf("one by one: %q", got)
		}
		w.get("alice", "/v1/prices").refused(400, "invalid", "asset")
		w.get("alice", "/v1/prices?asset=XYZ").refused(404, "not-found", "")
		w.get("alice", "/v1/prices?asset=BNB&from="+w.day(2)+"&to="+w.day(1)).refused(400, "invalid", "to")
		w.get("alice", "/v1/prices?asset=BNB&from=yesterday").refused(400, "invalid", "from")
		// All or none, and each fault is shown where it is.
		w.call("operator", put, "/v1/prices", strings.Replace(strings.Replace(three, "610", "611", 1), "0.00000001", "-1",
			1)).refused(400, "invalid", "prices[2].price")
		w.call("operator", put, "/v1/prices", strings.Replace(three, "610", "6e2", 1)).refused(400, "invalid",
			"prices[1].price")
		w.call("operator", put, "/v1/prices", strings.Replace(three, w.day(2), "1969-12-31", 1)).refused(400, "invalid",
			"prices[1].day")
		w.call("operator", put, "/v1/prices", `{"prices":[]}`).refused(400, "invalid", "prices")
		w.get("alice", "/v1/prices?asset=BNB").is(200).says("items.1.price", "610")
		for _, who := range []string{"alice", "exchange", "auditor"} {
			w.call(who, put, "/v1/prices", three).refused(403, "forbidden", "")
		}
	})
}

func TestLog(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.clock.Set(1, "13:00")
		w.call("operator", put, "/v1/regions/FR", "").is(200)
		first := w.get("auditor", "/v1/log?limit=1").is(200).says("items.0.action", "region add", "items.0.subject", "FR",
			"items.0.at", w.day(1)+"T13:00:00.000Z")
		if actor := first.at("items.0.actor"); !strings.HasPrefix(actor, "token ") || len(actor) != len("token ")+12 {
			t.Errorf("the line's actor is %q", actor)
		}
		all := w.walked("operator", "/v1/log", 1000, "action")
		for size := 1; size <= 3; size++ {
			if got := w.walked("operator", "/v1/log", size, "action"); !slices.Equal(got, all) {
				t.Errorf("in pages of %d: %q; %q is wanted", size, got, all)
			}
		}
		w.get("exchange", "/v1/log").refused(403, "forbidden", "")
		w.get("alice", "/v1/log").refused(403, "forbidden", "")
	})
}
