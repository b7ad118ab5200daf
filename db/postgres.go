package db

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresDB is a PostgreSQL database, 15 or later.
type postgresDB struct {
	pool *pgxpool.Pool
	version
}

// postgresConns is how many connections a process opens at most, unless its
// address says pool_max_conns: for the workers of a run, posters and readers at once.
const postgresConns = 16

// byKey keeps the planner to keys. Every statement here goes by a primary key; a
// planner without statistics, on books just loaded, may think otherwise. A nested
// loop over a sorted set also locks rows in the set's order, and so in one order
// everywhere.
const byKey = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off; " +
	"SET enable_bitmapscan = off; SET jit = off"

// Tracer traces queries.
type Tracer = pgx.QueryTracer

func openPostgres(ctx context.Context, url string, o Options) (*postgresDB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the address of the PostgreSQL database cannot be read; it is like "+
			"postgres://user:password@host:5432/name: %w", err)
	}
	if !o.Insecure {
		if err := CheckSecure(&config.ConnConfig.Config); err != nil {
			return nil, err
		}
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = postgresConns
	}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.PgConn().Exec(ctx, byKey+setHeard()).ReadAll()
		return err
	}
	config.ConnConfig.Tracer = o.Tracer
	endDead(&config.ConnConfig.Config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	db := &postgresDB{pool: pool}
	var version int
	if err := pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		pool.Close()
		return nil, fmt.Errorf("%w; is it running, and are its address and password right?", postgresError(err))
	}
	if version < 15_00_00 {
		pool.Close()
		return nil, fmt.Errorf("PostgreSQL %d is too old; 15 or later is needed", version/10_000)
	}
	return db, nil
}

func (db *postgresDB) Close() error {
	db.pool.Close()
	return nil
}

func (db *postgresDB) words() map[string]string {
	return map[string]string{
		"text": `text COLLATE "C"`, "int": "bigint", "day": "integer", "small": "smallint", "blob": "bytea",
		"postgres": "", "sqlite": "--", "table": "", "hot": "WITH (fillfactor = 45)",
		"date": "(date '1970-01-01' + a.day)::text", "millis": "86400000",
	}
}

func (db *postgresDB) About(ctx context.Context) (About, error) {
	a := About{Engine: "postgres"}
	row := db.pool.QueryRow(ctx, "SELECT current_setting('server_version'), pg_database_size(current_database())")
	err := row.Scan(&a.Version, &a.Bytes)
	return a, postgresError(err)
}

func (db *postgresDB) Write(ctx context.Context, fn func(Tx) error) error {
	return db.transact(ctx, ctx, "BEGIN ISOLATION LEVEL READ COMMITTED", fn)
}

func (db *postgresDB) WriteUninterrupted(ctx context.Context, fn func(Tx) error) error {
	return db.transact(ctx, context.WithoutCancel(ctx), "BEGIN ISOLATION LEVEL READ COMMITTED", fn)
}

func (db *postgresDB) Claim(ctx context.Context, fn func(Tx) error) error {
	return db.transact(ctx, ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ", fn)
}

func (db *postgresDB) Read(ctx context.Context, fn func(View) error) error {
	return db.transact(ctx, ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(t Tx) error { return fn(t) })
}

func (db *postgresDB) Look(ctx context.Context, fn func(View) error) error {
	return retry(ctx, func() error { return postgresError(fn(postgresTx{ctx, db.pool})) })
}

// transact runs fn in a transaction until ctx ends, and its COMMIT until commitCtx ends.
func (db *postgresDB) transact(ctx, commitCtx context.Context, begin string, fn func(Tx) error) error {
	return retry(ctx, func() error {
		return postgresError(db.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			err := db.begin(ctx, c.Conn(), begin)
			if err == nil {
				err = fn(postgresTx{ctx, c})
			}
			if err == nil {
				return commit(commitCtx, c)
			}
			// A connection that is left in its transaction is closed by the pool.
			if ctx.Err() == nil && !c.Conn().IsClosed() {
				_, undo := c.Exec(ctx, "ROLLBACK")
				err = errors.Join(err, undo)
			}
			return err
		}))
	})
}

// begin begins a transaction, and looks which schema the books have, in one message.
// The lock, which an upgrade takes exclusively, is taken before the snapshot: what the
// transaction sees here holds until its end.
func (db *postgresDB) begin(ctx context.Context, c *pgx.Conn, begin string) error {
	if db.expected > 0 {
		begin += "; LOCK TABLE migrations IN ACCESS SHARE MODE; SELECT count(*) FROM migrations"
	}
	results, err := c.PgConn().Exec(ctx, begin).ReadAll()
	if err != nil || db.expected == 0 {
		return err
	}
	n, err := strconv.ParseInt(string(results[len(results)-1].Rows[0][0]), 10, 64)
	if err != nil {
		return err
	}
	return db.check(n)
}

// commit ends a transaction. What failed in it and was not seen is an error.
func commit(ctx context.Context, c *pgxpool.Conn) error {
	done, err := c.Exec(ctx, "COMMIT")
	if err == nil && done.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// retriedCodes are the server's errors after which a transaction may be retried:
// serialization failure, deadlock; shutting down, crashed, starting up, connection lost.
var retriedCodes = []string{"40001", "40P01", "57P01", "57P02", "57P03", "08006", "08003"}

// postgresError marks what may be retried: serialization failures and
// deadlocks; a connection that went away, since every write here is idempotent by its
// name, even where a commit's answer was lost. One that was not made in time has been waited
// for already.
func postgresError(err error) error {
	var connect *pgconn.ConnectError
	var server *pgconn.PgError
	refused := errors.As(err, &server)
	if errors.As(err, &connect) {
		failed := connectError(connect)
		switch {
		case refused && !slices.Contains(retriedCodes, server.Code):
			return failed // it would be refused again
		case errors.Is(err, context.DeadlineExceeded):
			return failed // that was long enough
		}
		return &retryError{failed}
	}
	if refused {
		switch {
		case slices.Contains(retriedCodes, server.Code):
			return fmt.Errorf("%w: %w", ErrRetry, err)
		case server.Code == "53100":
			return fmt.Errorf("the disk of PostgreSQL is full; nothing was changed; free some space and try again: %w", err)
		case forbids(err):
			return fmt.Errorf("%w: %w", ErrRights, err)
		}
		return err
	}
	if pgconn.SafeToRetry(err) || isConnectionError(err) {
		return fmt.Errorf("%w: %w", ErrRetry, err)
	}
	return err
}

// forbids reports whether the role that is connected lacks a right.
func forbids(err error) bool {
	server, is := errors.AsType[*pgconn.PgError](err)
	return is && server.Code == "42501"
}

// isConnectionError reports whether the connection broke while it was used.
func isConnectionError(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

// postgresTx runs the statements of one transaction, or without one.
type postgresTx struct {
	ctx context.Context
	tx  interface {
		Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
		Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
		SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
		CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
	}
}

func (t postgresTx) Share(tables ...string) string {
	if len(tables) == 0 {
		return " FOR SHARE"
	}
	return " FOR SHARE OF " + strings.Join(tables, ", ")
}

func (t postgresTx) Lock() string { return " FOR UPDATE" }

func (t postgresTx) Exec(sql string, args ...any) (int64, error) {
	tag, err := t.tx.Exec(t.ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (t postgresTx) Query(fn func(Row) error, sql string, args ...any) error {
	rows, err := t.tx.Query(t.ctx, sql, args...)
	if err != nil {
		return err
	}
	_, err = read(rows, fn)
	return err
}

// read gives fn each row, and says how many rows the statement touched.
func read(rows pgx.Rows, fn func(Row) error) (int64, error) {
	defer rows.Close()
	for rows.Next() {
		if fn == nil {
			continue
		}
		r := postgresRow{rows.RawValues(), rows.FieldDescriptions(), nil}
		if err := fn(&r); err != nil {
			return 0, err
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	return rows.CommandTag().RowsAffected(), rows.Err()
}

func (t postgresTx) Set(fn func(Row) error, sql string, s Set, args ...any) (int64, error) {
	if s.Len() == 0 {
		return 0, nil
	}
	arrays, all := make([]string, len(s)), make([]any, len(s), len(s)+len(args))
	for i, c := range s {
		switch {
		case c.isText():
			arrays[i], all[i] = fmt.Sprintf("$%d::text[]", i+1), c.texts
		case c.isBlob():
			arrays[i], all[i] = fmt.Sprintf("$%d::bytea[]", i+1), c.blobs
		default:
			arrays[i], all[i] = fmt.Sprintf("$%d::bigint[]", i+1), c.ints
		}
	}
	source := fmt.Sprintf("unnest(%s) AS r(%s)", strings.Join(arrays, ", "), strings.Join(s.Names(), ", "))
	rows, err := t.tx.Query(t.ctx, strings.Replace(sql, "{rows}", source, 1), append(all, args...)...)
	if err != nil {
		return 0, err
	}
	return read(rows, fn)
}

func (t postgresTx) QuerySet(fn func(Row) error, sql string, s Set, args ...any) error {
	_, err := t.Set(fn, sql, s, args...)
	return err
}

func (t postgresTx) QueryEach(fn func(Row) error, sql string, s Set) error { return t.Each(fn, sql, s) }

func (t postgresTx) Each(fn func(Row) error, sql string, s Set) (err error) {
	if s.Len() == 0 {
		return nil
	}
	var batch pgx.Batch
	for n := range s.Len() {
		args := make([]any, len(s))
		for i, c := range s {
			args[i] = c.value(n)
		}
		batch.Queue(sql, args...)
	}
	results := t.tx.SendBatch(t.ctx, &batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	for range s.Len() {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		if _, err := read(rows, fn); err != nil {
			return err
		}
	}
	return nil
}

func (t postgresTx) Insert(table string, s Set) error {
	values := make([]any, len(s))
	n := -1
	_, err := t.tx.CopyFrom(t.ctx, pgx.Identifier{table}, s.Names(), pgx.CopyFromFunc(func() ([]any, error) {
		if n++; n == s.Len() {
			return nil, nil
		}
		for i, c := range s {
			values[i] = c.value(n)
		}
		return values, nil
	}))
	return err
}

// postgresRow reads values as they came over the wire: in binary, or as text
// where a pooler wants the simple protocol.
type postgresRow struct {
	values [][]byte
	fields []pgconn.FieldDescription
	err    error
}

func (r *postgresRow) Int(i int) int64 {
	v := r.values[i]
	if r.fields[i].Format == pgx.TextFormatCode {
		n, err := strconv.ParseInt(string(v), 10, 64)
		r.failed(i, err)
		return n
	}
	switch len(v) {
	case 8:
		return int64(binary.BigEndian.Uint64(v))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v)))
	}
	r.failed(i, fmt.Errorf("a value of %d bytes is not a whole number", len(v)))
	return 0
}

func (r *postgresRow) Text(i int) string { return string(r.values[i]) }

func (r *postgresRow) Bytes(i int) []byte {
	v := r.values[i]
	if r.fields[i].Format == pgx.TextFormatCode {
		b, err := hex.DecodeString(strings.TrimPrefix(string(v), `\x`))
		r.failed(i, err)
		return b
	}
	return append([]byte(nil), v...)
}

// failed keeps a value that could not be read, for the one who reads the rows.
func (r *postgresRow) failed(i int, err error) {
	if err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("column %s: %w", r.fields[i].Name, err))
	}
}
