package console

import (
	"slices"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// difference shows what holds of a token without a proposal above what holds with it: of proposed terms and limits. It
// has no rows for other operations.
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
