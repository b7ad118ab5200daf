package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// unreadable are entries of every kind that cannot be read, each with the field that its
// problem names, and the ID that can be read all the same.
func unreadable() []struct{ text, field, id string } {
	good := entry("x", "transfer", "alice bob BNB 1")
	in := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	return []struct{ text, field, id string }{
		{`"x"`, "", ""},
		{`7`, "", ""},
		{`true`, "", ""},
		{`null`, "", ""},
		{`[]`, "", ""},
		{`[` + good + `]`, "", ""},
		{`{}`, "kind", ""},
		{in(`"id":"x"`, `"id":7`), "id", ""},
		{in(`"id":"x"`, `"id":null`), "id", ""},
		{in(`"id":"x"`, `"id":["x"]`), "id", ""},
		{in(`"id":"x",`, ``), "id", ""},
		{in(`"id":"x"`, `"id":""`), "id", ""},
		{in(`"id":"x"`, `"id":"x","id":"x"`), "id", ""},
		{in(`"id":"x"`, `"ID":"x"`), "ID", ""},
		{in(`"kind":"transfer"`, `"kind":{}`), "kind", "x"},
		{in(`"kind":"transfer",`, ``), "kind", "x"},
		{in(`"kind":"transfer"`, `"kind":"gift"`), "kind", "x"},
		{in(`"kind"`, `"note":{"a":[1,2]},"kind"`), "note", "x"},
		{in(`"kind"`, `"at":7,"kind"`), "at", "x"},
		{in(`"kind"`, `"at":"noon","kind"`), "at", "x"},
		{`{"id":"x","kind":"transfer"}`, "moves", "x"},
		{`{"id":"x","kind":"transfer","moves":null}`, "moves", "x"},
		{`{"id":"x","kind":"transfer","moves":{}}`, "moves", "x"},
		{`{"id":"x","kind":"transfer","moves":"alice bob BNB 1"}`, "moves", "x"},
		{`{"id":"x","kind":"transfer","moves":[]}`, "moves", "x"},
		{`{"id":"x","kind":"transfer","moves":["alice"]}`, "moves[0]", "x"},
		{in(`"amount":"1"`, `"amount":1`), "moves[0].amount", "x"},
		{in(`"amount":"1"`, `"amount":1e999`), "moves[0].amount", "x"},
		{in(`"amount":"1"`, `"amount":null`), "moves[0].amount", "x"},
		{in(`,"amount":"1"`, ``), "moves[0].amount", "x"},
		{in(`"amount":"1"`, `"amount":"-1"`), "moves[0].amount", "x"},
		{in(`"amount":"1"`, `"amount":"1","amount":"1"`), "moves[0].amount", "x"},
		{in(`"amount":"1"`, `"amount":"`+strings.Repeat("9", 100_000)+`"`), "moves[0].amount", "x"},
		{in(`"asset":"BNB",`, ``), "moves[0].asset", "x"},
		{in(`"to":"bob"`, `"to":false`), "moves[0].to", "x"},
		{in(`"to":"bob"`, `"to":"`+strings.Repeat("b", 129)+`"`), "moves[0]", "x"},
		{in(`"kind"`, `"deep":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`,"kind"`), "deep", "x"},
		{in(`"to":"bob"`, "\"to\":\"b\xffb\""), "", "x"},
		{entry("x", "transfer", strings.Repeat("alice bob BNB 0.001,", 100)+"alice bob BNB 0.001"), "moves", "x"},
		{entry(strings.Repeat("x", 129), "transfer", "alice bob BNB 1"), "id", strings.Repeat("x", 129)},
	}
}

// TestUnreadableEntriesOfABatch: each is refused by itself with its place and field, and
// the others are posted; a batch that is atomic is refused, and names the entry.
func TestUnreadableEntriesOfABatch(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		for i, c := range unreadable() {
			before, after := entry(fmt.Sprintf("b-%d", i), "deposit", "@custody bob BNB 1"),
				entry(fmt.Sprintf("a-%d", i), "deposit", "@custody bob BNB 1")
			field := "entries[1]"
			if c.field != "" {
				field += "." + c.field
			}
			w.post("exchange", "/v1/batches", batch(true, before, c.text, after)).refused(http.StatusBadRequest,
				"invalid", field)
			r := w.post("exchange", "/v1/batches", batch(false, before, c.text, after)).is(200)
			r.says("entries.#", "3", "entries.0.status", "posted", "entries.2.status", "posted", "entries.2.index", "2",
				"entries.1.status", "refused", "entries.1.index", "1", "entries.1.id", c.id,
				"entries.1.problem.type", "/v1/docs#invalid", "entries.1.problem.field", c.field)
			if len(r.at("entries.1.problem.detail")) > 400 {
				t.Errorf("%.80s: %d bytes say what is wrong", c.text, len(r.at("entries.1.problem.detail")))
			}
		}
	})
}

// TestAnUnreadableBatch is refused whole: its JSON cannot be read, or what is around its entries.
func TestAnUnreadableBatch(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		good := entry("x", "transfer", "alice bob BNB 1")
		for _, c := range []struct{ body, field string }{
			{`{"entries":[` + good, ""},
			{`{"entries":[` + good + `,]}`, ""},
			{`{"entries":[` + good + `]} {}`, ""},
			{`{"entries":[` + good + ` ` + good + `]}`, ""},
			{`[` + good + `]`, ""},
			{good, "id"},
			{`"entries"`, ""},
			{`{"entries":` + good + `}`, "entries"},
			{`{"entries":"x"}`, "entries"},
			{`{"entries":null}`, "entries"},
			{`{"Entries":[` + good + `]}`, "Entries"},
			{`{"entries":[` + good + `],"entries":[]}`, "entries"},
			{`{"entries":[` + good + `],"atomic":"true"}`, "atomic"},
			{`{"entries":[` + good + `],"atomic":null}`, "atomic"},
			{`{"entries":[` + good + `],"atomic":false,"atomic":false}`, "atomic"},
			{`{"entries":[` + good + `],"dryRun":true}`, "dryRun"},
		} {
			w.post("exchange", "/v1/batches", c.body).refused(http.StatusBadRequest, "invalid", c.field)
		}
		w.get("exchange", "/v1/entries/x").refused(http.StatusNotFound, "not-found", "")
	})
}

// TestAnUnreadableEntryUnderAKey: that it cannot be read will never change, so that the
// answer is kept; beside it an entry that may be posted later is attempted again.
func TestAnUnreadableEntryUnderAKey(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		keyed := func(key, body string) reply {
			return w.call("exchange", http.MethodPost, "/v1/batches", body, "Idempotency-Key", key)
		}
		deposit := entry("d-2", "deposit", "@custody bob BNB 1")
		body := batch(false, deposit, `{"id":7}`, `"x"`)
		first := keyed("k-1", body).is(200)
		again := keyed("k-1", body).is(200)
		if again.header.Get("Idempotency-Replayed") != "true" || again.body != first.body {
			t.Errorf("the second answer is %v %s", again.header, again.body)
		}
		body = batch(false, `{"id":7}`, entry("t-2", "transfer", "bob alice BNB 5"))
		keyed("k-2", body).is(200).says("entries.1.problem.type", "/v1/docs#insufficient-balance")
		w.post("exchange", "/v1/entries", entry("d-3", "deposit", "@custody bob BNB 9")).is(201)
		keyed("k-2", body).is(200).says("entries.0.status", "refused", "entries.1.status", "posted")
	})
}

// TestUnreadableCorrectionsOfABatch: as with entries, each is refused by itself.
func TestUnreadableCorrectionsOfABatch(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.settlers()
		const path = "/v1/adjustments/batches"
		good := correction("x", "@custody", "bob", "1", "missed")
		in := func(old, new string) string { return strings.Replace(good, old, new, 1) }
		for i, c := range []struct{ text, field, id string }{
			{`"x"`, "", ""},
			{`null`, "", ""},
			{`[` + good + `]`, "", ""},
			{`{}`, "reason", ""},
			{in(`"id":"x"`, `"id":7`), "id", ""},
			{in(`"id":"x",`, ``), "id", ""},
			{in(`"id":"x"`, `"id":"x","kind":"deposit"`), "kind", "x"},
			{in(`"id":"x"`, `"id":"x","at":"2026-11-22T10:00:00Z"`), "at", "x"},
			{in(`"amount":"1"`, `"amount":1`), "moves[0].amount", "x"},
			{in(`"amount":"1"`, `"amount":"1","amount":"1"`), "moves[0].amount", "x"},
			{in(`"reason":"missed"`, `"reason":7`), "reason", "x"},
			{in(`"reason":"missed"`, `"reason":""`), "reason", "x"},
			{in(`,"reason":"missed"`, ``), "reason", "x"},
			{in(`"reason":"missed"`, `"reason":"`+strings.Repeat("m", 201)+`"`), "reason", "x"},
			{in(`"reason":"missed"`, `"reason":"one\ntwo"`), "reason", "x"},
			{correction("x", "@rewards", "bob", "1", "missed"), "moves[0]", "x"},
			{`{"id":"x","moves":[],"reason":"missed"}`, "moves", "x"},
		} {
			before, after := correction(fmt.Sprintf("b-%d", i), "@custody", "bob", "1", "missed"),
				correction(fmt.Sprintf("a-%d", i), "@custody", "bob", "1", "missed")
			field := "adjustments[1]"
			if c.field != "" {
				field += "." + c.field
			}
			w.post("operator", path, corrections(true, before, c.text, after)).refused(http.StatusBadRequest,
				"invalid", field)
			w.post("operator", path, corrections(false, before, c.text, after)).is(200).
				says("entries.#", "3", "entries.0.status", "posted", "entries.2.status", "posted",
					"entries.1.status", "refused",
					"entries.1.id", c.id, "entries.1.problem.type", "/v1/docs#invalid",
					"entries.1.problem.field", c.field)
		}
		for _, c := range []struct{ body, field string }{
			{`{"adjustments":[` + good, ""},
			{`{"adjustments":null}`, "adjustments"},
			{`{"adjustments":[` + strings.Repeat(good+",", 1000) + good + `]}`, "adjustments"},
			{`{"adjustments":[` + good + `],"atomic":"true"}`, "atomic"},
			{`{"adjustments":[` + good + `],"reason":"missed"}`, "reason"},
		} {
			w.post("operator", path, c.body).refused(http.StatusBadRequest, "invalid", c.field)
		}
		w.get("operator", "/v1/entries/x").refused(http.StatusNotFound, "not-found", "")
	})
}
