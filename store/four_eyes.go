package store

import (
	"context"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
)

// fourEyesMark names the row of meta that reports whether operations need approval: "on" or "off". Books made before
// there
// were approvals have none, and are off.
const fourEyesMark = "four_eyes"

// FourEyes reports whether the operations that may need approval do.
func FourEyes(t db.View) (bool, error) {
	n, err := db.Count(t, "SELECT count(*) FROM meta WHERE name = $1 AND value = 'on'", fourEyesMark)
	return n > 0, annotate(err, "read whether operations need approval")
}

// fourEyes is FourEyes, which does not change until the transaction ends.
func fourEyes(t db.Tx) (bool, error) {
	if err := t.Query(nil, "SELECT value FROM meta WHERE name = $1"+t.Share(), fourEyesMark); err != nil {
		return false, annotate(err, "lock whether operations need approval")
	}
	return FourEyes(t)
}

// SetFourEyes sets whether operations need approval. That they do takes effect at once; that they do not any more needs
// approval itself. Idempotent.
func (b *DB) SetFourEyes(ctx context.Context, on bool) error {
	op, value, says := control.Operation("four-eyes on"), "on", "operations need approval"
	if !on {
		op, value, says = control.EndFourEyes, "off", "one person alone does everything"
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		was, err := fourEyes(t)
		if err != nil || was == on {
			return err
		}
		if !on {
			if err := b.permit(t, op, struct{}{}, "books", says); err != nil {
				return err
			}
		}
		if err := b.writeFourEyes(t, value); err != nil {
			return err
		}
		return b.logLine(t, string(op), "books", says)
	})
	return annotate(err, "set whether operations need approval")
}

func (b *books) writeFourEyes(t db.Tx, value string) error {
	_, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		fourEyesMark, value)
	if err == nil {
		err = b.wrote(t, integrity.FourEyes, fourEyesMark)
	}
	return err
}
