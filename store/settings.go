package store

import (
	"context"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
)

// setting is a row of meta that is "on" or "off". Books from before there was the setting have none, and are off.
type setting struct {
	kind    integrity.Kind // of its versions; its name is that of the row, too
	reports string         // what it reports, for errors: whether …
	on, off settingChange  // off needs approval
}

// settingChange is what the log says of a change of a setting.
type settingChange struct {
	op   control.Operation
	says string
}

// read reports whether the setting is on.
func (s setting) read(t db.View) (bool, error) {
	n, err := db.Count(t, "SELECT count(*) FROM meta WHERE name = $1 AND value = 'on'", string(s.kind))
	return n > 0, annotate(err, "read %s", s.reports)
}

// share is read, of a setting that does not change until the transaction ends.
func (s setting) share(t db.Tx) (bool, error) {
	if err := t.Query(nil, "SELECT value FROM meta WHERE name = $1"+t.Share(), string(s.kind)); err != nil {
		return false, annotate(err, "lock %s", s.reports)
	}
	return s.read(t)
}

// set changes a setting. On takes effect at once; off needs approval. Idempotent.
func (b *DB) set(ctx context.Context, s setting, on bool) error {
	change := s.off
	if on {
		change = s.on
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		was, err := s.share(t)
		if err != nil || was == on {
			return err
		}
		if !on {
			if err := b.permit(t, change.op, struct{}{}, "books", change.says); err != nil {
				return err
			}
		}
		if err := b.writeSetting(t, s, on); err != nil {
			return err
		}
		return b.logLine(t, string(change.op), "books", change.says)
	})
	return annotate(err, "set %s", s.reports)
}

func (b *books) writeSetting(t db.Tx, s setting, on bool) error {
	value := "off"
	if on {
		value = "on"
	}
	_, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2)
	     ON CONFLICT (name) DO UPDATE SET value = excluded.value`, string(s.kind), value)
	if err == nil {
		err = b.wrote(t, s.kind, string(s.kind))
	}
	return err
}
