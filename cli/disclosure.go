package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

type disclosureCmd struct {
	List disclosureListCmd `cmd:"" help:"List what is stated, and its versions."`
	Show disclosureShowCmd `cmd:"" help:"Print what is stated of a token."`
	Set  disclosureSetCmd  `cmd:"" help:"State where the rewards of a token come from."`
}

type disclosureListCmd struct {
	JSON bool `help:"Print a JSON array."`
}

func (c *disclosureListCmd) Help() string {
	return `Example:

  softstake disclosure list`
}

type disclosureJSON struct {
	Asset     string  `json:"asset"`
	Version   int     `json:"version"`
	Published instant `json:"published"`
}

func (c *disclosureListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		versions, err := reports.New(db.Reader()).DisclosureVersions(ctx)
		return list[store.Disclosure]{
			json:    c.JSON,
			columns: []col{text("token"), figure("version"), text("published")},
			item: func(d store.Disclosure) (any, []string) {
				return disclosureJSON{d.Asset, d.Version, instant(d.Published)},
					[]string{d.Asset, strconv.Itoa(d.Version), wallTime(d.Published)}
			},
			none: "Nothing is stated.\n",
		}.print(env, versions, err)
	})
}

type disclosureShowCmd struct {
	Asset   string `arg:"" help:"Token."`
	Version int    `placeholder:"N" help:"Without it the current one."`
}

func (c *disclosureShowCmd) Help() string {
	return `Example:

  softstake disclosure show SOL`
}

func (c *disclosureShowCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		d, err := reports.New(db.Reader()).DisclosureVersion(ctx, c.Asset, c.Version)
		if errors.Is(err, ledger.ErrNotFound) {
			err = fmt.Errorf("nothing of that version is stated of %q; see \"softstake disclosure list\"", c.Asset)
		}
		return env.done(err, "%s\n", strings.TrimRight(strings.ReplaceAll(d.Text, "\r\n", "\n"), "\n"))
	})
}

type disclosureSetCmd struct {
	Asset string `arg:"" help:"Token."`
	File  string `arg:"" help:"The statement, in Markdown; - is the standard input."`
}

func (c *disclosureSetCmd) Help() string {
	return `It is shown on the public page of rates and in /v1, beside what follows from the books: the rate before and after the fee, the fee, the sources of the last income, and how rewards are worked out. The current text again changes nothing.

Example:

  softstake disclosure set SOL source.md`
}

func (c *disclosureSetCmd) Run(env *Env) error {
	content, err := readDocument(env, c.File)
	if err != nil {
		return err
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		d, err := db.Disclose(ctx, c.Asset, content)
		return env.done(err, "What is stated of %s is at version %d.\n", d.Asset, d.Version)
	})
}
