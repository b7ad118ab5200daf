package reports

import (
	"cmp"
	"context"
	"math/big"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// TaxOfOwners is TaxOfAll for those who report persons: the lines of an owner's accounts are one line of the owner for
// each country, asset and kind, whose account is "". Owners are those of the day y.End; they come last, by owner. In
// memory are the lines of one bucket, and those of all owners.
func (rs *Reports) TaxOfOwners(ctx context.Context, y TaxYear, begin func() error, visit func([]TaxLine) error) error {
	var owned taxOwners
	return rs.taxOfAll(ctx, y, func() error {
		owned = taxOwners{}
		return begin()
	}, func(t db.View, bucket int, lines []TaxLine) error {
		rest, err := owned.take(t, y, bucket, lines)
		if err != nil {
			return err
		}
		return visit(rest)
	}, func() error { return visit(owned.lines()) })
}

// taxOwners are the lines of owners.
type taxOwners map[taxOwner]*TaxLine

type taxOwner struct {
	owner, country, asset string
	kind                  TaxKind
}

// take adds the lines of accounts that have an owner, and returns the others.
func (s taxOwners) take(t db.View, y TaxYear, bucket int, lines []TaxLine) (rest []TaxLine, err error) {
	owners := map[ledger.Account]string{}
	err = t.Query(func(r db.Row) error {
		owners[ledger.Account(r.Text(0))] = r.Text(1)
		return nil
	}, "SELECT o.account, o.owner FROM owners o WHERE o.bucket = $2 AND o.from_day <= $1 AND "+countingOwners,
		int64(y.End), int64(bucket))
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		owner := owners[l.Account]
		if owner == "" {
			rest = append(rest, l)
			continue
		}
		if err := s.add(owner, l); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// add adds a line of one of the owner's accounts.
func (s taxOwners) add(owner string, l TaxLine) (err error) {
	key := taxOwner{owner, string(l.Residence.Country()), l.Asset, l.Kind}
	sum := s[key]
	if sum == nil {
		sum = &TaxLine{Owner: owner, Residence: l.Residence.Country(), Asset: l.Asset, Kind: l.Kind}
		s[key] = sum
	}
	if l.Value != nil {
		if sum.Value == nil {
			sum.Value = new(big.Int)
		}
		sum.Value.Add(sum.Value, l.Value)
	}
	sum.Count, sum.Unvalued = sum.Count+l.Count, sum.Unvalued+l.Unvalued
	sum.Units, err = sum.Units.Add(l.Units)
	return err
}

// lines are those of all owners, by owner, country, asset and kind.
func (s taxOwners) lines() []TaxLine {
	lines := make([]TaxLine, 0, len(s))
	for _, l := range s {
		lines = append(lines, *l)
	}
	slices.SortFunc(lines, func(a, b TaxLine) int {
		return cmp.Or(strings.Compare(a.Owner, b.Owner), cmp.Compare(a.Residence, b.Residence),
			strings.Compare(a.Asset, b.Asset), cmp.Compare(slices.Index(taxKinds, a.Kind), slices.Index(taxKinds, b.Kind)))
	})
	return lines
}
