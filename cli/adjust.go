package cli

import (
	"context"

	"softstake/ledger"
	"softstake/store"
)

// adjustCmd posts a correction.
type adjustCmd struct {
	ID     string         `arg:"" name:"id" help:"Name of the correction: the same name twice is once."`
	From   ledger.Account `arg:"" help:"Account that it is taken from; @custody is the outside world."`
	To     ledger.Account `arg:"" help:"Account that gets it."`
	Asset  string         `arg:"" help:"Token."`
	Amount string         `arg:"" help:"How much, such as 0.5."`
	Reason string         `required:"" placeholder:"TEXT" help:"Why; it is kept in the log."`
}

func (c *adjustCmd) Help() string {
	return `The past is never edited: what was wrong is mended by an entry dated today.

Example:

  softstake adjust fix-1 @custody alice BNB 0.5 --reason "deposit 4711 was missed"`
}

// Run posts the correction.
func (c *adjustCmd) Run(w *World) error {
	return w.books(func(ctx context.Context, db *store.DB) error {
		asset, err := db.Asset(ctx, c.Asset)
		if err != nil {
			return err
		}
		amount, err := asset.Parse(c.Amount)
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
			return w.printf("%s was posted before, at %s UTC; it is once.\n", c.ID, clockTime(o.At))
		}
		return w.printf("Moved %s from %s to %s as %s.\n", withUnit(asset, amount), c.From, c.To, c.ID)
	})
}
