package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// documentsCmd publishes and shows the documents that holders accept.
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

// Run lists the documents.
func (c *documentsListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		documents, err := reports.New(db.Reader()).Documents(ctx)
		if err != nil {
			return err
		}
		out, grid := newJSONList(env.Stdout), newGrid(text("document"), figure("version"), text("published"))
		for _, d := range documents {
			if c.JSON {
				if err := out.add(documentJSON{d.Name, d.Version, instant(d.Published)}); err != nil {
					return err
				}
			}
			grid.add(d.Name, strconv.Itoa(d.Version), wallTime(d.Published))
		}
		if c.JSON {
			return out.end()
		}
		return grid.write(env.Stdout)
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

// Run prints the document.
func (c *documentsShowCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		documents, err := reports.New(db.Reader()).Documents(ctx)
		if err != nil {
			return err
		}
		var found *staking.Document
		for i, d := range documents {
			if d.Name == c.Document && (c.Version == 0 || c.Version == d.Version) {
				found = &documents[i] // versions come in order
			}
		}
		if found == nil {
			return fmt.Errorf("there is no document %q of that version; see \"softstake documents list\"", c.Document)
		}
		return env.printf("%s\n", strings.TrimRight(strings.ReplaceAll(found.Text, "\r\n", "\n"), "\n"))
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

// Run publishes the document.
func (c *documentsPublishCmd) Run(env *Env) error {
	content, err := c.read(env)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		d, err := db.PublishDocument(ctx, c.Document, content)
		if err != nil {
			return err
		}
		return env.printf("%s is at version %d.\n", d.Name, d.Version)
	})
}

func (c *documentsPublishCmd) read(env *Env) (content string, err error) {
	in, _, err := env.file(c.File)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	b, err := io.ReadAll(io.LimitReader(in, longestDocument+1))
	if err == nil && len(b) > longestDocument {
		err = fmt.Errorf("%s is longer than %d bytes", c.File, longestDocument)
	}
	return string(b), err
}
