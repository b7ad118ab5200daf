package console

import (
	"fmt"
	"html/template"
	"strings"
	"testing"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/testkit"
	"github.com/softstake/softstake/ui"
)

// TestFiguresOfAColumnAreAligned: each has the width of the longest fraction of its column, and columns have their own.
func TestFiguresOfAColumnAreAligned(t *testing.T) {
	p := &view{View: ui.View{Locale: &ui.Locale{Decimal: ",", Group: "."}}}
	bnb := ledger.Asset{Symbol: "BNB", Scale: 8}
	plain := table{Columns: []column{{"token", false}, {"free", true}, {"held", true}, {"exact", true}}, Rows: []row{
		{text("BNB"), text(p.amount(bnb, 123_456_000_000).of("BNB")), text(p.signed(bnb, 50_000_000))},
		{text("BNB"), text(p.amount(bnb, 1_234)), text("–"), text(figure{number: "0,123" + more})},
	}}
	aligned := p.Aligned(plain)
	for _, want := range []struct {
		row, column int
		html        string
	}{
		{0, 1, `<span class="whole">1.234</span><span class="fraction f8">,56</span> <span class="symbol">BNB</span>`},
		{1, 1, `<span class="whole">0</span><span class="fraction f8">,00001234</span>`},
		{0, 2, `<span class="whole">&#43;0</span><span class="fraction f1">,5</span>`},
		{1, 3, `<span class="whole">0</span><span class="fraction f5">,123…</span>`},
	} {
		html, is := aligned.Rows[want.row][want.column].Text.(template.HTML)
		if !is || !strings.Contains(string(html), want.html) {
			t.Errorf("row %d, column %d is %v, want %s", want.row, want.column, html, want.html)
		}
	}
	if aligned.Rows[0][0] != text("BNB") || aligned.Rows[1][2] != text("–") {
		t.Errorf("what is no figure changed: %v", aligned.Rows)
	}
	if _, is := plain.Rows[0][1].Text.(figure); !is {
		t.Error("the table that was given changed")
	}
}

// TestFractionsHaveTheirWidths: the style has one for as many decimals as an explanation shows.
func TestFractionsHaveTheirWidths(t *testing.T) {
	static := testkit.Must(ui.ReadStatic())(t)
	style, _ := static.Content("app.css")
	longest := figure{number: "0." + strings.Repeat("1", 18+beyond) + more}
	for n := 1; n <= longest.places("."); n++ {
		if !strings.Contains(string(style), fmt.Sprintf(".f%d {", n)) {
			t.Errorf("there is no width for %d decimals", n)
		}
	}
}
