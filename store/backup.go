package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// backupMark names the row of meta that has the last backup: "TIME BYTES".
const backupMark = "backup"

// Backup is a snapshot that was written.
type Backup struct {
	At    time.Time // UTC; when it was complete
	Bytes int64     // of the file
}

// RecordBackup writes down that a snapshot is complete, now, and how many bytes it has: the latest is kept. It is no
// part of the snapshot itself.
func (b *DB) RecordBackup(ctx context.Context, bytes int64) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if _, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2)
		     ON CONFLICT (name) DO UPDATE SET value = excluded.value`, backupMark,
			fmt.Sprintf("%s %d", ledger.FormatTime(b.Now()), bytes)); err != nil {
			return err
		}
		return b.logLine(t, "backup", "books", fmt.Sprintf("%d bytes", bytes))
	})
	return annotate(err, "write down that there is a backup")
}

// LastBackup is the last snapshot that was written down, or false: there is none.
func LastBackup(t db.View) (last Backup, some bool, err error) {
	value, some, err := db.First(t, func(r db.Row) (string, error) { return r.Text(0), nil },
		"SELECT value FROM meta WHERE name = $1", backupMark)
	if err != nil || !some {
		return last, false, err
	}
	at, size, _ := strings.Cut(value, " ")
	if last.At, err = time.Parse(time.RFC3339, at); err == nil {
		_, err = fmt.Sscan(size, &last.Bytes)
	}
	return last, true, annotate(err, "read the last backup")
}
