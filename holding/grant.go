package holding

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// grant is a share that a position had of the budgets of campaigns.
type grant struct {
	day   staking.Day // on which it took effect
	share staking.Exact
}

// recordedBudgets are the budgets of campaigns that took effect on some days, both ends inclusive, as they were
// declared, in order of their days.
func recordedBudgets(t db.View, first, last staking.Day, campaigns []staking.Campaign,
	wanted func(asset string) bool) (all []staking.Distribution, err error) {
	if len(campaigns) == 0 {
		return nil, nil
	}
	err = t.Query(func(r db.Row) error {
		i := slices.IndexFunc(campaigns, func(c staking.Campaign) bool { return c.ID == r.Text(0) })
		weight, err := staking.ParseIntegral(r.Text(5))
		if err != nil || i < 0 || !wanted(campaigns[i].Asset) {
			return err
		}
		c, token := campaigns[i], r.Text(1)
		left := ReadExact(r, 3)
		paid := staking.Exact{Units: c.Part(token)}.Sub(left)
		all = append(all, staking.BudgetOf(c, staking.Day(r.Int(2))-1, token, paid, weight))
		return nil
	}, `SELECT campaign, token, day, left_units, left_part, weight FROM campaign_distributions
	     WHERE day BETWEEN $1 AND $2 ORDER BY day, campaign, token`, int64(first), int64(last))
	for i := range all {
		if err == nil {
			err = ReadOther(t, all[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the budgets of campaigns: %w", err)
	}
	return all, nil
}

// grantsOf are the shares of a bucket's positions in recorded budgets, in order of their days.
func grantsOf(t db.View, bucket int, budgets []staking.Distribution) (map[position][]grant, error) {
	grants := map[position][]grant{}
	for _, v := range budgets {
		if !v.Pays() {
			continue
		}
		weigher, err := weigherOf(t, bucket, v.Budget.Campaign, v.First)
		if err != nil {
			return nil, err
		}
		divider := v.Divider()
		err = t.Query(func(r db.Row) error {
			account := ledger.Account(r.Text(0))
			share := divider.Share(weigher.weight(account, ReadWeight(r, 1)))
			if share != (staking.Exact{}) {
				at := position{account, v.Asset}
				grants[at] = append(grants[at], grant{v.Day, share})
			}
			return nil
		}, `SELECT a.account, a.eligible, a.eligible_rest FROM `+EligibleTable(v.Budget)+` a JOIN accounts o ON o.bucket = a.bucket AND o.account = a.account
		     WHERE a.bucket = $1 AND a.day = $2 AND a.asset = $3 AND NOT (o.ended > 0 AND o.ended < $4)`,
			int64(bucket), int64(v.First), v.Budget.Token, (v.Day + 1).Millis())
		if err != nil {
			return nil, fmt.Errorf("read what accounts weigh in the campaign %s: %w", v.Budget.Campaign.ID, err)
		}
	}
	return grants, nil
}
