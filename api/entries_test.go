package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// entry is an entry's JSON: moves are "from to asset amount", separated by commas.
func entry(id, kind, moves string, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%q,"kind":%q,`, id, kind)
	for _, m := range more {
		b.WriteString(m + ",")
	}
	b.WriteString(`"moves":[`)
	for i, m := range strings.Split(moves, ",") {
		if i > 0 {
			b.WriteByte(',')
		}
		var from, to, asset, amount string
		if n, err := fmt.Sscan(m, &from, &to, &asset, &amount); n != 4 || err != nil {
			panic(m)
		}
		fmt.Fprintf(&b, `{"from":%q,"to":%q,"asset":%q,"amount":%q}`, from, to, asset, amount)
	}
	return b.String() + "]}"
}

func batch(atomic bool, entries ...string) string {
	return fmt.Sprintf(`{"entries":[%s],"atomic":%t}`, strings.Join(entries, ","), atomic)
}

func (w *town) post(who, path, body string) reply {
	w.t.Helper()
	return w.call(who, http.MethodPost, path, body)
}

// settlers are alice with 10 BNB, and bob.
func (w *town) settlers() {
	w.t.Helper()
	w.holder("alice", "DE")
	w.holder("bob", "DE")
	w.post("exchange", "/v1/entries", entry("d-1", "deposit", "@custody alice BNB 10")).is(201)
}

func TestOneEntry(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		at := `"at":"2026-03-02T12:00:00.1239+01:00"`
		first := w.post("exchange", "/v1/entries", entry("t-1", "deposit", "@custody bob BNB 1.5", at)).is(201)
		first.says("id", "t-1", "at", "2026-03-02T11:00:00.123Z", "postedAt", "2026-03-02T12:00:00.000Z",
			"repeated", "false")
		w.clock.Set(1, "13:00")
		w.post("exchange", "/v1/entries", entry("t-1", "deposit", "@custody bob BNB 1.5", at)).is(200).
			says("at", "2026-03-02T11:00:00.123Z", "postedAt", "2026-03-02T12:00:00.000Z", "repeated", "true")
		w.post("exchange", "/v1/entries", entry("t-1", "deposit", "@custody bob BNB 1.50")).is(200)
		w.post("exchange", "/v1/entries", entry("t-1", "deposit", "@custody bob BNB 1.6")).refused(409, "conflict", "")
		w.post("exchange", "/v1/entries", entry("t-2", "transfer", "bob alice BNB 1.50000001")).
			refused(409, "insufficient-balance", "")
		w.post("exchange", "/v1/entries", entry("t-2", "transfer", "bob carol BNB 1")).refused(404, "not-found", "")
		w.post("exchange", "/v1/entries", entry("t-2", "transfer", "bob alice BNB 1.5")).is(201)
		w.post("exchange", "/v1/entries", entry("trade-1", "trade", "alice @desk BNB 1,@desk alice USDT 600")).
			refused(400, "invalid", "moves[1].asset")
		w.post("exchange", "/v1/entries", entry("trade-1", "trade", "alice @desk BNB 1,@desk alice SOL 4")).is(201)
		w.get("auditor", "/v1/entries/trade-1").is(200).says("kind", "trade", "moves.#", "2", "moves.1.asset", "SOL",
			"moves.1.amount", "4", "moves.0.from", "alice", "moves.0.to", "@desk")
		w.get("auditor", "/v1/entries/t-9").refused(404, "not-found", "")
		w.post("exchange", "/v1/entries", entry("h-1", "hold", "alice alice/held BNB 2")).is(201)
		w.post("exchange", "/v1/entries", entry("r-1", "release", "alice/held alice BNB 2")).is(201)
		w.post("exchange", "/v1/entries", entry("old", "deposit", "@custody bob BNB 1", `"at":"2026-03-01T23:59:59Z"`)).
			refused(409, "day-closed", "")
	})
}

// TestWhatIsNoEntry is refused with the field at fault.
func TestWhatIsNoEntry(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		good := entry("x", "transfer", "alice bob BNB 1")
		for _, c := range []struct{ body, field string }{
			{"", ""},
			{"{}", "kind"},
			{"[]", ""},
			{"null", ""},
			{good + good, ""},
			{strings.Replace(good, `"id"`, `"Id"`, 1), "Id"},
			{strings.Replace(good, `{"id"`, `{"note":"","id"`, 1), "note"},
			{strings.Replace(good, `"asset"`, `"amount":"1","asset"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `1`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"1e3"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"+1"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"0"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"-1"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"0.000000001"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"99999999999999999999999999"`, 1), "moves[0].amount"},
			{strings.Replace(good, `"1"`, `"10000000000"`, 1), "moves[0].amount"},
			{strings.Replace(good, `BNB`, `bnb`, 1), "moves[0].asset"},
			{strings.Replace(good, `"bob"`, `"alice"`, 1), "moves[0]"},
			{strings.Replace(good, `"bob"`, `"@rewards"`, 1), "moves[0]"},
			{strings.Replace(good, `"bob"`, `"b b"`, 1), "moves[0]"},
			{entry("", "transfer", "alice bob BNB 1"), "id"},
			{entry("a b", "transfer", "alice bob BNB 1"), "id"},
			{entry("reward/x", "transfer", "alice bob BNB 1"), "id"},
			{entry(strings.Repeat("x", 129), "transfer", "alice bob BNB 1"), "id"},
			{entry("x", "reward", "alice bob BNB 1"), "kind"},
			{entry("x", "transfer", "alice bob BNB 1,alice @custody BNB 1"), "moves[1]"},
			{entry("x", "hold", "alice bob BNB 1"), "moves[0]"},
			{entry("x", "withdrawal-completed", "alice/held @custody BNB 1"), "id"},
			{`{"id":"x","kind":"transfer","moves":[]}`, "moves"},
			{`{"id":"x","kind":"transfer","moves":null}`, "moves"},
			{entry("x", "deposit", "@custody bob BNB 1", `"at":"2026-03-02"`), "at"},
			{entry("x", "deposit", "@custody bob BNB 1", `"at":1772452800000`), "at"},
			{entry("x", "deposit", "@custody bob BNB 1", `"at":"9999-12-31T23:59:59-01:00"`), "at"},
			{entry("x", "deposit", "@custody bob BNB 1", `"at":"2026-03-02T12:00:02Z"`), ""},
		} {
			w.post("exchange", "/v1/entries", c.body).refused(400, "invalid", c.field)
		}
		w.post("exchange", "/v1/entries", entry("x", "adjustment", "@custody bob BNB 1")).
			refused(403, "forbidden", "kind")
		w.get("exchange", "/v1/accounts/bob/balances").is(200).says("items.#", "0")
	})
}

// TestIDsThatVanishFromAURL: no ID can be one that a client's URL does without.
func TestIDsThatVanishFromAURL(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		for _, id := range []string{".", ".."} {
			w.post("exchange", "/v1/accounts", `{"id":"`+id+`","region":"DE"}`).refused(400, "invalid", "id")
			w.post("exchange", "/v1/accounts/alice/withdrawals", `{"id":"`+id+`","asset":"BNB","amount":"1"}`).
				refused(400, "invalid", "id")
			w.post("alice", "/v1/accounts/alice/withdrawals", `{"id":"alice/`+id+`","asset":"BNB","amount":"1"}`).
				refused(400, "invalid", "id")
			w.post("alice", "/v1/entries", entry("alice/"+id, "transfer", "alice bob BNB 1")).
				refused(400, "invalid", "id")
			w.post("operator", "/v1/adjustments",
				`{"id":"`+id+`","reason":"x","moves":[{"from":"@custody","to":"bob","asset":"BNB","amount":"1"}]}`).
				refused(400, "invalid", "id")
			w.post("treasurer", "/v1/funds", `{"id":"`+id+`","asset":"BNB","amount":"1","direction":"in"}`).
				refused(400, "invalid", "id")
			for _, whole := range []string{id, "a/" + id, id + "/a", "a/" + id + "/b"} {
				w.post("exchange", "/v1/entries", entry(whole, "deposit", "@custody bob BNB 1")).
					refused(400, "invalid", "id")
				w.post("exchange", "/v1/batches",
					batch(true, entry("b", "deposit", "@custody bob BNB 1"),
						entry(whole, "deposit", "@custody bob BNB 1"))).refused(400, "invalid", "entries[1].id")
				w.post("exchange", "/v1/batches", batch(false, entry(whole, "deposit", "@custody bob BNB 1"))).is(200).
					says("entries.0.status", "refused", "entries.0.problem.field", "id")
			}
		}
		w.post("exchange", "/v1/accounts", `{"id":"...","region":"DE"}`).is(201)
		w.post("exchange", "/v1/entries", entry("a/...", "deposit", "@custody ... BNB 1")).is(201)
		w.get("exchange", "/v1/accounts/.../balances").is(200)
		w.get("exchange", "/v1/entries/a%2F...").is(200)
	})
}

func TestABatchSaysOfEachEntryWhatBecameOfIt(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		entries := []string{
			entry("b-1", "transfer", "alice bob BNB 4"),
			entry("b-2", "transfer", "alice bob BNB 7"),
			entry("b-3", "transfer", "alice bob BNB 0"),
			entry("b-4", "transfer", "alice bob XXX 1"),
			entry("b-1", "transfer", "alice bob BNB 4"),
			entry("b-1", "transfer", "alice bob BNB 5"),
			entry("b-5", "adjustment", "alice @desk BNB 1"),
			entry("b-6", "transfer", "alice bob BNB 6"),
		}
		want := []string{"posted ", "refused insufficient-balance", "refused invalid moves[0].amount",
			"refused invalid moves[0].asset", "repeated ",
			"refused conflict", "refused forbidden kind", "posted "}
		for range 2 {
			r := w.post("exchange", "/v1/batches", batch(false, entries...)).is(200)
			for i := range entries {
				at := fmt.Sprintf("entries.%d.", i)
				_, kind, _ := strings.Cut(r.at(at+"problem.type"), "#")
				got := strings.TrimSuffix(r.at(at+"status")+" "+kind+" "+r.at(at+"problem.field"), " ")
				if got != want[i] || (r.at(at+"at") == "") != strings.HasPrefix(want[i], "refused") {
					t.Errorf("entry %d: %s %s; %q is wanted", i, got, r.body, want[i])
				}
			}
			w.get("exchange", "/v1/accounts/bob/balances").says("items.0.free", "10")
			want[0], want[7] = "repeated ", "repeated "
		}
	})
}

func TestAnAtomicBatchIsAllOrNothing(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		one, two := entry("b-1", "transfer", "alice bob BNB 4"), entry("b-2", "transfer", "alice bob BNB 6")
		r := w.post("exchange", "/v1/batches", batch(true, one, entry("b-3", "transfer", "alice bob BNB 7"), two))
		r.refused(409, "insufficient-balance", "entries[1]")
		if !strings.Contains(r.at("detail"), "b-3") {
			t.Error(r.body)
		}
		w.post("exchange", "/v1/batches", batch(true, one, entry("b-3", "transfer", "alice bob BNB x"))).
			refused(400, "invalid", "entries[1].moves[0].amount")
		w.post("exchange", "/v1/batches", batch(true, one, entry("reward/x", "transfer", "alice bob BNB 1"))).
			refused(400, "invalid", "entries[1].id")
		w.post("exchange", "/v1/batches", batch(true, one, entry("b-3", "adjustment", "alice bob BNB 1"))).
			refused(403, "forbidden", "entries[1].kind")
		w.get("exchange", "/v1/accounts/bob/balances").says("items.#", "0")
		for _, status := range []string{"posted", "repeated"} {
			w.post("exchange", "/v1/batches", batch(true, one, two)).is(200).says("entries.0.status", status,
				"entries.1.status", status)
		}
		w.get("exchange", "/v1/accounts/bob/balances").says("items.0.free", "10")
	})
}

func TestTheSizeOfABatch(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		w.post("exchange", "/v1/batches", `{"entries":[]}`).refused(400, "invalid", "entries")
		w.post("exchange", "/v1/batches", `{}`).refused(400, "invalid", "entries")
		w.post("exchange", "/v1/batches", `{"entries":[{"moves":[{"amount":1}]}],"atomic":true}`).
			refused(400, "invalid", "entries[0].moves[0].amount")
		many := make([]string, 10_001)
		for i := range many {
			many[i] = entry(fmt.Sprintf("m-%d", i), "deposit", "@custody bob BNB 0.001")
		}
		w.post("exchange", "/v1/batches", batch(false, many...)).refused(400, "invalid", "entries")
		r := w.post("exchange", "/v1/batches", batch(false, many[1:]...)).is(200)
		if n := strings.Count(r.body, `"status":"posted"`); n != 10_000 {
			t.Errorf("%d were posted", n)
		}
		w.get("exchange", "/v1/accounts/bob/balances").says("items.0.free", "10")
		w.post("exchange", "/v1/batches", batch(false, entry("x", "deposit", "@custody bob BNB 1"))+
			strings.Repeat(" ", 8<<20)).refused(413, "too-large", "")
		w.post("exchange", "/v1/entries", entry("x", "deposit", "@custody bob BNB 1")+strings.Repeat(" ", 64<<10)).
			refused(413, "too-large", "")
		w.get("exchange", "/v1/entries/x").is(404)
	})
}

// TestAHolderMovesItsOwn and nothing else, under names of its own, and not in the past.
func TestAHolderMovesItsOwn(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		w.post("exchange", "/v1/entries", entry("h-1", "hold", "alice alice/held BNB 1")).is(201)
		for _, c := range []struct{ body, field string }{
			{entry("alice/1", "transfer", "bob alice BNB 1"), "moves[0].from"},
			{entry("alice/1", "transfer", "alice bob BNB 1,bob alice BNB 1"), "moves[1].from"},
			{entry("alice/1", "deposit", "@custody alice BNB 1"), "kind"},
			{entry("alice/1", "withdrawal", "alice @custody BNB 1"), "kind"},
			{entry("alice/1", "trade", "alice @desk BNB 1"), "kind"},
			{entry("alice/1", "hold", "alice alice/held BNB 1"), "kind"},
			{entry("alice/1", "release", "alice/held alice BNB 1"), "kind"},
			{entry("alice/1", "adjustment", "@custody alice BNB 1"), "kind"},
			{entry("alice/1", "transfer", "alice/held bob BNB 1"), "moves[0].from"},
			{entry("alice/1", "transfer", "alice bob BNB 1", `"at":"2026-03-02T11:00:00Z"`), "at"},
			{entry("d-2", "transfer", "alice bob BNB 1"), "id"},
			{entry("bob/1", "transfer", "alice bob BNB 1"), "id"},
			{entry("alice/", "transfer", "alice bob BNB 1"), "id"},
			{entry("alice/1/completed", "transfer", "alice bob BNB 1"), "id"},
			{entry("Alice/1", "transfer", "alice bob BNB 1"), "id"},
			{entry("alice/1/completed", "withdrawal-completed", "alice/held @custody BNB 1"), "kind"},
		} {
			w.post("alice", "/v1/entries", c.body).refused(403, "forbidden", c.field)
		}
		w.get("exchange", "/v1/accounts/alice/journal").says("items.#", "3")
		w.post("alice", "/v1/entries", entry("alice/1", "transfer", "alice bob BNB 1,alice bob BNB 2")).is(201)
		w.post("alice", "/v1/entries", entry("alice/2", "withdrawal-request", "alice alice/held BNB 2")).is(201)
		w.post("alice", "/v1/entries", entry("alice/3", "transfer", "alice bob BNB 5")).
			refused(409, "insufficient-balance", "")
		w.get("alice", "/v1/accounts/alice/balances").says("items.0.free", "4", "items.0.held", "3")
		w.get("bob", "/v1/accounts/bob/balances").says("items.0.free", "3")
	})
}

func TestWithdrawals(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		const path = "/v1/accounts/alice/withdrawals"
		body := `{"id":"alice/w-1","asset":"BNB","amount":"2","address":"bnb1…","network":"BSC","tag":"7","clientId":"mine"}`
		w.post("alice", path, strings.Replace(body, "alice/w-1", "w-1", 1)).refused(403, "forbidden", "id")
		w.post("alice", path, strings.Replace(body, `"2"`, `"2x"`, 1)).refused(400, "invalid", "amount")
		w.post("alice", path, strings.Replace(body, `BNB`, `XXX`, 1)).refused(400, "invalid", "asset")
		w.post("alice", path, strings.Replace(body, `"2"`, `"0"`, 1)).refused(400, "invalid", "amount")
		w.post("alice", path, strings.Replace(body, `"2"`, `"11"`, 1)).refused(409, "insufficient-balance", "")
		w.post("alice", path, body).is(201).says("id", "alice/w-1", "repeated", "false")
		w.post("alice", path, body).is(200).says("repeated", "true")
		w.post("alice", path, strings.Replace(body, "bnb1", "bnb2", 1)).refused(409, "conflict", "")
		for i := range 4 {
			w.post("exchange", path, fmt.Sprintf(`{"id":"w-%d","asset":"BNB","amount":"1"}`, i)).is(201)
		}
		w.post("exchange", "/v1/entries",
			entry("w-0/cancelled", "withdrawal-cancelled", "alice/held alice BNB 1")).is(201)
		w.clock.Set(1, "13:00")
		w.post("exchange", "/v1/entries",
			entry("alice/w-1/completed", "withdrawal-completed", "alice/held @custody BNB 2")).is(201)
		w.post("exchange", "/v1/entries", entry("w-9/completed", "withdrawal-completed", "alice/held @custody BNB 1")).
			refused(404, "not-found", "")
		r := w.get("alice", path).is(200)
		r.says("items.#", "5", "items.0.id", "alice/w-1", "items.0.state", "completed",
			"items.0.ended", "2026-03-02T13:00:00.000Z",
			"items.0.at", "2026-03-02T12:00:00.000Z", "items.0.address", "bnb1…", "items.0.clientId", "mine",
			"items.1.state", "cancelled", "items.2.state", "pending", "items.2.ended", "")
		if got := strings.Join(w.walked("alice", path, 2, "id"), " "); got != "alice/w-1 w-0 w-1 w-2 w-3" {
			t.Errorf("walked %s", got)
		}
		if got := strings.Join(w.walked("auditor", "/v1/withdrawals", 2, "id"), " "); got != "w-1 w-2 w-3" {
			t.Errorf("walked %s", got)
		}
		w.get("alice", "/v1/withdrawals").refused(403, "forbidden", "")
	})
}

func TestAdjustments(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		body := `{"id":"fix-1","moves":[{"from":"@custody","to":"bob","asset":"BNB","amount":"1"}],"reason":"deposit 7 was missed"}`
		w.post("operator", "/v1/adjustments", strings.Replace(body, `"deposit 7 was missed"`, `""`, 1)).
			refused(400, "invalid", "reason")
		w.post("operator", "/v1/adjustments", strings.Replace(body, `,"reason":"deposit 7 was missed"`, ``, 1)).
			refused(400, "invalid", "reason")
		w.post("operator", "/v1/adjustments", strings.Replace(body, `"1"`, `"0"`, 1)).
			refused(400, "invalid", "moves[0].amount")
		w.post("operator", "/v1/adjustments", strings.Replace(body, `@custody`, `@rewards`, 1)).
			refused(400, "invalid", "moves[0]")
		w.post("operator", "/v1/adjustments", body).is(201)
		w.post("operator", "/v1/adjustments", body).is(200).says("repeated", "true")
		log := w.get("auditor", "/v1/log").is(200)
		if !strings.Contains(log.body, "deposit 7 was missed") || !strings.Contains(log.body, "token ") {
			t.Error(log.body)
		}
	})
}
