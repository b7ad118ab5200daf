package pricing

import (
	"context"
	"fmt"
	"math/big"
	"regexp"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Rate is what 1 USDT was worth in a currency on a day, in 1e-8 of the currency.
type Rate struct {
	Currency string // three capital letters, as ISO 4217 has them
	Day      staking.Day
	Rate     int64
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// CheckCurrency refuses what is neither USDT nor three capital letters, as codes of ISO 4217 are. Which codes there
// are is not looked at: they change. Its error is ledger.ErrInvalid.
func CheckCurrency(code string) error {
	if code != conversion.USDT && !currencyForm.MatchString(code) {
		return ledger.ErrInvalid.In("currency", "a currency is USDT or a code of ISO 4217, such as EUR")
	}
	return nil
}

// ValueIn is what an amount of an asset is worth at a price in USDT and a rate of a currency, both in 1e-8: in 1e-8 of
// the currency, computed from these and rounded down once. It has no limit.
func ValueIn(asset ledger.Asset, amount ledger.Amount, price, rate int64) *big.Int {
	product := new(big.Int).Mul(big.NewInt(price), big.NewInt(rate))
	product.Mul(product, big.NewInt(int64(amount)))
	divisor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(asset.Scale+conversion.PriceScale)), nil)
	return product.Quo(product, divisor)
}

// Rates is the table of rates. All methods are safe for concurrent use.
type Rates struct {
	db    *db.DB
	books Books
	clock func() time.Time
}

// NewRates is the rates of books.
func NewRates(d *db.DB, books Books, clock func() time.Time) *Rates { return &Rates{d, books, clock} }

// Set sets rates of days that have begun, all of them or none, and returns how many were
// new or changed. A rate may be changed until its day is declared for any asset: from then
// on a reward may be valued by it. A day that is declared without a rate, of its own or of
// one of the 7 days before it, gets one once; another is ErrConflict. The same rate again
// has no further effect. First rates of currencies are set apart, as first prices are: see Prices.Set.
func (rs *Rates) Set(ctx context.Context, rates []Rate) (set int, err error) {
	checked, err := rs.check(rates)
	if err != nil || len(checked) == 0 {
		return 0, err
	}
	return setApart(checked, func(p Price) string { return p.Asset }, func(some []Price) (int, error) {
		return rs.set(ctx, some)
	})
}

// set sets rates that are checked, all of them or none.
func (rs *Rates) set(ctx context.Context, checked []Price) (set int, err error) {
	err = rs.db.Write(ctx, func(t db.Tx) error {
		last, err := rs.books.LockAllDeclarations(t)
		if err != nil {
			return err
		}
		fresh, same, _, err := rateSeries.compare(t, checked, func(db.Tx, string) (staking.Day, error) { return last, nil })
		if err != nil {
			return err
		}
		rebased, err := rateSeries.permit(t, rs.books, setting{ratesOf(checked), checked, fresh}, rs.clock())
		if err != nil {
			return err
		}
		set = len(fresh)
		if err := rateSeries.write(t, fresh, same, rebased, rs.clock()); err != nil {
			return err
		}
		return rs.books.LogRates(t, ratesOf(fresh))
	})
	if err != nil {
		return 0, fmt.Errorf("set rates: %w", err)
	}
	return set, nil
}

// check refuses rates that cannot be, and returns the others by currency and day, each
// once, without those of USDT.
func (rs *Rates) check(rates []Rate) (checked []Price, err error) {
	today := staking.DayOf(rs.clock())
	for i, r := range rates {
		field := fmt.Sprintf("rates[%d].", i)
		p := Price{Asset: r.Currency, Day: r.Day, Price: r.Rate}
		if err := CheckCurrency(r.Currency); err != nil {
			return nil, ledger.At(fmt.Sprintf("rates[%d]", i), err)
		}
		switch {
		case r.Currency == conversion.USDT && r.Rate == conversion.PriceUnit:
			continue
		case r.Currency == conversion.USDT:
			return nil, ledger.ErrInvalid.In(field+"rate", "the rate of USDT is 1")
		case r.Rate <= 0:
			return nil, ledger.ErrInvalid.In(field+"rate", "the rate of %s of %s is not above zero", r.Currency, r.Day)
		case r.Day < 0 || r.Day > today:
			return nil, rateSeries.early(p, today)
		}
		checked = append(checked, p)
	}
	return rateSeries.sorted(checked)
}
