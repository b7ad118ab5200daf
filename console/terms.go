package console

import (
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/ui"
)

// terms are the terms of all tokens: those of today, those that come, and those that there ever were.
var terms = register{
	Name: "terms", roles: access.StaffRoles, tables: (*visit).termsTables,
	forms: []registerForm{{"do", control.SetTerms, (*visit).termsFields, (*submission).setTerms}},
}

var termsColumns = []column{{"terms.token", false}, {"terms.from", false}, {"terms.apr", true}, {"terms.min", true},
	{"terms.cap", true}, {"terms.fee", true}, {"terms.by", false}}

func (v *visit) termsTables() ([]table, error) {
	history, err := v.Reports.TermsHistory(v.context(), "")
	if err != nil {
		return nil, err
	}
	assets, err := v.assets()
	if err != nil {
		return nil, err
	}
	p, today := v.view(""), staking.DayOf(v.Books.Now())
	now := table{Title: "terms.now", Empty: "terms.none", Columns: termsColumns}
	coming := table{Title: "terms.coming", Empty: "terms.coming.none", Columns: termsColumns}
	before := table{Title: "terms.before", Empty: "terms.before.none", Columns: termsColumns}
	for i, r := range slices.Backward(history) { // of a token the newest first
		last := i+1 == len(history) || history[i+1].Asset != r.Asset
		switch {
		case r.From > today:
			coming.Rows = append(coming.Rows, p.termsRow(assets[r.Asset], r))
		case last || history[i+1].From > today:
			now.Rows = append(now.Rows, p.termsRow(assets[r.Asset], r))
		default:
			before.Rows = append(before.Rows, p.termsRow(assets[r.Asset], r))
		}
	}
	slices.Reverse(now.Rows)
	return []table{now, coming, before}, nil
}

func (p *view) termsRow(a ledger.Asset, r store.TermsRevision) row {
	rate := cell{Text: p.Percent(r.APR)}
	switch {
	case !r.Offered:
		rate = text(p.T("terms.not-offered"))
	case r.Mode == staking.Share:
		rate = text(p.T("terms.share"))
	case r.GrossAPR != 0:
		rate.Note = p.T("terms.gross", "rate", p.Percent(r.GrossAPR))
	}
	smallest, by := cell{Text: p.amount(a, r.Min)}, cell{Text: r.SetBy, Note: p.Local(r.SetAt)}
	if r.Measure == staking.Lowest {
		smallest.Note = p.T("terms.lowest")
	}
	most := cell{Text: p.amount(a, r.Cap)}
	if r.PerOwner {
		most.Note = p.T("terms.per-owner")
	}
	return row{text(r.Asset), {Text: p.Day(r.From), Note: r.Reason}, rate, smallest, most, text(p.Percent(r.Fee)), by}
}

func (v *visit) termsFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	if err != nil {
		return nil, err
	}
	same := option{"", "terms.same"}
	return []field{
		{Name: "asset", Key: "terms.token", Options: tokens},
		{Name: "day", Key: "terms.from", Hint: "terms.from.hint"},
		{Name: "apr", Key: "terms.apr", Hint: "terms.apr.hint"},
		{Name: "min", Key: "terms.min", Hint: "terms.hint"},
		{Name: "cap", Key: "terms.cap", Hint: "terms.hint"},
		{Name: "fee", Key: "terms.fee", Hint: "terms.fee.hint"},
		{Name: "grossApr", Key: "terms.gross-apr", Hint: "terms.apr.hint"},
		{Name: "mode", Key: "terms.mode", Options: []option{same, {"fixed", "terms.fixed"}, {"share", "terms.share"}}},
		{Name: "offered", Key: "terms.offered", Options: []option{same, {"true", "yes"}, {"false", "no"}}},
		{Name: "reason", Key: "reason"},
	}, nil
}

// setTerms sets the terms of a token from a day on: what is left empty stays as it is.
func (s *submission) setTerms(f *ui.Form) error {
	asset, err := s.Books.Asset(s.context(), f.Value("asset"))
	if err != nil {
		return err
	}
	from, err := dayOf(f, "day", staking.DayOf(s.visit.Books.Now())+1)
	if err != nil {
		return err
	}
	all, err := s.Reports.TermsOn(s.context(), from)
	if err != nil {
		return err
	}
	t := staking.Terms{Asset: asset.Symbol}
	if i := slices.IndexFunc(all, func(t staking.Terms) bool { return t.Asset == asset.Symbol }); i >= 0 {
		t = all[i]
	}
	t.From = from
	given := func(name string) *string {
		value := typed(f, name)
		if value == "" {
			return nil
		}
		return &value
	}
	change := staking.TermsChange{APR: given("apr"), Min: given("min"), Cap: given("cap"), Fee: given("fee"),
		GrossAPR: given("grossApr"), Mode: given("mode")}
	if offered := given("offered"); offered != nil {
		is := *offered == "true"
		change.Offered = &is
	}
	if change == (staking.TermsChange{}) {
		return ledger.ErrInvalid.In("apr", "nothing changes").Because(reasonNothing)
	}
	if t, err = change.Apply(asset, t); err != nil {
		return err
	}
	return s.Books.SetTerms(s.context(), t)
}
