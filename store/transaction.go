package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// read is what fn reads in a snapshot. fn may be called several times.
func read[T any](ctx context.Context, b *DB, fn func(db.View) (T, error)) (found T, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		found, err = fn(t)
		return err
	})
	return found, err
}

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// annotate says what failed before an error's own words; no error stays none.
func annotate(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// insert writes the rows whose keys are not there yet, and returns how many these are.
func insert(t db.Tx, table string, rows db.Set) (int64, error) {
	return t.Set(nil, fmt.Sprintf("INSERT INTO %s (%s) SELECT r.%s FROM {rows} WHERE true ON CONFLICT DO NOTHING",
		table, strings.Join(rows.Names(), ", "), strings.Join(rows.Names(), ", r.")), rows)
}

func itself[T any](v T) T { return v }

// accountFields are the columns of an account's key in a set, and more.
func accountFields[T any](of func(T) ledger.Account, more ...db.Field[T]) []db.Field[T] {
	return append([]db.Field[T]{
		db.Int("bucket", func(v T) int64 { return int64(of(v).Bucket()) }),
		db.Text("account", func(v T) string { return string(of(v)) }),
	}, more...)
}
