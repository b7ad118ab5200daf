package demo

import (
	"context"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// Way is a way in which a day comes to its reward, or to none. That of a rate and an average is the Showcase's.
type Way int

const (
	OfIncome   Way = iota // a share of the staking income, on the day on which it was divided
	OfCampaign            // a share of a campaign's budget, in another token
	OfOwner               // a cap that accounts of one owner share
	OfLowest              // the smallest balance of the day
	OfNothing             // excluded: another product has the token
)

// Example is a day of the customer's that shows a way.
type Example struct {
	Way         Way
	Explanation reports.Explanation
}

// Examples are one example of each way, in their order.
func (t *Town) Examples(ctx context.Context) ([]Example, error) {
	divided, err := t.lastDivided(ctx, incomeExample)
	if err != nil {
		return nil, err
	}
	var examples []Example
	for _, x := range []struct {
		way   Way
		day   staking.Day
		asset string
	}{
		{OfIncome, divided, incomeExample}, {OfCampaign, t.Last, paidIn}, {OfOwner, t.Last, Capped},
		{OfLowest, t.Last, lowest}, {OfNothing, t.Last, excluded},
	} {
		e, err := t.Reports.Explain(ctx, Nora, x.day, x.asset)
		if err != nil {
			return nil, err
		}
		examples = append(examples, Example{x.way, e})
	}
	return examples, nil
}

// incomeExample is the token in the mode share that the customer holds.
const incomeExample = "NEAR"

// lastDivided is the last day with which income of a token was divided or, before there is any, the last day.
func (t *Town) lastDivided(ctx context.Context, token string) (staking.Day, error) {
	divided, err := t.Reports.Distributions(ctx, token, t.First, t.Last, 1)
	if err != nil || len(divided) == 0 {
		return t.Last, err
	}
	return divided[0].Day, nil
}

// Income is what the staking of a token has brought in the town.
type Income struct {
	Token   ledger.Asset
	Periods int           // that were divided
	Gross   ledger.Amount // of them, in smallest units
	Net     ledger.Amount // without the operator's fee
	Fee     staking.Rate  // the operator's part, 0 to 1
}

// Incomes are those of the tokens in the mode share, in the order of their symbols.
func (t *Town) Incomes(ctx context.Context) (all []Income, err error) {
	for _, symbol := range t.market.shared() {
		in := Income{Token: t.market.token[symbol].Asset, Fee: t.market.token[symbol].Terms.Fee}
		divided, err := t.Reports.Distributions(ctx, symbol, t.First, t.Last, int(t.Last-t.First))
		if err != nil {
			return nil, err
		}
		for _, d := range divided {
			in.Periods++
			in.Gross += d.Gross // of what there is of the token
			in.Net += d.Net
		}
		all = append(all, in)
	}
	return all, nil
}
