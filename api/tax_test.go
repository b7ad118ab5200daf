package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// rate sets what 1 USDT was worth in a currency on a day.
func (w *town) rate(currency string, day int, rate string) {
	w.t.Helper()
	w.call("operator", put, "/v1/currency-rates",
		fmt.Sprintf(`{"rates":[{"currency":%q,"day":%q,"rate":%q}]}`, currency, w.day(day), rate)).is(200).says("set", "1")
}

func TestTax(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		w.rate("EUR", 2, "0.9213")
		const path = "/v1/accounts/alice/tax/2026"
		// 0.00001027 × 600 × 0.9213 = 0.0056770506, and 0.00001233 × 600 × 0.9213 = 0.0068157774: each is rounded down.
		// At the end 0.0000226 × 600 × 0.9213 = 0.012492828, and of the balance 3.0000226 × 600 × 0.9213.
		w.get("alice", path+"?currency=EUR").is(200).says("year", "2026", "currency", "EUR", "end", w.day(4), "value",
			"0.01249282", "unvalued", "2", "items.#", "4",
			"items.0.asset", "BNB", "items.0.kind", "reward", "items.0.count", "2", "items.0.units", "0.0000226",
			"items.0.value", "0.01249282", "items.0.unvalued", "0", "items.0.endValue", "0.01249282",
			"items.1.kind", "balance", "items.1.units", "3.0000226", "items.1.count", "0", "items.1.value", "",
			"items.1.endValue", "1658.35249282",
			"items.2.asset", "SOL", "items.2.count", "2", "items.2.value", "", "items.2.unvalued", "2",
			"items.2.endValue", "", "items.3.asset", "SOL", "items.3.kind", "balance")
		usdt := w.get("alice", path).is(200).says("unvalued", "2")
		usdt.says("currency", "USDT", "value", w.get("alice", "/v1/accounts/alice/earnings").is(200).at("valueUsdt"))
		w.get("alice", path+"?currency=GBP").is(200).says("value", "0", "unvalued", "4", "items.0.value", "")
		w.get("operator", path).is(200).says("items.#", "4")
		w.get("bob", "/v1/accounts/bob/tax/2026").is(200).says("items.#", "0", "value", "0")
		w.get("bob", path).refused(404, "not-found", "")
		for query, field := range map[string]string{"2025": "year", "2027": "year", "26": "year", "x": "year",
			"2026?currency=euro": "currency", "2026?currency=eur": "currency", "2026?currency=toolong": "currency"} {
			w.get("alice", "/v1/accounts/alice/tax/"+query).refused(400, "invalid", field)
		}
	})
}

func TestTaxExport(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		earning(w)
		w.rate("EUR", 2, "0.9213")
		all := w.get("auditor", "/v1/exports/tax/2026?currency=EUR")
		rows := all.table()
		if len(rows) != 3 || strings.Join(rows[0], " ") != strings.Join(reports.TaxAggregateColumns, " ") ||
			strings.Join(rows[1], " ") != "2026  alice DE BNB CARF502 reward 2 0.0000226 EUR 0.01249282 0" ||
			strings.Join(rows[2], " ") != "2026  alice DE SOL CARF502 reward 2 0.00054795 EUR  2" {
			t.Errorf("the tax report of all is %q", rows)
		}
		if length := all.header.Get("Content-Length"); length != fmt.Sprint(len(all.body)) {
			t.Errorf("it is said to be %s bytes long, not %d", length, len(all.body))
		}
		var line reports.TaxAggregate
		text, _, _ := strings.Cut(w.get("exchange", "/v1/exports/tax/2026?format=jsonl").is(200).body, "\n")
		if err := json.Unmarshal([]byte(text), &line); err != nil || line.Account != "alice" || *line.FairMarketValue == "" {
			t.Errorf("its first line is %s: %v", text, err)
		}
		w.get("alice", "/v1/exports/tax/2026").is(http.StatusForbidden)
		w.get("operator", "/v1/exports/tax/2020").refused(400, "invalid", "year")
		w.get("operator", "/v1/exports/tax/2026?currency=1").refused(400, "invalid", "currency")
	})
}

// TestTaxOfOwners: the accounts of an owner are one line, in whatever buckets they lie; another account is its own.
func TestTaxOfOwners(t *testing.T) {
	inTowns(t, func(t *testing.T, w *town) {
		sharing(w)
		w.call("operator", put, "/v1/prices", `{"prices":[{"asset":"BNB","day":"`+w.day(4)+`","price":"600"}]}`).is(200)
		export := func() []string {
			var lines []string
			for _, row := range w.get("auditor", "/v1/exports/tax/2026").is(200).table()[1:] {
				lines = append(lines, strings.Join(row, " "))
			}
			slices.Sort(lines) // accounts are in no particular order
			return lines
		}
		alice := "2026  alice DE BNB CARF502 reward 1 0.00525 USDT 3.15 0"
		if got := export(); len(got) != 2 || got[0] != alice ||
			got[1] != "2026  bob DE BNB CARF502 reward 1 0.00175 USDT 1.05 0" {
			t.Errorf("without an owner it is %q", got)
		}
		for _, id := range []ledger.Account{"alice", "bob"} {
			_, _, err := w.db.SetOwner(t.Context(), id, "c-7", w.first+6)
			w.ok(err)
		}
		if got := export(); len(got) != 2 || got[0] != alice {
			t.Errorf("before the first day of the owner it is %q", got)
		}
		w.clock.Set(7, "00:10")
		if got := export(); len(got) != 1 || got[0] != "2026 c-7  DE BNB CARF502 reward 2 0.007 USDT 4.2 0" {
			t.Errorf("with an owner it is %q", got)
		}
	})
}

func TestRates(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.holder("alice", "DE")
		w.clock.Set(3, "12:00")
		const path = "/v1/currency-rates"
		two := `{"rates":[{"currency":"EUR","day":"` + w.day(1) + `","rate":"0.9213"},` +
			`{"currency":"EUR","day":"` + w.day(2) + `","rate":"0.00000001"}]}`
		w.call("operator", put, path, two).is(200).says("set", "2")
		w.call("operator", put, path, two).is(200).says("set", "0")
		w.get("alice", path+"?currency=EUR").is(200).says("items.#", "2", "items.0.rate", "0.9213", "items.1.day", w.day(2))
		if got := w.walked("alice", path+"?currency=EUR", 1, "rate"); strings.Join(got, " ") != "0.9213 0.00000001" {
			t.Errorf("the pages have %q", got)
		}
		w.get("alice", path+"?currency=EUR&from="+w.day(2)).is(200).says("items.#", "1")
		w.get("alice", path).refused(400, "invalid", "currency")
		w.get("alice", path+"?currency=eu").refused(400, "invalid", "currency")
		for old, field := range map[string]string{`"EUR"`: "rates[0].currency", "0.9213": "rates[0].rate", w.day(1): "rates[0].day"} {
			w.call("operator", put, path, strings.Replace(two, old, map[bool]string{true: `"eur"`, false: "1e3"}[old == `"EUR"`],
				1)).refused(400, "invalid", field)
		}
		w.settle()
		w.call("operator", put, path, strings.Replace(two, "0.9213", "0.9214", 1)).refused(409, "conflict", "")
	})
}
