package reports

import (
	"maps"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// ownerSums are what owners with several accounts held on a day together, of the wanted
// tokens whose minimum and cap are those of owners: as the run sums them, from one snapshot.
func ownerSums(t db.View, by *holding.Measuring, terms map[string]staking.Terms,
	wanted func(asset string) bool) (*holding.OwnerSums, error) {
	shared := func(asset string) bool { return terms[asset].PerOwner && terms[asset].Offered && wanted(asset) }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(terms)), shared) {
		return &holding.OwnerSums{}, nil
	}
	sums, err := holding.SharedOwners(t, by.Day)
	if err != nil {
		return nil, err
	}
	for b := range ledger.Buckets {
		if err := sums.Measure(t, b, by, shared); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// previewSums are the owners' sums of a day that is previewed.
func previewSums(t db.View, d staking.Day, tokens map[string]*Preview) (*holding.OwnerSums, error) {
	terms, err := store.TermsAt(t, d)
	if err != nil {
		return nil, err
	}
	by, err := holding.MeasuringOn(t, d, terms)
	if err != nil {
		return nil, err
	}
	return ownerSums(t, by, terms, func(asset string) bool { return tokens[asset] != nil })
}
