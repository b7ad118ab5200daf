package reports

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// campaignTables are those that campaignRows reads.
var campaignTables = []string{"campaigns", "campaign_totals", "campaign_distributions"}

// campaignRows are the rows of campaigns of all buckets.
func campaignRows(t db.View) (rows audit.CampaignRows, err error) {
	campaigns, err := holding.AllCampaigns(t)
	if err != nil {
		return rows, err
	}
	type place struct {
		bucket int
		at     int64
	}
	places := map[string]place{}
	if err := t.Query(func(r db.Row) error { places[r.Text(0)] = place{int(r.Int(1)), r.Int(2)}; return nil },
		"SELECT campaign, bucket, at FROM campaigns"); err != nil {
		return rows, err
	}
	for _, c := range campaigns {
		rows.Campaigns = append(rows.Campaigns, audit.Campaign{Campaign: c, Bucket: places[c.ID].bucket, At: places[c.ID].at})
	}
	if rows.Weighed, err = db.All(t, scan(campaignWeight),
		"SELECT day, asset, campaign, weight FROM campaign_totals ORDER BY day, asset, campaign"); err != nil {
		return rows, err
	}
	rows.Budgets, err = db.All(t, func(r db.Row) (audit.Budget, error) {
		return audit.Budget{
			Key: keyOf(r), Campaign: r.Text(2), Token: r.Text(3), Left: holding.ReadExact(r, 4), Budget: holding.ReadExact(r, 6),
			Weight: r.Text(8), Amount: holding.ReadExact(r, 9),
		}, nil
	}, `SELECT day, asset, campaign, token, left_units, left_part, budget_units, budget_part, weight, paid_units, paid_part
	      FROM campaign_distributions ORDER BY day, asset, campaign, token`)
	return rows, err
}

func campaignWeight(r db.Row) audit.Weight {
	return audit.Weight{Key: keyOf(r), Campaign: r.Text(2), Weight: r.Text(3)}
}

// campaigns are the rows of campaigns of the bucket's head.
func (a auditedBucket) campaigns() (rows audit.CampaignRows, err error) {
	if slices.ContainsFunc(campaignTables, func(table string) bool { return a.filled[table] }) {
		if rows, err = campaignRows(a.t); err != nil {
			return rows, fmt.Errorf("read the campaigns: %w", err)
		}
	}
	if err := a.of("campaign_weights", "the weights of campaigns", func(r db.Row) {
		rows.Weights = append(rows.Weights, campaignWeight(r))
	}, "SELECT day, asset, campaign, weight FROM campaign_weights WHERE bucket = $1"); err != nil {
		return rows, err
	}
	if err := a.of("campaign_eligible", "what is eligible in campaigns", func(r db.Row) { rows.Eligible = r.Int(0) },
		"SELECT count(*) FROM campaign_eligible WHERE bucket = $1"); err != nil {
		return rows, err
	}
	err = a.of("campaign_shares", "the shares of campaigns", func(r db.Row) {
		rows.Shares = append(rows.Shares, audit.CampaignShare{Key: keyOf(r), Campaign: r.Text(2), Token: r.Text(3),
			Sum: holding.ReadExact(r, 4)})
	}, "SELECT day, asset, campaign, token, units, part FROM campaign_shares WHERE bucket = $1")
	return rows, err
}

func (a auditedBucket) Eligible(d staking.Day, s audit.Span, visit func(audit.Eligible)) error {
	return a.of("campaign_eligible", "what is eligible in campaigns", func(r db.Row) {
		visit(audit.Eligible{Account: ledger.Account(r.Text(0)), Asset: r.Text(1), Average: ledger.Amount(r.Int(2)),
			Rest: r.Int(3), Eligible: ledger.Amount(r.Int(4)), EligibleRest: r.Int(5)})
	}, `SELECT account, asset, average, rest, eligible, eligible_rest FROM campaign_eligible
	     WHERE bucket = $1 AND day = $2 AND account > $3 AND account <= $4`, int64(d), string(s.After), string(s.Through))
}

func (a auditedBucket) Labels(s audit.Span, visit func(audit.Label)) error {
	return a.of("labels", "the labels of accounts", func(r db.Row) {
		visit(audit.Label{Account: ledger.Account(r.Text(0)), Label: r.Text(1), From: staking.Day(r.Int(2)),
			Until: staking.Day(r.Int(3))})
	}, "SELECT account, label, from_day, until_day FROM labels WHERE bucket = $1 AND account > $2 AND account <= $3",
		string(s.After), string(s.Through))
}

func (a auditedBucket) Members(s audit.Span, visit func(audit.Member)) error {
	return a.of("campaign_members", "the members of campaigns", func(r db.Row) {
		visit(audit.Member{Campaign: r.Text(0), Account: ledger.Account(r.Text(1)), At: r.Int(2)})
	}, "SELECT campaign, account, at FROM campaign_members WHERE bucket = $1 AND account > $2 AND account <= $3",
		string(s.After), string(s.Through))
}

func (a auditedBucket) Switches(s audit.Span, visit func(audit.Switch)) error {
	return a.of("switch_events", "the switch events", func(r db.Row) {
		visit(audit.Switch{Account: ledger.Account(r.Text(0)), At: r.Int(1), Action: r.Text(2)})
	}, `SELECT account, at, action FROM switch_events WHERE bucket = $1 AND account > $2 AND account <= $3
	     ORDER BY account, at, action`, string(s.After), string(s.Through))
}
