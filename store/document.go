package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// maxDocument is the length in bytes of the longest document.
const maxDocument = 1 << 20

func checkDocument(name, text string) error {
	switch {
	case !slices.Contains(staking.DocumentNames, name):
		return ledger.ErrInvalid.In("name", "the document %q is unknown; it is one of %s", ledger.Clip(name),
			strings.Join(staking.DocumentNames, ", "))
	case strings.TrimSpace(text) == "":
		return ledger.ErrInvalid.In("text", "the document %s is empty", name)
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return ledger.ErrInvalid.In("text", "the document %s is not text in UTF-8", name)
	case len(text) > maxDocument:
		return ledger.ErrInvalid.In("text", "the document %s has %d bytes; at most %d are allowed", name, len(text),
			maxDocument)
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

// writeDocument writes a version that nobody else may have written at the same time.
func writeDocument(t tx, d staking.Document) error {
	n, err := t.Exec("INSERT INTO documents (name, version, published, content) VALUES ($1, $2, $3, $4) ON "+
		"CONFLICT DO NOTHING",
		d.Name, int64(d.Version), d.Published.UnixMilli(), d.Text)
	if err == nil && n == 0 {
		err = errRetry
	}
	return err
}

// Accept records that the holder has accepted a version of a document; version 0 is
// the current one. Repeating has no further effect: the first stays. ErrNotFound if
// there is no such account, document or version.
func (db *DB) Accept(ctx context.Context, id ledger.Account, document string, version int, c staking.Client) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	if err := checkClient(&c); err != nil {
		return err
	}
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
			return ledger.ErrNotFound.In("", "document %q version %d", ledger.Clip(document),
				version).Because(ReasonUnknownDocument)
		}
		n, err := writeAcceptances(t, acceptanceRow{id, DocumentVersion{document, wanted}, db.now(), c})
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

// CurrentDocuments are the current versions, by name.
func CurrentDocuments(t view) (map[string]int, error) {
	current, err := versions(t, "SELECT name, max(version) FROM documents GROUP BY name")
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	return current, nil
}

// AcceptedVersions are the newest versions that a holder has accepted, by name.
func AcceptedVersions(t view, id ledger.Account) (map[string]int, error) {
	accepted, err := versions(t, "SELECT document, max(version) FROM acceptances WHERE bucket = $1 AND account = "+
		"$2 GROUP BY document", int64(id.Bucket()), string(id))
	if err != nil {
		return nil, fmt.Errorf("read what %s has accepted: %w", id, err)
	}
	return accepted, nil
}

// versions reads versions by the name of their document.
func versions(t view, sql string, args ...any) (map[string]int, error) {
	byName := map[string]int{}
	err := t.Query(func(r row) error { byName[r.Text(0)] = int(r.Int(1)); return nil }, sql, args...)
	return byName, err
}

// acceptanceRow is what an account accepts of a document, in milliseconds.
type acceptanceRow struct {
	account ledger.Account
	DocumentVersion
	at     int64
	client staking.Client
}

// writeAcceptances writes what is accepted, and returns how much of it is new: the first
// acceptance of a version stays.
func writeAcceptances(t tx, rows ...acceptanceRow) (n int64, err error) {
	n, err = t.Set(nil, `INSERT INTO acceptances (bucket, account, document, version, accepted_at, client, address)
	                     SELECT r.bucket, r.account, r.document, r.version, r.at, r.client, r.address FROM {rows} WHERE true ON CONFLICT DO NOTHING`, db.SetOf(rows,
		db.Int("bucket", func(a acceptanceRow) int64 { return int64(a.account.Bucket()) }),
		db.Text("account", func(a acceptanceRow) string { return string(a.account) }),
		db.Text("document", func(a acceptanceRow) string { return a.Name }),
		db.Int("version", func(a acceptanceRow) int64 { return int64(a.Version) }),
		db.Int("at", func(a acceptanceRow) int64 { return a.at }),
		db.Text("client", func(a acceptanceRow) string { return clientText(a.client) }),
		db.Text("address", func(a acceptanceRow) string { return addressText(a.client) }),
	))
	if err != nil {
		return 0, fmt.Errorf("write what is accepted: %w", err)
	}
	return n, nil
}
