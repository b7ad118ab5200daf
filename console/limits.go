package console

import (
	"html/template"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// limits are those of all tokens that have any, and as they were set.
var limits = register{
	Name: "limits", roles: access.StaffRoles, tables: (*visit).limitsTables,
	forms: []registerForm{{"do", control.SetLimit, (*visit).limitsFields, (*submission).setLimit}},
}

// percentScale is how many decimals of a percentage are kept.
const percentScale = 2

func (v *visit) limitsTables() ([]table, error) {
	all, err := v.Reports.Limits(v.context())
	if err != nil {
		return nil, err
	}
	assets, err := v.assets()
	if err != nil {
		return nil, err
	}
	p := v.view("")
	t := table{Title: "limits.now", Empty: "limits.none", Columns: limitsColumns}
	for _, l := range all {
		t.Rows = append(t.Rows, p.limitsRow(assets[l.Asset], l))
	}
	history, err := v.Reports.LimitHistory(v.context())
	before := table{Title: "limits.history", Empty: "limits.history.none",
		Columns: append(slices.Clone(limitsColumns), column{"terms.by", false})}
	for _, r := range history {
		before.Rows = append(before.Rows, append(p.limitsRow(assets[r.Asset], r.Limit),
			cell{Text: r.SetBy, Note: p.setNote(r)}))
	}
	return []table{t, before}, err
}

var limitsColumns = []column{{"terms.token", false}, {"limits.total", true}, {"limits.change", true},
	{"limits.withdrawal", true}, {"limits.apr", true}, {"limits.inflow", true}}

func (p *view) limitsRow(a ledger.Asset, l staking.Limit) row {
	change := p.T("none")
	if l.MaxChange > 0 {
		change = p.Number(ledger.FormatDecimal(l.MaxChange, percentScale)) + " %"
	}
	rate := p.T("none")
	if l.MaxAPR > 0 {
		rate = p.Percent(l.MaxAPR)
	}
	return row{text(l.Asset), text(p.amountOrNone(a, l.MaxTotal)), text(change), text(p.amountOrNone(a, l.MaxWithdrawal)),
		text(rate), text(p.amountOrNone(a, l.MaxInflow))}
}

// amountOrNone is an amount with its token, or "none".
func (p *view) amountOrNone(a ledger.Asset, n ledger.Amount) any {
	if n == 0 {
		return p.T("none")
	}
	return p.amount(a, n).of(a.Symbol)
}

func (v *visit) limitsFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	return []field{
		{Name: "asset", Key: "terms.token", Options: tokens},
		{Name: "total", Key: "limits.total", Hint: "limits.hint"},
		{Name: "change", Key: "limits.change", Hint: "limits.change.hint"},
		{Name: "withdrawal", Key: "limits.withdrawal", Hint: "limits.hint"},
		{Name: "apr", Key: "limits.apr", Hint: "limits.apr.hint"},
		{Name: "inflow", Key: "limits.inflow", Hint: "limits.inflow.hint"},
		{Name: "reason", Key: "reason"},
	}, err
}

// setLimit sets the limits of a token: what is left empty stays as it is.
func (s *submission) setLimit(f *ui.Form) error {
	asset, err := s.Books.Asset(s.context(), f.Value("asset"))
	if err != nil {
		return err
	}
	all, err := s.Reports.Limits(s.context())
	if err != nil {
		return err
	}
	l := staking.Limit{Asset: asset.Symbol}
	if i := slices.IndexFunc(all, func(l staking.Limit) bool { return l.Asset == asset.Symbol }); i >= 0 {
		l = all[i]
	}
	was := l
	for _, set := range []struct {
		name  string
		limit *ledger.Amount
	}{{"total", &l.MaxTotal}, {"withdrawal", &l.MaxWithdrawal}, {"inflow", &l.MaxInflow}} {
		if typed(f, set.name) == "" {
			continue
		}
		if *set.limit, err = amountOf(asset, f, set.name); err != nil {
			return err
		}
	}
	if change := typed(f, "change"); change != "" {
		if l.MaxChange, err = ledger.ParseDecimal(change, percentScale); err != nil {
			return ledger.At("change", err)
		}
	}
	if apr := typed(f, "apr"); apr != "" {
		if l.MaxAPR, err = staking.ParseRate(apr); err != nil {
			return ledger.At("apr", err)
		}
	}
	if l == was {
		return ledger.ErrInvalid.In("total", "nothing changes").Because(reasonNothing)
	}
	return s.Books.SetLimit(s.context(), l)
}

// setNote is when limits were set and, where that is known, why and by which proposal.
func (p *view) setNote(r store.LimitRevision) template.HTML {
	note := p.Local(r.SetAt)
	for _, text := range []string{r.Reason, r.Proposal} {
		if text != "" {
			note += "<br>" + template.HTML(template.HTMLEscapeString(text))
		}
	}
	return note
}
