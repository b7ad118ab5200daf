package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
)

// conversionKind is a trade against @desk, at prices and within limits that an operator sets.
var conversionKind = kind{
	name: "convert", posts: ledger.Trade, takes: true, fields: []string{"into"},
	offers: (*wallet).held, read: (*moveForm).readConvert, check: (*moveForm).checkConvert, same: (*moveForm).sameConvert,
	between: func(m *moveForm) (from, to ledger.Account) { return m.Account(), ledger.Desk }, post: (*submission).convert,
}

// exchange is the other asset of a conversion, and the quote.
type exchange struct {
	Offers []offer // the assets that may be asked for: those with a recent price
	Into   ledger.Asset
	Gives  ledger.Amount    // of it, rounded down; zero: none
	One    ledger.Amount    // of it, for one whole of what is given; zero: less than its smallest unit
	Quote  conversion.Quote // zero: no amount yet
}

// quoted are the fields of a draft that have the prices of its conversion.
func (x exchange) quoted() map[string]string {
	return map[string]string{
		"price":  ledger.FormatDecimal(x.Quote.FromPrice, ui.ValueScale),
		"other":  ledger.FormatDecimal(x.Quote.IntoPrice, ui.ValueScale),
		"spread": fmt.Sprint(x.Quote.Spread), "gives": fmt.Sprint(int64(x.Gives)),
	}
}

// readConvert reads what is asked for, and computes what the amount gives.
func (m *moveForm) readConvert() error {
	if m.Asset.Symbol == "" {
		return nil
	}
	prices, err := m.visit.Prices.Fresh(m.visit.context(), *m.visit.Convert)
	if err != nil {
		return err
	}
	x := &m.Exchange
	for _, o := range m.wallet.every() {
		if _, priced := prices[o.Asset.Symbol]; priced && o.Asset != m.Asset {
			x.Offers = append(x.Offers, o)
		}
	}
	if _, priced := prices[m.Asset.Symbol]; !priced {
		m.F.SetFault("asset", m.noPrice(m.Asset))
		return nil
	}
	asked := slices.IndexFunc(x.Offers, func(o offer) bool { return o.Asset.Symbol == m.F.Value("into") })
	switch {
	case asked >= 0:
		x.Into = x.Offers[asked].Asset
	case m.wallet.assets[m.F.Value("into")].Symbol != "" && m.F.Value("into") != m.Asset.Symbol:
		m.F.SetFault("into", m.noPrice(m.wallet.assets[m.F.Value("into")]))
		return nil
	case len(x.Offers) == 0 || m.strict:
		m.F.SetFault("into", m.T("convert.into.none"))
		return nil
	default: // nothing is asked for yet
		x.Into = x.Offers[0].Asset
	}
	if err := m.quote(prices); err != nil {
		return err
	}
	m.Changes = []effect{m.wallet.effect(m.Asset, -m.Sum), m.wallet.effect(x.Into, x.Gives)}
	return nil
}

// noPrice is the error of an asset that is not converted, with the reason.
func (m *moveForm) noPrice(a ledger.Asset) string {
	return m.N("convert.no-price", ui.WholeMinutes(m.visit.Convert.PriceMaxAge), "asset", a.Symbol)
}

// quote computes what the amount gives, and what one whole token gives.
func (m *moveForm) quote(prices map[string]conversion.Price) error {
	x, rules := &m.Exchange, *m.visit.Convert
	whole := ledger.Amount(1)
	for range m.Asset.Scale {
		whole *= 10
	}
	one, err := conversion.Convert(m.Asset, x.Into, whole, prices[m.Asset.Symbol].USDT, prices[x.Into.Symbol].USDT,
		rules.Spread)
	if err == nil {
		x.One = one
	}
	if m.Sum == 0 {
		return nil
	}
	x.Quote, err = m.visit.Books.Quote(m.visit.context(), m.Account(), m.Asset.Symbol, x.Into.Symbol, m.Sum, rules)
	if no, is := errors.AsType[*conversion.Error](err); is {
		m.F.SetFault(m.refusedConversion(no))
		return nil
	}
	if err != nil {
		return err
	}
	if x.Quote.Gives > x.Into.MaxSupply-m.wallet.free[x.Into.Symbol] {
		m.F.SetFault("amount", m.T("convert.too-much", "asset", x.Into.Symbol))
		return nil
	}
	x.Gives = x.Quote.Gives
	return nil
}

// refusedConversion is the field and the fault of a conversion that the rules refuse.
func (m *moveForm) refusedConversion(no *conversion.Error) (field, sentence string) {
	switch no.Fault {
	case conversion.PriceMissing:
		if no.Asset == m.Asset {
			return "asset", m.noPrice(no.Asset)
		}
		return "into", m.noPrice(no.Asset)
	case conversion.AmountSmall:
		return "amount", m.T("convert.too-little", "asset", no.Asset.Symbol, "smallest", m.Smallest(no.Asset))
	case conversion.LimitReached:
		limit := m.Number(ledger.FormatDecimal(int64(m.visit.Convert.DailyLimit), ui.ValueScale))
		return "amount", m.T("convert.limit", "left", m.Number(ledger.FormatDecimal(int64(no.Left), ui.ValueScale)),
			"limit", limit)
	case conversion.DeskExhausted:
		if no.Left == 0 {
			return "into", m.T("convert.desk.empty", "asset", no.Asset.Symbol)
		}
		return "amount", m.T("convert.desk", "left", m.Plain(no.Asset, no.Left), "asset", no.Asset.Symbol)
	case conversion.AmountLarge:
		return "amount", m.T("convert.too-much", "asset", no.Asset.Symbol)
	}
	return "", m.T("convert.changed")
}

// checkConvert compares the quote of a draft with the current one: where it has changed,
// nothing is converted before the new one was shown.
func (m *moveForm) checkConvert(*submission) error {
	if m.F.Value(unitsField) == "" {
		return nil // quoted just now
	}
	for name, value := range m.Exchange.quoted() {
		if m.F.Value(name) != value {
			m.status = http.StatusConflict
			m.F.SetFault("", m.T("convert.changed"))
		}
	}
	return nil
}

// Spread is the spread in percent, or "".
func (m *moveForm) Spread() string {
	if m.visit.Convert.Spread == 0 {
		return ""
	}
	return m.T("percent", "n", m.Number(ledger.FormatDecimal(m.visit.Convert.Spread, 2)))
}

// PricedAt is when the older of both prices was set.
func (m *moveForm) PricedAt() string { return m.BothText(m.Exchange.Quote.SetAt) }

// sameConvert reports whether an entry converts this amount into this asset, at whatever price.
func (m *moveForm) sameConvert(e ledger.Entry) (bool, error) {
	return e.Kind == ledger.Trade && len(e.Moves) == 2 && e.Moves[0] == m.entry().Moves[0] &&
		e.Moves[1].Asset == m.Exchange.Into.Symbol, nil
}

// convert posts a conversion. Where the same form has posted one at the same time, at
// other prices, that is the conversion that was asked for.
func (s *submission) convert(m *moveForm) error {
	_, conflict := s.Books.Convert(s.context(), m.entryID(), m.Account(), m.Exchange.Quote, *s.Convert)
	if !errors.Is(conflict, ledger.ErrConflict) {
		return conflict
	}
	e, _, err := s.Reports.Entry(s.context(), m.entryID())
	if err != nil {
		return err
	}
	if same, err := m.sameConvert(e); err != nil || same {
		return err
	}
	return conflict
}

// convertsNot refuses: nothing is converted here.
func (v *visit) convertsNot() error {
	return v.showAs(http.StatusNotFound, "convert-not", v.view("convert.title"))
}
