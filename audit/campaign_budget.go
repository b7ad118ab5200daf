package audit

import (
	"fmt"
	"math/big"

	"github.com/softstake/softstake/staking"
)

// Budget is the row of what a campaign had for a day of a token, and paid the day after.
type Budget struct {
	Key                  // the reward token and its day
	Campaign, Token      string
	Left, Budget, Amount staking.Exact // Amount is what was paid
	Weight               string
}

// CampaignShare is the row of what a bucket's accruals of a day have of a budget.
type CampaignShare struct {
	Key
	Campaign, Token string
	Sum             staking.Exact
}

// budgetKey names a budget: the reward token's day, and whose it is.
type budgetKey struct {
	Key
	campaign, token string
}

// budgeted is a budget as it is derived from the campaign, what was paid before, and what the
// day weighs.
type budgeted struct {
	budgetKey
	left, budget big.Int // in parts of a smallest unit
	weight       big.Int
	shares       big.Int // of the bucket's accounts
}

// budget derives the budgets of all campaigns from the bucket's snapshot.
func (w *worker) budget() {
	w.campaigns = campaigns{
		budgets: map[Key][]*budgeted{}, weights: tally[weightKey]{}, today: map[claim]*big.Int{},
		yesterday: map[claim]*big.Int{}, places: map[string]*places{},
	}
	d := newBudgeting(&w.head.Campaigns)
	for b := range d.all {
		w.campaigns.budgets[b.Key] = append(w.campaigns.budgets[b.Key], b)
	}
}

// budgeting derives the budgets of campaigns from the rows of one snapshot.
type budgeting struct {
	*CampaignRows
	rows    map[budgetKey]*Budget
	weighed map[weightKey]*Weight
}

func newBudgeting(c *CampaignRows) budgeting {
	d := budgeting{c, map[budgetKey]*Budget{}, map[weightKey]*Weight{}}
	for i := range c.Budgets {
		b := &c.Budgets[i]
		d.rows[budgetKey{b.Key, b.Campaign, b.Token}] = b
	}
	for i := range c.Weighed {
		x := &c.Weighed[i]
		d.weighed[weightKey{x.Key, x.Campaign}] = x
	}
	return d
}

// all yields the budgets that are known: those of days that are weighed, by campaign, token and day.
func (d budgeting) all(yield func(*budgeted) bool) {
	for i := range d.Campaigns {
		c := &d.Campaigns[i]
		for _, part := range c.Parts {
			if !d.part(c, part, yield) {
				return
			}
		}
	}
}

// part yields the budgets of a token's part, day after day, up to the first that is not paid.
func (d budgeting) part(c *Campaign, part staking.Part, yield func(*budgeted) bool) bool {
	left := new(big.Int).Mul(big.NewInt(int64(part.Amount)), year)
	for day := c.First; day <= c.last(); day++ {
		total := d.weighed[weightKey{Key{day, part.Token}, c.ID}]
		if total == nil {
			return true
		}
		b := &budgeted{budgetKey: budgetKey{Key{day + 1, c.Asset}, c.ID, part.Token}}
		b.left.Set(left)
		b.weight.Set(decimal(total.Weight))
		b.budget.Set(left)
		if days := int64(c.Last-day) + 1; days > 1 {
			b.budget.Quo(&b.budget, new(big.Int).Mul(big.NewInt(days), year))
			b.budget.Mul(&b.budget, year)
		}
		row := d.rows[b.budgetKey] // before yield, which may delete it
		if !yield(b) {
			return false
		}
		if row == nil {
			return true
		}
		left.Sub(left, exact(row.Amount))
	}
	return true
}

// compareBudgets compares the rows of what tokens weigh in campaigns, and of the budgets, with those that must be.
func (a *audit) compareBudgets() {
	d := newBudgeting(&a.outline.Campaigns)
	declared := map[Key]bool{}
	for _, x := range a.outline.Declared {
		declared[x.Key] = true
	}
	for i := range d.Campaigns {
		c := &d.Campaigns[i]
		for _, part := range c.Parts {
			for day := c.First; day <= c.last(); day++ {
				k := weightKey{Key{day, part.Token}, c.ID}
				if declared[k.Key] != (d.weighed[k] != nil) {
					a.find(on(day, "", part.Token, "is declared, and what it weighs in the campaign "+c.ID+" is not, or the reverse"))
				}
			}
		}
	}
	for b := range d.all {
		a.compareBudget(b, d.rows[b.budgetKey], declared[b.Key])
		delete(d.rows, b.budgetKey)
		delete(d.weighed, weightKey{Key{b.Day - 1, b.token}, b.campaign})
	}
	for k := range d.rows {
		a.find(on(k.Day, "", k.Asset, "a budget of the campaign "+k.campaign+" for "+k.token+
			" was divided, and there is none"))
	}
	for k := range d.weighed {
		if !a.outline.Campaigns.weighs(k) {
			a.find(on(k.Day, "", k.Asset, "is weighed in the campaign "+k.campaign+", which does not weigh it"))
		}
	}
}

// weighs reports whether a campaign weighs a token's day.
func (r *CampaignRows) weighs(k weightKey) bool {
	for i := range r.Campaigns {
		if c := &r.Campaigns[i]; c.ID == k.campaign && c.Part(k.Asset) > 0 && c.First <= k.Day && k.Day <= c.last() {
			return true
		}
	}
	return false
}

// compareBudget compares a budget's row, which may be missing, with the derived one.
func (a *audit) compareBudget(b *budgeted, row *Budget, declared bool) {
	wrong := func(format string, args ...any) {
		a.find(on(b.Day, "", b.Asset, "the budget of the campaign "+b.campaign+" for "+b.token+" "+
			fmt.Sprintf(format, args...)))
	}
	switch {
	case row == nil && declared:
		wrong("is missing, though the day is declared")
	case row != nil && !declared:
		wrong("is written, though the day is not declared")
	case row == nil:
	case exact(row.Left).Cmp(&b.left) != 0:
		wrong("begins with %s parts of a smallest unit; derived %s", exact(row.Left), &b.left)
	case exact(row.Budget).Cmp(&b.budget) != 0:
		wrong("is %s parts of a smallest unit; derived %s", exact(row.Budget), &b.budget)
	case decimal(row.Weight).Cmp(&b.weight) != 0:
		wrong("is divided by the weight %s; derived %s", row.Weight, &b.weight)
	}
}

// campaignShares adds to f.shared what the position has of the day's budgets.
func (w *worker) campaignShares(p *position, f *figures) {
	for _, b := range w.campaigns.budgets[Key{w.day, p.stored.Asset}] {
		weight := w.campaigns.yesterday[claim{p.stored.Account, b.campaign, b.token}]
		if weight == nil || b.weight.Sign() <= 0 || b.budget.Sign() <= 0 {
			continue
		}
		share := new(big.Int).Mul(&b.budget, weight)
		share.Quo(share, &b.weight)
		f.shared.Add(&f.shared, share)
		b.shares.Add(&b.shares, share)
	}
}
