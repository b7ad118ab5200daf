// Package reports reads the books for pages, APIs, statements, exports and explanations. It cannot write them.
package reports

import (
	"github.com/softstake/softstake/store"
)

// Reports are what can be read from books. All methods may be called from several
// goroutines at the same time. One Reports serves a process: it keeps what the rewards
// of accounts were worth.
type Reports struct {
	store.Reader
	// Looks is how many postings of a bucket a page looks at, about: those of a moment are
	// looked at together.
	Looks int

	worths worths
}

// New is the reports of books.
func New(books store.Reader) *Reports { return &Reports{Reader: books, Looks: 20_000} }
