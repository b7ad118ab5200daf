package cli

import (
	"context"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// ratesCmd lists what a token's holders earn a year.
type ratesCmd struct {
	Asset string       `arg:"" help:"Token."`
	From  *staking.Day `placeholder:"DAY" help:"First day. Without it: the first of the books."`
	To    *staking.Day `placeholder:"DAY" help:"Last day. Without it: today."`
	JSON  bool         `help:"Print a JSON array."`
}

func (c *ratesCmd) Help() string {
	return `In the mode share a rate follows from the income: what the paid periods that have a day came to, of what was eligible. Days whose income is not divided yet have none.

Example:

  softstake rates SOL --from 2026-11-01`
}

type rateJSON struct {
	Mode    string       `json:"mode"`
	Known   bool         `json:"known"`
	Net     string       `json:"net"`
	Gross   string       `json:"gross,omitempty"`
	Fee     string       `json:"fee"`
	First   staking.Day  `json:"first"`
	Through *staking.Day `json:"through,omitempty"`
}

func (c *ratesCmd) Run(env *Env) error {
	return env.books(func(ctx context.Context, db *store.DB) error {
		r := reports.New(db.Reader())
		rates, err := r.Rates(ctx, c.Asset, given(c.From, r.FirstDay()), given(c.To, staking.DayOf(env.Now())))
		return list[reports.Rate]{
			json: c.JSON,
			columns: []col{text("from"), text("through"), text("mode"), figure("gross %"), figure("fee %"),
				figure("holders get %")},
			item: func(r reports.Rate) (any, []string) {
				j := rateJSON{Mode: r.Mode.String(), Known: r.Known, Net: r.Net.String(), Fee: r.Fee.String(), First: r.First,
					Through: &r.Last}
				gross, net := none, none
				if r.GrossKnown {
					j.Gross, gross = r.Gross.String(), percent(r.Gross)
				}
				if r.Known {
					net = percent(r.Net)
				}
				return j, []string{r.First.String(), r.Last.String(), j.Mode, gross, percent(r.Fee), net}
			},
			none: "It was not on offer.\n",
		}.print(env, rates, err)
	})
}
