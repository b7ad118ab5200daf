package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/strictjson"
)

// entryJSON is an entry as a line of JSON says it.
type entryJSON struct {
	ID    string      `json:"id"`
	Kind  ledger.Kind `json:"kind"`
	At    *string     `json:"at" example:"2026-11-22T10:00:00Z"`
	Moves []moveJSON  `json:"moves"`

	Authoritative bool `json:"authoritative"`
}

type moveJSON struct {
	From   ledger.Account `json:"from"`
	To     ledger.Account `json:"to"`
	Asset  string         `json:"asset"`
	Amount string         `json:"amount" example:"2.5"` // no JSON number: many programs read one as a float, and lose units
}

// entryParser reads entries from lines of JSON.
type entryParser struct {
	asset func(ctx context.Context, symbol string) (ledger.Asset, error)
	known map[string]ledger.Asset

	authoritative bool // entries may be marked so

	failed error // what the books failed with: no fault of the line's
}

// line reads an entry. Its errors are ledger.ErrInvalid, or what looking an asset up failed with.
func (p *entryParser) line(ctx context.Context, l inputLine) (ledger.Entry, error) {
	if l.bad != nil {
		return ledger.Entry{}, ledger.ErrInvalid.In("", "%v", l.bad)
	}
	var j entryJSON
	if err := decodeStrictly(l.text, &j); err != nil {
		return ledger.Entry{}, err
	}
	e := ledger.Entry{ID: j.ID, Kind: j.Kind, Authoritative: j.Authoritative}
	if e.Authoritative && !p.authoritative {
		return e, inEntry(e, ledger.ErrInvalid.In("authoritative",
			"it is marked authoritative; post it with --authoritative"))
	}
	if j.At != nil {
		at, err := parseTime(*j.At)
		if err != nil {
			return e, inEntry(e, err)
		}
		e.At = at.Truncate(time.Millisecond)
	}
	for _, m := range j.Moves {
		asset, err := p.lookUp(ctx, m.Asset)
		if err != nil {
			return e, inEntry(e, err)
		}
		amount, err := asset.Parse(m.Amount)
		if err != nil {
			return e, inEntry(e, err)
		}
		e.Moves = append(e.Moves, ledger.Move{From: m.From, To: m.To, Asset: m.Asset, Amount: amount})
	}
	return e, nil
}

func inEntry(e ledger.Entry, err error) error {
	return fmt.Errorf("entry %q: %w", ledger.Clip(e.ID), err)
}

func (p *entryParser) lookUp(ctx context.Context, symbol string) (ledger.Asset, error) {
	if asset, ok := p.known[symbol]; ok {
		return asset, nil
	}
	asset, err := p.asset(ctx, symbol)
	if err != nil {
		if !errors.Is(err, ledger.ErrNotFound) {
			p.failed = err
		}
		return asset, err
	}
	if p.known == nil {
		p.known = map[string]ledger.Asset{}
	}
	p.known[symbol] = asset
	return asset, nil
}

// decodeStrictly reads one JSON value with no unknown and no repeated names, and
// nothing after it. Its errors are ledger.ErrInvalid.
func decodeStrictly(text []byte, into any) error {
	if err := strictjson.Decode(text, into); err != nil {
		return ledger.ErrInvalid.In("", "%v", err)
	}
	return nil
}

// entryCmd shows an entry, and who posted it.
type entryCmd struct {
	ID   string `arg:"" help:"The entry's ID, as the journal names it."`
	JSON bool   `help:"Print a JSON object."`
}

func (c *entryCmd) Help() string {
	return `Rewards and declared totals are entries as well: reward/DAY/TOKEN/ACCOUNT and declare/DAY/TOKEN. Their actor is who ran the day.

Example:

  softstake entry d-4711
  softstake entry reward/2026-11-22/BNB/alice`
}

type postedJSON struct {
	ID       string      `json:"id"`
	Kind     ledger.Kind `json:"kind"`
	At       instant     `json:"at"`
	PostedAt instant     `json:"postedAt"`
	Actor    string      `json:"actor,omitempty"` // absent: not known
	Role     string      `json:"role,omitempty"`
	Request  string      `json:"request,omitempty"`
	Moves    []moveJSON  `json:"moves"`

	Reconciliation string `json:"reconciliation,omitempty"` // open or resolved
}

func (c *entryCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		p, err := reports.New(db.Reader()).Posted(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			out := postedJSON{
				ID: p.ID, Kind: p.Kind, At: instant(p.At), PostedAt: instant(p.PostedAt),
				Actor: p.Actor.Credential, Role: string(p.Actor.Role), Request: p.Actor.Request, Reconciliation: p.Reconciliation(),
				Moves: []moveJSON{},
			}
			for _, m := range p.Moves {
				out.Moves = append(out.Moves, moveJSON{m.From, m.To, m.Asset, a.plain(m.Asset, m.Amount)})
			}
			return writeJSON(env.Stdout, out)
		}
		return showEntry(env, p, a)
	})
}

// unknownActor is shown for entries and lines from before the actor was kept.
const unknownActor = "not known: it was posted before the actor was kept"

func showEntry(env *Env, p reports.Posted, a assets) error {
	actor := unknownActor
	if p.Actor.Credential != "" {
		actor = p.Actor.Credential + ", role " + string(p.Actor.Role)
	}
	if p.Actor.Request != "" {
		actor += ", request " + p.Actor.Request
	}
	all := [][2]string{{"entry", p.ID}, {"kind", string(p.Kind)}, {"counts at", clockTime(p.At)},
		{"posted at", clockTime(p.PostedAt)}, {"actor", actor}}
	switch {
	case !p.Resolved.IsZero():
		all = append(all, [2]string{"flagged", "it left a balance below zero for a time; resolved at " +
			clockTime(p.Resolved)})
	case !p.Flagged.IsZero():
		all = append(all, [2]string{"flagged", `it left a balance below zero for a time: "softstake reconciliation list"`})
	}
	moves := newGrid(text("from"), text("to"), figure("amount"))
	for _, m := range p.Moves {
		moves.add(string(m.From), string(m.To), a.with(m.Asset, m.Amount))
	}
	return cmp.Or(facts(env.Stdout, all...), env.printf("\n"), moves.write(env.Stdout))
}
