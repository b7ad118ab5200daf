package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/softstake/softstake/store"
)

// backupCmd writes a snapshot of the books.
type backupCmd struct {
	File string `arg:"" help:"New SQLite file."`
}

func (c *backupCmd) Help() string {
	return `The snapshot is consistent while the books are in use, and complete: it can be audited, and gone on with. From PostgreSQL too it is an SQLite file. The file appears under its name when it is whole, and the log and the console show when that was.

Examples:

  softstake backup backup.db
  softstake audit --db sqlite:backup.db`
}

func (c *backupCmd) Run(env *Env) error {
	if c.File == "" {
		return usage("name a new file to back up into, such as backup.db")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		bar := newMeter(env, "backing up", 0)
		err := db.Engine().Backup(ctx, c.File, func(rows int64) { bar.to(rows, bar.what) })
		if err = cmp.Or(err, bar.end()); err != nil {
			return err
		}
		info, err := os.Stat(c.File)
		if err != nil {
			return fmt.Errorf("look at the backup: %w", err)
		}
		// A copy that only takes reads is backed up too, and keeps no record of it.
		if err := db.RecordBackup(ctx, info.Size()); err != nil {
			if err := env.warnf("The backup is complete, but could not be recorded: %s", plain(err)); err != nil {
				return err
			}
		}
		return env.printf("Backed up into %s, %s. Try it: softstake audit --db sqlite:%s\n", filepath.Base(c.File),
			megabytes(info.Size()), c.File)
	})
}
