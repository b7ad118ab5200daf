package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CheckSchema is ErrSchema if the books no longer have the schema of this program:
// another process has upgraded them. It may be called at any time.
func (db *DB) CheckSchema(ctx context.Context) error {
	return db.engine.Read(ctx, func(view) error { return nil })
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
// at the same time one does the work. It waits some seconds for the transactions of
// others, and fails where they do not end. progress is called with the number of the
// migration and the rows that it has worked through so far, where it counts them; it
// may be nil. ErrNoBooks and ErrSchema (of a newer program) as Open.
func Upgrade(ctx context.Context, url string, o Options, progress func(migration, rows int64)) (u Upgraded, err error) {
	db, err := connect(ctx, url, o, false)
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	u.To = int64(len(migrations))
	if u.From, err = db.engine.Version(ctx); err != nil {
		return u, err
	}
	if u.From == 0 {
		return u, ErrNoBooks
	}
	if err := db.checkRestored(ctx, false); err != nil {
		return u, err
	}
	if err := db.readTest(ctx, o.ClockMoved); err != nil {
		return u, err
	}
	switch {
	case u.From > u.To:
		return u, db.engine.CheckVersion(u.From)
	case u.From == u.To:
		return u, nil
	}
	db.upgradedFrom = u.From
	if err := db.engine.Migrate(ctx, u.To, progress); err != nil {
		return u, err
	}
	u.Changes, err = db.upgradeLines(ctx)
	return u, err
}

// upgradeLines are what the last upgrade wrote into the log, without the line that it was
// made: all after the upgrade before it, so that those of an interrupted one are among them.
func (db *DB) upgradeLines(ctx context.Context) (lines []LogLine, err error) {
	err = db.engine.Read(ctx, func(t view) error {
		lines = nil
		return t.Query(func(r row) error {
			lines = append(lines, ReadLogLine(r))
			return nil
		}, `SELECT `+LogColumns+` FROM log WHERE action = 'upgrade' AND subject <> 'books' AND at > (
		      SELECT COALESCE(max(b.at), 0) FROM log b WHERE b.action = 'upgrade' AND b.subject = 'books' AND b.at < (
		        SELECT max(l.at) FROM log l WHERE l.action = 'upgrade' AND l.subject = 'books'))
		    ORDER BY at, subject, detail`)
	})
	if err != nil {
		return nil, fmt.Errorf("read what the upgrade changed: %w", err)
	}
	return lines, nil
}

// schemaWait is how long an upgrade waits in PostgreSQL for the transactions of
// others; 0: as long as the database does. Tests set another.
var schemaWait time.Duration
