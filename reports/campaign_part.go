package reports

import (
	"context"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// TakenPart is a campaign that is not over, and what an account counts in it.
type TakenPart struct {
	Campaign
	// What the account's eligible integrals count by its labels, in hundredths, today or on the campaign's first day;
	// 0 where it has no place among the members.
	Percent int64
}

// TakenParts are the campaigns that are not over, running and coming, by ID. Account "" is nobody's: it counts once
// where all take part. What it reads does not grow with how many have ended.
func (rs *Reports) TakenParts(ctx context.Context, id ledger.Account) (parts []TakenPart, err error) {
	today := staking.DayOf(rs.Now())
	return read(ctx, rs, "read the campaigns", func(t db.View) ([]TakenPart, error) { return takenParts(t, id, today) })
}

func takenParts(t db.View, id ledger.Account, today staking.Day) (parts []TakenPart, err error) {
	campaigns, err := holding.OpenCampaigns(t)
	if err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		x, err := asItStands(t, c)
		if err != nil {
			return nil, err
		}
		if x.Over() {
			continue
		}
		percent, err := holding.PercentOf(t, c, id, max(today, c.First))
		if err != nil {
			return nil, err
		}
		parts = append(parts, TakenPart{x, percent})
	}
	return parts, nil
}

// CampaignTitles are those of the campaigns that the account has a share of in each of some of its paid rewards.
func (rs *Reports) CampaignTitles(ctx context.Context, id ledger.Account, rewards []Reward) (map[RewardKey][]string,
	error) {
	return read(ctx, rs, "read the campaigns of rewards", func(t db.View) (map[RewardKey][]string, error) {
		titles := map[RewardKey][]string{}
		for _, r := range rewards {
			shares, err := campaignShares(t, r.Asset, r.Day)
			if err != nil {
				return nil, err
			}
			for _, s := range shares {
				if err := s.weigh(t, id); err != nil {
					return nil, err
				}
				if k := (RewardKey{r.Day, r.Asset}); s.Exact != (staking.Exact{}) {
					titles[k] = append(titles[k], s.Budget.Campaign.Title)
				}
			}
		}
		return titles, nil
	})
}
