package console

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softstake/softstake/ledger"
)

// table is a list on a page: its first column heads each row.
type table struct {
	Title   string // key of the text
	Empty   string // key: what is said where there are no rows
	Columns []column
	Rows    []row
}

// column is a column's heading, and where its texts stand.
type column struct {
	Key    string // of the text
	Number bool   // on the right
}

// row is a cell for each column.
type row []cell

// cell is a text, or HTML that the view has made, with a page that it leads to, what needs somebody's attention beside
// it, and a note below it: all but the text may be "" or nil.
type cell struct {
	Text   any
	Link   string
	Mark   any
	Note   any
	Stored bool // the text is the books' own, which is English
}

// figure is a decimal number as the visitor reads it, and the symbol of its unit or "". In a column of numbers the
// decimal points of figures stand below each other.
type figure struct{ number, symbol string }

// amount is an amount of an asset without its symbol.
func (p *view) amount(a ledger.Asset, n ledger.Amount) figure { return figure{number: p.Plain(a, n)} }

// signed is an amount with its sign, which is also there when it is above zero, and without its symbol.
func (p *view) signed(a ledger.Asset, n ledger.Amount) figure { return figure{number: p.Signed(a, n)} }

// price is a price in USDT.
func (p *view) price(price int64) figure { return figure{number: p.Price(price)} }

// of is the figure with the symbol of its unit.
func (f figure) of(symbol string) figure { return figure{f.number, symbol} }

// more is after the decimals of a number that has more of them than are shown.
const more = "…"

// places is how many digits the decimals are at most as wide as. The sign that there are more of them is wider than one
// digit, and not as wide as two.
func (f figure) places(point string) int {
	_, fraction, _ := strings.Cut(f.number, point)
	n := utf8.RuneCountInString(fraction)
	if strings.HasSuffix(fraction, more) {
		n++
	}
	return n
}

// Aligned is a table whose figures are HTML: in parts that a style aligns on the decimal point.
func (p *view) Aligned(t table) table {
	places := make([]int, len(t.Columns))
	for _, r := range t.Rows {
		for i, c := range r {
			if f, ok := c.Text.(figure); ok {
				places[i] = max(places[i], f.places(p.Decimal))
			}
		}
	}
	rows := t.Rows
	t.Rows = make([]row, len(rows))
	for n, r := range rows {
		t.Rows[n] = slices.Clone(r)
		for i, c := range r {
			if f, ok := c.Text.(figure); ok {
				t.Rows[n][i].Text = p.AlignedFigure(f.number, f.symbol, places[i])
			}
		}
	}
	return t
}

// text is a cell without more.
func text(t any) cell { return cell{Text: t} }

// link is a cell that leads to a page.
func link(t any, to string) cell { return cell{Text: t, Link: to} }
