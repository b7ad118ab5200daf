package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store/restore"
)

// ErrUnfinished says that a database holds books that are being restored, or whose
// restore was interrupted, or failed its audit.
const ErrUnfinished ledger.ErrorKind = "these books are not restored to their end"

// ErrFindings says that restored books do not agree with their journal.
const ErrFindings ledger.ErrorKind = "the audit of the restored books finds differences"

// Restored says what was restored, and how an older snapshot was upgraded.
type Restored struct {
	Upgraded
	Rows  int64
	Audit audit.Report
}

// RestoreOptions are the settings of a restore.
type RestoreOptions struct {
	Progress func(what string, done, of int) // of 0: not known; may be nil; called from several goroutines
	// Audit audits all of what was restored; progress may be called from several goroutines.
	Audit func(ctx context.Context, books Reader, progress func(done, of int)) (audit.Report, error)
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
	if r.Progress == nil {
		r.Progress = func(string, int, int) {}
	}
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
	b, err := connect(ctx, "sqlite:"+path, o, false)
	if err != nil {
		return nil, err
	}
	_, err = b.readFirstDay(ctx)
	if err == nil {
		err = b.checkRestored(ctx, false)
	}
	if err == nil {
		err = b.readTest(ctx, o.ClockMoved)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), b.Close())
	}
	return b, nil
}

// checkRestored is ErrUnfinished for books that are not restored to their end.
// audited says that those may be read whose rows are all there.
func (b *DB) checkRestored(ctx context.Context, audited bool) error {
	var state restore.State
	err := b.engine.Read(ctx, func(t db.View) (err error) {
		state, err = restore.StateOf(t, "")
		return err
	})
	switch {
	case err != nil || state == "" || audited && state == restore.Copied:
		return err
	case state == restore.Copied:
		return ErrUnfinished.In("", "their audit was interrupted or found differences").Because(ReasonNotAudited)
	}
	return ErrUnfinished.In("", "not all of it is copied").Because(ReasonNotCopied)
}

// restore makes the schema of the snapshot, copies its rows, and upgrades them.
func (b *DB) restore(ctx context.Context, from *DB, done *Restored, r RestoreOptions) error {
	attempt, err := restore.Begin(ctx, b.engine, done.From)
	if err != nil {
		return err
	}
	if err := attempt.Copy(ctx, from.engine, func(table string, rows int) {
		done.Rows += int64(rows)
		r.Progress("restoring "+table, int(done.Rows), 0)
	}); err != nil {
		return err
	}
	if done.Changes, err = b.upgrade(ctx, done.From, func(migration, rows int64) {
		r.Progress(fmt.Sprintf("upgrading to schema %d", migration), int(rows), 0)
	}); err != nil {
		return err
	}
	if err := inOrder(func() error { return b.Outbox().Restart(ctx) },
		func() error { return b.restartPayouts(ctx) }, func() error { return b.disableWebhooks(ctx) }); err != nil {
		return err
	}
	return attempt.Copied(ctx)
}

// finishRestore audits what was copied, and makes it usable if it is clean.
func finishRestore(ctx context.Context, snapshot, url string, o Options, done *Restored, r RestoreOptions) error {
	o.Unfinished = true
	b, err := Open(ctx, url, o)
	if err != nil {
		return err
	}
	done.Audit, err = r.Audit(ctx, b.Reader(), func(n, of int) { r.Progress("auditing", n, of) })
	switch {
	case err != nil:
	case done.Audit.Total > 0:
		err = ErrFindings.In("", "%d", done.Audit.Total).Because(ReasonFindings)
	default:
		err = b.engine.Write(ctx, func(t db.Tx) error {
			if err := restore.Finish(t); err != nil {
				return err
			}
			return b.logLine(t, "restore", "books", fmt.Sprintf("from %s with %d rows of schema %d",
				strings.ToValidUTF8(filepath.Base(snapshot), "?"), done.Rows, done.From))
		})
	}
	return errors.Join(err, b.Close())
}
