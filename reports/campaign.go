package reports

import (
	"context"
	"fmt"
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
}

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
	end := min(c.Last, c.End)
	for _, p := range c.Parts {
		var left ledger.Amount
		if err == nil {
			left, err = holding.LeftOf(t, c, p)
		}
		x.Left += left // at most the pool
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
	}
	if err == nil && c.Members > 0 {
		x.Enlisted, err = db.Count(t, "SELECT count(*) FROM campaign_members WHERE campaign = $1", c.ID)
	}
	return x, err
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
		days, err := db.All(t, readCampaignDay, `SELECT campaign, asset, token, day, left_units, left_part, budget_units, budget_part, paid_units, paid_part, weight
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

func readCampaignDay(r db.Row) (CampaignDay, error) {
	weight, err := staking.ParseIntegral(r.Text(10))
	return CampaignDay{
		Campaign: r.Text(0), Asset: r.Text(1), Token: r.Text(2), Day: staking.Day(r.Int(3)) - 1, Left: readExact(r, 4),
		Budget: readExact(r, 6), Paid: readExact(r, 8), Weight: weight,
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

// CampaignShare is what an account has of a campaign's budget in a reward: it is part of the
// accrual of its day.
type CampaignShare struct {
	CampaignDay
	Title    string
	Eligible staking.Integral // the account's, of the day that was weighed
	Percent  int64            // what it counts, in hundredths
	Own      staking.Integral // its weight: Eligible × Percent
	Share    staking.Exact    // budget × Own / Weight, rounded down to 1/Unit of a smallest unit
}

// CampaignShares are those that are part of an account's reward of a day that is declared, by
// campaign and token.
func (rs *Reports) CampaignShares(ctx context.Context, id ledger.Account, asset string,
	d staking.Day) ([]CampaignShare, error) {
	return read(ctx, rs, "read the shares of campaigns", func(t db.View) ([]CampaignShare, error) {
		return campaignShares(t, id, asset, d)
	})
}

func campaignShares(t db.View, id ledger.Account, asset string, d staking.Day) (shares []CampaignShare, err error) {
	days, err := db.All(t, readCampaignDay, `SELECT campaign, asset, token, day, left_units, left_part, budget_units, budget_part, paid_units, paid_part, weight
	      FROM campaign_distributions WHERE asset = $1 AND day = $2 ORDER BY campaign, token`, asset, int64(d))
	if err != nil {
		return nil, err
	}
	for _, day := range days {
		c, found, err := holding.FindCampaign(t, day.Campaign)
		if err != nil || !found {
			return nil, fmt.Errorf("find the campaign %s: %w", day.Campaign, err)
		}
		s := CampaignShare{CampaignDay: day, Title: c.Title}
		if err := t.Query(func(r db.Row) error {
			s.Eligible = staking.Accrual{Eligible: ledger.Amount(r.Int(0)), EligibleRest: r.Int(1)}.EligibleIntegral()
			return nil
		}, "SELECT eligible, eligible_rest FROM accruals WHERE bucket = $1 AND day = $2 AND account = $3 AND asset = $4",
			int64(id.Bucket()), int64(day.Day), string(id), day.Token); err != nil {
			return nil, err
		}
		if s.Percent, err = holding.PercentOf(t, c, id, day.Day); err != nil {
			return nil, err
		}
		if s.Percent == 0 || s.Eligible == (staking.Integral{}) {
			continue
		}
		s.Own = s.Eligible.Times(s.Percent)
		s.Share = staking.Distribution{Before: day.Budget, Weight: day.Weight}.Divider().Share(s.Own)
		if err := s.rate(t); err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	return shares, nil
}
