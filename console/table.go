package console

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
	Text any
	Link string
	Mark any
	Note any
}

// text is a cell without more.
func text(t any) cell { return cell{Text: t} }

// link is a cell that leads to a page.
func link(t any, to string) cell { return cell{Text: t, Link: to} }
