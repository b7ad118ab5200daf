package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Backup writes one snapshot of the database into a new SQLite file, while others read
// and write it. progress is called with the number of rows that have been copied, where
// that is known; it may be nil. The file appears under its name only when it is complete
// and on the disk.
func (d *DB) Backup(ctx context.Context, path string, progress func(rows int64)) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already; name a new file", path)
	}
	part := path + ".part"
	if err := RemoveFiles(part); err != nil {
		return err
	}
	err := makePrivate(part)
	if file, ok := d.engine.(*sqliteDB); err == nil && ok {
		err = file.vacuumInto(ctx, part)
	} else if err == nil {
		err = d.copyInto(ctx, part, progress)
	}
	if err == nil {
		err = syncFile(part)
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("back up into %s: %w", path, err), RemoveFiles(part))
	}
	return nil
}

// RemoveFiles removes an SQLite file and what lies beside it, if they are there.
func RemoveFiles(path string) error {
	for _, suffix := range sqliteFiles {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an unfinished file: %w", err)
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
func (d *DB) copyInto(ctx context.Context, path string, progress func(int64)) (err error) {
	o := d.options
	o.Create, o.Volatile, o.ReadOnly = true, true, false
	to, err := Open(ctx, "sqlite:"+path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := to.Migrate(ctx, to.Known(), nil); err != nil {
		return err
	}
	var copied int64
	return d.Pages(ctx, to, func(table string, page Set) error {
		err := to.Write(ctx, func(t Tx) error { return t.Insert(table, page) })
		if copied += int64(page.Len()); progress != nil {
			progress(copied)
		}
		return err
	})
}

// Pages reads every row of the database from one snapshot, and gives them to put page by
// page, but for the table of the migrations. like is an SQLite database with the same
// schema, and may be this one.
func (d *DB) Pages(ctx context.Context, like *DB, put func(table string, page Set) error) error {
	tables, err := like.tables(ctx)
	if err != nil {
		return err
	}
	begun := false
	return d.Read(ctx, func(t View) error {
		if begun {
			return errors.New("the database went away while it was copied; begin again")
		}
		begun = true
		for _, b := range tables {
			if err := copyTable(t, b, func(page Set) error { return put(b.name, page) }); err != nil {
				return fmt.Errorf("copy the table %s: %w", b.name, err)
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
func (d *DB) tables(ctx context.Context) (tables []table, err error) {
	err = d.Read(ctx, func(t View) error {
		tables = nil
		if err := t.Query(func(r Row) error { tables = append(tables, table{name: r.Text(0)}); return nil },
			"SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations' ORDER BY name"); err != nil {
			return err
		}
		for i := range tables {
			b := &tables[i]
			if err := t.Query(func(r Row) error {
				b.columns, b.types = append(b.columns, r.Text(0)), append(b.types, r.Text(1))
				if r.Int(2) > 0 {
					b.keys = append(b.keys, r.Text(0))
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

// A page that is copied has pageRows rows, or fewer with pageBytes of texts and blobs.
const (
	pageRows  = 16384
	pageBytes = 16 << 20
)

// copyTable reads a table in the order of its key, and gives it to put page by page.
func copyTable(from View, b table, put func(page Set) error) error {
	page, size := b.page(), 0
	flush := func() error {
		if page.Len() == 0 {
			return nil
		}
		err := put(page)
		page, size = b.page(), 0
		return err
	}
	err := from.Query(func(r Row) error {
		for i := range page {
			switch c := &page[i]; b.types[i] {
			case "TEXT":
				c.texts = append(c.texts, r.Text(i))
				size += len(c.texts[len(c.texts)-1])
			case "BLOB":
				c.blobs = append(c.blobs, r.Bytes(i))
				size += len(c.blobs[len(c.blobs)-1])
			default:
				c.ints = append(c.ints, r.Int(i))
			}
		}
		if page.Len() == pageRows || size >= pageBytes {
			return flush()
		}
		return nil
	}, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(b.columns, ", "), b.name, strings.Join(b.keys, ", ")))
	if err != nil {
		return err
	}
	return flush()
}

func (b table) page() Set {
	s := make(Set, len(b.columns))
	for i, name := range b.columns {
		s[i].name = name
	}
	return s
}
