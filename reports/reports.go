// Package reports reads the books for pages, APIs, statements, exports and explanations. It cannot write them.
package reports

import (
	"context"

	"github.com/softstake/softstake/db"
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

// read is what fn reads in a snapshot. fn may be called several times.
func read[T any](ctx context.Context, rs *Reports, fn func(db.View) (T, error)) (found T, err error) {
	err = rs.Read(ctx, func(t db.View) (err error) {
		found, err = fn(t)
		return err
	})
	return found, err
}

// list are the rows of one query, each as scan reads it.
func list[T any](ctx context.Context, rs *Reports, scan func(db.Row) (T, error), sql string, args ...any) ([]T, error) {
	return read(ctx, rs, func(t db.View) ([]T, error) { return db.All(t, scan, sql, args...) })
}

// walk gives visit the items of one page after another, until one has fewer than size.
func walk[T any](size int, page func(after *T) ([]T, error), visit func(T) error) error {
	var after *T
	for {
		items, err := page(after)
		if err != nil {
			return err
		}
		if err := every(visit)(items); err != nil || len(items) < size {
			return err
		}
		after = &items[len(items)-1]
	}
}

// every gives visit each of some items.
func every[T any](visit func(T) error) func([]T) error {
	return func(items []T) error {
		for _, item := range items {
			if err := visit(item); err != nil {
				return err
			}
		}
		return nil
	}
}
