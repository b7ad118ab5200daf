package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

// reconciliationCmd lists what authoritative entries left below zero, and resolves it.
type reconciliationCmd struct {
	List    reconciliationListCmd    `cmd:"" help:"List the balances that authoritative entries left below zero for a time."`
	Resolve reconciliationResolveCmd `cmd:"" help:"Record that an entry was reconciled, and why."`
}

type reconciliationListCmd struct {
	All  bool `help:"List the resolved ones too."`
	JSON bool `help:"Print a JSON array."`
}

func (c *reconciliationListCmd) Help() string {
	return `An entry that another ledger had decided was accepted though a balance was below zero between its time and the time that is named. Compare both ledgers, correct with "adjust" where ours is wrong, and resolve the entry.

Example:

  softstake reconciliation list`
}

type reconciliationJSON struct {
	Entry    string         `json:"entry"`
	Account  ledger.Account `json:"account"`
	Asset    string         `json:"asset"`
	At       instant        `json:"at"`
	Until    instant        `json:"until"`
	Lowest   string         `json:"lowest"`
	Flagged  instant        `json:"flagged"`
	Resolved *instant       `json:"resolved,omitempty"` // absent: it is not
	Reason   string         `json:"reason,omitempty"`
}

// reconciliationPage is how many are read at once.
const reconciliationPage = 1000

// Run lists them, page after page.
func (c *reconciliationListCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		known, err := readAssets(ctx, db)
		if err != nil {
			return err
		}
		out := newJSONList(env.Stdout)
		grid := newGrid(text("from (UTC)"), text("until (UTC)"), text("account"), figure("lowest"), text("entry"),
			text("resolved"))
		last, n, more := store.Reconciliation{}, 0, true
		for more {
			page, err := reports.New(db.Reader()).Reconciliations(ctx, last, !c.All, reconciliationPage)
			if err != nil {
				return err
			}
			for _, r := range page {
				last = r
				if c.JSON {
					if err := out.add(reconciliationJSON{r.Entry, r.Account, r.Asset, instant(r.At), instant(r.Until),
						known.plain(r.Asset, r.Lowest), instant(r.Flagged), instantOrNull(r.Resolved), r.Reason}); err != nil {
						return err
					}
					continue
				}
				resolved := none
				if !r.Resolved.IsZero() {
					resolved = wallTime(r.Resolved) + ": " + r.Reason
				}
				grid.add(clockTime(r.At), clockTime(r.Until), string(r.Account), known.with(r.Asset, r.Lowest), r.Entry, resolved)
			}
			n, more = n+len(page), len(page) == reconciliationPage
		}
		switch {
		case c.JSON:
			return out.end()
		case n == 0:
			return env.printf("There is nothing to reconcile.\n")
		}
		return grid.write(env.Stdout)
	})
}

type reconciliationResolveCmd struct {
	Entry  string `arg:"" help:"ID of the entry."`
	Reason string `required:"" placeholder:"TEXT" help:"Why it is resolved; it is kept in the log."`
}

func (c *reconciliationResolveCmd) Help() string {
	return `The balances stay as they are. Repeating has no further effect.

Example:

  softstake reconciliation resolve w-4711 --reason "the deposit of 12:00 was credited late"`
}

// Run resolves the entry.
func (c *reconciliationResolveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.Resolve(ctx, c.Entry, c.Reason)
		switch {
		case err != nil:
			return err
		case repeated:
			return env.printf("%s is resolved already.\n", c.Entry)
		}
		return env.printf("Resolved %s.\n", c.Entry)
	})
}
