package store

import (
	"context"
	"fmt"
	"strings"
)

// engine is a database that keeps the books: the seam between the SQL, which is
// the same for both, and the drivers, which are not. A function given to it may
// be called several times, each time in a new transaction, when the database
// asks for a retry.
type engine interface {
	// write runs fn in a transaction in which each statement sees what is committed.
	write(ctx context.Context, fn func(tx) error) error
	// claim runs fn in a transaction that reads one snapshot and may write.
	claim(ctx context.Context, fn func(tx) error) error
	// read runs fn in a transaction that reads one snapshot.
	read(ctx context.Context, fn func(tx) error) error
	// look runs fn without a transaction, which would be two more ways to the database
	// and back: for one statement, or for several of what never changes once it is there.
	look(ctx context.Context, fn func(tx) error) error
	// expect makes each transaction from here on refuse books of another schema than
	// this with ErrSchema. It is called before several goroutines use the engine.
	expect(schema int64)
	// words are what the schema's placeholders mean here.
	words() map[string]string
	// about says which database this is, its version and its size in bytes.
	about(ctx context.Context) (About, error)
	// pools are how the connections of this process are used.
	pools() []Pool
	close() error
}

// About is what there is to say of the database itself.
type About struct {
	Engine  string `json:"engine"` // "sqlite" or "postgres"
	Version string `json:"version"`
	Bytes   int64  `json:"bytes"` // on disk
}

// tx is a transaction. Parameters are $1, $2 … in both databases; an argument is
// an int64 (or a type of one), a string or []byte.
type tx interface {
	// exec runs a statement and says how many rows it changed.
	exec(sql string, args ...any) (int64, error)
	// query calls fn for each row. The row is valid only during the call, and fn
	// must not run another statement.
	query(fn func(row) error, sql string, args ...any) error
	// set runs a statement over a set of rows, which the statement names {rows}
	// and calls r. The statement returns rows to fn, or nothing if fn is nil; set
	// says how many rows were changed. args follow the set's columns as parameters.
	set(fn func(row) error, sql string, s set, args ...any) (int64, error)
	// each runs a statement once for each row of the set, in order, the columns
	// as its parameters.
	each(fn func(row) error, sql string, s set) error
	// insert brings rows into a table, fast. A row whose key is there is an error.
	insert(table string, s set) error
	// share is what a SELECT ends with to share a row's lock.
	share() string
}

// row is one row of a result, its columns from 0.
type row interface {
	int(i int) int64
	text(i int) string
	bytes(i int) []byte
}

// set is a set of rows, column by column: how many rows travel at once.
type set []column

type column struct {
	name  string
	ints  []int64
	texts []string
	blobs [][]byte
}

func ints(name string, v []int64) column   { return column{name: name, ints: v} }
func texts(name string, v []string) column { return column{name: name, texts: v} }
func blobs(name string, v [][]byte) column { return column{name: name, blobs: v} }
func (c column) isText() bool              { return c.texts != nil }
func (c column) isBlob() bool              { return c.blobs != nil }

func (c column) value(i int) any {
	switch {
	case c.isText():
		return c.texts[i]
	case c.isBlob():
		return c.blobs[i]
	}
	return c.ints[i]
}

// rows is the number of rows in the set.
func (s set) rows() int {
	return max(len(s[0].ints), len(s[0].texts), len(s[0].blobs))
}

func (s set) names() []string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = c.name
	}
	return names
}

// one reads a query's single row of int64s, or says that there is none.
func one(t tx, into []*int64, sql string, args ...any) (found bool, err error) {
	err = t.query(func(r row) error {
		found = true
		for i, p := range into {
			*p = r.int(i)
		}
		return nil
	}, sql, args...)
	return found, err
}

// placeholders are "$1, $2, …" up to n.
func placeholders(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return b.String()
}
