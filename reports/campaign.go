package reports

import (
	"context"
	"math/big"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Campaign is a campaign as it stands.
type Campaign struct {
	staking.Campaign
	At         time.Time     // UTC, when it was made
	Credential string        // of who made it
	Paid       staking.Exact // in shares: rewards, and what they carry
	// What of the pool lies in @rewards for it, in smallest units, rounded up; 0 when it is over.
	Left     ledger.Amount
	DaysLeft int64 // that are not distributed for every token
	Enlisted int64 // its members so far, where not all take part
	// Of each eligible token the newest paid day: what the campaign pays now. Tokens of which no day is paid are left out.
	Newest []CampaignDay
}

// Places is how many accounts may still become members, where not all take part.
func (c Campaign) Places() int64 { return max(c.Campaign.Members-c.Enlisted, 0) }

// Over reports whether its last day that counts is distributed: then what is left is the
// operator's.
func (c Campaign) Over() bool { return c.DaysLeft == 0 }

// EndedEarly reports whether it was ended before its last day.
func (c Campaign) EndedEarly() bool { return c.End != c.Last }

// Campaigns are all that were ever made, by ID.
func (rs *Reports) Campaigns(ctx context.Context) ([]Campaign, error) {
	return read(ctx, rs, "read the campaigns", func(t db.View) ([]Campaign, error) {
		campaigns, err := holding.AllCampaigns(t)
		var all []Campaign
		for _, c := range campaigns {
			var x Campaign
			if err == nil {
				x, err = asItStands(t, c)
			}
			all = append(all, x)
		}
		return all, err
	})
}

// Campaign is one of them; ledger.ErrNotFound if there is no such campaign.
func (rs *Reports) Campaign(ctx context.Context, id string) (Campaign, error) {
	return read(ctx, rs, "read the campaign", func(t db.View) (Campaign, error) {
		c, found, err := holding.FindCampaign(t, id)
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "campaign %q", ledger.Clip(id))
		}
		if err != nil {
			return Campaign{}, err
		}
		return asItStands(t, c)
	})
}

// asItStands reads what a campaign has paid and left.
func asItStands(t db.View, c staking.Campaign) (Campaign, error) {
	x := Campaign{Campaign: c}
	err := t.Query(func(r db.Row) error {
		x.At, x.Credential = db.TimeOf(r.Int(0)), r.Text(1)
		return nil
	}, "SELECT at, credential FROM entries WHERE bucket = $1 AND entry = $2", int64(c.Entry().Bucket()), c.Entry().ID)
	end, left := min(c.Last, c.End), staking.Exact{}
	for _, p := range c.Parts {
		var ofPart staking.Exact
		if err == nil {
			ofPart, err = holding.LeftOf(t, c, p)
		}
		left = left.Add(ofPart) // at most the pool
		distributed := int64(c.First)
		if err == nil {
			distributed, err = db.Count(t, "SELECT coalesce(max(day), $3) FROM campaign_distributions "+
				"WHERE campaign = $1 AND token = $2", c.ID, p.Token, int64(c.First)) // that it takes effect on: the day after
		}
		x.DaysLeft = max(x.DaysLeft, int64(end)+1-distributed)
		var paid staking.Exact
		if err == nil {
			paid, err = holding.PaidOf(t, c.ID, p.Token, staking.Forever)
		}
		x.Paid = x.Paid.Add(paid)
		if err == nil {
			err = x.readNewest(t, p.Token)
		}
	}
	x.Left = left.RoundedUp()
	if err == nil && c.Members > 0 {
		x.Enlisted, err = db.Count(t, "SELECT count(*) FROM campaign_members WHERE campaign = $1", c.ID)
	}
	return x, err
}

// readNewest reads the newest paid day of a token.
func (c *Campaign) readNewest(t db.View, token string) error {
	day, found, err := db.First(t, readCampaignDay, "SELECT "+campaignDayColumns+` FROM campaign_distributions
	     WHERE campaign = $1 AND token = $2 ORDER BY day DESC LIMIT 1`, c.ID, token)
	if err != nil || !found {
		return err
	}
	c.Newest = append(c.Newest, day)
	return c.Newest[len(c.Newest)-1].rate(t)
}

// CampaignDay is what a campaign has paid for a day of a token.
type CampaignDay struct {
	Campaign, Asset, Token string
	Day                    staking.Day // that was weighed; its shares took effect on the day after
	Left, Budget, Paid     staking.Exact
	Weight                 staking.Integral // everybody's, in hundredths
	// Of an account that counts once: the reward tokens a year for a whole eligible token, in 1e-8, and the same in
	// value, by the prices of the day. Zero where nobody earned, and where a price is not known.
	Rate, ValueRate staking.Rate
}

// CampaignDays are the distributed days of a campaign, the newest first, after one, at most
// limit; the zero Day and Token: from the first on.
func (rs *Reports) CampaignDays(ctx context.Context, id string, after CampaignDay, limit int) ([]CampaignDay, error) {
	before := int64(staking.Forever)
	if after.Token != "" {
		before = int64(after.Day) + 1
	}
	return read(ctx, rs, "read the days of the campaign", func(t db.View) ([]CampaignDay, error) {
		days, err := db.All(t, readCampaignDay, `SELECT `+campaignDayColumns+`
		      FROM campaign_distributions WHERE campaign = $1 AND (day < $2 OR (day = $2 AND token > $3))
		     ORDER BY day DESC, token LIMIT $4`, id, before, after.Token, int64(max(limit, 0)))
		for i := range days {
			if err == nil {
				err = days[i].rate(t)
			}
		}
		return days, err
	})
}

// campaignDayColumns are what readCampaignDay reads.
const campaignDayColumns = "campaign, asset, token, day, left_units, left_part, budget_units, budget_part, " +
	"paid_units, paid_part, weight"

func readCampaignDay(r db.Row) (CampaignDay, error) {
	weight, err := staking.ParseIntegral(r.Text(10))
	return CampaignDay{
		Campaign: r.Text(0), Asset: r.Text(1), Token: r.Text(2), Day: staking.Day(r.Int(3)) - 1,
		Left:   holding.ReadExact(r, 4),
		Budget: holding.ReadExact(r, 6), Paid: holding.ReadExact(r, 8), Weight: weight,
	}, err
}

// rate works out the rates of the day.
func (d *CampaignDay) rate(t db.View) error {
	reward, err := store.FindAsset(t, d.Asset)
	if err != nil {
		return err
	}
	token, err := store.FindAsset(t, d.Token)
	if err != nil {
		return err
	}
	weight, ok := new(big.Int).SetString(d.Weight.String(), 10)
	if !ok || weight.Sign() == 0 {
		return nil
	}
	power := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	rate := new(big.Int).Mul(big.NewInt(int64(d.Paid.Units)), big.NewInt(int64(staking.Unit)))
	rate.Mul(rate.Mul(rate, big.NewInt(staking.Once)), power(token.Scale))
	weight.Mul(weight, power(reward.Scale))
	if d.Rate, ok = rateOf(rate, weight); !ok {
		return nil
	}
	prices, err := pricing.At(t, []pricing.Price{{Asset: d.Asset, Day: d.Day}, {Asset: d.Token, Day: d.Day}})
	if err != nil || prices[0].Price == 0 || prices[1].Price == 0 {
		return err
	}
	d.ValueRate, _ = rateOf(rate.Mul(rate, big.NewInt(prices[0].Price)), weight.Mul(weight, big.NewInt(prices[1].Price)))
	return nil
}

// rateOf is a quotient, rounded down; ok is false if it is out of range, and then it is zero.
func rateOf(n, by *big.Int) (r staking.Rate, ok bool) {
	q := new(big.Int).Quo(n, by)
	if !q.IsInt64() {
		return 0, false
	}
	return staking.Rate(q.Int64()), true
}

// campaignShares are the budgets of campaigns that are part of a token's declared day, by campaign and eligible token.
func campaignShares(t db.View, asset string, d staking.Day) (shares []Share, err error) {
	days, err := db.All(t, readCampaignDay, "SELECT "+campaignDayColumns+` FROM campaign_distributions
	     WHERE asset = $1 AND day = $2 ORDER BY campaign, token`, asset, int64(d))
	if err != nil {
		return nil, err
	}
	for _, day := range days {
		c, found, err := holding.FindCampaign(t, day.Campaign)
		if err == nil && !found {
			err = ledger.ErrNotFound.In("", "campaign %q", day.Campaign)
		}
		if err != nil {
			return nil, err
		}
		v := staking.BudgetOf(c, day.Day, day.Token, staking.Exact{}, day.Weight)
		v.Budget.Left = day.Left
		if err := holding.ReadOther(t, v); err != nil {
			return nil, err
		}
		shares = append(shares, Share{Distribution: v, Declared: true})
	}
	return shares, nil
}

// weighBudget reads what the account's day weighs in the budget of a campaign.
func (s *Share) weighBudget(t db.View, id ledger.Account) (err error) {
	if s.Weighs, err = store.FindAsset(t, s.Budget.Token); err != nil {
		return err
	}
	if s.Percent, err = holding.PercentOf(t, s.Budget.Campaign, id, s.First); err != nil || s.Percent == 0 {
		return err
	}
	if err := s.readDays(t, id, s.Budget.Token, holding.EligibleTable(s.Budget)); err != nil || s.Days == nil {
		return err
	}
	s.Weight = s.Weight.Times(s.Percent)
	return nil
}

// countBudget is the day's budget on paper: what is left, in parts, through the days that are left, rounded down to a
// smallest unit; on the last day all of it.
func countBudget(left *big.Int, days int64) *big.Int {
	if days == 1 {
		return left
	}
	budget := new(big.Int).Quo(left, big.NewInt(days))
	budget.Quo(budget, big.NewInt(int64(staking.Unit)))
	return budget.Mul(budget, big.NewInt(int64(staking.Unit)))
}
