// Package pricing keeps in the database what tokens were worth on a day, and USDT in currencies. It knows of the
// books only which days are declared.
package pricing

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Price is what a whole token of an asset was worth on a day, in USDT and in 1e-8.
type Price struct {
	Asset string
	Day   staking.Day
	Price int64
}

// Parse reads a price of a day: USDT per whole token, at most 8 decimals. Its errors are ledger.ErrInvalid.
func Parse(day staking.Day, asset, price string) (Price, error) {
	if asset == "" {
		return Price{}, ledger.ErrInvalid.In("asset", "the price names no token")
	}
	n, err := ledger.ParseDecimal(price, conversion.PriceScale)
	if err != nil {
		return Price{}, ledger.At("price", fmt.Errorf("price %w", err))
	}
	if n <= 0 {
		return Price{}, ledger.ErrInvalid.In("price", "the price %q is not above zero", ledger.Clip(price))
	}
	return Price{Asset: asset, Day: day, Price: n}, nil
}

// Reach is how many days a price holds on where later ones are missing.
const Reach = 7

// Late is the row of meta that counts how often prices were set for days that were
// declared: what was without a price may have one.
const Late = "late_prices"

// Books are what prices need of the books.
type Books interface {
	// Asset is ledger.ErrNotFound if the books do not keep the asset.
	Asset(ctx context.Context, symbol string) (ledger.Asset, error)
	// LockDeclarations keeps days of an asset from being declared until the transaction
	// ends, and returns the last one that is declared, or -1.
	LockDeclarations(t db.Tx, asset string) (staking.Day, error)
	// LockAllDeclarations is LockDeclarations of all assets, and returns the last of their days.
	LockAllDeclarations(t db.Tx) (staking.Day, error)
	// Permit is nil where an operation needs no approval or is approved: it is asked in the transaction of the operation,
	// which is refused with its error. content is what it was called with, and effect what it does.
	Permit(t db.Tx, needed bool, op control.Operation, content any, subject, effect string) error
	// LogPrices writes a line of the log for each price that was set.
	LogPrices(t db.Tx, set []Price) error
	// LogRates writes a line of the log for each rate that was set.
	LogRates(t db.Tx, set []Rate) error
}

// Prices is the table of prices. All methods are safe for concurrent use.
type Prices struct {
	db    *db.DB
	books Books
	clock func() time.Time
}

// New is the prices of books.
func New(d *db.DB, books Books, clock func() time.Time) *Prices { return &Prices{d, books, clock} }

// Set sets prices of days that have begun, all of them or none, and returns how many were
// new or changed. A price may be changed until its day is declared for the asset. A day
// declared without a price, or one of the 7 days before it, gets one once. The same price
// again changes nothing but how new it is, and that only until its day is declared;
// another price of a declared day is ErrConflict. The exception to all or none: where with four eyes nothing but the
// first prices of some assets needs approval, the others are set, and the error is of the first ones alone.
func (p *Prices) Set(ctx context.Context, prices []Price) (set int, err error) {
	prices, err = p.check(ctx, prices)
	if err != nil || len(prices) == 0 {
		return 0, err
	}
	return setApart(prices, func(p Price) string { return p.Asset }, func(some []Price) (int, error) {
		return p.set(ctx, some)
	})
}

// set sets prices that are checked, all of them or none.
func (p *Prices) set(ctx context.Context, prices []Price) (set int, err error) {
	err = p.db.Write(ctx, func(t db.Tx) error {
		fresh, same, late, err := priceSeries.compare(t, prices, p.books.LockDeclarations)
		if err != nil {
			return err
		}
		if late {
			if err := countLate(t); err != nil {
				return err
			}
		}
		rebased, err := priceSeries.permit(t, p.books, setting{prices, prices, fresh}, p.clock())
		if err != nil {
			return err
		}
		set = len(fresh)
		if err := priceSeries.write(t, fresh, same, rebased, p.clock()); err != nil {
			return err
		}
		return p.books.LogPrices(t, fresh)
	})
	if err != nil {
		return 0, fmt.Errorf("set prices: %w", err)
	}
	return set, nil
}

// check refuses prices that cannot be, and returns the others by asset and day, each
// once, without those of USDT.
func (p *Prices) check(ctx context.Context, prices []Price) (checked []Price, err error) {
	today := staking.DayOf(p.clock())
	for i, price := range prices {
		field := fmt.Sprintf("prices[%d].price", i)
		switch _, err := p.books.Asset(ctx, price.Asset); {
		case price.Asset == conversion.USDT && price.Price == conversion.PriceUnit:
			continue
		case price.Asset == conversion.USDT:
			return nil, ledger.ErrInvalid.In(field, "the price of USDT is 1")
		case err != nil:
			return nil, err
		case price.Price <= 0:
			return nil, ledger.ErrInvalid.In(field, "the price of %s of %s is not above zero", price.Asset, price.Day)
		case price.Day < 0 || price.Day > today:
			return nil, priceSeries.early(price, today)
		}
		checked = append(checked, price)
	}
	return priceSeries.sorted(checked)
}

// countLate counts that prices are being set late.
func countLate(t db.Tx) error {
	_, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, '1')
	                  ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS bigint) + 1 AS text)`, Late)
	if err != nil {
		return fmt.Errorf("count the late prices: %w", err)
	}
	return nil
}

// Newest is the newest price of each asset at a moment, of those that may be new enough to
// convert at. A price is as new as when it was set, and not newer than the end of its day:
// that of yesterday, set once more, is still yesterday's.
func Newest(t db.View, now time.Time) (map[string]conversion.Price, error) {
	newest := map[string]conversion.Price{conversion.USDT: {USDT: conversion.PriceUnit, SetAt: now}}
	err := t.Query(func(r db.Row) error {
		newest[r.Text(0)] = conversion.Price{USDT: r.Int(2),
			SetAt: db.TimeOf(min(r.Int(3), (staking.Day(r.Int(1)) + 1).Millis()))}
		return nil
	}, "SELECT asset, day, price, set_at FROM prices WHERE day BETWEEN $1 AND $2 ORDER BY day",
		int64(staking.DayOf(now.Add(-conversion.MaxPriceAge))), int64(staking.DayOf(now)))
	if err != nil {
		return nil, fmt.Errorf("read the prices to convert at: %w", err)
	}
	return newest, nil
}

// Fresh are the prices that are new enough to convert at now, by asset.
func (p *Prices) Fresh(ctx context.Context, rules conversion.Rules) (fresh map[string]conversion.Price, err error) {
	err = p.db.Read(ctx, func(t db.View) error {
		now := db.TimeOf(p.clock().UnixMilli())
		fresh, err = Newest(t, now)
		maps.DeleteFunc(fresh, func(_ string, p conversion.Price) bool { return !rules.Fresh(p, now) })
		return err
	})
	return fresh, err
}
