package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

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
		if err == nil && o.Repeated {
			return env.printf("%s was posted before, at %s UTC; nothing is repeated.\n", c.ID, clockTime(o.At))
		}
		return env.done(err, "Moved %s from %s to %s as %s.\n", withUnit(asset, amount), c.From, c.To, c.ID)
	})
}

// mostAdjustments is how many corrections are posted from a file.
const mostAdjustments = 10_000

// adjustmentJSON is a correction as a line of JSON says it.
type adjustmentJSON struct {
	ID     string     `json:"id"`
	Moves  []moveJSON `json:"moves"`
	Reason string     `json:"reason"`
}

// runFile posts the corrections of a file: each by itself, or all of them or none.
func (c *adjustCmd) runFile(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		lines, err := readFile(env, c.File, func(in io.Reader) ([]adjustmentLine, error) {
			return readAdjustments(ctx, db, in)
		})
		if err != nil {
			return err
		}
		t := tally{env: env, meter: &meter{env: env}, verb: "posted",
			again: "post the file again: what was posted is not posted twice"}
		var corrections []store.ReasonedEntry
		var at []int
		for _, l := range lines {
			if l.bad == nil {
				corrections, at = append(corrections, l.correction), append(at, l.n)
			} else if err := t.refuse(l.n, l.bad); err != nil {
				return err
			}
		}
		if c.AllOrNothing && t.refused > 0 {
			return fmt.Errorf("%s not be read; nothing was posted", count(t.refused, "line could", "lines could"))
		}
		outcomes, err := db.AdjustAll(ctx, corrections, c.AllOrNothing)
		if err != nil {
			return fmt.Errorf("%w; nothing was posted", err)
		}
		for i, o := range outcomes {
			switch {
			case o.Err != nil:
				if err := t.refuse(at[i], o.Err); err != nil {
					return err
				}
			case o.Repeated:
				t.repeated++
			default:
				t.done++
			}
		}
		return t.sum()
	})
}

// adjustmentLine is a line that was read, or what is wrong with it.
type adjustmentLine struct {
	n          int
	correction store.ReasonedEntry
	bad        error
}

// readAdjustments reads corrections from lines of JSON.
func readAdjustments(ctx context.Context, db *store.DB, in io.Reader) (all []adjustmentLine, err error) {
	parse := entryParser{asset: db.Asset}
	err = eachLine(in, func(line inputLine) error {
		correction, bad := parse.adjustment(ctx, line)
		if all = append(all, adjustmentLine{line.n, correction, bad}); parse.failed == nil && len(all) > mostAdjustments {
			return fmt.Errorf("more than %d corrections; post them in several files; nothing was posted", mostAdjustments)
		}
		return parse.failed
	})
	return all, err
}

// adjustment reads a correction. Its errors are those of line.
func (p *entryParser) adjustment(ctx context.Context, l inputLine) (store.ReasonedEntry, error) {
	var j adjustmentJSON
	if l.bad == nil {
		if err := decodeStrictly(l.text, &j); err != nil {
			return store.ReasonedEntry{}, err
		}
		var err error
		if l.text, err = json.Marshal(entryJSON{ID: j.ID, Kind: ledger.Adjustment, Moves: j.Moves}); err != nil {
			return store.ReasonedEntry{}, err
		}
	}
	e, err := p.line(ctx, l)
	return store.ReasonedEntry{Entry: e, Reason: j.Reason}, err
}
