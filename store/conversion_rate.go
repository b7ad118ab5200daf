package store

import (
	"fmt"
	"math/big"

	"github.com/softstake/softstake/ledger"
)

// wholeSpread is all of an amount in basis points.
const wholeSpread = 10_000

// Convert is what an amount of one asset, zero or more, is worth in another at
// their prices in USDT, both in 1e-8 and above zero, less a spread in basis points
// (0 to 9999): exact, and rounded down to the other's smallest units, against the
// holder, so that it may be zero. Its error is ledger.ErrOverflow where that is more
// of the other than there can be, and ledger.ErrInvalid for what is no price, no
// spread or no amount.
func Convert(from, to ledger.Asset, amount ledger.Amount, fromPrice, toPrice, spread int64) (ledger.Amount, error) {
	if amount < 0 || fromPrice <= 0 || toPrice <= 0 || spread < 0 || spread >= wholeSpread {
		return 0, ledger.ErrInvalid.In("", "%s %s at %s, in %s at %s, less %d basis points", from.Format(amount), from.Symbol,
			ledger.FormatDecimal(fromPrice, PriceScale), to.Symbol, ledger.FormatDecimal(toPrice, PriceScale), spread)
	}
	// amount / 10^from × fromPrice / toPrice × 10^to × (1 - spread), divided once and at the end.
	gives := new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(fromPrice))
	gives.Mul(gives, wholes(to)).Mul(gives, big.NewInt(wholeSpread-spread))
	divisor := new(big.Int).Mul(big.NewInt(toPrice), wholes(from))
	gives.Quo(gives, divisor.Mul(divisor, big.NewInt(wholeSpread)))
	if gives.Cmp(big.NewInt(int64(to.MaxSupply))) > 0 {
		return 0, fmt.Errorf("%s %s in %s: %w", from.Format(amount), from.Symbol, to.Symbol, ledger.ErrOverflow)
	}
	return ledger.Amount(gives.Int64()), nil
}

// wholes are the smallest units in a whole token.
func wholes(a ledger.Asset) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.Scale)), nil)
}
