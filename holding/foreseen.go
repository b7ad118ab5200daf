package holding

import (
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Foreseen is a distribution of a day that is not declared yet, and what it will have paid. Where a token waits for
// several days, those of each day begin with what those before have left.
type Foreseen struct {
	staking.Distribution
	Paid staking.Exact
}

// leftAfter is Left when those before, by day, have been paid.
func leftAfter(t db.View, d staking.Day, token string, before []Foreseen) (left staking.Exact, err error) {
	incomes := slices.DeleteFunc(slices.Clone(before), func(f Foreseen) bool { return f.Budget != nil })
	if len(incomes) == 0 {
		return Left(t, d, token)
	}
	last := incomes[len(incomes)-1].Day
	first := slices.IndexFunc(incomes, func(f Foreseen) bool { return f.Day == last })
	left = incomes[first].Before
	for _, f := range incomes[first:] {
		left = left.Add(staking.Exact{Units: f.Net}).Sub(f.Paid)
	}
	return left, nil
}

// paidAfter is what those before pay of a token's part of a campaign.
func paidAfter(before []Foreseen, campaign, token string) (paid staking.Exact) {
	for _, f := range before {
		if f.Budget != nil && f.Budget.Campaign.ID == campaign && f.Budget.Token == token {
			paid = paid.Add(f.Paid)
		}
	}
	return paid
}

// PaidIn is what each of some distributions pays in a bucket: of one day, in their order. It reads what is accrued on
// the days that they weigh; memory grows with the bucket's accounts.
func PaidIn(t db.View, bucket int, all []staking.Distribution) ([]staking.Exact, error) {
	paid := make([]staking.Exact, len(all))
	for i, v := range all {
		if !v.Pays() {
			continue
		}
		weights, err := weightsIn(t, bucket, v)
		if err != nil {
			return nil, fmt.Errorf("read what accounts weigh: %w", err)
		}
		divider := v.Divider()
		for _, weight := range weights {
			paid[i] = paid[i].Add(divider.Share(weight))
		}
	}
	return paid, nil
}

// weightsIn are what the accounts of a bucket weigh in a distribution. One that had ended by its day weighs nothing.
func weightsIn(t db.View, bucket int, v staking.Distribution) (map[ledger.Account]staking.Integral, error) {
	token := v.Asset
	if v.Budget != nil {
		token = v.Budget.Token
	}
	weights := map[ledger.Account]staking.Integral{}
	err := t.Query(func(r db.Row) error {
		account := ledger.Account(r.Text(0))
		weights[account] = weights[account].Add(ReadWeight(r, 1))
		return nil
	}, `SELECT a.account, a.eligible, a.eligible_rest FROM accruals a
	     WHERE a.bucket = $1 AND a.day BETWEEN $2 AND $3 AND a.asset = $4
	       AND NOT EXISTS (SELECT 1 FROM accounts e
	             WHERE e.bucket = a.bucket AND e.account = a.account AND e.ended > 0 AND e.ended < $5)`,
		int64(bucket), int64(v.First), int64(v.Last), token, (v.Day + 1).Millis())
	if err != nil || v.Budget == nil {
		return weights, err
	}
	w, err := weigherOf(t, bucket, v.Budget.Campaign, v.First)
	if err != nil {
		return nil, err
	}
	for account, weight := range weights {
		weights[account] = w.weight(account, weight)
	}
	return weights, nil
}
