package api_test

import (
	"slices"
	"strings"
	"testing"
)

// accepted accepts the current version of each document.
func (w *town) accepted(who, id string) {
	w.t.Helper()
	for _, name := range []string{"terms-of-use", "soft-staking-terms", "risk-warning"} {
		w.call(who, post, "/v1/accounts/"+id+"/acceptances", `{"document":"`+name+`","version":1}`,
			"X-Client-Platform", "web").is(200)
	}
}

func TestDocuments(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.get("alice", "/v1/documents").is(200).says("items.#", "3", "items.0.name", "terms-of-use",
			"items.2.name", "risk-warning", "items.2.version", "1", "items.2.current", "true", "items.2.text", "")
		w.call("operator", post, "/v1/documents", `{"name":"risk-warning","text":"Prices fall. <b>\u00fcber</b>"}`).
			is(200).says("version", "2", "current", "true")
		w.call("operator", post, "/v1/documents", `{"name":"risk-warning","text":"Prices fall. <b>\u00fcber</b>"}`).
			is(200).says("version", "2")
		w.call("operator", post, "/v1/documents", `{"name":"poem","text":"x"}`).refused(400, "invalid", "name")
		w.call("operator", post, "/v1/documents", `{"name":"risk-warning","text":"`+strings.Repeat("x", 1<<20+1)+`"}`).
			refused(400, "invalid", "text")
		w.call("operator", post, "/v1/documents",
			`{"name":"terms-of-use","text":"`+strings.Repeat(`\u0041`, 1<<20)+`"}`).is(200).says("version", "2")
		w.call("exchange", post, "/v1/documents", `{"name":"risk-warning","text":"x"}`).refused(403, "forbidden", "")
		w.get("alice", "/v1/documents").is(200).says("items.#", "5", "items.3.current", "false",
			"items.4.current", "true")
		w.get("alice", "/v1/documents/risk-warning/current").is(200).says("text", "Prices fall. <b>über</b>",
			"version", "2", "current", "true")
		w.get("alice", "/v1/documents/risk-warning/1").is(200).says("current", "false")
		w.get("alice", "/v1/documents/risk-warning/3").refused(404, "not-found", "")
		w.get("alice", "/v1/documents/risk-warning/0").refused(400, "invalid", "version")
		w.get("alice", "/v1/documents/poem/current").refused(404, "not-found", "")
	})
}

func TestActivation(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.holder("bob", "US-CA")
		const alice, on, off = "/v1/accounts/alice/activation", `{"on":true}`, `{"on":false}`
		w.get("alice", alice).is(200).says("on", "false", "measuredFrom", w.day(2),
			"firstRewardFrom", w.day(3)+"T00:00:00.000Z", "firstRewardBy", w.day(3)+"T08:00:00.000Z",
			"missing.#", "3", "missing.0.what", "document", "missing.0.document", "terms-of-use",
			"missing.0.version", "1", "enrollments.#", "0")
		w.call("alice", put, alice, on).refused(409, "documents", "")
		w.call("alice", put, alice, on, "X-Client-Platform", "iOS", "X-Client-Version", "3.0.9").
			refused(403, "update-app", "")
		w.call("alice", put, alice, on, "X-Test-Country", "US").refused(451, "region", "")
		w.call("bob", put, "/v1/accounts/bob/activation", on).refused(451, "region", "")
		w.call("bob", get, "/v1/accounts/bob/activation", "", "X-Client-Platform", "android", "X-Client-Version", "2").
			is(200).says("missing.#", "5", "missing.0.what", "region", "missing.1.what", "update-app")
		w.accepted("alice", "alice")
		w.call("alice", put, alice, on, "X-Client-Platform", "ios", "X-Client-Version", "3.1.0").is(200).
			says("on", "true", "measuredFrom", w.day(2), "missing.#", "0", "enrollments.#", "1",
				"enrollments.0.from", w.day(2), "enrollments.0.until", "")
		w.call("alice", put, alice, on, "X-Client-Platform", "ios", "X-Client-Version", "1").is(200).
			says("on", "true", "missing.0.what", "update-app")
		w.clock.Set(4, "10:00")
		w.call("alice", put, alice, off, "X-Client-Version", strings.Repeat("9", 300)).is(200).
			says("on", "false", "measuredFrom", w.day(5), "enrollments.0.until", w.day(4))
		w.call("alice", put, alice, off).is(200).says("on", "false")

		// Nobody sets another's switch; those who look after the product only look.
		for _, who := range []string{"operator", "auditor"} {
			w.get(who, alice).is(200).says("on", "false")
			w.call(who, put, alice, on).refused(403, "forbidden", "")
		}
		w.get("bob", alice).refused(404, "not-found", "")
		w.call("bob", put, alice, on).refused(404, "not-found", "")
		w.get("exchange", "/v1/accounts/nobody/activation").refused(404, "not-found", "")
		w.call("alice", put, alice, `{"on":"true"}`).refused(400, "invalid", "on")
		w.call("alice", put, alice, `{}`).refused(400, "invalid", "on")

		actions := w.walked("alice", alice+"/events", 100, "action")
		if want := []string{"off", "refused: region", "refused: documents", "refused: app " +
			"version", "on"}; !slices.Equal(actions, want) {
			t.Errorf("the events are %q; %q are wanted", actions, want)
		}
		for size := 1; size <= 3; size++ {
			if got := w.walked("alice", alice+"/events", size, "action"); !slices.Equal(got, actions) {
				t.Errorf("in pages of %d: %q; %q is wanted", size, got, actions)
			}
		}
		w.get("bob", alice+"/events").refused(404, "not-found", "")
	})
}

// TestUnknownCountry: where the operator wants the country known, nobody switches on
// without one, and everybody switches off.
func TestUnknownCountry(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.holder("bob", "US")
		w.accepted("alice", "alice")
		const alice, on, off, need = "/v1/accounts/alice/activation", `{"on":true}`, `{"on":false}`, "X-Test-Need-Country"
		w.call("alice", get, alice, "", need, "1").is(200).says("missing.#", "1", "missing.0.what", "unknown-country")
		w.call("alice", put, alice, on, need, "1").refused(451, "unknown-country", "")
		// the residence comes first
		w.call("bob", put, "/v1/accounts/bob/activation", on, need, "1").refused(451, "region", "")
		w.call("alice", put, alice, on, need, "1", "X-Test-Country", "US").refused(451, "region", "")
		w.call("alice", put, alice, off, need, "1").is(200)
		w.call("alice", put, alice, on, need, "1", "X-Test-Country", "DE").is(200).says("on", "true", "missing.#", "0")
		w.clock.Set(1, "13:00")
		w.call("alice", put, alice, on, need, "1").is(200).says("on", "true") // on already
		w.call("alice", put, alice, off, need, "1").is(200).says("on", "false")

		// The country of an exchange's own request is not its holder's.
		w.clock.Set(1, "14:00")
		w.call("exchange", put, alice, on, need, "1", "X-Test-Country", "DE").refused(451, "unknown-country",
			"client.country")
		w.call("exchange", put, alice, `{"on":true,"client":{"country":"XX"}}`, need, "1").
			refused(400, "invalid", "client.country")
		w.call("exchange", put, alice, `{"on":true,"client":{"country":"DE"}}`, need, "1").is(200).says("on", "true")
		w.call("auditor", get, alice, "", need, "1").is(200).says("missing.#", "0")
		w.clock.Set(1, "15:00")
		w.call("exchange", put, alice, off, need, "1").is(200).says("on", "false")
		w.call("alice", put, alice, on).is(200) // the operator does not ask for it
		actions := w.walked("alice", alice+"/events", 100, "action")
		if !slices.Contains(actions, "refused: unknown country") {
			t.Errorf("the events are %q", actions)
		}
	})
}

// TestExchangeRelays: what an exchange does for its holders is kept with the
// holder's client, and the exchange's own address says nothing of the holder.
func TestExchangeRelays(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		const alice = "/v1/accounts/alice/activation"
		reported := `"client":{"platform":"ios","version":"3.2.0","address":"2001:db8::7","country":"fr"}`
		w.call("exchange", post, "/v1/accounts/alice/acceptances",
			`{"document":"risk-warning","version":1,`+reported+`}`).is(200).
			says("items.0.client", "ios 3.2.0", "items.0.address", "2001:db8::7 FR")
		w.accepted("exchange", "alice")
		w.get("alice", "/v1/accounts/alice/acceptances").is(200).says("items.#", "3", "items.0.version", "1")
		w.call("exchange", put, alice, `{"on":true}`, "X-Test-Country", "US").is(200).says("on", "true")
		w.clock.Set(1, "13:00")
		w.call("exchange", put, alice, `{"on":false,`+reported+`}`).is(200).says("on", "false")
		w.get("alice", alice+"/events").is(200).says("items.0.client", "ios 3.2.0",
			"items.0.address", "2001:db8::7 FR")
		w.call("exchange", put, alice, `{"on":true,"client":{"country":"US"}}`).refused(451, "region", "")
		w.call("exchange", put, alice, `{"on":true,"client":{"address":"home"}}`).
			refused(400, "invalid", "client.address")
		w.call("exchange", put, alice, `{"on":true,"client":{"country":"X"}}`).refused(400, "invalid", "client.country")
		w.call("alice", put, alice, `{"on":true,`+reported+`}`).refused(400, "invalid", "client")
		w.call("alice", post, "/v1/accounts/alice/acceptances", `{"document":"risk-warning","version":1,`+reported+`}`).
			refused(400, "invalid", "client")
		w.call("alice", post, "/v1/accounts/alice/acceptances", `{"document":"risk-warning","version":2}`).
			refused(404, "not-found", "")
		w.call("operator", post, "/v1/accounts/alice/acceptances", `{"document":"risk-warning","version":1}`).
			refused(403, "forbidden", "")
		w.call("auditor", post, "/v1/accounts/alice/acceptances", `{"document":"risk-warning","version":1}`).
			refused(403, "forbidden", "")
	})
}
