package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type documentsCmd struct {
	List    documentsListCmd    `cmd:"" help:"List the documents and their versions."`
	Show    documentsShowCmd    `cmd:"" help:"Print a document."`
	Publish documentsPublishCmd `cmd:"" help:"Publish a new version of a document."`
}

type documentsListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *documentsListCmd) Help() string {
	return `Example:

  softstake documents list`
}

type documentJSON struct {
	Name      string  `json:"name"`
	Version   int     `json:"version"`
	Published instant `json:"published"`
}

func (c *documentsListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		documents, err := reports.New(db.Reader()).DocumentVersions(ctx)
		return list[staking.Document]{
			json:    c.JSON,
			columns: []col{text("document"), figure("version"), text("published")},
			item: func(d staking.Document) (any, []string) {
				return documentJSON{d.Name, d.Version, instant(d.Published)},
					[]string{d.Name, strconv.Itoa(d.Version), wallTime(d.Published)}
			},
		}.print(env, documents, err)
	})
}

type documentsShowCmd struct {
	Document string `arg:"" help:"terms-of-use, soft-staking-terms or risk-warning."`
	Version  int    `placeholder:"N" help:"Without it the current one."`
}

func (c *documentsShowCmd) Help() string {
	return `Example:

  softstake documents show risk-warning`
}

func (c *documentsShowCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		d, err := reports.New(db.Reader()).Document(ctx, c.Document, c.Version)
		if errors.Is(err, ledger.ErrNotFound) {
			err = fmt.Errorf("there is no document %q of that version; see \"softstake documents list\"", c.Document)
		}
		return env.done(err, "%s\n", strings.TrimRight(strings.ReplaceAll(d.Text, "\r\n", "\n"), "\n"))
	})
}

type documentsPublishCmd struct {
	Document string `arg:"" help:"terms-of-use, soft-staking-terms or risk-warning."`
	File     string `arg:"" help:"Its text, in Markdown; - is the standard input."`
}

func (c *documentsPublishCmd) Help() string {
	return `A holder must accept the new version before switching on again; what is on stays on. The text of the current version again changes nothing.

Example:

  softstake documents publish risk-warning risk-warning.md`
}

// longestDocument is the most bytes that a document's text may have.
const longestDocument = 1 << 20

func (c *documentsPublishCmd) Run(env *Env) error {
	content, err := readDocument(env, c.File)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		d, err := db.Documents().Publish(ctx, c.Document, content)
		return env.done(err, "%s is at version %d.\n", d.Name, d.Version)
	})
}

// readDocument reads a text, of at most longestDocument bytes.
func readDocument(env *Env, file string) (string, error) {
	content, err := readFile(env, file, func(in io.Reader) ([]byte, error) {
		return io.ReadAll(io.LimitReader(in, longestDocument+1))
	})
	if err == nil && len(content) > longestDocument {
		err = fmt.Errorf("%s is longer than %d bytes", file, longestDocument)
	}
	return string(content), err
}
