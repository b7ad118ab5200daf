package holding

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// MeasureClaimants measures those of a bucket who may have a share of a campaign in a wanted token of which they have
// no balance, so that Measure passes over them: they hold nothing. It is for previews; a run gives
// them a balance first.
func MeasureClaimants(t db.View, bucket int, d staking.Day, wanted func(asset string) bool, shares *Shares,
	page func([]staking.Holding) error) error {
	if shares == nil {
		return nil
	}
	var budgets []staking.Distribution
	found := map[position]bool{}
	for _, v := range shares.Divisions {
		if v.Budget == nil || !v.Pays() || !wanted(v.Asset) {
			continue
		}
		budgets = append(budgets, v.Distribution)
		if err := readClaimants(t, bucket, v.Distribution, found); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	m := measure{t: t, bucket: int64(bucket), day: d, shares: SharesOf(budgets)}
	for p := range found {
		m.page = append(m.page, staking.HoldingAt(p.account, p.asset, 0, 0))
	}
	slices.SortFunc(m.page, func(a, b staking.Holding) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	m.first, m.last = string(m.page[0].Account), string(m.page[len(m.page)-1].Account)
	if err := m.anyExcluded(); err != nil {
		return err
	}
	if err := m.shares.weigh(&m); err != nil {
		return err
	}
	if err := m.enrolled(); err != nil {
		return err
	}
	for i := range m.page {
		m.shares.take(i, &m.page[i])
	}
	return page(m.page)
}

// readClaimants adds those whom a campaign's budget may pay, and who have no balance of its token.
func readClaimants(t db.View, bucket int, v staking.Distribution, found map[position]bool) error {
	err := t.Query(func(r db.Row) error {
		found[position{ledger.Account(r.Text(0)), v.Asset}] = true
		return nil
	}, `SELECT a.account FROM `+EligibleTable(v.Budget)+` a
	     WHERE a.bucket = $1 AND a.day = $2 AND a.asset = $3
	       AND ($5 = 0 OR EXISTS (SELECT 1 FROM campaign_members m WHERE m.bucket = a.bucket AND m.campaign = $6 AND m.account = a.account))
	       AND NOT EXISTS (SELECT 1 FROM balances b WHERE b.bucket = a.bucket AND b.account = a.account AND b.asset = $4)`,
		int64(bucket), int64(v.First), v.Budget.Token, v.Asset, v.Budget.Campaign.Members, v.Budget.Campaign.ID)
	if err != nil {
		return fmt.Errorf("read who has a share of the campaign %s: %w", v.Budget.Campaign.ID, err)
	}
	return nil
}
