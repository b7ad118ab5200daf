package binance

import (
	"math/bits"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// bitcoin is what the exchange values accounts in where nothing else is asked for.
const bitcoin = "BTC"

// valuation values holdings at the prices that hold on a day.
type valuation map[string]pricing.Price

// valuation is that of a day.
func (r *request) valuation(d staking.Day) (valuation, error) {
	return r.PricesFor(r.ctx, d)
}

// usdt is what some holdings are worth together in USDT and in 1e-8, each rounded
// down. What has no price is left out.
func (v valuation) usdt(holdings ...holding) (total ledger.Amount, err error) {
	for _, h := range holdings {
		price, known := v[h.asset.Symbol]
		if !known {
			continue
		}
		amount, err := h.free.Add(h.held)
		if err != nil {
			return 0, err
		}
		value, err := conversion.Value(h.asset, amount, price.Price)
		if err == nil {
			total, err = total.Add(value)
		}
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}

// in is what some holdings are worth together in another asset, with 8 decimals,
// rounded down. known is false, and text "0", where that asset has no price. Its error
// is ledger.ErrOverflow.
func (v valuation) in(quote string, holdings ...holding) (text string, known bool, err error) {
	price, known := v[quote]
	if !known {
		return "0", false, nil
	}
	value, err := v.usdt(holdings...)
	if err != nil {
		return "", true, err
	}
	high, low := bits.Mul64(uint64(value), conversion.PriceUnit)
	if high >= uint64(price.Price) {
		return "", true, ledger.ErrOverflow
	}
	n, _ := bits.Div64(high, low, uint64(price.Price))
	if n >= 1<<63 {
		return "", true, ledger.ErrOverflow
	}
	return formatValue(int64(n)), true, nil
}

// bitcoin is what some holdings are worth in bitcoin: "0" where it has no price in the books.
func (v valuation) bitcoin(holdings ...holding) (string, error) {
	text, _, err := v.in(bitcoin, holdings...)
	return text, err
}
