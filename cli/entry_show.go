package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

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

type postedMoveJSON struct {
	From   ledger.Account `json:"from"`
	To     ledger.Account `json:"to"`
	Asset  string         `json:"asset"`
	Amount string         `json:"amount"`
}

type postedJSON struct {
	ID       string           `json:"id"`
	Kind     ledger.Kind      `json:"kind"`
	At       instant          `json:"at"`
	PostedAt instant          `json:"postedAt"`
	Actor    string           `json:"actor,omitempty"` // absent: not known
	Role     string           `json:"role,omitempty"`
	Request  string           `json:"request,omitempty"`
	Moves    []postedMoveJSON `json:"moves"`

	Reconciliation string `json:"reconciliation,omitempty"` // open or resolved
}

// Run shows the entry.
func (c *entryCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		p, err := reports.New(db.Reader()).Posted(ctx, c.ID)
		if err != nil {
			return err
		}
		a, err := readAssets(ctx, db)
		if err != nil {
			return err
		}
		if c.JSON {
			out := postedJSON{
				ID: p.ID, Kind: p.Kind, At: instant(p.At), PostedAt: instant(p.PostedAt),
				Actor: p.Actor.Credential, Role: string(p.Actor.Role), Request: p.Actor.Request, Reconciliation: p.Reconciliation(),
				Moves: []postedMoveJSON{},
			}
			for _, m := range p.Moves {
				out.Moves = append(out.Moves, postedMoveJSON{m.From, m.To, m.Asset, a.plain(m.Asset, m.Amount)})
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
	if err := facts(env.Stdout, all...); err != nil {
		return err
	}
	if err := env.printf("\n"); err != nil {
		return err
	}
	moves := newGrid(text("from"), text("to"), figure("amount"))
	for _, m := range p.Moves {
		moves.add(string(m.From), string(m.To), a.with(m.Asset, m.Amount))
	}
	return moves.write(env.Stdout)
}
