package store

import (
	"context"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
)

// fourEyes is whether the operations that may need approval do.
var fourEyes = setting{kind: integrity.FourEyes, reports: "whether operations need approval",
	on:  settingChange{"four-eyes on", "operations need approval"},
	off: settingChange{control.EndFourEyes, "one person alone does everything"}}

// FourEyes reports whether the operations that may need approval do.
func FourEyes(t db.View) (bool, error) { return fourEyes.read(t) }

// SetFourEyes sets whether operations need approval. That they do takes effect at once; that they do not any more needs
// approval itself. Idempotent.
func (b *DB) SetFourEyes(ctx context.Context, on bool) error { return b.set(ctx, fourEyes, on) }
