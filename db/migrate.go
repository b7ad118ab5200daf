package db

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Migration is one step of the schema: a script, and what SQL alone cannot do, in one transaction.
type Migration struct {
	// Script is statements separated by ";" at the end of a line; {{word}} is a type or
	// another word of the database.
	Script string
	// Fill runs after the script; it may be nil. It calls progress with the number of rows
	// that it has worked through.
	Fill func(ctx context.Context, t Tx, progress func(rows int64)) error
}

// ErrSchema says that the database has another schema than the program. Each
// transaction looks, so that a program that was started before an upgrade reads and
// writes nothing after it.
var ErrSchema = errors.New("these books have another schema")

// ErrOlder is ErrSchema for a database that is older than the program.
var ErrOlder = fmt.Errorf("%w", ErrSchema)

// CheckVersion is ErrSchema unless a database with n migrations has this program's schema.
func (d *DB) CheckVersion(n int64) error { return checkVersion(n, d.Known()) }

// Known is the number of migrations that this program knows.
func (d *DB) Known() int64 { return int64(len(d.options.Migrations)) }

func checkVersion(n, known int64) error {
	switch {
	case n == known:
		return nil
	case n > known:
		return fmt.Errorf("%w: schema %d, and this softstake works with %d; use a newer softstake", ErrSchema, n, known)
	}
	return fmt.Errorf("%w: schema %d, and this softstake works with %d", ErrOlder, n, known)
}

// version is the schema that each transaction expects; 0: any.
type version struct{ expected int64 }

func (v *version) expect(schema int64) { v.expected = schema }

// check is ErrSchema if the database has had n migrations, and that is not expected.
func (v version) check(n int64) error { return checkVersion(n, v.expected) }

// Expect makes each transaction from here on refuse a schema that is not this program's
// with ErrSchema. It is called before several goroutines use the database.
func (d *DB) Expect() { d.expect(d.Known()) }

// Version is the number of migrations that the database has had; 0: none.
func (d *DB) Version(ctx context.Context) (n int64, err error) {
	exists := "SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'"
	if d.Postgres() {
		exists = "SELECT CASE WHEN to_regclass('migrations') IS NULL THEN 0 ELSE 1 END"
	}
	err = d.Read(ctx, func(t View) (err error) {
		if n, err = Count(t, exists); err == nil && n > 0 {
			n, err = Count(t, "SELECT count(*) FROM migrations")
		}
		return err
	})
	return n, err
}

// Migrate brings the schema to a number of migrations, each in a transaction of its own.
// Repeating it has no further effect, and several processes may call it at the same time:
// what was interrupted in the middle of a migration begins with that migration when it is
// called again. progress is called with the number of the migration and the rows that it has
// worked through, where it counts them; it may be nil. ErrSchema where the schema is newer.
func (d *DB) Migrate(ctx context.Context, target int64, progress func(migration, rows int64)) error {
	n, err := d.Version(ctx)
	if err == nil && n > target {
		err = d.CheckVersion(n)
	}
	if err != nil {
		return err
	}
	for ; n < target; n++ {
		err := d.Write(ctx, func(t Tx) error { return d.migrateOnce(ctx, t, n, progress) })
		if err != nil {
			if m, again := d.Version(ctx); again == nil && m > n {
				continue // another process has done it
			}
			return notMigrated(n, err)
		}
	}
	return nil
}

// migrateOnce runs migration n+1, unless another process has run it.
func (d *DB) migrateOnce(ctx context.Context, t Tx, n int64, progress func(migration, rows int64)) error {
	if n == 0 {
		if _, err := t.Exec("CREATE TABLE migrations (number " + d.words()["int"] + " NOT NULL PRIMARY KEY)"); err != nil {
			return err
		}
	} else {
		if err := d.LockSchema(t); err != nil {
			return err
		}
		if is, err := Count(t, "SELECT count(*) FROM migrations"); err != nil || is > n {
			return err
		}
	}
	if _, err := t.Exec("INSERT INTO migrations (number) VALUES ($1)", n+1); err != nil {
		return err
	}
	filled := func(rows int64) {
		if progress != nil {
			progress(n+1, rows)
		}
	}
	filled(0)
	m := d.options.Migrations[n]
	err := d.Script(t, m.Script)
	if err == nil && m.Fill != nil {
		err = m.Fill(ctx, t, filled)
	}
	return err
}

// notMigrated says why the schema could not be brought up to date.
func notMigrated(n int64, err error) error {
	if n == 0 {
		return fmt.Errorf("make the schema: %w", err)
	}
	return fmt.Errorf("upgrade from schema %d to %d; the books still have schema %d: %w", n, n+1, n, err)
}

// schemaWait is how long LockSchema waits unless Options say otherwise: while it waits,
// new transactions wait behind it.
const schemaWait = 10 * time.Second

// LockSchema keeps every other transaction out until this one ends. Those of
// PostgreSQL share the lock of the table of migrations from their beginning; SQLite
// has one writer, and a reader there sees what was before.
func (d *DB) LockSchema(t Tx) error {
	if !d.Postgres() {
		return nil
	}
	wait := schemaWait
	if d.options.SchemaWait > 0 {
		wait = d.options.SchemaWait
	}
	if _, err := t.Exec(fmt.Sprintf("SET LOCAL lock_timeout = '%dms'", wait.Milliseconds())); err != nil {
		return err
	}
	if _, err := t.Exec("LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE"); forbids(err) {
		return err
	} else if err != nil {
		return fmt.Errorf("wait for the transactions of other processes; stop those that use these books (serve, "+
			"audit, backup) and try again: %w", err)
	}
	return nil
}

// made finds what the scripts of the schema make, by the names that it was made and renamed with.
var made = regexp.MustCompile(`(?m)^(?:CREATE|ALTER) (TABLE|VIEW) (?:\w+ RENAME TO )?(\w+)`)

// DropSchema removes everything that the migrations make.
func (d *DB) DropSchema(t Tx) error {
	var views, tables []string
	for _, m := range d.options.Migrations {
		for _, found := range made.FindAllStringSubmatch(m.Script, -1) {
			drop := "DROP " + found[1] + " IF EXISTS " + found[2]
			if found[1] == "VIEW" {
				views = append(views, drop)
			} else {
				tables = append(tables, drop)
			}
		}
	}
	for _, drop := range append(append(views, tables...), "DROP TABLE IF EXISTS migrations") {
		if _, err := t.Exec(drop); err != nil {
			return err
		}
	}
	return nil
}

// Script runs statements separated by ";" at the end of a line, in this database's words.
func (d *DB) Script(t Tx, text string) error {
	for word, meaning := range d.words() {
		text = strings.ReplaceAll(text, "{{"+word+"}}", meaning)
	}
	for statement := range strings.SplitSeq(text, ";\n") {
		statement = withoutComments(statement)
		if statement == "" {
			continue
		}
		if _, err := t.Exec(statement); err != nil {
			return fmt.Errorf("%.60s…: %w", statement, err)
		}
	}
	return nil
}

func withoutComments(statement string) string {
	var kept strings.Builder
	for line := range strings.Lines(statement) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept.WriteString(line)
		}
	}
	return strings.TrimSpace(kept.String())
}
