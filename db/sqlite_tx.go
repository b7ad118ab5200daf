package db

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// sqliteTx runs the statements of one transaction. SQLite's own $1 is a name, its
// ?1 a number: the statements are written with the one and prepared with the other.
type sqliteTx struct {
	conn  *sqlite.Conn
	known *statements
}

// statements are what a connection has prepared, by the statement as it was written.
type statements struct {
	prepared map[string]*sqlite.Stmt
	singles  map[string]string // a statement over a set, as one for a single row
}

// begin begins a transaction, whose statements may then wait themselves. SQLite's
// own wait for another process looks ten times a second, and one that writes
// without a pause would hardly ever let it in; this looks a thousand times.
func (t *sqliteTx) begin(ctx context.Context, begin string, until time.Time, wait time.Duration) error {
	t.conn.SetBusyTimeout(0)
	defer t.conn.SetBusyTimeout(wait)
	for {
		_, err := t.Exec(begin)
		if !isBusy(err) || !time.Now().Before(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func (t *sqliteTx) Share(...string) string { return "" }

func (t *sqliteTx) Lock() string { return "" }

func (t *sqliteTx) prepare(sql string) (*sqlite.Stmt, error) {
	if s := t.known.prepared[sql]; s != nil {
		return s, nil
	}
	s, err := t.conn.Prepare(strings.ReplaceAll(sql, "$", "?"))
	if err != nil {
		return nil, err
	}
	t.known.prepared[sql] = s
	return s, nil
}

func bind(s *sqlite.Stmt, i int, v any) error {
	switch v := v.(type) {
	case int64:
		s.BindInt64(i, v)
	case string:
		s.BindText(i, v)
	case []byte:
		s.BindBytes(i, v)
	default:
		return fmt.Errorf("parameter %d: a %T cannot be stored", i, v)
	}
	return nil
}

// run steps through a bound statement's rows and makes it ready for the next time.
func run(s *sqlite.Stmt, fn func(Row) error) (err error) {
	defer func() { err = errors.Join(err, s.Reset()) }()
	for {
		more, err := s.Step()
		if err != nil || !more {
			return err
		}
		if fn != nil {
			if err := fn(sqliteRow{s}); err != nil {
				return err
			}
		}
	}
}

func (t *sqliteTx) Exec(sql string, args ...any) (int64, error) {
	err := t.Query(nil, sql, args...)
	return int64(t.conn.Changes()), err
}

func (t *sqliteTx) Query(fn func(Row) error, sql string, args ...any) error {
	s, err := t.prepare(sql)
	if err != nil {
		return err
	}
	for i, v := range args {
		if err := bind(s, i+1, v); err != nil {
			return err
		}
	}
	return run(s, fn)
}

// Set runs a statement row by row, without its source {rows} and with r.name as a
// parameter: with a source of one row SQLite would make a table for it each time.
func (t *sqliteTx) Set(fn func(Row) error, sql string, rows Set, args ...any) (int64, error) {
	single, known := t.known.singles[sql]
	if !known {
		single = singleRow(sql, rows)
		t.known.singles[sql] = single
	}
	return t.loop(fn, single, rows, args)
}

// columnOf finds r.name in a statement.
var columnOf = regexp.MustCompile(`\br\.\w+`)

// singleRow writes a statement over a set of rows as one for a single row.
func singleRow(sql string, rows Set) string {
	if strings.Contains(sql, "{rows} JOIN") {
		sql = strings.Replace(strings.Replace(sql, "{rows} JOIN", "", 1), " ON ", " WHERE ", 1)
	}
	sql = strings.Replace(sql, "FROM {rows}", "", 1)
	return columnOf.ReplaceAllStringFunc(sql, func(name string) string {
		return fmt.Sprintf("$%d", slices.Index(rows.Names(), name[len("r."):])+1)
	})
}

func (t *sqliteTx) QuerySet(fn func(Row) error, sql string, rows Set, args ...any) error {
	_, err := t.Set(fn, sql, rows, args...)
	return err
}

func (t *sqliteTx) QueryEach(fn func(Row) error, sql string, rows Set) error {
	return t.Each(fn, sql, rows)
}

func (t *sqliteTx) Each(fn func(Row) error, sql string, rows Set) error {
	_, err := t.loop(fn, sql, rows, nil)
	return err
}

func (t *sqliteTx) Insert(table string, rows Set) error {
	names := rows.Names()
	_, err := t.Set(nil, fmt.Sprintf("INSERT INTO %s (%s) VALUES (r.%s)", table, strings.Join(names, ", "),
		strings.Join(names, ", r.")), rows)
	return err
}

// loop runs a prepared statement for each row of the set, and says how many rows were changed.
func (t *sqliteTx) loop(fn func(Row) error, sql string, rows Set, args []any) (int64, error) {
	s, err := t.prepare(sql)
	if err != nil {
		return 0, err
	}
	for i, v := range args {
		if err := bind(s, len(rows)+i+1, v); err != nil {
			return 0, err
		}
	}
	changed := 0
	for n := range rows.Len() {
		for i, c := range rows {
			switch {
			case c.isText():
				s.BindText(i+1, c.texts[n])
			case c.isBlob():
				s.BindBytes(i+1, c.blobs[n])
			default:
				s.BindInt64(i+1, c.ints[n])
			}
		}
		if err := run(s, fn); err != nil {
			return 0, err
		}
		changed += t.conn.Changes()
	}
	return int64(changed), nil
}

type sqliteRow struct{ *sqlite.Stmt }

func (r sqliteRow) Int(i int) int64   { return r.ColumnInt64(i) }
func (r sqliteRow) Text(i int) string { return r.ColumnText(i) }

func (r sqliteRow) Bytes(i int) []byte {
	b := make([]byte, r.ColumnLen(i))
	r.ColumnBytes(i, b)
	return b
}
