package web

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"softstake/ledger"
	"softstake/staking"
	"softstake/store"
)

// converting is a trade against @desk at the day's prices.
var converting = kind{
	name: "convert", takes: true, fields: []string{"into"},
	offers: (*wallet).held, read: (*moving).readConvert, check: (*moving).checkConvert, same: (*moving).sameConvert, post: (*moving).postConvert,
}

// oldestPrice is how many days old a price may be at which something is converted:
// today's may not be told yet. Who may convert at one that everybody knows to be
// over takes from the desk what it has moved since.
const oldestPrice = 1

// exchange is what is asked for, and at which prices.
type exchange struct {
	Offers   []offer // what may be asked for: what has a price
	Into     ledger.Asset
	Gives    ledger.Amount // of it, rounded down; zero: none
	One      ledger.Amount // of it, for one whole of what is given; zero: less than its smallest unit
	From, To store.Price   // of what is given, and of Into
	Priced   bool          // what is given has a price
}

// Price and Other are both prices as the form carries them.
func (x exchange) Price() string { return ledger.FormatDecimal(x.From.Price, valueScale) }
func (x exchange) Other() string { return ledger.FormatDecimal(x.To.Price, valueScale) }

// Of is the day that the older of both prices is of.
func (x exchange) Of() staking.Day { return min(x.From.Day, x.To.Day) }

// readConvert reads what is asked for, and reckons what the amount gives.
func (m *moving) readConvert() error {
	if m.Asset.Symbol == "" {
		return nil
	}
	prices, err := m.visit.Books.PricesFor(m.visit.context(), m.wallet.today.Day)
	if err != nil {
		return err
	}
	maps.DeleteFunc(prices, func(_ string, p store.Price) bool { return p.Day < m.wallet.today.Day-oldestPrice })
	x := &m.Exchange
	for _, o := range m.wallet.every() {
		if _, priced := prices[o.Asset.Symbol]; priced && o.Asset != m.Asset {
			x.Offers = append(x.Offers, o)
		}
	}
	if x.From, x.Priced = prices[m.Asset.Symbol]; !x.Priced {
		m.F.fault("asset", m.T("convert.no-price", "asset", m.Asset.Symbol))
		return nil
	}
	asked := slices.IndexFunc(x.Offers, func(o offer) bool { return o.Asset.Symbol == m.F.Value("into") })
	switch {
	case asked >= 0:
		x.Into = x.Offers[asked].Asset
	case len(x.Offers) == 0 || m.strict():
		m.F.fault("into", m.T("convert.into.none"))
		return nil
	default: // nothing is asked for yet
		x.Into = x.Offers[0].Asset
	}
	x.To = prices[x.Into.Symbol]
	m.reckon()
	m.Changes = []effect{m.wallet.effect(m.Asset, -m.Sum), m.wallet.effect(x.Into, x.Gives)}
	return nil
}

// reckon says what the amount, and what one whole token, is in the other.
func (m *moving) reckon() {
	x := &m.Exchange
	whole := ledger.Amount(1)
	for range m.Asset.Scale {
		whole *= 10
	}
	one, err := store.Convert(m.Asset, x.Into, whole, x.From.Price, x.To.Price)
	if err == nil {
		x.One = one
	}
	if m.Sum == 0 {
		return
	}
	gives, err := store.Convert(m.Asset, x.Into, m.Sum, x.From.Price, x.To.Price)
	switch {
	case err != nil || gives > x.Into.MaxSupply-m.wallet.free[x.Into.Symbol]:
		m.F.fault("amount", m.T("convert.too-much", "asset", x.Into.Symbol))
	case gives == 0:
		m.F.fault("amount", m.T("convert.too-little", "asset", x.Into.Symbol, "smallest", m.smallest(x.Into)))
	default:
		x.Gives = gives
	}
}

// checkConvert compares the prices that were shown with those that hold: where they
// have changed, nothing is converted before the new ones are seen.
func (m *moving) checkConvert() error {
	v, x := m.visit, m.Exchange
	if v.r.Method == http.MethodPost && (v.value("price") != x.Price() || v.value("other") != x.Other()) {
		m.status = http.StatusConflict
		m.F.fault("", m.T("convert.changed"))
	}
	return nil
}

// sameConvert says whether an entry converts this amount into this asset: at which
// price it did, it tells itself.
func (m *moving) sameConvert(e ledger.Entry) (bool, error) {
	given := m.moves(m.Account(), ledger.Desk)[0]
	return e.Kind == ledger.Trade && len(e.Moves) == 2 && e.Moves[0] == given && e.Moves[1].Asset == m.Exchange.Into.Symbol, nil
}

func (m *moving) postConvert() error {
	x := m.Exchange
	err := m.postEntry(ledger.Trade, append(m.moves(m.Account(), ledger.Desk),
		ledger.Move{From: ledger.Desk, To: m.Account(), Asset: x.Into.Symbol, Amount: x.Gives}))
	if errors.Is(err, ledger.ErrMismatch) {
		return m.postedMeanwhile(err)
	}
	return err
}

// postedMeanwhile looks what the form's ID has posted at this moment: the same
// conversion at other prices is the one that was asked for.
func (m *moving) postedMeanwhile(mismatch error) error {
	e, _, err := m.visit.Books.Entry(m.visit.context(), m.entry())
	if err != nil {
		return err
	}
	if same, err := m.sameConvert(e); err != nil || same {
		return err
	}
	return mismatch
}

// convertsNot says that nothing is converted here.
func (v *visit) convertsNot() error {
	return v.showAs(http.StatusNotFound, "convert-not", struct{ *view }{v.view("convert.title")})
}
