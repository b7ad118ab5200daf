package store

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Disclosure is what the operator says of where the rewards of a token come from, how they
// are worked out, and what is charged: in Markdown. Rulebooks ask custodians for it (MiCA
// Art. 66, VARA's custody rules IV.G). What the terms and the income say is shown beside it,
// and follows from the books.
type Disclosure struct {
	Asset     string
	Version   int // from 1; the highest is the current one
	Published time.Time
	Text      string
}

// maxDisclosure is the length in bytes of the longest disclosure.
const maxDisclosure = 64 << 10

// Disclose makes a text the current disclosure of a token. The text that is current already is
// not published again. Its errors are ledger.ErrInvalid, and ledger.ErrNotFound for a token that
// there is not.
func (b *DB) Disclose(ctx context.Context, asset, text string) (current Disclosure, err error) {
	if _, err := b.Asset(ctx, asset); err != nil {
		return Disclosure{}, err
	}
	switch {
	case strings.TrimSpace(text) == "":
		return Disclosure{}, ledger.ErrInvalid.In("text", "the disclosure of %s is empty", asset)
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return Disclosure{}, ledger.ErrInvalid.In("text", "the disclosure of %s is not text in UTF-8", asset)
	case len(text) > maxDisclosure:
		return Disclosure{}, ledger.ErrInvalid.In("text", "the disclosure of %s has %d bytes; at most %d are allowed",
			asset, len(text), maxDisclosure)
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		current, _, err = db.First(t, ReadDisclosure, "SELECT "+DisclosureColumns+
			" FROM disclosures WHERE asset = $1 ORDER BY version DESC LIMIT 1", asset)
		if err != nil || current.Text == text {
			return err
		}
		current = Disclosure{asset, current.Version + 1, db.TimeOf(b.now()), text}
		n, err := t.Exec("INSERT INTO disclosures (asset, version, published, content) VALUES ($1, $2, $3, $4) "+
			"ON CONFLICT DO NOTHING", asset, int64(current.Version), b.now(), text)
		if err == nil && n == 0 { // somebody else has published at the same time
			err = db.ErrRetry
		}
		if err != nil {
			return err
		}
		return b.logLine(t, "disclosure set", asset, fmt.Sprintf("version %d", current.Version))
	})
	if err != nil {
		return Disclosure{}, annotate(err, "set the disclosure of %s", asset)
	}
	return current, nil
}

// DisclosureColumns are what ReadDisclosure reads.
const DisclosureColumns = "asset, version, published, content"

// ReadDisclosure reads a row of disclosures.
func ReadDisclosure(r db.Row) (Disclosure, error) {
	return Disclosure{r.Text(0), int(r.Int(1)), db.TimeOf(r.Int(2)), r.Text(3)}, nil
}
