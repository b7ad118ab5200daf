package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/semver"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// sqliteDB is an SQLite file: one writer, and some readers that cannot write.
type sqliteDB struct {
	path    string
	wait    time.Duration // how long for another process that is writing
	mode    readMode
	writer  *connections // of one: callers wait for it in order
	readers *connections
	was     os.FileInfo // the file as it was opened, where it is read only
	mark    int32       // application_id
	known   sync.Map    // the *statements of each *sqlite.Conn
	version
}

const (
	sqliteReaders = 4
	// sqliteWait is how long a writer waits for another process to finish writing,
	// unless Options say otherwise.
	sqliteWait = 30 * time.Second
	// oldestSQLite is the first without the corruption that a reset of the WAL could cause.
	oldestSQLite = "3.51.3"
)

// openSQLite opens a file, or makes it where create says so. A file that may not
// be written is opened to be read, and each write says why it fails.
func openSQLite(ctx context.Context, path string, o Options) (db *sqliteDB, err error) {
	o.LockWait = cmp.Or(o.LockWait, sqliteWait)
	// Two that open a new file at once lock each other out.
	err = retryUntil(ctx, path, o.LockWait, func(time.Time) (err error) {
		db, err = tryToOpen(path, o)
		return err
	})
	return db, err
}

// MissingError says that there is no SQLite database at a path.
type MissingError struct{ Path string }

func (m *MissingError) Error() string { return m.Path + " does not exist" }

func tryToOpen(path string, o Options) (*sqliteDB, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a folder; name a file in it, such as sqlite:%s", path,
			filepath.Join(path, "softstake.db"))
	case errors.Is(err, os.ErrNotExist) && !o.Create:
		return nil, &MissingError{path}
	case err != nil && !o.Create:
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	flags := sqlite.OpenReadWrite
	if o.Create {
		flags |= sqlite.OpenCreate
		if err := makePrivate(path); err != nil {
			return nil, err
		}
	}
	db := &sqliteDB{path: path, wait: o.LockWait, mark: o.Mark}
	if o.ReadOnly {
		if db.mode, db.was = readImmutable, info; hasJournal(path) {
			db.mode = readOnly
		}
	}
	err = db.open(flags, o.Volatile)
	for _, mode := range []readMode{readOnly, readImmutable} {
		if !o.Create && mode.mayHelp(path, err) {
			db = &sqliteDB{path: path, wait: o.LockWait, mark: o.Mark, mode: mode, was: info}
			err = db.open(sqlite.OpenReadWrite, o.Volatile)
		}
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// open opens the connections and looks at what the file is. If it fails, nothing stays open.
func (db *sqliteDB) open(flags sqlite.OpenFlags, volatile bool) error {
	synchronous := "FULL"
	if volatile {
		synchronous = "OFF"
	}
	uri, flags := db.mode.source(db.path, flags)
	writer, err := newConnections("writer", uri, sqlitex.PoolOptions{Flags: flags, PoolSize: 1,
		PrepareConn: func(c *sqlite.Conn) error {
			c.SetBusyTimeout(db.wait)
			if db.mode == readWrite {
				// Here and not by sqlite.OpenWAL, which waits ten seconds whatever the options say.
				if err := pragmas(c, "journal_mode=WAL"); err != nil {
					return err
				}
			}
			return pragmas(c, "synchronous="+synchronous, "cache_size=-49152", "wal_autocheckpoint=65536",
				"journal_size_limit=268435456")
		}})
	if err != nil {
		return sqliteError(db.path, err)
	}
	uri, flags = db.mode.source(db.path, sqlite.OpenReadWrite)
	readers, err := newConnections("readers", uri,
		sqlitex.PoolOptions{Flags: flags, PoolSize: sqliteReaders, PrepareConn: func(c *sqlite.Conn) error {
			c.SetBusyTimeout(db.wait)
			return pragmas(c, "cache_size=-8192", "query_only=ON")
		}})
	if err != nil {
		return errors.Join(sqliteError(db.path, err), writer.Close())
	}
	db.writer, db.readers = writer, readers
	if err := db.check(); err != nil {
		return errors.Join(err, readers.Close(), writer.Close())
	}
	return nil
}

// check refuses a library that is too old, and a file that is not ours.
func (db *sqliteDB) check() error {
	return db.with(context.Background(), db.writer, func(c *sqlite.Conn) error {
		var version string
		var mark, tables int64
		err := errors.Join(
			sqliteValue(c, "SELECT sqlite_version()", func(s *sqlite.Stmt) { version = s.ColumnText(0) }),
			sqliteValue(c, "SELECT count(*) FROM sqlite_schema", func(s *sqlite.Stmt) { tables = s.ColumnInt64(0) }),
			// Later: another marks a file before it makes tables.
			sqliteValue(c, "PRAGMA application_id", func(s *sqlite.Stmt) { mark = s.ColumnInt64(0) }),
		)
		switch {
		case err != nil:
			return sqliteError(db.path, err)
		case semver.Compare("v"+version, "v"+oldestSQLite) < 0:
			return fmt.Errorf("SQLite %s can corrupt a database; %s or later is needed", version, oldestSQLite)
		case mark == int64(db.mark):
			return nil
		case tables > 0 || db.mode != readWrite:
			return fmt.Errorf("%s is a database, but not softstake's; name another file", db.path)
		}
		return sqliteError(db.path, pragmas(c, fmt.Sprintf("application_id=%d", db.mark)))
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
	result := func(s *sqlite.Stmt) error { fn(s); return nil }
	return sqlitex.ExecuteTransient(c, sql, &sqlitex.ExecOptions{ResultFunc: result})
}

func (db *sqliteDB) Close() error {
	return errors.Join(db.readers.Close(), db.writer.Close(), db.changed())
}

func (db *sqliteDB) words() map[string]string {
	return map[string]string{
		"text": "TEXT", "int": "INTEGER", "day": "INTEGER", "small": "INTEGER", "blob": "BLOB",
		"postgres": "--", "sqlite": "", "table": "STRICT, WITHOUT ROWID", "hot": "STRICT, WITHOUT ROWID",
		"date": "date(a.day * 86400, 'unixepoch')", "millis": "86400000",
	}
}

func (db *sqliteDB) About(ctx context.Context) (About, error) {
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

func (db *sqliteDB) with(ctx context.Context, pool *connections, fn func(*sqlite.Conn) error) error {
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

func (db *sqliteDB) Write(ctx context.Context, fn func(Tx) error) error {
	if db.mode != readWrite {
		return cannotWrite(db.path)
	}
	return db.transact(ctx, db.writer, "BEGIN IMMEDIATE", fn)
}

func (db *sqliteDB) WriteUninterrupted(ctx context.Context, fn func(Tx) error) error {
	return db.Write(ctx, fn)
}

func (db *sqliteDB) Claim(ctx context.Context, fn func(Tx) error) error { return db.Write(ctx, fn) }

func (db *sqliteDB) Read(ctx context.Context, fn func(View) error) error {
	return db.transact(ctx, db.readers, "BEGIN", func(t Tx) error { return fn(t) })
}

func (db *sqliteDB) Look(ctx context.Context, fn func(View) error) error { return db.Read(ctx, fn) }

// check refuses another schema. The transaction keeps what it sees here.
func (t *sqliteTx) check(v version) error {
	if v.expected == 0 {
		return nil
	}
	n, err := Count(t, "SELECT count(*) FROM migrations")
	if err != nil {
		return err
	}
	return v.check(n)
}

func (db *sqliteDB) transact(ctx context.Context, pool *connections, begin string, fn func(Tx) error) error {
	return retryUntil(ctx, db.path, db.wait, func(until time.Time) error {
		return db.with(ctx, pool, func(c *sqlite.Conn) error {
			t := &sqliteTx{c, db.statements(c)}
			if err := t.begin(ctx, begin, until, db.wait); err != nil {
				return db.failed(ctx, err)
			}
			err := t.check(db.version)
			if err == nil {
				err = fn(t)
			}
			if err == nil {
				_, err = t.Exec("COMMIT")
			}
			if err == nil {
				return nil
			}
			// A rollback must not be interrupted, or the connection goes back to the pool inside a transaction.
			c.SetInterrupt(nil)
			if !c.AutocommitEnabled() {
				if _, undo := t.Exec("ROLLBACK"); undo != nil {
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

// failed says why a transaction failed: the caller's time ran out, or the database.
func (db *sqliteDB) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt {
		return ctx.Err()
	}
	return sqliteError(db.path, err)
}

// retryUntil calls fn again as retry does, but no longer than until the wait for
// another process is over: each try may have waited that long itself.
func retryUntil(ctx context.Context, path string, wait time.Duration, fn func(until time.Time) error) error {
	until := time.Now().Add(wait)
	return retry(ctx, func() error {
		err := fn(until)
		if isBusy(err) && !time.Now().Before(until) {
			return fmt.Errorf("%s is locked by another process; nothing was changed; try again when that one has finished", path)
		}
		return err
	})
}

// isBusy reports whether another process was in the way.
func isBusy(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return true
	}
	return false
}

// sqliteError says what a person can do about the database's own errors.
func sqliteError(path string, err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return fmt.Errorf("%s is locked by another process: %w: %w", path, ErrRetry, err)
	case sqlite.ResultNotADB:
		return fmt.Errorf("%s is not a database; name another file, or move this one away", path)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk of %s is full; nothing was changed; free some space and try again: %w", path, err)
	case sqlite.ResultCantOpen:
		return fmt.Errorf("%s cannot be opened; is its folder there, and may you write in it? %w", path, err)
	case sqlite.ResultCorrupt:
		return fmt.Errorf("%s is damaged; go back to a backup: %w", path, err)
	case sqlite.ResultReadOnly:
		return fmt.Errorf("%w %w", cannotWrite(path), err)
	}
	return err
}
