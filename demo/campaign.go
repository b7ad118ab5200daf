package demo

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

const (
	campaignID = "autumn"
	// eligible is the token that earns in the campaign.
	eligible = "BNB"
	// paidIn is the token in which it pays.
	paidIn = "AXS"
	// campaignStays is how many days the campaign goes on after the last that the report covers.
	campaignStays = 30
	// vipPercent is what the holdings of an account with the label count in it.
	vipPercent = 150
	// mostVIPs is how many of the holders have the label at most, beside the customer.
	mostVIPs = 100
	// vipEach is every which holder has it.
	vipEach = 10
)

// startCampaign gives some holders the label, and makes the campaign, whose pool the operator pays: as many whole
// tokens as there are holders, for each of its days. It begins with the first day that earns.
func (t *Town) startCampaign(ctx context.Context) error {
	labelled := []ledger.Account{Nora}
	for i := vipEach / 2; i < len(t.people) && len(labelled) <= mostVIPs; i += vipEach {
		labelled = append(labelled, t.people[i].id)
	}
	for _, account := range labelled {
		if _, _, err := t.Books.AddLabel(ctx, account, vip, t.First+1); err != nil {
			return err
		}
	}
	c := staking.Campaign{
		ID: campaignID, Title: "Hold " + eligible + ", get " + paidIn, Asset: paidIn, First: t.First + 1,
		Last: t.Last + campaignStays, Multipliers: []staking.Multiplier{{Label: vip, Percent: vipPercent}},
	}
	whole := ledger.Amount(power(t.market.token[paidIn].Asset.Scale).Int64())
	c.Pool = ledger.Amount(t.holders) * ledger.Amount(c.Days()) * whole
	c.Parts = staking.EqualParts(c.Pool, []string{eligible})
	out, err := t.Books.PostCampaign(ctx, c)
	if err == nil {
		err = out.Err
	}
	return err
}

// Campaign is a campaign of the town as it stands.
type Campaign struct {
	reports.Campaign
	Token  ledger.Asset         // in which it pays
	Latest *reports.CampaignDay // the last day that is divided; nil: none is
}

// Campaign reads the town's campaign.
func (t *Town) Campaign(ctx context.Context) (c Campaign, err error) {
	if c.Campaign, err = t.Reports.Campaign(ctx, campaignID); err != nil {
		return c, err
	}
	c.Token = t.market.token[c.Asset].Asset
	days, err := t.Reports.CampaignDays(ctx, campaignID, reports.CampaignDay{}, 1)
	if len(days) > 0 {
		c.Latest = &days[0]
	}
	return c, err
}
