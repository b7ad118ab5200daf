package console

import (
	"slices"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// difference shows what holds of a token without a proposal above what holds with it: of proposed terms, limits,
// prices and roles of staff. It has no rows for other operations.
func (v *visit) difference(one control.Proposal) (table, error) {
	switch one.Operation {
	case control.SetTerms:
		last := len(termsColumns) - 1 // who set them, and when
		return compare(v, one, termsColumns[:last],
			func(t staking.Terms) string { return t.Asset },
			func(t staking.Terms) ([]staking.Terms, error) { return v.Reports.TermsOn(v.context(), t.From) },
			func(p *view, a ledger.Asset, t staking.Terms) row {
				return p.termsRow(a, store.TermsRevision{Terms: t})[:last]
			})
	case control.SetLimit:
		return compare(v, one, limitsColumns,
			func(l staking.Limit) string { return l.Asset },
			func(staking.Limit) ([]staking.Limit, error) { return v.Reports.Limits(v.context()) },
			(*view).limitsRow)
	case control.SetPrices:
		return v.priceDifference(one)
	case control.SetStaffRole:
		return v.roleDifference(one)
	}
	return table{}, nil
}

// compare is the figures of a token that hold without a proposal, and those that hold with it. In the first column,
// which is else the token's, stands which they are.
func compare[T any](
	v *visit, one control.Proposal, columns []column, token func(T) string, all func(T) ([]T, error),
	figures func(*view, ledger.Asset, T) row,
) (table, error) {
	p, t := v.view(""), table{Title: "proposal.diff", Columns: slices.Clone(columns)}
	t.Columns[0] = column{"proposal.which", false}
	becomes, err := control.Read[T](one.Content)
	if err != nil {
		return t, err
	}
	asset, err := v.Books.Asset(v.context(), token(becomes))
	if err != nil {
		return t, err
	}
	now, err := all(becomes)
	if err != nil {
		return t, err
	}
	add := func(which string, values T) {
		r := figures(p, asset, values)
		r[0] = text(p.T(which))
		t.Rows = append(t.Rows, r)
	}
	if i := slices.IndexFunc(now, func(o T) bool { return token(o) == asset.Symbol }); i >= 0 {
		add("proposal.without", now[i])
	}
	add("proposal.with", becomes)
	return t, nil
}

// priceDifference is what each price of a proposal is without it and with it.
func (v *visit) priceDifference(one control.Proposal) (table, error) {
	p, t := v.view(""), table{Title: "proposal.diff", Columns: []column{{"terms.token", false}, {"day", false},
		{"proposal.without", true}, {"proposal.with", true}}}
	prices, err := control.Read[[]pricing.Price](one.Content)
	if err != nil {
		return t, err
	}
	known := map[staking.Day]map[string]pricing.Price{}
	for _, price := range prices {
		if known[price.Day] == nil {
			if known[price.Day], err = v.Reports.PricesFor(v.context(), price.Day); err != nil {
				return t, err
			}
		}
		before := text("–")
		if now, there := known[price.Day][price.Asset]; there {
			before = text(p.price(now.Price))
		}
		t.Rows = append(t.Rows, row{text(price.Asset), text(p.Day(price.Day)), before, text(p.price(price.Price))})
	}
	return t, nil
}

// roleDifference is the role of a member of staff without a proposal and with it.
func (v *visit) roleDifference(one control.Proposal) (table, error) {
	p, t := v.view(""), table{Title: "proposal.diff", Columns: []column{{"staff.email", false},
		{"proposal.without", false}, {"proposal.with", false}}}
	change, err := control.Read[people.StaffChange](one.Content)
	if err != nil {
		return t, err
	}
	member, err := v.Logins.StaffMember(v.context(), change.Email)
	if err != nil {
		return t, err
	}
	t.Rows = []row{{text(change.Email), text(p.T("role." + string(member.Role))),
		text(p.T("role." + string(change.Role)))}}
	return t, nil
}
