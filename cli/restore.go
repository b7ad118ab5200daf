package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// restoreCmd makes books from a snapshot.
type restoreCmd struct {
	Snapshot string `arg:"" help:"SQLite file that \"backup\" has written."`
}

func (c *restoreCmd) Help() string {
	return `The books are made at --db, which must be an empty database of PostgreSQL or a new SQLite file, from a snapshot of either; the snapshot is only read. A snapshot of an older softstake is upgraded on the way.

When all rows are copied, the books are audited. Until the audit has found nothing, every command but "audit" refuses them, and the exit status is 1. Where the command was interrupted, or the audit found something, run it again with the same or another snapshot: it begins again.

The key that secrets are sealed with is not in the snapshot: bring its file too.

Examples:

  softstake restore backup.db --db postgres://softstake@localhost/books
  softstake restore backup.db --db sqlite:restored.db`
}

func (c *restoreCmd) Run(env *Env) error {
	const parts = 1000
	rows, audited := newMeter(env, "restoring", 0), newMeter(env, "auditing", parts)
	r, err := store.Restore(env.Context, c.Snapshot, env.DB, env.options(), store.RestoreOptions{
		Audit: func(ctx context.Context, books store.Reader, progress func(done, of int)) (audit.Report, error) {
			return audit.Run(ctx, reports.AuditOf(books), audit.Options{Workers: runtime.GOMAXPROCS(0), Progress: progress})
		},
		Progress: func(what string, done, of int) {
			if of == 0 {
				rows.to(int64(done), what)
				return
			}
			audited.to(int64(done)*parts/int64(of), what)
		},
	})
	err = cmp.Or(err, rows.end(), audited.end())
	if errors.Is(err, store.ErrFindings) {
		return errors.Join((&auditCmd{}).write(env, r.Audit), err)
	}
	if err != nil {
		return err
	}
	upgraded := ""
	if r.From != r.To {
		upgraded = fmt.Sprintf(", and upgraded from schema %d to %d", r.From, r.To)
	}
	return cmp.Or(printChanges(env, r.Changes),
		env.printf("Restored %s into %s%s.\n", count(r.Rows, "row", "rows"), redact(env.DB), upgraded),
		(&auditCmd{}).write(env, r.Audit))
}
