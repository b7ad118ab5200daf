// Package restore copies the rows of a snapshot into an empty database, and marks that database until
// what was copied has been audited. It knows no books: of their schema it needs the table meta.
package restore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/softstake/softstake/db"
)

// State is how far a restore into a database is: copying, with the name of the attempt, then
// Copied. "": the database is not being restored. It is the value of a row of meta.
type State string

// Copied is that every row is there; not audited, or with findings.
const Copied State = "copied"

const (
	copying = "copying "  // begins the state of an attempt
	mark    = "restoring" // names the row
)

// errOvertaken ends an attempt that another has replaced.
var errOvertaken = errors.New("another process restores into this database; this one has stopped")

// Attempt is a restore into a database, until another replaces it.
type Attempt struct {
	to    *db.DB
	state State
}

// Begin makes an empty schema with the mark of an attempt, instead of what an earlier
// attempt, or an interrupted making of books, has left. It refuses to remove books.
func Begin(ctx context.Context, to *db.DB, schema int64) (Attempt, error) {
	a := Attempt{to, State(copying + rand.Text())}
	n, err := to.Version(ctx)
	if err == nil && n > 0 {
		err = a.empty(ctx, func(t db.Tx, state State, rows int64) error {
			if rows > 0 && state == "" {
				return errors.New("there are books in this database already; restore into an empty one")
			}
			return to.DropSchema(t)
		})
		if err != nil {
			err = fmt.Errorf("make room: %w", err)
		}
	}
	if err == nil {
		err = to.Migrate(ctx, schema, nil)
	}
	if err != nil {
		return a, err
	}
	return a, a.empty(ctx, func(t db.Tx, _ State, rows int64) error {
		if rows > 0 {
			return errors.New("another process makes books here at this moment; name another database")
		}
		_, err := t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2)", mark, string(a.state))
		return err
	})
}

// empty runs fn with the lock of the schema, the state that is marked, and how many rows
// meta has.
func (a Attempt) empty(ctx context.Context, fn func(t db.Tx, state State, rows int64) error) error {
	return a.to.Write(ctx, func(t db.Tx) error {
		if err := a.to.LockSchema(t); err != nil {
			return err
		}
		state, err := StateOf(t, "")
		if err != nil {
			return err
		}
		rows, err := db.Count(t, "SELECT count(*) FROM meta")
		if err != nil {
			return err
		}
		return fn(t, state, rows)
	})
}

// StateOf is how far a restore is. lock is what the statement ends with.
func StateOf(t db.View, lock string) (State, error) {
	state, _, err := db.First(t, db.TextOf, "SELECT value FROM meta WHERE name = $1"+lock, mark)
	return State(state), err
}

// Copy copies every row of a snapshot. progress is called with the table and the number of
// rows of each page.
func (a Attempt) Copy(ctx context.Context, from *db.DB, progress func(table string, rows int)) error {
	return from.Pages(ctx, from, func(table string, page db.Set) error {
		err := a.to.Write(ctx, func(t db.Tx) error {
			state, err := StateOf(t, t.Share())
			if err == nil && state != a.state {
				err = errOvertaken
			}
			if err != nil {
				return err
			}
			return t.Insert(table, page)
		})
		progress(table, page.Len())
		return err
	})
}

// Copied marks that every row is there, and that the schema is this program's.
func (a Attempt) Copied(ctx context.Context) error {
	return a.to.Write(ctx, func(t db.Tx) error {
		n, err := t.Exec("UPDATE meta SET value = $1 WHERE name = $2 AND value = $3", string(Copied), mark, string(a.state))
		if err == nil && n == 0 {
			err = errOvertaken
		}
		return err
	})
}

// Finish removes the mark from books whose audit has found nothing.
func Finish(t db.Tx) error {
	_, err := t.Exec("DELETE FROM meta WHERE name = $1 AND value = $2", mark, string(Copied))
	return err
}

// CheckNone refuses a database into which books are being restored.
func CheckNone(t db.View) error {
	state, err := StateOf(t, "")
	if err == nil && state != "" {
		err = errors.New("another process restores books here at this moment; name another database")
	}
	return err
}
