package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// rewardsCmd lists an account's rewards.
type rewardsCmd struct {
	Account ledger.Account `arg:""`
	From    *staking.Day   `placeholder:"DAY" help:"First day that was rewarded. Without it: the first of the books."`
	To      *staking.Day   `placeholder:"DAY" help:"Last day. Without it: today."`
	JSON    bool           `help:"Print a JSON array."`
}

func (c *rewardsCmd) Help() string {
	return `Days are those that were measured; a reward is credited after its day. It is from a rate a year, from income, or from a campaign. Its value in USDT is fixed with the price of its day.

Example:

  softstake rewards alice --from 2026-11-01`
}

type rewardJSON struct {
	earnedJSON
	Sources []string `json:"sources"` // of rate, income and campaign
	Price   *string  `json:"priceUsdt"`
	Value   *string  `json:"valueUsdt"`
	PaidAt  instant  `json:"creditedAt"`
}

// earnedJSON is what a token earned on a day, or would have: amounts as decimal strings.
type earnedJSON struct {
	Day      staking.Day `json:"day"`
	Asset    string      `json:"asset"`
	Opening  string      `json:"opening"`
	Average  string      `json:"average"`
	Eligible string      `json:"eligible"`
	APR      string      `json:"apr"`
	Reward   string      `json:"reward"`
}

func formatEarned(asset ledger.Asset, a staking.Accrual) earnedJSON {
	return earnedJSON{a.Day, a.Asset, asset.Format(a.Opening), asset.Format(a.Average), asset.Format(a.Eligible),
		a.APR.String(), asset.Format(a.Reward)}
}

func (c *rewardsCmd) Run(env *Env) error {
	return env.booksAndAssets(func(ctx context.Context, db *store.DB, a assets) error {
		from, to, err := period(env, db, c.From, c.To)
		if err != nil {
			return err
		}
		if c.JSON {
			out := newJSONList(env.Stdout)
			if err := reports.New(db.Reader()).SourcedRewards(ctx, c.Account, from, to,
				func(r reports.SourcedReward) error { return out.add(formatReward(a, r)) }); err != nil {
				return err
			}
			return out.end()
		}
		return c.write(ctx, env, db, a, from, to)
	})
}

func formatReward(a assets, r reports.SourcedReward) rewardJSON {
	earned := formatEarned(a[r.Asset], r.Accrual)
	earned.APR = r.RatedAPR().String()
	return rewardJSON{earned, r.Names(), usdtJSON(ledger.Amount(r.Price), r.PriceKnown),
		usdtJSON(r.Value, r.PriceKnown), instant(r.PaidAt)}
}

// write lists the rewards, and under them what each token comes to.
func (c *rewardsCmd) write(ctx context.Context, env *Env, db *store.DB, a assets, from, to staking.Day) error {
	grid := newGrid(text("day"), figure("average"), text("from"), figure("reward"), figure("USDT"),
		text("credited (UTC)"))
	sums := map[string]ledger.Amount{}
	var value ledger.Amount
	unpriced := 0
	err := reports.New(db.Reader()).SourcedRewards(ctx, c.Account, from, to, func(r reports.SourcedReward) (err error) {
		grid.add(r.Day.String(), a.plain(r.Asset, r.Average), fromSources(r), a.with(r.Asset, r.Reward.Reward),
			usdt(r.Value, r.PriceKnown), wallTime(r.PaidAt))
		if sums[r.Asset], err = sums[r.Asset].Add(r.Reward.Reward); err != nil {
			return err
		}
		if !r.PriceKnown {
			unpriced++
		}
		value, err = value.Add(r.Value)
		return err
	})
	if err != nil {
		return err
	}
	if len(grid.rows) == 0 {
		return env.printf("No reward was paid to %s for %s to %s. \"softstake explain\" says why for each day.\n", c.Account,
			from, to)
	}
	totals := [][2]string{}
	for _, symbol := range slices.Sorted(maps.Keys(sums)) {
		totals = append(totals, [2]string{"in all", a.with(symbol, sums[symbol])})
	}
	if unpriced < len(grid.rows) {
		totals = append(totals, [2]string{"worth", usdt(value, true) + " USDT"})
	}
	err = cmp.Or(grid.write(env.Stdout), env.printf("\n"), facts(env.Stdout, totals...))
	if err == nil && unpriced > 0 {
		err = env.warnf("%s left out of the worth.",
			count(unpriced, "reward has no price in USDT, and is", "rewards have no price in USDT, and are"))
	}
	return err
}

// fromSources is where a reward came from: the rate a year that earned it, and in words what else.
func fromSources(r reports.SourcedReward) string {
	names := r.Names()
	for i, name := range names {
		if name == "rate" {
			names[i] = percent(r.APR) + " %"
		}
	}
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
