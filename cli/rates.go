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
	return `In the mode share a rate follows from the income: what the paid periods that have a day came to, of what was eligible. Days whose income is not divided yet have none. What holders get is the gross rate less the fee, with what comes from earlier periods: what those left, or lost; a loss of a period's own is passed on.

Example:

  softstake rates SOL --from 2026-11-01`
}

type rateJSON struct {
	Mode    string       `json:"mode"`
	Known   bool         `json:"known"`
	Net     string       `json:"net"`
	Gross   string       `json:"gross,omitempty"`
	Fee     string       `json:"fee"`
	Earlier string       `json:"fromEarlier"`
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
				figure("earlier %"), figure("holders get %")},
			item: func(r reports.Rate) (any, []string) {
				j := rateJSON{Mode: r.Mode.String(), Known: r.Known, Net: r.Net.String(), Fee: r.Fee.String(), First: r.First,
					Through: &r.Last, Earlier: r.Earlier.String()}
				gross, net, earlier := none, none, none
				if r.Earlier != 0 {
					earlier = percent(r.Earlier)
				}
				if r.GrossKnown {
					j.Gross, gross = r.Gross.String(), percent(r.Gross)
				}
				if r.Known {
					net = percent(r.Net)
				}
				return j, []string{r.First.String(), r.Last.String(), j.Mode, gross, percent(r.Fee), earlier, net}
			},
			none: "It was not on offer.\n",
		}.print(env, rates, err)
	})
}
