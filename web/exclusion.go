package web

import (
	"slices"
	"strings"

	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
)

// qualifies reports whether a token's free balance reaches its minimum now, and no other
// product has it today.
func qualifies(t reports.OfferedToken) bool { return t.Excluded == "" && t.Terms.Qualifies(t.Joint) }

// excludedOn reports whether another product had a token that is on offer on a day.
func (e earnFacts) excludedOn(d staking.Day) bool {
	return slices.ContainsFunc(e.Holder.Tokens, func(t reports.OfferedToken) bool {
		return e.Holder.Excluded(t.Asset.Symbol, d) != "" && (t.Free > 0 || t.Earned > 0)
	})
}

// whyExcluded names each product that has a token today which would earn without it, in
// sentences; "" if there is none.
func (e earnFacts) whyExcluded() string {
	var sentences []string
	for _, t := range e.Holder.Tokens {
		if t.Excluded != "" && t.Terms.Qualifies(t.Joint) {
			sentences = append(sentences, e.T("earn.excluded.token", "token", t.Asset.Symbol, "product", t.Excluded))
		}
	}
	return strings.Join(sentences, " ")
}
