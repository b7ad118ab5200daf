package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// ConversionRules limit what holders convert against @desk. They are compared with
// the books in the transaction that posts a conversion, so that of conversions at the
// same time, in several processes too, none goes beyond them.
type ConversionRules struct {
	PriceMaxAge time.Duration            // how long ago a price was set at most; above zero, and at most 7 days
	Spread      int64                    // in basis points of what the holder gets; 0 to MaxSpread
	DailyLimit  ledger.Amount            // what an account converts on a UTC day, in USDT and in 1e-8; 0: no limit
	Floors      map[string]ledger.Amount // what @desk keeps of an asset, by symbol; below zero: how far it may overdraw
	Stocked     bool                     // of an asset without a floor, @desk pays out what it has; else it may overdraw
}

// MaxSpread is the largest spread, in basis points: a half of what the holder gets.
const MaxSpread = 5_000

// MaxPriceAge is the longest that a price can be converted at.
const MaxPriceAge = PriceReach * 24 * time.Hour

// Check refuses rules that cannot be; its errors are ErrInvalid.
func (r ConversionRules) Check() error {
	switch {
	case r.PriceMaxAge <= 0 || r.PriceMaxAge > MaxPriceAge:
		return ledger.ErrInvalid.In("", "the largest age of a price, %s, is not above zero and at most %s", r.PriceMaxAge, MaxPriceAge)
	case r.Spread < 0 || r.Spread > MaxSpread:
		return ledger.ErrInvalid.In("", "a spread of %d basis points; it is 0 to %d", r.Spread, MaxSpread)
	case r.DailyLimit < 0:
		return ledger.ErrInvalid.In("", "a limit below zero for a day")
	}
	return nil
}

// ConversionFault is why something is not converted.
type ConversionFault string

// The reasons, in the order in which they are looked at.
const (
	PriceMissing  ConversionFault = "price-missing"  // the asset has no price that is new enough
	AmountSmall   ConversionFault = "amount-small"   // it gives less than the smallest unit of the asset
	AmountLarge   ConversionFault = "amount-large"   // it is more than can be counted of the asset
	QuoteChanged  ConversionFault = "quote-changed"  // the prices or the spread are not those of the quote
	LimitReached  ConversionFault = "limit-reached"  // the account converts no more than Left on this day
	DeskExhausted ConversionFault = "desk-exhausted" // @desk pays out no more than Left of the asset
)

// ConversionError says why something is not converted, and what would be.
type ConversionError struct {
	Fault ConversionFault
	Asset ledger.Asset  // that it is about; zero for LimitReached and QuoteChanged
	Left  ledger.Amount // LimitReached: in USDT and in 1e-8; DeskExhausted: of the asset
}

func (e *ConversionError) Error() string {
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

// Quote is what a conversion gives at the prices of a moment.
type Quote struct {
	From, Into           ledger.Asset
	Amount               ledger.Amount // that is given
	Gives                ledger.Amount // less the spread, rounded down
	FromPrice, IntoPrice Price
	Spread               int64         // in basis points
	Worth                ledger.Amount // what is given, in USDT and in 1e-8, rounded up
	SetAt                time.Time     // when the older of both prices was set
}

// same reports whether two quotes of one conversion say the same of its price.
func (q Quote) same(o Quote) bool {
	return q.Gives == o.Gives && q.FromPrice.Price == o.FromPrice.Price && q.IntoPrice.Price == o.IntoPrice.Price && q.Spread == o.Spread
}

// conversionPrice is the newest price of an asset, and since when it is known.
type conversionPrice struct {
	Price
	since int64 // milliseconds
}

// conversionPrices reads the newest price of each asset. A price is as new as when it
// was set, and not newer than the end of its day: that of yesterday, set once more, is
// still yesterday's.
func conversionPrices(t view, now int64) (map[string]conversionPrice, error) {
	today := staking.DayOf(timeOf(now))
	prices := map[string]conversionPrice{USDT: {Price{USDT, today, PriceUnit}, now}}
	err := t.Query(func(r row) error {
		p := Price{r.Text(0), staking.Day(r.Int(1)), r.Int(2)}
		prices[p.Asset] = conversionPrice{p, min(r.Int(3), (p.Day + 1).Millis())}
		return nil
	}, "SELECT asset, day, price, set_at FROM prices WHERE day BETWEEN $1 AND $2 ORDER BY day", int64(today-PriceReach), int64(today))
	if err != nil {
		return nil, fmt.Errorf("read the prices to convert at: %w", err)
	}
	return prices, nil
}

// fresh reports whether a price is new enough at a moment.
func (r ConversionRules) fresh(p conversionPrice, now int64) bool {
	return p.Price.Price > 0 && now-p.since <= r.PriceMaxAge.Milliseconds()
}

// quote is what a conversion gives at a moment; a *ConversionError where it gives nothing.
func (r ConversionRules) quote(from, into ledger.Asset, amount ledger.Amount, prices map[string]conversionPrice, now int64) (Quote, error) {
	p, other := prices[from.Symbol], prices[into.Symbol]
	q := Quote{From: from, Into: into, Amount: amount, FromPrice: p.Price, IntoPrice: other.Price, Spread: r.Spread, SetAt: timeOf(min(p.since, other.since))}
	for _, x := range []struct {
		asset ledger.Asset
		price conversionPrice
	}{{from, p}, {into, other}} {
		if !r.fresh(x.price, now) {
			return q, &ConversionError{Fault: PriceMissing, Asset: x.asset}
		}
	}
	gives, err := Convert(from, into, amount, p.Price.Price, other.Price.Price, r.Spread)
	if errors.Is(err, ledger.ErrOverflow) {
		return q, &ConversionError{Fault: AmountLarge, Asset: into}
	}
	if err != nil {
		return q, err
	}
	if gives == 0 {
		return q, &ConversionError{Fault: AmountSmall, Asset: into}
	}
	q.Gives = gives
	q.Worth, err = valueUp(from, amount, p.Price.Price)
	if err != nil {
		return q, &ConversionError{Fault: AmountLarge, Asset: into}
	}
	return q, nil
}

// valueUp is Value rounded up: what counts against a limit is never less than what it is.
func valueUp(asset ledger.Asset, amount ledger.Amount, price int64) (ledger.Amount, error) {
	whole := wholes(asset)
	value := new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(price))
	value.Add(value, whole).Sub(value, big.NewInt(1)).Quo(value, whole)
	if !value.IsInt64() {
		return 0, ledger.ErrOverflow
	}
	return ledger.Amount(value.Int64()), nil
}

// limit compares a quote with what the account has converted on the day, and with what
// @desk has: a *ConversionError where it goes beyond a limit.
func (r ConversionRules) limit(q Quote, used ledger.Amount, desk *big.Int) error {
	most := ledger.Amount(math.MaxInt64)
	if r.DailyLimit > 0 {
		most = r.DailyLimit
	}
	if left := most - min(used, most); q.Worth > left {
		return &ConversionError{Fault: LimitReached, Left: left}
	}
	floor, has := r.Floors[q.Into.Symbol]
	if !has && !r.Stocked {
		return nil
	}
	left := new(big.Int).Sub(desk, big.NewInt(int64(floor)))
	if left.Cmp(big.NewInt(int64(q.Gives))) >= 0 {
		return nil
	}
	e := &ConversionError{Fault: DeskExhausted, Asset: q.Into}
	if left.Sign() > 0 {
		e.Left = ledger.Amount(left.Int64()) // less than q.Gives
	}
	return e
}

// ConversionPrices are the prices that are new enough to convert at now, by asset.
func (db *DB) ConversionPrices(ctx context.Context, rules ConversionRules) (map[string]Price, error) {
	fresh := map[string]Price{}
	err := db.engine.Read(ctx, func(t view) error {
		clear(fresh)
		now := db.now()
		prices, err := conversionPrices(t, now)
		for symbol, p := range prices {
			if rules.fresh(p, now) {
				fresh[symbol] = p.Price
			}
		}
		return err
	})
	return fresh, err
}

// Quote is what a conversion of an account would give now, for an amount above zero.
// Where the rules do not allow it the error is a *ConversionError, and the quote says
// what it says all the same. Nothing is reserved: Convert compares again.
func (db *DB) Quote(ctx context.Context, account ledger.Account, from, into string, amount ledger.Amount, rules ConversionRules) (q Quote, err error) {
	assets, err := db.conversionAssets(ctx, account, from, into, amount, rules)
	if err != nil {
		return Quote{}, err
	}
	err = db.engine.Read(ctx, func(t view) error {
		now := db.now()
		prices, err := conversionPrices(t, now)
		if err != nil {
			return err
		}
		if q, err = rules.quote(assets[0], assets[1], amount, prices, now); err != nil {
			return err
		}
		var used int64
		if _, err := one(t, []*int64{&used}, "SELECT worth FROM conversions WHERE bucket = $1 AND account = $2 AND day = $3",
			int64(account.Bucket()), string(account), int64(staking.DayOf(timeOf(now)))); err != nil {
			return err
		}
		desks, err := deskBalances(t, []string{into})
		if err != nil {
			return err
		}
		return rules.limit(q, ledger.Amount(used), desks[into])
	})
	return q, err
}

// conversionAssets are both assets of a conversion that can be.
func (db *DB) conversionAssets(ctx context.Context, account ledger.Account, from, into string, amount ledger.Amount, rules ConversionRules) (both [2]ledger.Asset, err error) {
	if err := rules.Check(); err != nil {
		return both, err
	}
	if err := account.CheckHolder(); err != nil {
		return both, err
	}
	if from == into || amount <= 0 {
		return both, ledger.ErrInvalid.In("amount", "a conversion is of an amount above zero into another asset")
	}
	for i, symbol := range []string{from, into} {
		if both[i], err = db.Asset(ctx, symbol); err != nil {
			return both, err
		}
	}
	return both, nil
}

// Convert posts a conversion as it was quoted: an entry of the kind trade, in which the
// holder gives Amount to @desk and gets Gives. Where the books or the rules do not
// allow it any more, nothing is posted and the error is a *ConversionError; its other
// errors are those of Post's outcomes. The same ID with the same quote has no further
// effect, whatever the rules are by then; with another it is ErrConflict. It may be
// called from many goroutines and processes.
func (db *DB) Convert(ctx context.Context, id string, account ledger.Account, q Quote, rules ConversionRules) (Outcome, error) {
	if _, err := db.conversionAssets(ctx, account, q.From.Symbol, q.Into.Symbol, q.Amount, rules); err != nil {
		return Outcome{}, err
	}
	e := ledger.Entry{ID: id, Kind: ledger.Trade, Moves: []ledger.Move{
		{From: account, To: ledger.Desk, Asset: q.From.Symbol, Amount: q.Amount},
		{From: ledger.Desk, To: account, Asset: q.Into.Symbol, Amount: q.Gives},
	}}
	outcomes, err := db.post(ctx, &call{entries: []ledger.Entry{e}, converts: &conversion{account, q, rules}})
	if err != nil {
		return Outcome{}, err
	}
	return outcomes[0], outcomes[0].Err
}
