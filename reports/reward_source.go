package reports

import (
	"context"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Sources are where a reward came from. There may be several; there is none of a reward that pays only what was
// carried.
type Sources struct {
	Rate      bool     // a rate a year earned something of it
	Income    bool     // it has a share of staking income
	Campaigns []string // the titles of the campaigns that it has a share of
}

// Names are "rate", "income" and "campaign", in this order; never nil.
func (s Sources) Names() []string {
	names := []string{}
	if s.Rate {
		names = append(names, "rate")
	}
	if s.Income {
		names = append(names, "income")
	}
	if len(s.Campaigns) > 0 {
		names = append(names, "campaign")
	}
	return names
}

// SourcedReward is a reward, and where it came from.
type SourcedReward struct {
	Reward
	Sources
}

// SourcedRewards is Rewards with the sources of each.
func (rs *Reports) SourcedRewards(ctx context.Context, id ledger.Account, from, to staking.Day,
	visit func(SourcedReward) error) error {
	return walk(rewardPage, func(after *SourcedReward) ([]SourcedReward, error) {
		var place *RewardKey
		if after != nil {
			place = &RewardKey{after.Day, after.Asset}
		}
		return rs.SourcedPage(ctx, id, RewardsAsked{From: from, To: to}, place, rewardPage)
	}, visit)
}

// SourcedPage is RewardPage with the sources of each. What is paid does not change: they are read in a snapshot of
// their own.
func (rs *Reports) SourcedPage(ctx context.Context, id ledger.Account, asked RewardsAsked, after *RewardKey,
	limit int) ([]SourcedReward, error) {
	rewards, err := rs.RewardPage(ctx, id, asked, after, limit)
	if err != nil || len(rewards) == 0 {
		return nil, err
	}
	return read(ctx, rs, "read the sources of rewards", func(t db.View) ([]SourcedReward, error) {
		first, last := rewards[0].Day, rewards[len(rewards)-1].Day
		divided, err := dividedDays(t, min(first, last), max(first, last))
		if err != nil {
			return nil, err
		}
		all := make([]SourcedReward, len(rewards))
		for i, r := range rewards {
			all[i] = SourcedReward{r, Sources{Rate: r.Rated()}}
			if !divided[RewardKey{r.Day, r.Asset}] {
				continue
			}
			if err := all[i].readShares(t, id, r); err != nil {
				return nil, err
			}
		}
		return all, nil
	})
}

// dividedDays are the declared days of tokens, from one to another, both inclusive, on which an income or a campaign's
// budget was divided.
func dividedDays(t db.View, from, to staking.Day) (map[RewardKey]bool, error) {
	days := map[RewardKey]bool{}
	for _, table := range []string{"distributions", "campaign_distributions"} {
		err := t.Query(func(r db.Row) error {
			days[RewardKey{staking.Day(r.Int(0)), r.Text(1)}] = true
			return nil
		}, "SELECT DISTINCT day, asset FROM "+table+" WHERE day BETWEEN $1 AND $2", int64(from), int64(to))
		if err != nil {
			return nil, err
		}
	}
	return days, nil
}

// readShares finds what the account has a share of in a paid reward.
func (s *Sources) readShares(t db.View, id ledger.Account, r Reward) error {
	shares, err := declaredShares(t, r.Asset, r.Day)
	if err != nil {
		return err
	}
	for _, share := range shares {
		switch err := share.weigh(t, id); {
		case err != nil:
			return err
		case share.Exact == (staking.Exact{}):
		case share.Budget != nil:
			if title := share.Budget.Campaign.Title; !slices.Contains(s.Campaigns, title) { // of several tokens
				s.Campaigns = append(s.Campaigns, title)
			}
		default:
			s.Income = true
		}
	}
	return nil
}

// declaredShares are the distributions of a token's day, those of incomes first, then the budgets of campaigns.
func declaredShares(t db.View, asset string, d staking.Day) ([]Share, error) {
	all, err := db.All(t, readDistribution, "SELECT "+distributionColumns+
		" FROM distributions WHERE asset = $1 AND day = $2 ORDER BY "+holding.InOrder, asset, int64(d))
	if err != nil {
		return nil, err
	}
	var shares []Share
	for _, v := range all {
		shares = append(shares, Share{Distribution: v.Distribution, Declared: true})
	}
	campaigns, err := campaignShares(t, asset, d)
	return append(shares, campaigns...), err
}
