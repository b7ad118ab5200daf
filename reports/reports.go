// Package reports reads the books for pages, APIs, statements, exports and explanations. It cannot write them.
package reports

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
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
	shared sharedRates
}

// New is the reports of books.
func New(books store.Reader) *Reports { return &Reports{Reader: books, Looks: 20_000} }

// read is what fn reads in a snapshot, or nothing and an error that begins with do, as "read the
// accounts"; "" where those of fn say it. fn may be called several times.
func read[T any](ctx context.Context, rs *Reports, do string, fn func(db.View) (T, error)) (T, error) {
	var found, none T
	err := rs.Read(ctx, func(t db.View) (err error) {
		found, err = fn(t)
		return err
	})
	switch {
	case err == nil:
		return found, nil
	case do != "":
		err = fmt.Errorf("%s: %w", do, err)
	}
	return none, err
}

// list are the rows of one query, each as scan reads it.
func list[T any](ctx context.Context, rs *Reports, do string, scan func(db.Row) (T, error), sql string,
	args ...any) ([]T, error) {
	return read(ctx, rs, do, func(t db.View) ([]T, error) { return db.All(t, scan, sql, args...) })
}

// listOf reads a list of what an account has; ErrNotFound if it was never opened.
func listOf[T any](ctx context.Context, rs *Reports, do string, id ledger.Account,
	fn func(db.View, store.Account) ([]T, error)) ([]T, error) {
	return read(ctx, rs, do, func(t db.View) ([]T, error) {
		if err := id.CheckHolder(); err != nil {
			return nil, err
		}
		a, err := store.FindAccount(t, id)
		if err != nil {
			return nil, err
		}
		return fn(t, a)
	})
}

// inEach is a column with the same text in every bucket.
func inEach(name, text string) db.Column {
	return db.Texts(name, slices.Repeat([]string{text}, ledger.Buckets))
}

// scan reads rows by what cannot fail.
func scan[T any](of func(db.Row) T) func(db.Row) (T, error) {
	return func(r db.Row) (T, error) { return of(r), nil }
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
