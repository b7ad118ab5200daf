package cli

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/softstake/softstake/evidence"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

type (
	anchorsJSON struct {
		Records     int64           `json:"records"`
		Checkpoints int64           `json:"checkpoints"`
		Through     staking.Day     `json:"through"`
		Rows        int64           `json:"rows"`
		Findings    []differentJSON `json:"findings"`
	}
	differentJSON struct {
		Day  staking.Day `json:"day"`
		Kind string      `json:"kind,omitempty"`
		What string      `json:"what"`
	}
)

// checkAnchors compares the books with the checkpoints of --anchors.
func (c *auditCmd) checkAnchors(ctx context.Context, env *Env, db *store.DB) (*evidence.Checked, error) {
	file, err := c.readAnchors(ctx, env, c.Anchors)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	notes := evidence.SplitNotes(file)
	if len(notes) == 0 {
		return nil, usage("%s has no checkpoints", c.Anchors)
	}
	var known []note.Verifier
	for _, given := range c.AnchorVerifier {
		v, err := readVerifier(given)
		if err != nil {
			return nil, err
		}
		known = append(known, v)
	}
	bar := newMeter(env, "comparing records", 1000)
	checked, err := db.Evidence().Check(ctx, notes, known, func(done, of int) {
		bar.to(int64(done)*1000/int64(of), bar.what)
	})
	return &checked, cmp.Or(err, bar.end())
}

// writeAnchors writes what was found, or what is as it was signed.
func writeAnchors(env *Env, c *evidence.Checked) error {
	if c == nil {
		return nil
	}
	for _, f := range c.Findings {
		if err := env.printf("%s\n", oneLine(f.String())); err != nil {
			return err
		}
	}
	if len(c.Findings) > 0 {
		return nil
	}
	return env.printf("The records are those that were signed through %s: %s, %s, %s.\n", c.Covered,
		count(c.Checkpoints, "checkpoint", "checkpoints"), count(c.Records, "record", "records"),
		count(c.Rows, "row", "rows"))
}

// anchorsOf is what was compared, for a program.
func anchorsOf(c *evidence.Checked) *anchorsJSON {
	if c == nil {
		return nil
	}
	j := &anchorsJSON{Records: c.Records, Checkpoints: c.Checkpoints, Through: c.Covered, Rows: c.Rows,
		Findings: []differentJSON{}}
	for _, f := range c.Findings {
		j.Findings = append(j.Findings, differentJSON{f.Day, f.Kind, f.What})
	}
	return j
}
