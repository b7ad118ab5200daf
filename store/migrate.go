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
// order. They are added and never edited.
var migrations = []migration{
	{file: "0001_books.sql"},
	{file: "0002_access.sql"},
	{file: "0003_people.sql"},
	{file: "0004_addresses.sql"},
	{file: "0005_imports.sql"},
	{file: "0006_actor.sql"},
}

// migration is one step: a script, and what SQL alone cannot do, in one transaction.
type migration struct {
	file string                                        // in schema/
	fill func(ctx context.Context, db *DB, t tx) error // after the script; may be nil
}

// run runs the step.
func (m migration) run(ctx context.Context, db *DB, t tx) error {
	script, err := schema.ReadFile("schema/" + m.file)
	if err == nil {
		err = db.script(t, string(script))
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

// checkVersion refuses books of a newer program than this.
func checkVersion(n int64) error {
	if n > int64(len(migrations)) {
		return fmt.Errorf("these books have schema %d, and this softstake knows %d; use a newer softstake", n, len(migrations))
	}
	return nil
}

// migrate brings the database's schema up to date, each step in a transaction. Safe to call
// twice, and from two processes.
func (db *DB) migrate(ctx context.Context) error { return db.migrateTo(ctx, int64(len(migrations))) }

func (db *DB) migrateTo(ctx context.Context, target int64) error {
	n, err := db.version(ctx)
	if err != nil {
		return err
	}
	if err := checkVersion(n); err != nil {
		return err
	}
	for ; n < target; n++ {
		err := db.engine.write(ctx, func(t tx) error {
			if n == 0 {
				if _, err := t.exec("CREATE TABLE migrations (number " + db.engine.words()["int"] + " NOT NULL PRIMARY KEY)"); err != nil {
					return err
				}
			}
			if _, err := t.exec("INSERT INTO migrations (number) VALUES ($1)", n+1); err != nil {
				return err
			}
			return migrations[n].run(ctx, db, t)
		})
		if err != nil {
			if m, again := db.version(ctx); again == nil && m > n {
				continue // another process has done it meanwhile
			}
			return outdated(n, err)
		}
	}
	return nil
}

// outdated says why the schema could not be brought up to date, and what to do:
// an old backup, or a file of another's, may well be one that cannot be written.
func outdated(n int64, err error) error {
	if n == 0 {
		return fmt.Errorf("make the schema: %w", err)
	}
	return fmt.Errorf("these books have schema %d, and this softstake works with %d; it brings them up to date when it may write them: "+
		"open them once where it may, or a copy of them: %w", n, len(migrations), err)
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
