package db

import "context"

// engine is a driver: what differs between the databases. This file is its contract; what the
// callers need to know of SQLite and PostgreSQL is said here.
//
// A function given to it may be called several times, each time in a new transaction: after errors
// marked ErrRetry (a deadlock, a serialization failure, another process that writes, a lost
// connection, or what the function itself marks), up to 12 times with backoff and jitter. It must
// set again what it leaves to its caller.
//
// Where the error is nil, the transaction is committed and durable: SQLite has written it to the
// disk (WAL, synchronous=FULL) unless Options.Volatile, PostgreSQL as its synchronous_commit says.
// Where it is not nil, nothing is committed, except that a COMMIT whose answer was lost may have
// been: every write here is idempotent by a key, and may be repeated. A repeated posting finds its
// own entries, and answers them as repeated.
//
// Each transaction first refuses another schema than the program's with ErrSchema; see DB.Expect.
type engine interface {
	// Write runs fn in a transaction in which each statement sees what is committed: READ COMMITTED
	// on PostgreSQL. On SQLite it is BEGIN IMMEDIATE on the one connection that writes: there is one
	// writer at a time, in all processes, and so nobody to lock rows against.
	Write(ctx context.Context, fn func(Tx) error) error
	// WriteUninterrupted is Write whose COMMIT is not cancelled when ctx ends. A COMMIT that waits for a
	// synchronous standby and is cancelled shows its changes before the standby has them: a failover then
	// takes back what others have read. It returns when the standby has answered.
	WriteUninterrupted(ctx context.Context, fn func(Tx) error) error
	// Claim runs fn in a transaction that reads one snapshot and may write: REPEATABLE READ on
	// PostgreSQL, Write on SQLite.
	Claim(ctx context.Context, fn func(Tx) error) error
	// Read runs fn in a transaction that reads one snapshot.
	Read(ctx context.Context, fn func(View) error) error
	// Look runs fn without a transaction on PostgreSQL, which would be two more ways to the
	// database and back: for one statement, or for several of what never changes once it is there.
	Look(ctx context.Context, fn func(View) error) error
	// About says which database this is, its version and its size in bytes.
	About(ctx context.Context) (About, error)
	// Pools are how the connections of this process are used. It does not ask the database.
	Pools() []Pool
	// Close closes all connections.
	Close() error

	expect(schema int64)
	words() map[string]string
}

// View is what a transaction can read. Parameters are $1, $2 … in both databases; an
// argument is an int64, a string or []byte. A row is valid only during the call of fn,
// and fn must not run another statement.
//
// A Set is rows of parameters, column by column; SetOf makes one of items. A statement over a set
// names it once, as FROM {rows} or FROM {rows} JOIN table ON …, and calls its row r. On PostgreSQL
// it is one statement in which {rows} is unnest($1, $2 …) AS r(…); it takes the rows, and so their
// locks, in the order of the set, since the planner is kept to nested loops. SQLite runs it once for
// each row, in order: {rows} is left out, ON is WHERE, and each r.column is a parameter. A set
// without rows has no effect.
type View interface {
	// Query calls fn for each row.
	Query(fn func(Row) error, sql string, args ...any) error
	// QuerySet calls fn for each row of a SELECT over a set. args follow the set's columns as
	// parameters.
	QuerySet(fn func(Row) error, sql string, s Set, args ...any) error
	// QueryEach runs a SELECT for each row of the set, in order, the columns as its
	// parameters. PostgreSQL gets all of them in one message.
	QueryEach(fn func(Row) error, sql string, s Set) error
}

// Tx is a transaction that can write.
type Tx interface {
	View
	// Exec runs a statement and returns how many rows it changed.
	Exec(sql string, args ...any) (int64, error)
	// Set runs a statement over a set, and returns how many rows it changed. fn gets what
	// RETURNING gives of them; it may be nil. args follow the set's columns as parameters.
	Set(fn func(Row) error, sql string, s Set, args ...any) (int64, error)
	// Each runs a statement for each row of the set, in order, as QueryEach does.
	Each(fn func(Row) error, sql string, s Set) error
	// Insert brings rows into a table, fast. A row whose key is there is an error.
	Insert(table string, s Set) error
	// Share is what a SELECT ends with to take a shared lock of its rows, or of those of some of its tables, until
	// the end of the transaction: " FOR SHARE OF …" on PostgreSQL, "" on SQLite, which has one writer.
	Share(tables ...string) string
	// Lock is what it ends with for an exclusive lock of its rows: " FOR UPDATE" on PostgreSQL, "" on SQLite.
	Lock() string
}

// Row is one row of a result, its columns from 0.
type Row interface {
	Int(i int) int64
	Text(i int) string
	Bytes(i int) []byte
}

// One reads a query's single row of int64s, or says that there is none.
func One(t View, into []*int64, sql string, args ...any) (found bool, err error) {
	err = t.Query(func(r Row) error {
		found = true
		for i, p := range into {
			*p = r.Int(i)
		}
		return nil
	}, sql, args...)
	return found, err
}

// Count reads the single number of a query, or 0.
func Count(t View, sql string, args ...any) (n int64, err error) {
	_, err = One(t, []*int64{&n}, sql, args...)
	return n, err
}

// Flag is how a bool is kept.
func Flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}
