package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/store"
)

// LastBackup is the last snapshot that was written down; its At is zero where there is none.
func (rs *Reports) LastBackup(ctx context.Context) (store.Backup, error) {
	return read(ctx, rs, "", func(t db.View) (store.Backup, error) {
		last, _, err := store.LastBackup(t)
		return last, err
	})
}
