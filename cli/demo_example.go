package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// printIncomes shows what staking has brought, what the operator keeps of it, and what holders get.
func printIncomes(env *Env, incomes []demo.Income) error {
	g := newGrid(text("staked"), figure("periods"), figure("income"), figure("fee %"), figure("fee"), figure("net"))
	for _, in := range incomes {
		g.add(in.Token.Symbol, strconv.Itoa(in.Periods), in.Token.Format(in.Gross), percent(in.Fee),
			in.Token.Format(in.Gross-in.Net), in.Token.Format(in.Net))
	}
	return cmp.Or(env.printf("\n"), g.write(env.Stdout))
}

// shortPercent cuts a rate after two decimals of its percents.
func shortPercent(r staking.Rate) string { return percent(r / 10_000 * 10_000) }

// printCampaign shows what a campaign pays, and how far it is.
func printCampaign(env *Env, c demo.Campaign) error {
	var counts []string
	for _, m := range c.Multipliers {
		counts = append(counts, fmt.Sprintf("What accounts labelled %s hold counts × %s.\n", m.Label,
			ledger.FormatDecimal(m.Percent, 2)))
	}
	err := env.printf("\nThe campaign %q divides %s from %s to %s.\n%sIt has paid %s; %s are left, for %d days.\n",
		c.Title, withUnit(c.Token, c.Pool), c.First, c.Last, strings.Join(counts, ""), withUnit(c.Token, c.Paid.Units),
		withUnit(c.Token, c.Left), c.DaysLeft)
	if d := c.Latest; err == nil && d != nil {
		err = env.printf("On %s it came to %s %s a year for each %s, which is %s %% in value.\n", d.Day, d.Rate, c.Asset,
			d.Token, shortPercent(d.ValueRate))
	}
	return err
}

// ways are what the examples show.
var ways = map[demo.Way]string{
	demo.OfIncome:   "A share of staking income, on the day on which it was divided:",
	demo.OfCampaign: "A share of a campaign, in another token than the one that is held:",
	demo.OfOwner:    "A cap that two accounts of one owner share:",
	demo.OfLowest:   "A day that counts by its smallest balance:",
	demo.OfNothing:  "A day that another product has:",
}

// printExamples explains a day of each way, as "softstake explain" does.
func printExamples(env *Env, examples []demo.Example) error {
	for _, x := range examples {
		way := ways[x.Way]
		if err := cmp.Or(env.printf("\n%s\n%s\n", way, strings.Repeat("─", len(way))),
			writeExplanation(env, x.Explanation)); err != nil {
			return err
		}
	}
	return nil
}
