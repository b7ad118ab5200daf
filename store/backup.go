package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Backup writes one snapshot of the books into a new SQLite file, while they are
// at work. progress is told how many rows have been copied, where that is known;
// it may be nil. The file appears under its name only when it is whole and on the disk.
func (db *DB) Backup(ctx context.Context, path string, progress func(rows int64)) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already; name a new file", path)
	}
	part := path + ".part"
	if err := removeAll(part); err != nil {
		return err
	}
	err := makePrivate(part)
	if file, ok := db.engine.(*sqliteDB); err == nil && ok {
		err = file.vacuumInto(ctx, part)
	} else if err == nil {
		err = db.copyInto(ctx, part, progress)
	}
	if err == nil {
		err = syncFile(part)
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("back up into %s: %w", path, err), removeAll(part))
	}
	return nil
}

// removeAll removes an SQLite file and what lies beside it, if they are there.
func removeAll(path string) error {
	for _, suffix := range sqliteFiles {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an unfinished backup: %w", err)
		}
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// vacuumInto copies the file as it is in one snapshot.
func (db *sqliteDB) vacuumInto(ctx context.Context, path string) error {
	c, err := sqlite.OpenConn(db.mode.source(db.path, sqlite.OpenReadWrite))
	if err != nil {
		return sqliteError(db.path, err)
	}
	c.SetInterrupt(ctx.Done())
	c.SetBusyTimeout(db.wait)
	err = sqlitex.ExecuteTransient(c, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{path}})
	return errors.Join(sqliteError(path, err), c.Close())
}

// copyInto copies every table, from one snapshot, into a new SQLite file.
func (db *DB) copyInto(ctx context.Context, path string, progress func(int64)) (err error) {
	to, err := connect(ctx, "sqlite:"+path, Options{Clock: db.clock, Actor: db.actor, Volatile: true}, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := to.migrateTo(ctx, int64(len(migrations))); err != nil {
		return err
	}
	tables, err := to.tables(ctx)
	if err != nil {
		return err
	}
	var copied int64
	begun := false
	return db.engine.read(ctx, func(from tx) error {
		if begun {
			return errors.New("the database went away in the middle of the backup; make it again")
		}
		begun = true
		for _, table := range tables {
			if err := copyTable(from, table, func(page set) error {
				err := to.engine.write(ctx, func(t tx) error { return t.insert(table.name, page) })
				if copied += int64(page.rows()); progress != nil {
					progress(copied)
				}
				return err
			}); err != nil {
				return fmt.Errorf("copy the table %s: %w", table.name, err)
			}
		}
		return nil
	})
}

// table is a table of the schema, its columns in order.
type table struct {
	name    string
	columns []string
	types   []string // TEXT, INTEGER or BLOB
	keys    []string
}

// tables are those of an SQLite database's schema, but for that of the migrations.
func (db *DB) tables(ctx context.Context) (tables []table, err error) {
	err = db.engine.read(ctx, func(t tx) error {
		tables = nil
		if err := t.query(func(r row) error { tables = append(tables, table{name: r.text(0)}); return nil },
			"SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations' ORDER BY name"); err != nil {
			return err
		}
		for i := range tables {
			b := &tables[i]
			if err := t.query(func(r row) error {
				b.columns, b.types = append(b.columns, r.text(0)), append(b.types, r.text(1))
				if r.int(2) > 0 {
					b.keys = append(b.keys, r.text(0))
				}
				return nil
			}, "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid", b.name); err != nil {
				return err
			}
		}
		return nil
	})
	return tables, err
}

// pageBytes is how many bytes of texts and blobs are enough for a page that is copied.
const pageBytes = 16 << 20

// copyTable reads a table in the order of its key, and gives it to put page by page.
func copyTable(from tx, b table, put func(page set) error) error {
	page, size := b.page(), 0
	flush := func() error {
		if page.rows() == 0 {
			return nil
		}
		err := put(page)
		page, size = b.page(), 0
		return err
	}
	err := from.query(func(r row) error {
		for i := range page {
			switch c := &page[i]; b.types[i] {
			case "TEXT":
				c.texts = append(c.texts, r.text(i))
				size += len(c.texts[len(c.texts)-1])
			case "BLOB":
				c.blobs = append(c.blobs, r.bytes(i))
				size += len(c.blobs[len(c.blobs)-1])
			default:
				c.ints = append(c.ints, r.int(i))
			}
		}
		if page.rows() == pageSize || size >= pageBytes {
			return flush()
		}
		return nil
	}, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(b.columns, ", "), b.name, strings.Join(b.keys, ", ")))
	if err != nil {
		return err
	}
	return flush()
}

func (b table) page() set {
	s := make(set, len(b.columns))
	for i, name := range b.columns {
		s[i].name = name
	}
	return s
}
