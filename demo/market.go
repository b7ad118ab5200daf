package demo

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// stated is the token whose rate before the fee the operator states.
const stated = "SOL"

// usdt is what tokens are traded against. It earns nothing here.
const usdt = "USDT"

// market is the tokens of the town and what they are worth.
type market struct {
	tokens  []staking.Token // those on offer, and last USDT
	offered []string
	fixed   []string // those of them that earn by a rate
	token   map[string]staking.Token
	price   map[string]int64 // today's: USDT per whole token, in 1e-8
}

// beginPrices are in USDT per whole token, of the order of what they were in autumn 2025.
var beginPrices = map[string]string{
	"BNB": "1080", "SOL": "190", "ADA": "0.65", "SUI": "2.5", "TON": "2.2",
	"NEAR": "2.3", "POL": "0.2", "ALGO": "0.19", "S": "0.15", "AXS": "1.4",
}

func newMarket(from staking.Day) (*market, error) {
	tokens, err := staking.ShippedTokens(from)
	if err != nil {
		return nil, err
	}
	m := &market{token: map[string]staking.Token{}, price: map[string]int64{usdt: 100_000_000}}
	for _, t := range tokens {
		symbol := t.Asset.Symbol
		m.offered = append(m.offered, symbol)
		if _, shares := chains[symbol]; shares {
			t.Terms.Mode, t.Terms.APR, t.Terms.Fee = staking.Share, 0, operatorFee
		} else {
			m.fixed = append(m.fixed, symbol)
		}
		switch symbol {
		case stated:
			t.Terms.GrossAPR, t.Terms.Fee = t.Terms.APR*5/4, staking.Whole/5
		case Capped:
			t.Terms.PerOwner = true
		case lowest:
			t.Terms.Measure = staking.Lowest
		}
		m.tokens = append(m.tokens, t)
		if m.price[symbol], err = ledger.ParseDecimal(beginPrices[symbol], 8); err != nil {
			return nil, fmt.Errorf("the first price of %s: %w", symbol, err)
		}
	}
	// At its own 6 decimals: at 8 its supply would not fit.
	dollar := ledger.Asset{Symbol: usdt, Scale: 6, MaxSupply: 1_000_000_000_000_000_000}
	m.tokens = append(m.tokens, staking.Token{Asset: dollar,
		Terms: staking.Terms{Asset: usdt, From: from, Cap: dollar.MaxSupply}})
	for _, t := range m.tokens {
		m.token[t.Asset.Symbol] = t
	}
	return m, nil
}

// walk changes each price by at most three in a hundred.
func (m *market) walk(l luck) {
	for _, symbol := range m.offered {
		m.price[symbol] = max(int64(round(ledger.Amount(m.price[symbol]/1000*(970+l.Int64N(61))))), 1000)
	}
}

// prices are those of the tokens on offer, for a day.
func (m *market) prices(d staking.Day) []pricing.Price {
	prices := make([]pricing.Price, 0, len(m.offered))
	for _, symbol := range m.offered {
		prices = append(prices, pricing.Price{Asset: symbol, Day: d, Price: m.price[symbol]})
	}
	return prices
}

// rates are what 1 USDT is worth in some currencies on a day, in 1e-8. They differ from day to day, and take nothing of
// the town's luck.
func (m *market) rates(d staking.Day) []pricing.Rate {
	drift := int64(d%7) * 50_000
	return []pricing.Rate{{Currency: "EUR", Day: d, Rate: 86_000000 + drift},
		{Currency: "GBP", Day: d, Rate: 75_000000 + drift}, {Currency: "USD", Day: d, Rate: 99_900000 + drift}}
}

// exchange is what an amount of one asset is worth in another, rounded down; zero
// where that is more than there can be.
func (m *market) exchange(amount ledger.Amount, from, to string) ledger.Amount {
	worth, err := conversion.Convert(m.token[from].Asset, m.token[to].Asset, amount, m.price[from], m.price[to], 0)
	if err != nil {
		return 0
	}
	return worth
}

// common is an amount of an asset that a small holder thinks of: the minimum
// that earns, or a hundred dollars.
func (m *market) common(symbol string) ledger.Amount {
	if symbol == usdt {
		return 100_000_000
	}
	return m.token[symbol].Terms.Min
}

// shared are the tokens in the mode share, in the order of their symbols.
func (m *market) shared() []string {
	return slices.Sorted(maps.Keys(chains))
}

// plain reports whether a token earns by a rate on the average, and by nothing else.
func (m *market) plain(symbol string) bool {
	t := m.token[symbol].Terms
	return t.Offered && t.Mode == staking.Fixed && t.Measure == staking.Average && !t.PerOwner && symbol != paidIn
}

// assets are all of them, USDT last.
func (m *market) assets() []string { return append(slices.Clone(m.offered), usdt) }

func power(scale int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
}
