package audit

import (
	"maps"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Where a campaign takes the measure that a token's terms do not have, an account's day weighs by it, whether or not
// it earns by the terms. What is eligible so is written in rows of its own, and derived here as what earns is.

// Eligible is the row of what is eligible of an account's day by the measure that the token's terms do not have.
type Eligible struct {
	Account      ledger.Account
	Asset        string
	Average      ledger.Amount // or the smallest balance
	Rest         int64         // of the average, in unit-milliseconds
	Eligible     ledger.Amount
	EligibleRest int64
}

type eligibleKey struct {
	account ledger.Account
	asset   string
}

// takesOther reports whether a campaign takes the measure that the token's terms of the day do not have.
func (c *Campaign) takesOther(r *rule) bool { return c.Measure != nil && *c.Measure != r.Measure }

// other is the measure that the terms do not have.
func (r *rule) other() staking.Measure {
	if r.Measure == staking.Lowest {
		return staking.Average
	}
	return staking.Lowest
}

// weighsOther reports whether a campaign weighs the token's day by the measure that its terms do not have.
func (t *token) weighsOther() bool {
	return t.rule != nil && slices.ContainsFunc(t.weighed, func(c *Campaign) bool { return c.takesOther(t.rule) })
}

// readEligible reads the rows of the day.
func (w *worker) readEligible(s Span) error {
	x := &w.campaigns
	x.eligible = nil
	if w.head.Campaigns.Eligible == 0 || !w.audited() {
		return nil
	}
	x.eligible = map[eligibleKey]Eligible{}
	return w.books.Eligible(w.day, s, func(e Eligible) {
		x.rows++
		x.eligible[eligibleKey{e.Account, e.Asset}] = e
	})
}

// settleOther derives what of a position's day is eligible by the measure that the terms do not have, compares it with
// its row, and adds what it weighs.
func (w *worker) settleOther(p *position) {
	t, f := p.token, &w.others
	if !t.weighsOther() || !w.measures(p) {
		return
	}
	f.measureBy(p, t.rule.other())
	if !f.earn(p, t.rule, p.togetherOther) || f.earning.Sign() == 0 {
		return
	}
	f.eligibleRest.Mod(&f.earning, dayMillis)
	w.weigh(p, f, true)
	if !w.audited() {
		return
	}
	k := eligibleKey{p.stored.Account, p.stored.Asset}
	row, found := w.campaigns.eligible[k]
	delete(w.campaigns.eligible, k)
	if !found {
		w.findAt(p, "has no row of what is eligible in campaigns by the measure "+t.rule.other().String())
		return
	}
	wrong := differences{asset: t.asset}
	wrong.amount("what is measured", row.Average, &f.average)
	wrong.number("its rest", row.Rest, &f.rest)
	wrong.amount("eligible", row.Eligible, &f.eligible)
	wrong.number("the eligible rest", row.EligibleRest, &f.eligibleRest)
	if wrong.all != nil {
		w.findAt(p, "in campaigns, by the measure "+t.rule.other().String()+": "+strings.Join(wrong.all, "; "))
	}
}

// compareEligible finds the rows of the day that nothing derives.
func (w *worker) compareEligible() {
	byKey := func(x, y eligibleKey) int {
		return strings.Compare(string(x.account)+" "+x.asset, string(y.account)+" "+y.asset)
	}
	for _, k := range slices.SortedFunc(maps.Keys(w.campaigns.eligible), byKey) {
		w.find(on(w.day, k.account, k.asset, "has a row of what is eligible in campaigns by another measure, and nothing is"))
	}
}
