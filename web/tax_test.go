package web

import (
	"net/http"
	"testing"

	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

func TestTaxPage(t *testing.T) {
	w := earner(t, "2 BNB", "12.5 SOL")
	for day := 2; day <= 4; day++ {
		w.settle(day)
	}
	_, err := w.books.Compensate(t.Context(), store.Compensation{Account: "alice", Asset: "BNB", Day: w.day(2),
		Name: "n-1", Amount: 12345}, "late")
	w.ok(err)
	rates := []pricing.Rate{{Currency: "EUR", Day: staking.DayOf(w.books.Now()) - 1, Rate: 92_130000}}
	_, err = w.books.CurrencyRates().Set(t.Context(), rates)
	w.ok(err)
	w.read("/earn/export").is(200).has(`href="/earn/tax"`)
	page := w.get("/earn/tax").is(200)
	page.has("Received in 2026 so far", "<option selected>USDT</option><option>EUR</option>", "3 rewards",
		"made good, 1 time", "What you have now", `href="/earn/tax.csv?currency=USDT&amp;year=2026"`).hasNot("tax.note", "tax.reward", "tax.compensation")
	file := w.get("/earn/tax.csv?year=2026&currency=USDT")
	if name := file.header.Get("Content-Disposition"); name != `attachment; filename="tax_alice_2026_USDT.csv"` {
		t.Errorf("the file is %s", name)
	}
	rows := file.file()
	for i, column := range reports.TaxColumns {
		if _, there := rows[0][column]; !there {
			t.Errorf("column %d is not %s", i, column)
		}
	}
	for _, row := range rows {
		if row["kind"] == "reward" && (row["account"] != "alice" || row["count"] != "3" || row["unvalued"] != "0") {
			t.Errorf("a row is %v", row)
		}
		page.has(row["units"])
	}
	// The rate of the last day is that of no day that was paid before it.
	w.get("/earn/tax?currency=EUR").is(200).has("have no known value", "<option selected>EUR</option>")
	for _, query := range []string{"?year=2019", "?year=2030", "?year=x", "?currency=euro", "?currency=%3Cb%3E"} {
		w.get("/earn/tax" + query).is(http.StatusNotFound)
		w.get("/earn/tax.csv" + query).is(http.StatusNotFound)
	}
}
