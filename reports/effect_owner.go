package reports

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// ownersFree is what owners with several accounts have free together of the tokens whose minimum and cap are an
// owner's. Memory grows with how many such owners there are.
type ownersFree struct {
	owners map[ledger.Account]string
	sums   map[[2]string]ledger.Amount // by owner and token
}

// of is what the account's owner has of a token; zero: the account is its own owner.
func (o ownersFree) of(id ledger.Account, asset string) ledger.Amount {
	return o.sums[[2]string{o.owners[id], asset}]
}

// readOwners sums what owners have free, in all regions, of the tokens that may be concerned.
func (e *effect) readOwners(ctx context.Context, rs *Reports, do string, first staking.Day) (ownersFree, error) {
	o := ownersFree{owners: map[ledger.Account]string{}, sums: map[[2]string]ledger.Amount{}}
	shared := false
	for asset, terms := range e.terms {
		shared = shared || terms.Offered && terms.PerOwner && (e.asset == "" || e.asset == asset)
	}
	if !shared {
		return o, nil
	}
	several, err := read(ctx, rs, do, func(t db.View) (*holding.OwnerSums, error) {
		return holding.SharedOwners(t, first)
	})
	if err != nil || several.Empty() {
		return o, err
	}
	for bucket := range ledger.Buckets {
		found, err := read(ctx, rs, do, func(t db.View) (ownersFree, error) {
			return e.ownersOf(t, bucket, first, several)
		})
		for id, owner := range found.owners {
			o.owners[id] = owner
		}
		for k, free := range found.sums {
			if err == nil {
				o.sums[k], err = o.sums[k].Add(free)
			}
		}
		if err != nil {
			return o, fmt.Errorf("%s: sum what owners have: %w", do, err)
		}
	}
	return o, nil
}

// ownersOf are a bucket's accounts of owners with several, and what they have.
func (e *effect) ownersOf(t db.View, bucket int, first staking.Day, several *holding.OwnerSums) (ownersFree, error) {
	o := ownersFree{sums: map[[2]string]ledger.Amount{}}
	var err error
	if o.owners, err = holding.OwnersOn(t, bucket, first); err != nil {
		return o, err
	}
	several.Keep(o.owners)
	if len(o.owners) == 0 {
		return o, nil
	}
	return o, e.eachFree(t, bucket, "", func(id ledger.Account, asset string, free ledger.Amount) (err error) {
		if owner := o.owners[id]; owner != "" && e.terms[asset].PerOwner {
			k := [2]string{owner, asset}
			o.sums[k], err = o.sums[k].Add(free)
		}
		return err
	})
}
