package cli

import (
	"io"
	"os"
	"strings"

	"github.com/rivo/uniseg"
)

// grid is a table for a person to read: text to the left, figures with their
// points under one another and their units behind them.
type grid struct {
	columns []col
	rows    [][]string
}

// col is a column of a grid.
type col struct {
	name   string
	figure bool
}

func text(name string) col   { return col{name, false} }
func figure(name string) col { return col{name, true} }

func newGrid(columns ...col) *grid { return &grid{columns: columns} }

// add adds a row, a cell for each column.
func (g *grid) add(cells ...string) {
	for i := range cells {
		cells[i] = oneLine(cells[i])
	}
	g.rows = append(g.rows, cells)
}

// write draws the grid. One without rows is not drawn.
func (g *grid) write(w io.Writer) error {
	if len(g.rows) == 0 {
		return nil
	}
	bold := showsBold(w)
	header, rule := make([]string, len(g.columns)), make([]string, len(g.columns))
	for i, c := range g.columns {
		width := g.fit(i, uniseg.StringWidth(c.name))
		header[i], rule[i] = pad(c.name, width, c.figure), strings.Repeat("─", width)
		if i == len(g.columns)-1 {
			header[i] = strings.TrimRight(header[i], " ")
		}
		if bold {
			header[i] = "\x1b[1m" + header[i] + "\x1b[m"
		}
	}
	_, err := io.WriteString(w, joinRows("", append([][]string{header, rule}, g.rows...)))
	return err
}

// body draws the grid's rows alone, a little to the right.
func (g *grid) body() string {
	for i := range g.columns {
		g.fit(i, 0)
	}
	return joinRows("  ", g.rows)
}

// fit fills the cells of a column up to the same width, least or more, and returns it.
func (g *grid) fit(column, least int) int {
	width := max(least, g.align(column))
	for _, row := range g.rows {
		width = max(width, uniseg.StringWidth(row[column]))
	}
	for _, row := range g.rows {
		row[column] = pad(row[column], width, g.columns[column].figure)
	}
	return width
}

// joinRows is a line for each row.
func joinRows(indent string, rows [][]string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.TrimRight(indent+strings.Join(row, "  "), " ") + "\n")
	}
	return b.String()
}

// showsBold reports whether w is a terminal that shows bold text. NO_COLOR is about colors alone.
func showsBold(w io.Writer) bool {
	kind := os.Getenv("TERM")
	return isTerminal(w) && kind != "" && kind != "dumb"
}

// align gives the figures of a column the same width, with their points under
// one another, and returns that width.
func (g *grid) align(column int) int {
	if !g.columns[column].figure {
		return 0
	}
	var whole, part, unit int
	for _, row := range g.rows {
		w, p, u := figureParts(row[column])
		whole, part, unit = max(whole, uniseg.StringWidth(w)), max(part, len(p)), max(unit, uniseg.StringWidth(u))
	}
	for _, row := range g.rows {
		w, p, u := figureParts(row[column])
		row[column] = pad(w, whole, true) + pad(p, part, false) + pad(u, unit, false)
	}
	return whole + part + unit
}

// figureParts takes "12.5 BNB" apart: "12", ".5", " BNB".
func figureParts(s string) (whole, part, unit string) {
	number, _, _ := strings.Cut(s, " ")
	whole, _, _ = strings.Cut(number, ".")
	return whole, number[len(whole):], s[len(number):]
}

// pad fills a cell up to a width, on its left or on its right.
func pad(s string, width int, left bool) string {
	space := strings.Repeat(" ", max(width-uniseg.StringWidth(s), 0))
	if left {
		return space + s
	}
	return s + space
}

// facts writes named values under one another.
func facts(w io.Writer, pairs ...[2]string) error {
	var b strings.Builder
	width := 0
	for _, p := range pairs {
		width = max(width, uniseg.StringWidth(p[0]))
	}
	for _, p := range pairs {
		b.WriteString(strings.TrimRight(pad(p[0], width, false)+"  "+oneLine(p[1]), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
