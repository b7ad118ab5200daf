package console

import (
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/ui"
)

// prices are those of all tokens today, and those of one token before.
var prices = register{
	Name: "prices", roles: access.StaffRoles, tables: (*visit).pricesTables,
	forms: []registerForm{{"do", control.SetPrices, (*visit).pricesFields, (*submission).setPrice}},
}

// pricesBack is how many days of a token's prices are shown.
const pricesBack = 92

func (v *visit) pricesTables() ([]table, error) {
	assets, err := v.Books.Assets(v.context())
	if err != nil {
		return nil, err
	}
	p, today := v.view(""), staking.DayOf(v.Books.Now())
	current, err := v.Reports.PricesFor(v.context(), today)
	if err != nil {
		return nil, err
	}
	now := table{Title: "prices.now", Empty: "terms.none", Columns: []column{{"terms.token", false},
		{"prices.price", true}, {"prices.day", false}}}
	chosen := ""
	for _, a := range assets {
		if a.Symbol == v.value("asset") {
			chosen = a.Symbol
		}
		r := row{link(a.Symbol, ui.Address(Path+"/prices", "asset", a.Symbol)), text(p.T("prices.unknown")), text("–")}
		if price, known := current[a.Symbol]; known {
			r[1], r[2] = text(p.price(price.Price)), text(p.Day(price.Day))
		}
		now.Rows = append(now.Rows, r)
	}
	if chosen == "" {
		return []table{now}, nil
	}
	before := table{Title: "prices.before", Empty: "prices.none", Columns: []column{{"prices.day", false},
		{"terms.token", false}, {"prices.price", true}}}
	all, err := v.Reports.Prices(v.context(), chosen, today-pricesBack, today)
	for _, price := range slices.Backward(all) {
		before.Rows = append(before.Rows, row{text(p.Day(price.Day)), text(price.Asset), text(p.price(price.Price))})
	}
	return []table{before, now}, err
}

func (v *visit) pricesFields() ([]field, error) {
	tokens, err := v.tokenOptions()
	return []field{
		{Name: "asset", Key: "terms.token", Options: tokens},
		{Name: "day", Key: "prices.day", Hint: "prices.day.hint"},
		{Name: "price", Key: "prices.price", Hint: "prices.hint", Required: true},
		{Name: "reason", Key: "reason"},
	}, err
}

// setPrice sets a token's price of a day.
func (s *submission) setPrice(f *ui.Form) error {
	day, err := dayOf(f, "day", staking.DayOf(s.visit.Books.Now()))
	if err != nil {
		return err
	}
	price, err := pricing.Parse(day, f.Value("asset"), typed(f, "price"))
	if err != nil {
		return err
	}
	_, err = s.Books.Prices().Set(s.context(), []pricing.Price{price})
	return err
}
