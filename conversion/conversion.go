// Package conversion is the rule of conversions against @desk: at which prices, what they give, and
// within which limits.
// It knows no SQL and no clock.
package conversion

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/softstake/softstake/ledger"
)

const (
	// USDT is what prices are in. Its own is 1.
	USDT = "USDT"
	// PriceScale is how many decimals a price, and a value in USDT, has.
	PriceScale = 8
	// PriceUnit is 1 USDT as a price or a value: 10^PriceScale.
	PriceUnit = 100_000_000

	// MaxSpread is the largest spread, in basis points: a half of what the holder gets.
	MaxSpread = 5_000
	// MaxPriceAge is the longest that a price can be converted at.
	MaxPriceAge = 7 * 24 * time.Hour

	wholeSpread = 10_000 // all of an amount in basis points
)

// Rules limit what holders convert against @desk.
type Rules struct {
	PriceMaxAge time.Duration            // how long ago a price was set at most; above zero, and at most MaxPriceAge
	Spread      int64                    // in basis points of what the holder gets; 0 to MaxSpread
	DailyLimit  ledger.Amount            // what an account converts on a UTC day, in USDT and in 1e-8; 0: no limit
	Floors      map[string]ledger.Amount // what @desk keeps of an asset, by symbol; below zero: how far it may overdraw
	Stocked     bool                     // of an asset without a floor, @desk pays out what it has; else it may overdraw
}

// Check refuses rules that cannot be; its errors are ledger.ErrInvalid.
func (r Rules) Check() error {
	switch {
	case r.PriceMaxAge <= 0 || r.PriceMaxAge > MaxPriceAge:
		return ledger.ErrInvalid.In("", "the largest age of a price, %s, is not above zero and at most %s", r.PriceMaxAge,
			MaxPriceAge)
	case r.Spread < 0 || r.Spread > MaxSpread:
		return ledger.ErrInvalid.In("", "a spread of %d basis points; it is 0 to %d", r.Spread, MaxSpread)
	case r.DailyLimit < 0:
		return ledger.ErrInvalid.In("", "a limit below zero for a day")
	}
	return nil
}

// Fault is why something is not converted.
type Fault string

// The reasons, in the order in which they are checked.
const (
	PriceMissing  Fault = "price-missing"  // the asset has no price that is new enough
	AmountSmall   Fault = "amount-small"   // it gives less than the smallest unit of the asset
	AmountLarge   Fault = "amount-large"   // it is more than can be counted of the asset
	QuoteChanged  Fault = "quote-changed"  // the prices or the spread are not those of the quote
	LimitReached  Fault = "limit-reached"  // the account converts no more than Left on this day
	DeskExhausted Fault = "desk-exhausted" // @desk pays out no more than Left of the asset
)

// Error says why something is not converted, and how much could be.
type Error struct {
	Fault Fault
	Asset ledger.Asset  // that it is about; zero for LimitReached and QuoteChanged
	Left  ledger.Amount // LimitReached: in USDT and in 1e-8; DeskExhausted: of the asset
}

func (e *Error) Error() string {
	switch e.Fault {
	case PriceMissing:
		return fmt.Sprintf("%s has no price that is new enough", e.Asset.Symbol)
	case LimitReached:
		return "the account converts at most " + ledger.FormatDecimal(int64(e.Left), PriceScale) + " USDT more on this day"
	case DeskExhausted:
		return fmt.Sprintf("@desk pays out at most %s %s", e.Asset.Format(e.Left), e.Asset.Symbol)
	case QuoteChanged:
		return "the quote does not hold any more; ask for another"
	}
	return fmt.Sprintf("conversion into %s: %s", e.Asset.Symbol, e.Fault)
}

// Price is what a whole token is worth.
type Price struct {
	USDT  int64     // in 1e-8; zero: it is not known
	SetAt time.Time // as of when it is known
}

// Fresh reports whether a price is new enough at a moment.
func (r Rules) Fresh(p Price, now time.Time) bool {
	return p.USDT > 0 && now.Sub(p.SetAt) <= r.PriceMaxAge
}

// Quote is what a conversion gives at the prices of a moment.
type Quote struct {
	From, Into           ledger.Asset
	Amount               ledger.Amount // that is given
	Gives                ledger.Amount // less the spread, rounded down
	FromPrice, IntoPrice int64         // of a whole token, in USDT and in 1e-8
	Spread               int64         // in basis points
	Worth                ledger.Amount // what is given, in USDT and in 1e-8, rounded up
	SetAt                time.Time     // when the older of both prices was set
}

// SamePrice reports whether two quotes of one conversion say the same of its price.
func (q Quote) SamePrice(o Quote) bool {
	return q.Gives == o.Gives && q.FromPrice == o.FromPrice && q.IntoPrice == o.IntoPrice && q.Spread == o.Spread
}

// Quote is what a conversion gives at a moment, at the newest price of each asset by its
// symbol. Where it gives nothing the error is an *Error.
func (r Rules) Quote(from, into ledger.Asset, amount ledger.Amount, prices map[string]Price, now time.Time) (Quote,
	error) {
	given, asked := prices[from.Symbol], prices[into.Symbol]
	q := Quote{From: from, Into: into, Amount: amount, FromPrice: given.USDT, IntoPrice: asked.USDT, Spread: r.Spread,
		SetAt: given.SetAt}
	if asked.SetAt.Before(q.SetAt) {
		q.SetAt = asked.SetAt
	}
	for _, asset := range []ledger.Asset{from, into} {
		if !r.Fresh(prices[asset.Symbol], now) {
			return q, &Error{Fault: PriceMissing, Asset: asset}
		}
	}
	gives, err := Convert(from, into, amount, given.USDT, asked.USDT, r.Spread)
	if errors.Is(err, ledger.ErrOverflow) {
		return q, &Error{Fault: AmountLarge, Asset: into}
	}
	if err != nil {
		return q, err
	}
	if gives == 0 {
		return q, &Error{Fault: AmountSmall, Asset: into}
	}
	q.Gives = gives
	if q.Worth, err = worthUp(from, amount, given.USDT); err != nil {
		return q, &Error{Fault: AmountLarge, Asset: into}
	}
	return q, nil
}

// Allow compares a quote with what the account has converted on the day, in USDT and in
// 1e-8, and with what @desk has of the asset that it pays out, in its smallest units: an
// *Error where the quote goes beyond a limit.
func (r Rules) Allow(q Quote, used ledger.Amount, desk *big.Int) error {
	most := ledger.Amount(math.MaxInt64)
	if r.DailyLimit > 0 {
		most = r.DailyLimit
	}
	if left := most - min(used, most); q.Worth > left {
		return &Error{Fault: LimitReached, Left: left}
	}
	floor, has := r.Floors[q.Into.Symbol]
	if !has && !r.Stocked {
		return nil
	}
	left := new(big.Int).Sub(desk, big.NewInt(int64(floor)))
	if left.Cmp(big.NewInt(int64(q.Gives))) >= 0 {
		return nil
	}
	e := &Error{Fault: DeskExhausted, Asset: q.Into}
	if left.Sign() > 0 {
		e.Left = ledger.Amount(left.Int64()) // less than q.Gives
	}
	return e
}

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
	gives.Mul(gives, whole(to)).Mul(gives, big.NewInt(wholeSpread-spread))
	divisor := new(big.Int).Mul(big.NewInt(toPrice), whole(from))
	gives.Quo(gives, divisor.Mul(divisor, big.NewInt(wholeSpread)))
	if gives.Cmp(big.NewInt(int64(to.MaxSupply))) > 0 {
		return 0, fmt.Errorf("%s %s in %s: %w", from.Format(amount), from.Symbol, to.Symbol, ledger.ErrOverflow)
	}
	return ledger.Amount(gives.Int64()), nil
}

// worthUp is an amount's value in USDT and in 1e-8, rounded up: what counts against a limit
// is never less than what it is.
func worthUp(asset ledger.Asset, amount ledger.Amount, price int64) (ledger.Amount, error) {
	units := whole(asset)
	value := new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(price))
	value.Add(value, units).Sub(value, big.NewInt(1)).Quo(value, units)
	if !value.IsInt64() {
		return 0, ledger.ErrOverflow
	}
	return ledger.Amount(value.Int64()), nil
}

// Worth is what an amount of an asset is worth at a price: in USDT and in 1e-8, rounded
// down. It has no limit.
func Worth(asset ledger.Asset, amount *big.Int, price int64) *big.Int {
	value := new(big.Int).Mul(amount, big.NewInt(price))
	return value.Quo(value, whole(asset))
}

// Value is Worth of an amount, zero or more, that fits into one. Its error is ledger.ErrOverflow.
func Value(asset ledger.Asset, amount ledger.Amount, price int64) (ledger.Amount, error) {
	value := Worth(asset, big.NewInt(int64(amount)), price)
	if amount < 0 || price < 0 || !value.IsInt64() {
		return 0, fmt.Errorf("the value of %s %s at %s: %w", asset.Format(amount), asset.Symbol,
			ledger.FormatDecimal(price, PriceScale), ledger.ErrOverflow)
	}
	return ledger.Amount(value.Int64()), nil
}

// whole is how many smallest units a whole token has.
func whole(a ledger.Asset) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(a.Scale)), nil)
}
