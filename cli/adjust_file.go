package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

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
		in, _, err := env.file(c.File)
		if err != nil {
			return err
		}
		corrections, at, bad, err := readAdjustments(ctx, db, in)
		if err = errors.Join(err, in.Close()); err != nil {
			return err
		}
		for _, problem := range bad {
			if err := env.warnf("%s", problem); err != nil {
				return err
			}
		}
		if c.AllOrNothing && len(bad) > 0 {
			return fmt.Errorf("%s not be read; nothing was posted", count(len(bad), "line could", "lines could"))
		}
		outcomes, err := db.AdjustAll(ctx, corrections, c.AllOrNothing)
		if err != nil {
			return fmt.Errorf("%w; nothing was posted", err)
		}
		posted, repeated, refused := 0, 0, len(bad)
		for i, o := range outcomes {
			switch {
			case o.Err != nil:
				refused++
				if err := env.warnf("line %d: %s", at[i], plain(o.Err)); err != nil {
					return err
				}
			case o.Repeated:
				repeated++
			default:
				posted++
			}
		}
		if err := env.warnf("posted %d, repeated %d, refused %d", posted, repeated, refused); err != nil {
			return err
		}
		if refused > 0 {
			return fmt.Errorf("%s refused; correct %s and post the file again: what was posted is not posted twice",
				count(refused, "line was", "lines were"), itOrThem(refused))
		}
		return nil
	})
}

// readAdjustments reads corrections from lines of JSON: those that can be read with the
// lines that they stand in, and what is wrong with the others.
func readAdjustments(ctx context.Context, db *store.DB, in io.Reader) (all []store.ReasonedEntry, at []int,
	bad []string, err error) {
	parse := entryParser{asset: db.Asset}
	for lines := newLines(in); ; {
		line, err := lines.next()
		if err == io.EOF {
			return all, at, bad, nil
		}
		if err != nil {
			return nil, nil, nil, err
		}
		correction, wrong := parse.adjustment(ctx, line)
		switch {
		case parse.failed != nil:
			return nil, nil, nil, parse.failed
		case len(all)+len(bad) == mostAdjustments:
			return nil, nil, nil, fmt.Errorf("more than %d corrections; post them in several files; nothing was posted",
				mostAdjustments)
		case wrong != nil:
			bad = append(bad, fmt.Sprintf("line %d: %s", line.n, plain(wrong)))
		default:
			all, at = append(all, correction), append(at, line.n)
		}
	}
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
