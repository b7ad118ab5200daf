package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed schema/*.sql
var schema embed.FS

// migrations are the steps from an empty database to the books of today, in
// order. They are added and never edited. Only Create, Upgrade and Restore run them.
var migrations = []migration{
	{file: "0001_books.sql"},
	{file: "0002_access.sql"},
	{file: "0003_people.sql"},
	{file: "0004_addresses.sql"},
	{file: "0005_imports.sql"},
	{file: "0006_actor.sql"},
	{file: "0007_digest.sql", fill: func(ctx context.Context, db *DB, t tx) error { return digestEntries(ctx, t, db.filled) }},
	{file: "0008_keys.sql", fill: limitTrade},
	{file: "0009_offer.sql", fill: dateListings},
	{file: "0010_posting.sql"},
	{file: "0011_drafts.sql"},
	{file: "0012_close_after.sql"},
}

// SchemaVersion is the schema that this program works with.
func SchemaVersion() int { return len(migrations) }

// migration is one step: a script, and what SQL alone cannot do, in one transaction.
type migration struct {
	file string                                        // in schema/; "": none
	fill func(ctx context.Context, db *DB, t tx) error // after the script; may be nil
}

// script is the text of the step's script.
func (m migration) script() (string, error) {
	if m.file == "" {
		return "", nil
	}
	text, err := schema.ReadFile("schema/" + m.file)
	return string(text), err
}

// run runs the step.
func (m migration) run(ctx context.Context, db *DB, t tx) error {
	script, err := m.script()
	if err == nil {
		err = db.script(t, script)
	}
	if err == nil && m.fill != nil {
		err = m.fill(ctx, db, t)
	}
	return err
}

// ErrNoBooks says that a database has no books in it yet.
var ErrNoBooks = errors.New("there are no books in this database yet; make them with \"softstake init\"")

// version is the number of migrations that the database has had; 0: none.
func (db *DB) version(ctx context.Context) (n int64, err error) {
	exists := "SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'"
	if _, ok := db.engine.(*postgresDB); ok {
		exists = "SELECT CASE WHEN to_regclass('migrations') IS NULL THEN 0 ELSE 1 END"
	}
	err = db.engine.read(ctx, func(t tx) error {
		if _, err := one(t, []*int64{&n}, exists); err != nil || n == 0 {
			return err
		}
		_, err := one(t, []*int64{&n}, "SELECT count(*) FROM migrations")
		return err
	})
	return n, err
}

// migrateTo brings the database's schema to a number of migrations, each in a
// transaction. Safe to call twice, and from two processes. What was interrupted in
// the middle of a migration begins with that migration when it is called again.
func (db *DB) migrateTo(ctx context.Context, target int64) error {
	n, err := db.version(ctx)
	if err == nil && n > target {
		err = checkVersion(n)
	}
	if err != nil {
		return err
	}
	for ; n < target; n++ {
		err := db.engine.write(ctx, func(t tx) error { return db.migrateOnce(ctx, t, n) })
		if err != nil {
			if m, again := db.version(ctx); again == nil && m > n {
				continue // another process has done it
			}
			return notMigrated(n, err)
		}
	}
	return nil
}

// migrateOnce runs migration n+1, unless another process has run it.
func (db *DB) migrateOnce(ctx context.Context, t tx, n int64) error {
	if n == 0 {
		if _, err := t.exec("CREATE TABLE migrations (number " + db.engine.words()["int"] + " NOT NULL PRIMARY KEY)"); err != nil {
			return err
		}
	} else {
		if err := db.lockSchema(t); err != nil {
			return err
		}
		if is, err := count(t, "SELECT count(*) FROM migrations"); err != nil || is > n {
			return err
		}
	}
	if _, err := t.exec("INSERT INTO migrations (number) VALUES ($1)", n+1); err != nil {
		return err
	}
	db.migration = n + 1
	db.filled(0)
	if err := migrations[n].run(ctx, db, t); err != nil || db.upgradedFrom == 0 || db.migration < int64(len(migrations)) {
		return err
	}
	return db.logLine(t, "upgrade", "books", fmt.Sprintf("from schema %d to %d", db.upgradedFrom, db.migration))
}

// filled reports that the step in Go of the migration that is being run has worked
// through so many rows so far.
func (db *DB) filled(rows int64) {
	if db.migrating != nil {
		db.migrating(db.migration, rows)
	}
}

// notMigrated says why the schema could not be brought up to date.
func notMigrated(n int64, err error) error {
	if n == 0 {
		return fmt.Errorf("make the schema: %w", err)
	}
	return fmt.Errorf("upgrade from schema %d to %d; the books still have schema %d: %w", n, n+1, n, err)
}

// script runs statements separated by ";" at the end of a line, in this database's words.
func (db *DB) script(t tx, text string) error {
	for word, meaning := range db.engine.words() {
		text = strings.ReplaceAll(text, "{{"+word+"}}", meaning)
	}
	for _, statement := range strings.Split(text, ";\n") {
		if withoutComments(statement) == "" {
			continue
		}
		if _, err := t.exec(withoutComments(statement)); err != nil {
			return fmt.Errorf("%.60s…: %w", statement, err)
		}
	}
	return nil
}

func withoutComments(statement string) string {
	var kept []string
	for line := range strings.Lines(statement) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			kept = append(kept, line)
		}
	}
	return strings.TrimSpace(strings.Join(kept, ""))
}
