package api_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/softstake/softstake/access"
)

// TestAuthoritativeEntries: only a token that may posts them, and what they leave below
// zero is listed and resolved.
func TestAuthoritativeEntries(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		w.clock.Set(1, "13:00")
		secret := w.authoritative()
		marked := entry("w-1", "withdrawal", "bob @custody BNB 1", `"at":"2026-03-02T12:30:00Z"`,
			`"authoritative":true`)
		plain := entry("w-1", "withdrawal", "bob @custody BNB 1", `"at":"2026-03-02T12:30:00Z"`)
		w.post("exchange", "/v1/entries", entry("d-2", "deposit", "@custody bob BNB 1")).is(201)
		w.post("exchange", "/v1/entries", marked).refused(403, "forbidden", "authoritative")
		w.post("exchange", "/v1/batches", batch(true, marked)).refused(403, "forbidden", "entries[0].authoritative")
		w.post("exchange", "/v1/batches", batch(false, marked)).is(200).says("entries.0.problem.field", "authoritative")
		w.post(secret, "/v1/entries", plain).refused(409, "insufficient-balance", "")
		w.post(secret, "/v1/entries", entry("w-2", "withdrawal", "bob @custody BNB 2", `"authoritative":true`)).
			refused(409, "insufficient-balance", "")
		early := w.post(secret, "/v1/entries",
			entry("w-2", "withdrawal", "bob @custody BNB 1", `"at":"2026-03-01T12:30:00Z"`, `"authoritative":true`))
		early.refused(409, "day-closed", "")
		if detail := early.at("detail"); !strings.Contains(detail, "a compensation") {
			t.Errorf("of a closed day is said %q, and not what to do", detail)
		}
		w.post(secret, "/v1/batches", batch(false, marked)).is(200).says("entries.0.status", "posted")
		w.post("exchange", "/v1/entries", plain).is(200) // posted before, marked or not
		w.get("auditor", "/v1/reconciliation").is(200).says("items.#", "1", "items.0.entry", "w-1",
			"items.0.account", "bob", "items.0.lowest", "-1",
			"items.0.at", "2026-03-02T12:30:00.000Z", "items.0.until", "2026-03-02T13:00:00.000Z")
		w.get("auditor", "/v1/entries/w-1").is(200).says("reconciliation", "open")
		w.get("auditor", "/v1/entries/d-2").is(200).says("reconciliation", "")
		const path = "/v1/reconciliation/resolutions"
		w.post("operator", path, `{"entry":"w-1","reason":"credited late"}`).is(200).says("repeated", "false")
		w.post("operator", path, `{"entry":"w-1","reason":"credited late"}`).is(200).says("repeated", "true")
		w.get("auditor", "/v1/entries/w-1").is(200).says("reconciliation", "resolved")
		w.post("operator", path, `{"entry":"w-9","reason":"credited late"}`).refused(404, "not-found", "")
		w.get("exchange", "/v1/reconciliation").is(200).says("items.#", "0")
		w.get("exchange", "/v1/reconciliation?state=all").is(200).says("items.0.reason", "credited late")
		w.get("exchange", "/v1/reconciliation?state=some").refused(400, "invalid", "state")
	})
}

// TestOnlyAnExchangesTokenIsAuthoritative: no other role posts what another ledger decided.
func TestOnlyAnExchangesTokenIsAuthoritative(t *testing.T) {
	for _, role := range access.Roles {
		token := access.Token{ID: "aaaaaaaaaaaa", Hash: [32]byte{1}, Role: role, Authoritative: true}
		switch role {
		case access.Holder:
			token.Account = "alice"
		case access.Exchange:
			token.Parts = access.AllParts
		}
		if err := token.Valid(); (err == nil) != (role == access.Exchange) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// authoritative makes a token of an exchange that may post what another ledger decided,
// and is the name that calls are made with.
func (w *town) authoritative() string {
	w.t.Helper()
	const name = "authoritative exchange"
	token, text, err := access.NewToken(rand.Reader)
	w.ok(err)
	token.Role, token.Parts, token.Authoritative = access.Exchange, access.AllParts, true
	w.ok(w.db.People().AddToken(w.t.Context(), token))
	w.tokens[name] = text
	return name
}
