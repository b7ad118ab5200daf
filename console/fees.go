package console

import (
	"math/big"
	"net/url"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// fees are what the operator keeps of income: what is in @fees, and how it came there. The rates are of the terms.
var fees = register{
	Name: "fees", roles: access.StaffRoles, tables: (*visit).feesTables,
	forms: []registerForm{{"withdraw", control.WithdrawFees, (*visit).feesFields,
		func(s *submission, f *ui.Form) error { return s.moveFees(f, false) }},
		{"return", control.ReturnFees, (*visit).feesFields,
			func(s *submission, f *ui.Form) error { return s.moveFees(f, true) }}},
}

func (v *visit) feesTables() ([]table, error) {
	assets, err := v.assets()
	if err != nil {
		return nil, err
	}
	balances, err := v.Reports.HouseBalances(v.context())
	if err != nil {
		return nil, err
	}
	p := v.view("")
	now := table{Title: "fees.now", Empty: "fees.none", Columns: []column{{"terms.token", false}, {"fees.amount", true}}}
	for _, b := range balances {
		if b.Account == ledger.Fees && b.Sum.Cmp(new(big.Int)) != 0 {
			sum := figure{number: p.Number(ledger.FormatBig(b.Sum, assets[b.Asset].Scale))}
			now.Rows = append(now.Rows, row{text(b.Asset), text(sum)})
		}
	}
	moved := table{Title: "fees.moved", Empty: "fees.moved.none", Columns: []column{{"fees.at", false},
		{"terms.token", false}, {"fees.amount", true}, {"fees.kind", false}, {"terms.by", false}}}
	all, err := v.Reports.Fees(v.context(), reports.FeesAsked{From: v.Books.FirstDay(),
		To: staking.DayOf(v.Books.Now())}, reports.Fee{}, pageSize)
	for _, f := range all {
		kind := cell{Text: p.T("fees.kind." + f.Kind())}
		if f.Income != nil {
			kind.Note = p.T("fees.of", "gross", p.Plain(assets[f.Asset], f.Income.Split.Gross), "rate", p.Percent(f.Income.Rate))
		}
		at := text(p.Local(f.At))
		if v.may(seesEntries) {
			at.Link = Path + "/entries/" + url.PathEscape(f.Entry)
		}
		moved.Rows = append(moved.Rows, row{at, text(f.Asset), text(p.signed(assets[f.Asset], f.Amount)), kind,
			text(f.Credential)})
	}
	return []table{now, moved}, err
}

func (v *visit) feesFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	return []field{
		{Name: "asset", Key: "terms.token", Options: tokens},
		{Name: "amount", Key: "fees.amount", Hint: "fees.hint", Required: true},
		{Name: "id", Key: "fees.id", Hint: "fees.id.hint", Required: true},
		{Name: "reason", Key: "reason"},
	}, err
}

// moveFees takes an amount out of @fees, or returns it.
func (s *submission) moveFees(f *ui.Form, back bool) error {
	asset, err := s.Books.Asset(s.context(), f.Value("asset"))
	if err != nil {
		return err
	}
	amount, err := amountOf(asset, f, "amount")
	if err != nil {
		return err
	}
	return posted(s.Books.MoveFees(s.context(), typed(f, "id"), asset.Symbol, amount, back))
}
