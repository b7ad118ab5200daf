package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/ledger"
)

// ErrUnfinished says that a database holds books that are being restored, or whose
// restore was interrupted, or failed its audit.
const ErrUnfinished ledger.ErrorKind = "these books are not restored to their end"

// ErrFindings says that restored books do not agree with their journal.
const ErrFindings ledger.ErrorKind = "the audit of the restored books finds differences"

// restoring names the row of meta that marks books which are being restored. Its value is
// their state: restoreCopying and the name of the attempt, then restoreCopied.
const (
	restoring      = "restoring"
	restoreCopying = "copying "
	restoreCopied  = "copied"
)

// Restored says what was restored, and how an older snapshot was upgraded.
type Restored struct {
	Upgraded
	Rows  int64
	Audit audit.Report
}

// RestoreOptions say how a restore works.
type RestoreOptions struct {
	Progress func(what string, done, of int) // of 0: not known; may be nil; called from several goroutines
	// Audit audits all of what was restored; progress may be called from several goroutines.
	Audit func(ctx context.Context, books Reader, progress func(done, of int)) (audit.Report, error)
}

func (o RestoreOptions) progress(what string, done, of int) {
	if o.Progress != nil {
		o.Progress(what, done, of)
	}
}

// Restore makes books at "sqlite:PATH" or "postgres://…" from a snapshot that Backup
// has written, of this schema or an older one; the snapshot is only read. It refuses a
// database in which there are books. The books can be opened when every row is copied,
// their schema is this program's, and an audit of all of them has found nothing: until
// then Open says ErrUnfinished. One that was interrupted, or that failed its audit, is
// repeated by calling it again: what it has made is removed first. Where two processes
// restore into one database, the later removes what the former has made, and the former
// fails. ErrFindings, with the report, if the audit finds anything.
func Restore(ctx context.Context, snapshot, url string, o Options, r RestoreOptions) (done Restored, err error) {
	from, err := openSnapshot(ctx, snapshot, o)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if done.From, err = from.engine.Version(ctx); err != nil {
		return done, err
	}
	if done.To = from.engine.Known(); done.From > done.To {
		return done, fmt.Errorf("%s: %w", snapshot, from.engine.CheckVersion(done.From))
	}
	to, err := connect(ctx, url, o, true)
	if err != nil {
		return done, err
	}
	err = to.restore(ctx, from, &done, r)
	if err = errors.Join(err, to.Close()); err != nil {
		return done, fmt.Errorf("restore %s: %w", snapshot, err)
	}
	err = finishRestore(ctx, snapshot, url, o, &done, r)
	return done, err
}

// openSnapshot opens a snapshot to be read, and nothing else: no file is made beside it.
func openSnapshot(ctx context.Context, path string, o Options) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the snapshot: %w", err)
	}
	o.ReadOnly = true
	db, err := connect(ctx, "sqlite:"+path, o, false)
	if err != nil {
		return nil, err
	}
	_, err = db.readFirstDay(ctx)
	if err == nil {
		err = db.checkRestored(ctx, false)
	}
	if err == nil {
		err = db.readTest(ctx, o.ClockMoved)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return db, nil
}

// restore makes the schema of the snapshot, copies its rows, and upgrades them.
func (db *DB) restore(ctx context.Context, from *DB, done *Restored, r RestoreOptions) error {
	attempt := restoreCopying + rand.Text()
	if err := db.beginRestore(ctx, attempt, done.From); err != nil {
		return err
	}
	if err := db.copyFrom(ctx, from, attempt, done, r); err != nil {
		return err
	}
	var err error
	if done.Changes, err = db.upgrade(ctx, done.From, func(migration, rows int64) {
		r.progress(fmt.Sprintf("upgrading to schema %d", migration), int(rows), 0)
	}); err != nil {
		return err
	}
	return db.engine.Write(ctx, func(t tx) error {
		n, err := t.Exec("UPDATE meta SET value = $1 WHERE name = $2 AND value = $3", restoreCopied, restoring, attempt)
		if err == nil && n == 0 {
			err = errOvertaken
		}
		return err
	})
}

// errOvertaken ends an attempt that another has replaced.
var errOvertaken = errors.New("another process restores into this database; this one has stopped")

// beginRestore makes an empty schema with the mark of this attempt, instead of what an
// earlier attempt has left.
func (db *DB) beginRestore(ctx context.Context, attempt string, schema int64) error {
	n, err := db.engine.Version(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		if err := db.removeUnfinished(ctx); err != nil {
			return err
		}
	}
	if err := db.engine.Migrate(ctx, schema, nil); err != nil {
		return err
	}
	return db.engine.Write(ctx, func(t tx) error {
		if err := db.engine.LockSchema(t); err != nil {
			return err
		}
		rows, err := count(t, "SELECT count(*) FROM meta")
		if err == nil && rows > 0 {
			err = errors.New("another process makes books here at this moment; name another database")
		}
		if err != nil {
			return err
		}
		_, err = t.Exec("INSERT INTO meta (name, value) VALUES ($1, $2)", restoring, attempt)
		return err
	})
}

// checkRestored is ErrUnfinished for books that are not restored to their end.
// audited says that those may be read whose rows are all there.
func (db *DB) checkRestored(ctx context.Context, audited bool) error {
	var state string
	err := db.engine.Read(ctx, func(t view) (err error) {
		state, err = restoreState(t, "")
		return err
	})
	switch {
	case err != nil || state == "" || audited && state == restoreCopied:
		return err
	case state == restoreCopied:
		return ErrUnfinished.In("", "their audit was interrupted or found differences").Because(ReasonNotAudited)
	}
	return ErrUnfinished.In("", "not all of it is copied").Because(ReasonNotCopied)
}

// restoreState is how far a restore is; "": these books are not being restored.
func restoreState(t view, lock string) (state string, err error) {
	err = t.Query(func(r row) error { state = r.Text(0); return nil }, "SELECT value FROM meta WHERE name = $1"+lock,
		restoring)
	return state, err
}

// removeUnfinished removes what an interrupted restore, or an interrupted making of
// books, has left. It refuses to remove books.
func (db *DB) removeUnfinished(ctx context.Context) error {
	err := db.engine.Write(ctx, func(t tx) error {
		if err := db.engine.LockSchema(t); err != nil {
			return err
		}
		state, err := restoreState(t, "")
		if err != nil {
			return err
		}
		rows, err := count(t, "SELECT count(*) FROM meta")
		if err == nil && rows > 0 && state == "" {
			err = errors.New("there are books in this database already; restore into an empty one")
		}
		if err != nil {
			return err
		}
		return db.engine.DropSchema(t)
	})
	if err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	return nil
}

// copyFrom copies every row of the snapshot.
func (db *DB) copyFrom(ctx context.Context, from *DB, attempt string, done *Restored, r RestoreOptions) error {
	return from.engine.Pages(ctx, from.engine, func(table string, page set) error {
		err := db.engine.Write(ctx, func(t tx) error {
			state, err := restoreState(t, t.Share())
			if err == nil && state != attempt {
				err = errOvertaken
			}
			if err != nil {
				return err
			}
			return t.Insert(table, page)
		})
		done.Rows += int64(page.Len())
		r.progress("restoring "+table, int(done.Rows), 0)
		return err
	})
}

// finishRestore audits what was copied, and makes it usable if it is clean.
func finishRestore(ctx context.Context, snapshot, url string, o Options, done *Restored, r RestoreOptions) error {
	o.Unfinished = true
	db, err := Open(ctx, url, o)
	if err != nil {
		return err
	}
	done.Audit, err = r.Audit(ctx, db.Reader(), func(n, of int) { r.progress("auditing", n, of) })
	switch {
	case err != nil:
	case done.Audit.Total > 0:
		err = ErrFindings.In("", "%d", done.Audit.Total).Because(ReasonFindings)
	default:
		err = db.engine.Write(ctx, func(t tx) error {
			if _, err := t.Exec("DELETE FROM meta WHERE name = $1 AND value = $2", restoring, restoreCopied); err != nil {
				return err
			}
			return db.logLine(t, "restore", "books", fmt.Sprintf("from %s with %d rows of schema %d",
				strings.ToValidUTF8(filepath.Base(snapshot), "?"), done.Rows, done.From))
		})
	}
	return errors.Join(err, db.Close())
}
