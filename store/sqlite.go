package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/semver"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"softstake/ledger"
)

// sqliteDB is an SQLite file: one writer, and some readers that cannot write.
type sqliteDB struct {
	path    string
	writer  *sqlitex.Pool // of one connection: callers wait for it in order
	readers *sqlitex.Pool
	known   sync.Map // the *statements of each *sqlite.Conn
}

const (
	sqliteReaders = 4
	// sqliteWait is how long a writer waits for another process to finish writing.
	sqliteWait = 30 * time.Second
	// oldestSQLite is the first without the corruption that a reset of the WAL could cause.
	oldestSQLite = "3.51.3"
	// sqliteMark tells our files from others (PRAGMA application_id): "stak".
	sqliteMark = 0x7374616b
)

// openSQLite opens a file, or makes it where create says so. volatile gives up
// durability for speed: for books that are thrown away.
func openSQLite(path string, create, volatile bool) (*sqliteDB, error) {
	if _, err := os.Stat(path); err != nil && !create {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s does not exist; make books with \"softstake init --db sqlite:%s\"", path, path)
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	synchronous := "FULL"
	if volatile {
		synchronous = "OFF"
	}
	flags := sqlite.OpenReadWrite | sqlite.OpenWAL
	if create {
		flags |= sqlite.OpenCreate
	}
	writer, err := sqlitex.NewPool(path, sqlitex.PoolOptions{Flags: flags, PoolSize: 1, PrepareConn: func(c *sqlite.Conn) error {
		c.SetBusyTimeout(sqliteWait)
		return pragmas(c, "synchronous="+synchronous, "cache_size=-49152", "wal_autocheckpoint=32768", "journal_size_limit=134217728")
	}})
	if err != nil {
		return nil, sqliteError(path, err)
	}
	readers, err := sqlitex.NewPool(path, sqlitex.PoolOptions{Flags: sqlite.OpenReadWrite, PoolSize: sqliteReaders, PrepareConn: func(c *sqlite.Conn) error {
		c.SetBusyTimeout(sqliteWait)
		return pragmas(c, "cache_size=-8192", "query_only=ON")
	}})
	if err != nil {
		return nil, errors.Join(sqliteError(path, err), writer.Close())
	}
	db := &sqliteDB{path: path, writer: writer, readers: readers}
	if err := db.check(); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// check refuses a library that is too old, and a file that is not ours.
func (db *sqliteDB) check() error {
	return db.with(context.Background(), db.writer, func(c *sqlite.Conn) error {
		var version string
		var mark, tables int64
		err := errors.Join(
			sqliteValue(c, "SELECT sqlite_version()", func(s *sqlite.Stmt) { version = s.ColumnText(0) }),
			sqliteValue(c, "SELECT count(*) FROM sqlite_schema", func(s *sqlite.Stmt) { tables = s.ColumnInt64(0) }),
			sqliteValue(c, "PRAGMA application_id", func(s *sqlite.Stmt) { mark = s.ColumnInt64(0) }), // later: another marks a file before it makes tables
		)
		switch {
		case err != nil:
			return sqliteError(db.path, err)
		case semver.Compare("v"+version, "v"+oldestSQLite) < 0:
			return fmt.Errorf("SQLite %s can corrupt a database; %s or later is needed", version, oldestSQLite)
		case mark == sqliteMark:
			return nil
		case tables > 0:
			return fmt.Errorf("%s is a database, but not softstake's; name another file", db.path)
		}
		return sqliteError(db.path, pragmas(c, fmt.Sprintf("application_id=%d", sqliteMark)))
	})
}

// pragmas sets what a connection works with.
func pragmas(c *sqlite.Conn, settings ...string) error {
	for _, s := range settings {
		if err := sqlitex.ExecuteTransient(c, "PRAGMA "+s, nil); err != nil {
			return fmt.Errorf("set %s: %w", s, err)
		}
	}
	return nil
}

func sqliteValue(c *sqlite.Conn, sql string, fn func(*sqlite.Stmt)) error {
	return sqlitex.ExecuteTransient(c, sql, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error { fn(s); return nil }})
}

func (db *sqliteDB) close() error {
	return errors.Join(db.readers.Close(), db.writer.Close())
}

func (db *sqliteDB) words() map[string]string {
	return map[string]string{
		"text": "TEXT", "int": "INTEGER", "day": "INTEGER", "small": "INTEGER", "blob": "BLOB",
		"table": "STRICT, WITHOUT ROWID", "hot": "STRICT, WITHOUT ROWID",
		"date": "date(a.day * 86400, 'unixepoch')", "millis": "86400000",
		"rewards": fmt.Sprint(ledger.Rewards.Bucket()),
	}
}

func (db *sqliteDB) about(ctx context.Context) (About, error) {
	a := About{Engine: "sqlite"}
	err := db.with(ctx, db.readers, func(c *sqlite.Conn) error {
		return sqliteValue(c, "SELECT sqlite_version()", func(s *sqlite.Stmt) { a.Version = s.ColumnText(0) })
	})
	for _, suffix := range []string{"", "-wal"} {
		if info, statErr := os.Stat(db.path + suffix); statErr == nil {
			a.Bytes += info.Size()
		}
	}
	return a, err
}

// checkpoint writes the WAL into the file and cuts it to nothing.
func (db *sqliteDB) checkpoint(ctx context.Context) error {
	return db.with(ctx, db.writer, func(c *sqlite.Conn) error {
		return sqliteError(db.path, sqliteValue(c, "PRAGMA wal_checkpoint(TRUNCATE)", func(*sqlite.Stmt) {}))
	})
}

func (db *sqliteDB) with(ctx context.Context, pool *sqlitex.Pool, fn func(*sqlite.Conn) error) error {
	c, err := pool.Take(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return sqliteError(db.path, err)
	}
	defer pool.Put(c)
	return fn(c)
}

func (db *sqliteDB) write(ctx context.Context, fn func(tx) error) error {
	return db.transact(ctx, db.writer, "BEGIN IMMEDIATE", fn)
}

func (db *sqliteDB) claim(ctx context.Context, fn func(tx) error) error {
	return db.transact(ctx, db.writer, "BEGIN IMMEDIATE", fn)
}

func (db *sqliteDB) read(ctx context.Context, fn func(tx) error) error {
	return db.transact(ctx, db.readers, "BEGIN", fn)
}

func (db *sqliteDB) transact(ctx context.Context, pool *sqlitex.Pool, begin string, fn func(tx) error) error {
	return retry(ctx, func() error {
		return db.with(ctx, pool, func(c *sqlite.Conn) error {
			t := &sqliteTx{c, db.statements(c)}
			if err := t.begin(ctx, begin); err != nil {
				return db.failed(ctx, err)
			}
			err := fn(t)
			if err == nil {
				_, err = t.exec("COMMIT")
			}
			if err == nil {
				return nil
			}
			// A rollback must not be interrupted, or the connection goes back to the pool inside a transaction.
			c.SetInterrupt(nil)
			if !c.AutocommitEnabled() {
				if _, undo := t.exec("ROLLBACK"); undo != nil {
					err = errors.Join(err, undo)
				}
			}
			return db.failed(ctx, err)
		})
	})
}

// statements are those that the connection has prepared so far.
func (db *sqliteDB) statements(c *sqlite.Conn) *statements {
	known, _ := db.known.LoadOrStore(c, &statements{map[string]*sqlite.Stmt{}, map[string]string{}})
	return known.(*statements)
}

// begin begins a transaction. SQLite's own wait for another process looks ten times
// a second, and one that writes without a pause would hardly ever let it in; this
// looks a thousand times.
func (t *sqliteTx) begin(ctx context.Context, begin string) error {
	t.conn.SetBusyTimeout(0)
	defer t.conn.SetBusyTimeout(sqliteWait)
	for end := time.Now().Add(sqliteWait); ; {
		_, err := t.exec(begin)
		if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// failed says why a transaction failed: the caller's time ran out, or the database.
func (db *sqliteDB) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt {
		return ctx.Err()
	}
	return sqliteError(db.path, err)
}

// sqliteError says what a person can do about the database's own errors.
func sqliteError(path string, err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return fmt.Errorf("%w: %s: another process has been writing for %s: %w", errRetry, path, sqliteWait, err)
	case sqlite.ResultNotADB:
		return fmt.Errorf("%s is not a database; name another file, or move this one away", path)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk of %s is full; nothing was changed; free some space and try again: %w", path, err)
	case sqlite.ResultCantOpen:
		return fmt.Errorf("%s cannot be opened; is its folder there, and may you write in it? %w", path, err)
	case sqlite.ResultCorrupt:
		return fmt.Errorf("%s is damaged; go back to a backup: %w", path, err)
	case sqlite.ResultReadOnly:
		return fmt.Errorf("%s cannot be written; may you write the file and its folder? %w", path, err)
	}
	return err
}

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

func (t *sqliteTx) share() string { return "" }

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
func run(s *sqlite.Stmt, fn func(row) error) (err error) {
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

func (t *sqliteTx) exec(sql string, args ...any) (int64, error) {
	err := t.query(nil, sql, args...)
	return int64(t.conn.Changes()), err
}

func (t *sqliteTx) query(fn func(row) error, sql string, args ...any) error {
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

// set runs a statement row by row, without its source {rows} and with r.name as a
// parameter: with a source of one row SQLite would make a table for it each time.
func (t *sqliteTx) set(fn func(row) error, sql string, rows set, args ...any) (int64, error) {
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
func singleRow(sql string, rows set) string {
	if strings.Contains(sql, "{rows} JOIN") {
		sql = strings.Replace(strings.Replace(sql, "{rows} JOIN", "", 1), " ON ", " WHERE ", 1)
	}
	sql = strings.Replace(sql, "FROM {rows}", "", 1)
	return columnOf.ReplaceAllStringFunc(sql, func(name string) string {
		return fmt.Sprintf("$%d", slices.Index(rows.names(), name[len("r."):])+1)
	})
}

func (t *sqliteTx) each(fn func(row) error, sql string, rows set) error {
	_, err := t.loop(fn, sql, rows, nil)
	return err
}

func (t *sqliteTx) insert(table string, rows set) error {
	_, err := t.loop(nil, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(rows.names(), ", "), placeholders(len(rows))), rows, nil)
	return err
}

// loop runs a prepared statement for each row of the set, and says how many rows were changed.
func (t *sqliteTx) loop(fn func(row) error, sql string, rows set, args []any) (int64, error) {
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
	for n := range rows.rows() {
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

func (r sqliteRow) int(i int) int64   { return r.ColumnInt64(i) }
func (r sqliteRow) text(i int) string { return r.ColumnText(i) }

func (r sqliteRow) bytes(i int) []byte {
	b := make([]byte, r.ColumnLen(i))
	r.ColumnBytes(i, b)
	return b
}
