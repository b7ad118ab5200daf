package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// adjustCmd posts a correction.
type adjustCmd struct {
	ID     string         `arg:"" optional:"" name:"id" help:"Name of the correction: repeating it has no further effect."`
	From   ledger.Account `arg:"" optional:"" help:"Account that it is taken from; @custody is the outside world."`
	To     ledger.Account `arg:"" optional:"" help:"Account that gets it."`
	Asset  string         `arg:"" optional:"" help:"Token."`
	Amount string         `arg:"" optional:"" help:"How much, such as 0.5."`
	Reason string         `placeholder:"TEXT" help:"Why; it is kept in the log."`

	File         string `placeholder:"FILE" help:"Post the corrections of a file instead: JSON lines, at most 10,000; - is the standard input."`
	AllOrNothing bool   `help:"With --file: post all corrections together, or none."`
}

func (c *adjustCmd) Help() string {
	return `The past is never edited: what was wrong is corrected by an entry dated today. In a file each line is a correction with its reason:

  {"id":"fix-1","moves":[{"from":"@custody","to":"alice","asset":"BNB","amount":"0.5"}],"reason":"deposit 4711 was missed"}

A refused or unreadable line is named with its number, the others are posted, and the exit status is 1. A file may be posted again.

Example:

  softstake adjust fix-1 @custody alice BNB 0.5 --reason "deposit 4711 was missed"`
}

// Run posts the correction.
func (c *adjustCmd) Run(env *Env) error {
	switch {
	case c.File != "" && (c.ID != "" || c.Reason != ""):
		return usage("--file has the corrections and their reasons; name nothing beside it")
	case c.File != "":
		return c.runFile(env)
	case c.AllOrNothing:
		return usage("--all-or-nothing goes with --file")
	case c.Amount == "":
		return usage("expected \"<id> <from> <to> <asset> <amount>\", or --file")
	case c.Reason == "":
		return usage("missing flags: --reason=TEXT")
	}
	return env.books(func(ctx context.Context, db *store.DB) error {
		asset, amount, err := parseAmount(ctx, db, c.Asset, c.Amount)
		if err != nil {
			return err
		}
		o, err := db.Adjust(ctx, ledger.Entry{ID: c.ID, Kind: ledger.Adjustment, Moves: []ledger.Move{
			{From: c.From, To: c.To, Asset: c.Asset, Amount: amount},
		}}, c.Reason)
		if err != nil {
			return err
		}
		if o.Repeated {
			return env.printf("%s was posted before, at %s UTC; nothing is repeated.\n", c.ID, clockTime(o.At))
		}
		return env.printf("Moved %s from %s to %s as %s.\n", withUnit(asset, amount), c.From, c.To, c.ID)
	})
}
