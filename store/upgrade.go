package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store/schema"
)

// ErrNoBooks says that a database has no books in it yet.
const ErrNoBooks ledger.ErrorKind = "there are no books in this database yet"

// SchemaVersion is the schema that this program works with.
func SchemaVersion() int { return schema.Version() }

// steps are the migrations. Tests add some.
var steps = schema.Steps

// migrations are the steps of these books. The last one of an upgrade writes a line of the log.
func (b *DB) migrations() []db.Migration {
	all := steps(b.clock, b.actor)
	last := &all[len(all)-1]
	fill := last.Fill
	last.Fill = func(ctx context.Context, t db.Tx, progress func(rows int64)) (err error) {
		if fill != nil {
			err = fill(ctx, t, progress)
		}
		if err == nil && b.upgradedFrom > 0 {
			err = integrity.Backfill(t, b.clock(), progress)
		}
		if err == nil && b.upgradedFrom > 0 {
			err = b.protectSince(t, b.upgradedFrom, progress)
		}
		if err == nil && b.upgradedFrom > 0 {
			err = b.logLine(t, "upgrade", "books", fmt.Sprintf("from schema %d to %d", b.upgradedFrom, len(all)))
		}
		for _, role := range b.appRoles {
			if err == nil {
				err = b.grantRole(t, role)
			}
		}
		return err
	}
	return all
}

// CheckSchema is ErrSchema if the books no longer have the schema of this program:
// another process has upgraded them. It may be called at any time.
func (b *DB) CheckSchema(ctx context.Context) error {
	return b.engine.Read(ctx, func(db.View) error { return nil })
}

// Upgraded says from which schema to which books were brought, and what that changed for
// holders and operators: the lines of the log that say so, the oldest first.
type Upgraded struct {
	From, To int64
	Changes  []LogLine
}

// Upgrade brings the schema of the books at "sqlite:PATH" or "postgres://…" up to
// this program's, each migration in a transaction of its own: one that was
// interrupted is run from its beginning by the next call, those before it stay done.
// Where nothing is to be done it changes nothing. Of several processes that call it
// at the same time one does the work. Roles of PostgreSQL that GrantRole was called for are
// granted what the new schema needs. It waits some seconds for the transactions of
// others, and fails where they do not end. progress is called with the number of the
// migration and the rows that it has worked through so far, where it counts them; it
// may be nil. ErrNoBooks and ErrSchema (of a newer program) as Open.
func Upgrade(ctx context.Context, url string, o Options, progress func(migration, rows int64)) (u Upgraded, err error) {
	b, err := connect(ctx, url, o, false)
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	u.To = b.engine.Known()
	if u.From, err = b.version(ctx, false); err != nil {
		return u, err
	}
	if err := b.readTest(ctx, o.ClockMoved); err != nil {
		return u, err
	}
	if u.From >= u.To {
		return u, b.engine.CheckVersion(u.From)
	}
	u.Changes, err = b.upgrade(ctx, u.From, progress)
	return u, err
}

// version is the schema of the books: ErrNoBooks if there are none, ErrUnfinished as
// checkRestored.
func (b *DB) version(ctx context.Context, audited bool) (int64, error) {
	n, err := b.engine.Version(ctx)
	if err == nil && n == 0 {
		err = ErrNoBooks
	}
	if err == nil {
		err = b.checkRestored(ctx, audited)
	}
	return n, err
}

// upgrade runs the migrations after one, and says what they changed.
func (b *DB) upgrade(ctx context.Context, from int64, progress func(migration, rows int64)) (changes []LogLine,
	err error) {
	b.upgradedFrom = from
	if b.appRoles, err = b.grantedRoles(ctx); err != nil {
		return nil, err
	}
	if err := b.engine.Migrate(ctx, b.engine.Known(), progress); err != nil || from == b.engine.Known() {
		return nil, err
	}
	return b.upgradeLines(ctx)
}

// upgradeLines are what the last upgrade wrote into the log, without the line that it was
// made: all after the upgrade before it, so that those of an interrupted one are among them.
func (b *DB) upgradeLines(ctx context.Context) (lines []LogLine, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		lines, err = db.All(t, ReadLogLine, `SELECT `+LogColumns+` FROM log WHERE action = 'upgrade' AND subject <> 'books' AND at > (
		      SELECT COALESCE(max(b.at), 0) FROM log b WHERE b.action = 'upgrade' AND b.subject = 'books' AND b.at < (
		        SELECT max(l.at) FROM log l WHERE l.action = 'upgrade' AND l.subject = 'books'))
		    ORDER BY at, subject, detail`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what the upgrade changed: %w", err)
	}
	return lines, nil
}

// schemaWait is how long an upgrade waits in PostgreSQL for the transactions of
// others; 0: as long as the database does. Tests set another.
var schemaWait time.Duration
