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
