package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// maxDocument is the length in bytes of the longest document.
const maxDocument = 1 << 20

func checkDocument(name, text string) error {
	switch {
	case !slices.Contains(staking.DocumentNames, name):
		return ledger.ErrInvalid.In("name", "the document %q is unknown; it is one of %s", ledger.Clip(name), strings.Join(staking.DocumentNames, ", "))
	case strings.TrimSpace(text) == "":
		return ledger.ErrInvalid.In("text", "the document %s is empty", name)
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return ledger.ErrInvalid.In("text", "the document %s is not text in UTF-8", name)
	case len(text) > maxDocument:
		return ledger.ErrInvalid.In("text", "the document %s has %d bytes; at most %d are allowed", name, len(text), maxDocument)
	}
	return nil
}

// PublishDocument makes a text the current version of a document, which is to be
// accepted before the next activation; those that run go on. The text that is
// current already is not published again.
func (db *DB) PublishDocument(ctx context.Context, name, text string) (staking.Document, error) {
	if err := checkDocument(name, text); err != nil {
		return staking.Document{}, err
	}
	var d staking.Document
	err := db.engine.Write(ctx, func(t tx) error {
		d = staking.Document{Name: name}
		err := t.Query(func(r row) error {
			d.Version, d.Published, d.Text = int(r.Int(0)), timeOf(r.Int(1)), r.Text(2)
			return nil
		}, "SELECT version, published, content FROM documents WHERE name = $1 ORDER BY version DESC LIMIT 1", name)
		if err != nil || d.Text == text {
			return err
		}
		d.Version, d.Published, d.Text = d.Version+1, timeOf(db.now()), text
		if err := writeDocument(t, d); err != nil {
			return err
		}
		return db.logLine(t, "document publish", name, fmt.Sprintf("version %d", d.Version))
	})
	if err != nil {
		return staking.Document{}, fmt.Errorf("publish %s: %w", name, err)
	}
	return d, nil
}

// writeDocument writes a version that nobody else may have written meanwhile.
func writeDocument(t tx, d staking.Document) error {
	n, err := t.Exec("INSERT INTO documents (name, version, published, content) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		d.Name, int64(d.Version), d.Published.UnixMilli(), d.Text)
	if err == nil && n == 0 {
		err = errRetry
	}
	return err
}

// Accept keeps that the holder has accepted a version of a document; version 0 is
// the current one. The same twice is once, and the first stays. ErrNotFound if
// there is no such account, document or version.
func (db *DB) Accept(ctx context.Context, id ledger.Account, document string, version int, c staking.Client) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	if err := checkClient(&c); err != nil {
		return err
	}
	client, address := described(c)
	err := db.engine.Write(ctx, func(t tx) error {
		if _, err := FindAccount(t, id); err != nil {
			return err
		}
		current, err := CurrentDocuments(t)
		if err != nil {
			return err
		}
		wanted := version
		if wanted == 0 {
			wanted = current[document]
		}
		if wanted < 1 || wanted > current[document] {
			return ledger.ErrNotFound.In("", "document %q version %d", ledger.Clip(document), version).Because(ReasonUnknownDocument)
		}
		n, err := t.Exec(`INSERT INTO acceptances (bucket, account, document, version, accepted_at, client, address)
		                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			int64(id.Bucket()), string(id), document, int64(wanted), db.now(), client, address)
		if err != nil || n == 0 {
			return err
		}
		return db.logLine(t, "accept", string(id), fmt.Sprintf("%s version %d", document, wanted))
	})
	if err != nil {
		return fmt.Errorf("accept for %s: %w", id, err)
	}
	return nil
}

// currentDocuments are the current versions, by name.
func CurrentDocuments(t view) (map[string]int, error) {
	current := map[string]int{}
	err := t.Query(func(r row) error { current[r.Text(0)] = int(r.Int(1)); return nil }, "SELECT name, max(version) FROM documents GROUP BY name")
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	return current, nil
}

// acceptedVersions are the newest versions that a holder has accepted, by name.
func AcceptedVersions(t view, id ledger.Account) (map[string]int, error) {
	accepted := map[string]int{}
	err := t.Query(func(r row) error { accepted[r.Text(0)] = int(r.Int(1)); return nil },
		"SELECT document, max(version) FROM acceptances WHERE bucket = $1 AND account = $2 GROUP BY document", int64(id.Bucket()), string(id))
	if err != nil {
		return nil, fmt.Errorf("read what %s has accepted: %w", id, err)
	}
	return accepted, nil
}
