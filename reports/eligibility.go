package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// LatestSwitchEvents are an account's switch events, the newest first, those
// that come after one, or the first, at most limit. ErrNotFound if the account was
// never opened.
func (rs *Reports) LatestSwitchEvents(ctx context.Context, id ledger.Account, after *store.SwitchEvent,
	limit int) (events []store.SwitchEvent, err error) {
	if err := id.CheckHolder(); err != nil {
		return nil, err
	}
	if after == nil {
		after = &store.SwitchEvent{At: rs.Now().Add(24 * time.Hour)} // later than any
	}
	err = rs.Read(ctx, func(t db.View) error {
		if _, err := store.FindAccount(t, id); err != nil {
			return err
		}
		events, err = db.All(t, readSwitchEvent, `SELECT at, action, client, address FROM switch_events WHERE bucket = $1 AND account = $2 AND (at, action) < ($3, $4)
		     ORDER BY at DESC, action DESC LIMIT $5`, int64(id.Bucket()), string(id), after.At.UnixMilli(), after.Action, int64(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the switch events of %s: %w", id, err)
	}
	return events, nil
}

// DocumentVersions are all versions of the documents without their texts, in the
// order in which they are shown, and the newest of each last.
func (rs *Reports) DocumentVersions(ctx context.Context) ([]staking.Document, error) {
	versions := map[string][]staking.Document{}
	err := rs.Read(ctx, func(t db.View) error {
		clear(versions)
		return t.Query(func(r db.Row) error {
			d := staking.Document{Name: r.Text(0), Version: int(r.Int(1)), Published: db.TimeOf(r.Int(2))}
			versions[d.Name] = append(versions[d.Name], d)
			return nil
		}, "SELECT name, version, published FROM documents ORDER BY name, version")
	})
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	var documents []staking.Document
	for _, name := range staking.DocumentNames {
		documents = append(documents, versions[name]...)
	}
	return documents, nil
}

// Document is a version of a document, the current one if it is 0; ErrNotFound if there is none.
func (rs *Reports) Document(ctx context.Context, name string, version int) (d staking.Document, err error) {
	err = rs.Read(ctx, func(t db.View) error {
		found := false
		err := t.Query(func(r db.Row) error {
			found = true
			d = staking.Document{Name: name, Version: int(r.Int(0)), Published: db.TimeOf(r.Int(1)), Text: r.Text(2)}
			return nil
		}, "SELECT version, published, content FROM documents WHERE name = $1 AND (version = $2 OR $2 = 0) ORDER BY "+
			"version DESC LIMIT 1", name, int64(version))
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "document %q version %d", ledger.Clip(name), version)
		}
		return err
	})
	return d, err
}
