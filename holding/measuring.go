package holding

import (
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Measuring is how the tokens of a day are measured: by their terms, and by the campaigns that weigh
// the day. It is read once for a day. Nobody changes it.
type Measuring struct {
	Day       staking.Day
	campaigns []staking.Campaign // that weigh the day, by ID
	lowest    map[string]bool    // tokens that are measured by the smallest balance of the day
	weighed   map[string]bool    // tokens whose day a campaign weighs
	other     map[string]bool    // those which one weighs by the measure that their terms do not have
}

// MeasuringOn reads the campaigns that weigh a day, beside its terms by token.
func MeasuringOn(t db.View, d staking.Day, terms map[string]staking.Terms) (*Measuring, error) {
	m := &Measuring{Day: d, lowest: map[string]bool{}, weighed: map[string]bool{}, other: map[string]bool{}}
	for token, of := range terms {
		m.lowest[token] = of.Measure == staking.Lowest
	}
	var err error
	if m.campaigns, err = Campaigns(t, d); err != nil {
		return nil, err
	}
	for _, c := range m.campaigns {
		for _, p := range c.Parts {
			m.weighed[p.Token] = true
			m.other[p.Token] = m.other[p.Token] || c.ByOther(terms[p.Token].Measure)
		}
	}
	return m, nil
}

// byOther reports whether a campaign weighs a token by the measure that its terms do not have.
func (m *Measuring) byOther(c staking.Campaign, token string) bool {
	measure := staking.Average
	if m.lowest[token] {
		measure = staking.Lowest
	}
	return c.ByOther(measure)
}

// give measures a holding, which has the average, as the day is measured.
func (m *Measuring) give(h *staking.Holding, changes []staking.Change) {
	average := h.Integral
	switch {
	case m.lowest[h.Asset]:
		h.MeasureLowest(changes)
		if m.other[h.Asset] {
			h.Other = &staking.Other{Integral: average}
		}
	case m.other[h.Asset]:
		h.MeasureLowest(changes)
		h.Integral, h.Other = average, &staking.Other{Integral: h.Integral}
	}
}

// ReadOther sets by which measure the day of a budget is weighed. The day is declared: its terms do not change any
// more.
func ReadOther(t db.View, d staking.Distribution) error {
	b := d.Budget
	if b.Campaign.Measure == nil {
		return nil
	}
	n, _, err := db.First(t, db.IntOf, `SELECT measure FROM terms WHERE asset = $1 AND from_day <= $2
	     ORDER BY from_day DESC, revision DESC LIMIT 1`, b.Token, int64(d.First))
	if err != nil {
		return fmt.Errorf("read the measure of %s of %s: %w", b.Token, d.First, err)
	}
	b.Other = b.Campaign.ByOther(staking.Measure(n))
	return nil
}

// EligibleTable is the table of what is eligible of accounts' days, in which a budget's weights are: of the eligible
// token's accruals, or by the measure that its terms do not have.
func EligibleTable(b *staking.Budget) string {
	if b.Other {
		return "campaign_eligible"
	}
	return "accruals"
}

// measureAccount measures what an account holds of a token on a day, as Measure does; nothing if
// it is not enrolled.
func measureAccount(t db.View, id ledger.Account, d staking.Day, terms staking.Terms) ([]staking.Holding, error) {
	m := measure{t: t, bucket: int64(id.Bucket()), day: d, first: string(id), last: string(id),
		by: &Measuring{Day: d, lowest: map[string]bool{terms.Asset: terms.Measure == staking.Lowest}}}
	balances, err := db.All(t, db.IntOf, "SELECT balance FROM balances WHERE bucket = $1 AND account = $2 AND asset = $3",
		m.bucket, string(id), terms.Asset)
	if err != nil || len(balances) == 0 {
		return m.page, err
	}
	m.page = []staking.Holding{staking.HoldingAt(id, terms.Asset, ledger.Amount(balances[0]), 0)}
	if err := m.anyExcluded(); err != nil {
		return nil, err
	}
	if err := m.enrolled(); err != nil || len(m.page) == 0 {
		return m.page, err
	}
	return m.page, m.changes()
}
