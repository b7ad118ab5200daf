// Package consent keeps the versions of the documents, and which of them holders have accepted. It
// knows accounts only by their IDs.
package consent

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/origin"
	"github.com/softstake/softstake/staking"
)

// ReasonUnknownDocument is ledger.ErrNotFound: there is no such document, or no such version of it.
const ReasonUnknownDocument = "unknown-document"

// Books are what documents need of the books.
type Books interface {
	// CheckAccount is ErrNotFound if the account was never opened.
	CheckAccount(t db.View, id ledger.Account) error
	// Permit is nil where an operation needs no approval or is approved: it is asked in the transaction of the operation,
	// which is refused with its error. content is what it was called with, and effect what it does.
	Permit(t db.Tx, needed bool, op control.Operation, content any, subject, effect string) error
	// Log writes a line of the log.
	Log(t db.Tx, action, subject, detail string) error
}

// Documents are the texts that holders accept. All methods are safe for concurrent use.
type Documents struct {
	db    *db.DB
	books Books
	clock func() time.Time
}

// New is the documents of books.
func New(d *db.DB, books Books, clock func() time.Time) *Documents {
	return &Documents{d, books, clock}
}

// now is the time of the clock, in UTC, cut to milliseconds.
func (d *Documents) now() time.Time { return db.TimeOf(d.clock().UnixMilli()) }

// maxDocument is the length in bytes of the longest document.
const maxDocument = 1 << 20

// Check refuses what cannot be the text of a document. Its errors are ledger.ErrInvalid.
func Check(name, text string) error {
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

// Publish makes a text the current version of a document, which is to be accepted before
// the next activation; those that run go on. The text that is current already is not
// published again.
func (d *Documents) Publish(ctx context.Context, name, text string) (current staking.Document, err error) {
	if err := Check(name, text); err != nil {
		return staking.Document{}, err
	}
	err = d.db.Write(ctx, func(t db.Tx) error {
		current, _, err = db.First(t, func(r db.Row) (staking.Document, error) {
			return staking.Document{Version: int(r.Int(0)), Published: db.TimeOf(r.Int(1)), Text: r.Text(2)}, nil
		}, "SELECT version, published, content FROM documents WHERE name = $1 ORDER BY version DESC LIMIT 1", name)
		current.Name = name
		if err != nil || current.Text == text {
			return err
		}
		current.Version, current.Published, current.Text = current.Version+1, d.now(), text
		if err := Write(t, current); err != nil {
			return err
		}
		version := fmt.Sprintf("version %d", current.Version)
		effect := fmt.Sprintf("%s of %d bytes, SHA-256 %x", version, len(text), sha256.Sum256([]byte(text)))
		if err := d.books.Permit(t, true, control.PublishDocument, staking.Document{Name: name, Text: text},
			name, effect); err != nil {
			return err
		}
		return d.books.Log(t, "document publish", name, version)
	})
	if err != nil {
		return staking.Document{}, fmt.Errorf("publish %s: %w", name, err)
	}
	return current, nil
}

// Write writes a version that nobody else may have written at the same time.
func Write(t db.Tx, d staking.Document) error {
	n, err := t.Exec("INSERT INTO documents (name, version, published, content) VALUES ($1, $2, $3, $4) "+
		"ON CONFLICT DO NOTHING", d.Name, int64(d.Version), d.Published.UnixMilli(), d.Text)
	if err == nil && n == 0 {
		err = db.ErrRetry
	}
	return err
}

// Accept records that the holder has accepted a version of a document; version 0 is
// the current one. Repeating has no further effect: the first stays. ErrNotFound if
// there is no such account, document or version.
func (d *Documents) Accept(ctx context.Context, id ledger.Account, document string, version int,
	c staking.Client) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	err := d.db.Write(ctx, func(t db.Tx) error {
		if err := d.books.CheckAccount(t, id); err != nil {
			return err
		}
		current, err := Current(t)
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
		now := d.now()
		n, err := WriteAcceptances(t, now, Acceptance{id, document, wanted, now, c})
		if err != nil || n == 0 {
			return err
		}
		return d.books.Log(t, "accept", string(id), fmt.Sprintf("%s version %d", document, wanted))
	})
	if err != nil {
		return fmt.Errorf("accept for %s: %w", id, err)
	}
	return nil
}

// Current are the current versions, by name.
func Current(t db.View) (map[string]int, error) {
	current, err := versions(t, "SELECT name, max(version) FROM documents GROUP BY name")
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	return current, nil
}

// Accepted are the newest versions that a holder has accepted, by name.
func Accepted(t db.View, id ledger.Account) (map[string]int, error) {
	accepted, err := versions(t, "SELECT document, max(version) FROM acceptances WHERE bucket = $1 AND account = "+
		"$2 GROUP BY document", int64(id.Bucket()), string(id))
	if err != nil {
		return nil, fmt.Errorf("read what %s has accepted: %w", id, err)
	}
	return accepted, nil
}

// versions reads versions by the name of their document.
func versions(t db.View, sql string, args ...any) (map[string]int, error) {
	byName := map[string]int{}
	err := t.Query(func(r db.Row) error { byName[r.Text(0)] = int(r.Int(1)); return nil }, sql, args...)
	return byName, err
}

// Acceptance is that an account has accepted a version of a document.
type Acceptance struct {
	Account  ledger.Account
	Document string
	Version  int
	At       time.Time
	Client   staking.Client
}

// WriteAcceptances writes what is accepted, now, and returns how much of it is new: the first
// acceptance of a version stays.
func WriteAcceptances(t db.Tx, now time.Time, accepted ...Acceptance) (n int64, err error) {
	type version struct {
		account, document string
		version           int64
	}
	added := map[version]bool{}
	n, err = t.Set(func(r db.Row) error {
		added[version{r.Text(0), r.Text(1), r.Int(2)}] = true
		return nil
	}, `INSERT INTO acceptances (bucket, account, document, version, accepted_at, recorded_at)
	    SELECT r.bucket, r.account, r.document, r.version, r.at, r.recorded FROM {rows} WHERE true ON CONFLICT DO NOTHING
	    RETURNING account, document, version`, db.SetOf(accepted,
		db.Int("bucket", func(a Acceptance) int64 { return int64(a.Account.Bucket()) }),
		db.Text("account", func(a Acceptance) string { return string(a.Account) }),
		db.Text("document", func(a Acceptance) string { return a.Document }),
		db.Int("version", func(a Acceptance) int64 { return int64(a.Version) }),
		db.Int("at", func(a Acceptance) int64 { return a.At.UnixMilli() }),
		db.Int("recorded", func(Acceptance) int64 { return now.UnixMilli() }),
	))
	var origins []origin.Origin // of what is new: where an earlier acceptance came from may have been removed
	for _, a := range accepted {
		if added[version{string(a.Account), a.Document, int64(a.Version)}] {
			origins = append(origins, origin.Origin{Account: a.Account, Event: origin.Acceptance(a.Document, a.Version),
				At: a.At.UnixMilli(), Client: a.Client.App(), Address: a.Client.Origin()})
		}
	}
	if err == nil {
		err = origin.Write(t, origins...)
	}
	if err != nil {
		return 0, fmt.Errorf("write what is accepted: %w", err)
	}
	return n, nil
}
