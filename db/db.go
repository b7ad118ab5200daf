// Package db runs one SQL on SQLite or PostgreSQL: transactions that are repeated when the database
// asks for it, sets of rows, migrations, copies of a whole database. It knows no books.
package db

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// DB is a database. Its methods may be called from several goroutines at the same
// time, and several processes may use the same database.
type DB struct {
	engine
	options Options
}

// Options are how to open a database.
type Options struct {
	Migrations []Migration   // the schema, step by step
	Mark       int32         // the application_id of our SQLite files, which distinguishes them from others
	Create     bool          // make what is not there
	Volatile   bool          // SQLite only: do not wait for the disk. For a database that is thrown away
	ReadOnly   bool          // SQLite only: change nothing, and make no file beside the file
	Tracer     Tracer        // PostgreSQL only: traces queries; may be nil
	Insecure   bool          // PostgreSQL only: connect to another host without sslmode=verify-full; else ErrInsecure
	LockWait   time.Duration // SQLite only: how long to wait for another process that is writing; 0: 30 seconds
	SchemaWait time.Duration // PostgreSQL only: how long LockSchema waits for the transactions of others; 0: 10 seconds
}

// About is what there is to say of the database itself.
type About struct {
	Engine  string `json:"engine"` // "sqlite" or "postgres"
	Version string `json:"version"`
	Bytes   int64  `json:"bytes"` // on disk
}

// Open opens the database at "sqlite:PATH" or "postgres://…". It changes nothing in one that is there.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok && path != "" {
		file, err := openSQLite(ctx, path, o)
		if err != nil {
			return nil, err
		}
		return &DB{file, o}, nil
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		server, err := openPostgres(ctx, url, o)
		if err != nil {
			return nil, err
		}
		return &DB{server, o}, nil
	}
	return nil, fmt.Errorf("%.64q is not the address of books; it is sqlite:PATH or postgres://…", url)
}

// Postgres reports whether the database is PostgreSQL, which has many writers.
func (d *DB) Postgres() bool {
	_, is := d.engine.(*postgresDB)
	return is
}

// URL is the address of the database, with its password if it has one.
func (d *DB) URL() string {
	switch e := d.engine.(type) {
	case *sqliteDB:
		return "sqlite:" + e.path
	case *postgresDB:
		return e.pool.Config().ConnString()
	}
	panic(fmt.Sprintf("a database of the type %T", d.engine))
}

// Compact brings what lies beside an SQLite file into it, so that its size is what the
// rows take, and says which database this is.
func (d *DB) Compact(ctx context.Context) (About, error) {
	if file, is := d.engine.(*sqliteDB); is {
		if err := file.checkpoint(ctx); err != nil {
			return About{}, err
		}
	}
	return d.About(ctx)
}
