package store

import (
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// What entries bring into the books on a UTC day is limited for each token, by when they are posted and whatever day
// they count on: deposits of credentials without a ceiling of their own, opening balances, imports, income,
// corrections, and what the house puts into the pool or into @fees. Above the limit income, corrections and the house's
// own tokens need approval with four eyes, and count nothing then; everything else is refused, also at the command
// line: who brings in more raises the limit first.

// broughtIn is the measure of that sum, and ofBooks whose it is.
const (
	broughtIn = "brought in"
	ofBooks   = "books"
)

// isInflow reports whether a usage is that sum.
func (u *usage) isInflow() bool { return u.measure == broughtIn }

// bringsIn reports whether an entry of the kind brings tokens into the books with the move.
func bringsIn(k ledger.Kind, m ledger.Move) bool {
	switch k {
	case ledger.Deposit, ledger.Opening, ledger.Import, ledger.RewardElsewhere, ledger.StakingIncome,
		ledger.Fund, ledger.FeeTransfer:
		return m.From == ledger.Custody
	case ledger.Adjustment:
		return m.From.Overdraws()
	}
	return false
}

// addsInflow reports whether what an item brings into the books with the move is added up.
func addsInflow(it *item, m ledger.Move) bool {
	ownCeiling := it.Kind == ledger.Deposit && it.call.actor.Ceilings != ""
	return it.call.approval == nil && !ownCeiling && bringsIn(it.Kind, m)
}

// countInflow adds up what an item brings into the books.
func (g *groupCommit) countInflow(it *item) error {
	for _, m := range it.Moves {
		most := g.controls.limits[m.Asset].MaxInflow
		if most == 0 || !addsInflow(it, m) {
			continue
		}
		if err := it.use(g.usage(usageKey{ofBooks, g.today(), broughtIn, m.Asset}, most), m.Amount); err != nil {
			return err
		}
	}
	return nil
}

// checkInflow says why the item brings in too much, or nil; what may be proposed then needs approval.
func (g *groupCommit) checkInflow(it *item) error {
	over := slices.IndexFunc(it.uses, func(u use) bool { return u.isInflow() && u.amount > u.left() })
	if over < 0 {
		return nil
	}
	if g.controls.fourEyes && it.call.content != nil {
		it.large = true
		it.uses = slices.DeleteFunc(it.uses, func(u use) bool { return u.isInflow() })
		return nil
	}
	u := it.uses[over]
	asset := g.assets[u.asset]
	return access.ErrCeiling.In("", "of %s %s that may be brought in on a day, %s are left, and %s are needed; raise the "+
		"limit first", asset.Format(u.ceiling), u.asset, asset.Format(max(u.left(), 0)), asset.Format(u.amount)).
		Because(ReasonInflow)
}

// ReasonInflow is why an entry is refused that brings in more than is allowed on a day.
const ReasonInflow = "inflow-limit"
