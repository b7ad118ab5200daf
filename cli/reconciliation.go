package cli

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

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

func (c *reconciliationListCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, known assets) error {
		_, _, err := list[reports.Reconciliation]{
			json: c.JSON,
			columns: []col{text("from (UTC)"), text("until (UTC)"), text("account"), figure("lowest"), text("entry"),
				text("resolved")},
			item: func(r reports.Reconciliation) (any, []string) {
				resolved := none
				if !r.Resolved.IsZero() {
					resolved = wallTime(r.Resolved) + ": " + r.Reason
				}
				return reconciliationJSON{r.Entry, r.Account, r.Asset, instant(r.At), instant(r.Until),
						known.plain(r.Asset, r.Lowest), instant(r.Flagged), instantOrNull(r.Resolved), r.Reason},
					[]string{clockTime(r.At), clockTime(r.Until), string(r.Account), known.with(r.Asset, r.Lowest), r.Entry,
						resolved}
			},
			none: "There is nothing to reconcile.\n",
		}.printPages(env, 0, func(after reports.Reconciliation, most int) ([]reports.Reconciliation, error) {
			return reports.New(db.Reader()).Reconciliations(ctx, after, !c.All, most)
		})
		return err
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

func (c *reconciliationResolveCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		repeated, err := db.Resolve(ctx, c.Entry, c.Reason)
		format := "Resolved %s.\n"
		if repeated {
			format = "%s is resolved already.\n"
		}
		return env.done(err, format, c.Entry)
	})
}
