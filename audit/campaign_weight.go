package audit

import (
	"fmt"
	"math/big"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Weight is the row of what a token's day weighs in a campaign, in a bucket or in all: a decimal
// number of unit-milliseconds in hundredths.
type Weight struct {
	Key
	Campaign string
	Weight   string
}

// weightKey names what a token's day weighs in a campaign.
type weightKey struct {
	Key
	campaign string
}

// claim names an account's weight in a campaign.
type claim struct {
	account         ledger.Account
	campaign, token string
}

// decimal reads a decimal number; what is none counts as −1, which nothing derives.
func decimal(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return big.NewInt(-1)
	}
	return n
}

// weighing are the campaigns that weigh a token on a day.
func (w *worker) weighing(symbol string, d staking.Day) (all []*Campaign) {
	for i := range w.head.Campaigns.Campaigns {
		c := &w.head.Campaigns.Campaigns[i]
		for _, part := range c.Parts {
			if part.Token == symbol && c.First <= d && d <= c.last() {
				all = append(all, c)
			}
		}
	}
	return all
}

// weigh adds what is eligible of a position's day to each campaign that weighs it by the measure of the figures: that
// of the terms, or the other.
func (w *worker) weigh(p *position, f *figures, other bool) {
	for _, c := range p.token.weighed {
		if c.takesOther(p.token.rule) != other {
			continue
		}
		weight := new(big.Int).Mul(&f.eligible, dayMillis)
		weight.Add(weight, &f.eligibleRest)
		weight.Mul(weight, big.NewInt(w.counts100(c, p.stored.Account)))
		w.campaigns.weights.add(weightKey{Key{w.day, p.stored.Asset}, c.ID}, weight)
		w.campaigns.today[claim{p.stored.Account, c.ID, p.stored.Asset}] = weight
	}
}

// counts100 is what an account counts in a campaign on the day, in hundredths: zero where it
// does not take part.
func (w *worker) counts100(c *Campaign, account ledger.Account) (highest int64) {
	if c.Campaign.Members > 0 {
		found := false
		for _, m := range w.campaigns.members[account] {
			found = found || m.Campaign == c.ID
		}
		if !found {
			return 0
		}
	}
	for _, l := range w.campaigns.labels[account] {
		for _, m := range c.Multipliers {
			if l.Label == m.Label && l.From <= w.day && w.day < l.Until {
				highest = max(highest, m.Percent)
			}
		}
	}
	if highest == 0 {
		return 100
	}
	return highest
}

// nextDay makes today's weights yesterday's.
func (x *campaigns) nextDay() {
	x.today, x.yesterday = x.yesterday, x.today
	clear(x.today)
}

// compareWeighed compares what a token's days weigh in campaigns, by the declarations, and what
// budgets paid, with the sums over the buckets.
func (a *audit) compareWeighed() {
	for _, x := range a.outline.Campaigns.Weighed {
		if sum := a.weights.of(weightKey{x.Key, x.Campaign}); decimal(x.Weight).Cmp(sum) != 0 {
			a.find(on(x.Day, "", x.Asset, fmt.Sprintf("declared is a weight of %s in the campaign %s; the buckets have %s",
				x.Weight, x.Campaign, sum)))
		}
	}
	for i := range a.outline.Campaigns.Budgets {
		b := &a.outline.Campaigns.Budgets[i]
		if sum := a.budgets.of(budgetKey{b.Key, b.Campaign, b.Token}); exact(b.Amount).Cmp(sum) != 0 {
			a.find(on(b.Day, "", b.Asset, fmt.Sprintf("the budget of the campaign %s for %s paid %s parts of a smallest unit; "+
				"the buckets have %s", b.Campaign, b.Token, exact(b.Amount), sum)))
		}
	}
}

// compareCampaigns compares what the bucket's accounts weigh in campaigns, and have of their
// budgets, with its rows.
func (w *worker) compareCampaigns() {
	weights := w.campaigns.weights
	for _, x := range w.head.Campaigns.Weights {
		k := weightKey{x.Key, x.Campaign}
		if sum := weights.of(k); decimal(x.Weight).Cmp(sum) != 0 {
			w.find(on(x.Day, "", x.Asset, fmt.Sprintf("bucket %d has a weight of %s in the campaign %s; derived %s", w.number,
				x.Weight, x.Campaign, sum)))
		}
		delete(weights, k)
	}
	for k, sum := range weights {
		if sum.Sign() != 0 {
			w.find(on(k.Day, "", k.Asset, fmt.Sprintf("bucket %d has no weight in the campaign %s; derived %s", w.number,
				k.campaign, sum)))
		}
	}
	rows := tally[budgetKey]{}
	for _, s := range w.head.Campaigns.Shares {
		rows[budgetKey{s.Key, s.Campaign, s.Token}] = exact(s.Sum)
	}
	for _, all := range w.campaigns.budgets {
		for _, b := range all {
			if row := rows.of(b.budgetKey); row.Cmp(&b.shares) != 0 {
				w.find(on(b.Day, "", b.Asset, fmt.Sprintf("bucket %d has %s parts of a smallest unit of the budget of the "+
					"campaign %s for %s; derived %s", w.number, row, b.campaign, b.token, &b.shares)))
			}
			delete(rows, b.budgetKey)
		}
	}
	for k := range rows {
		w.find(on(k.Day, "", k.Asset, fmt.Sprintf(
			"bucket %d has a share of a budget of the campaign %s for %s, and there is none", w.number, k.campaign, k.token)))
	}
}

// mergeCampaigns adds a bucket's rows of the weights, and what its accounts have of budgets.
func (a *audit) mergeCampaigns(w *worker) {
	a.mergePlaces(w)
	for _, x := range w.head.Campaigns.Weights {
		a.weights.add(weightKey{x.Key, x.Campaign}, decimal(x.Weight))
	}
	for _, all := range w.campaigns.budgets {
		for _, b := range all {
			a.budgets.add(b.budgetKey, &b.shares)
		}
	}
}
