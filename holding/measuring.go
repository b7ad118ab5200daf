package holding

import (
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/staking"
)

// Measuring is how the tokens of a day are measured: by their terms, and by the campaigns that weigh
// the day. It is read once for a day. Nobody changes it.
type Measuring struct {
	Day       staking.Day
	terms     map[string]staking.Terms
	campaigns []staking.Campaign // that weigh the day, by ID
}

// MeasuringOn reads the campaigns that weigh a day, beside its terms by token.
func MeasuringOn(t db.View, d staking.Day, terms map[string]staking.Terms) (*Measuring, error) {
	campaigns, err := Campaigns(t, d)
	return &Measuring{d, terms, campaigns}, err
}

// lowest reports whether a token is measured by the smallest balance of the day.
func (m *Measuring) lowest(asset string) bool { return m.terms[asset].Measure == staking.Lowest }

// weighed reports whether a campaign weighs a token's day.
func (m *Measuring) weighed(asset string) bool {
	return slices.ContainsFunc(m.campaigns, func(c staking.Campaign) bool { return c.Part(asset) > 0 })
}
