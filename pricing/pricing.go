// Package pricing keeps in the database what tokens were worth on a day. It knows of the books only
// which days are declared.
package pricing

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	// LogPrices writes a line of the log for each price that was set.
	LogPrices(t db.Tx, set []Price) error
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
// another price of a declared day is ErrConflict.
func (p *Prices) Set(ctx context.Context, prices []Price) (set int, err error) {
	prices, err = p.check(ctx, prices)
	if err != nil || len(prices) == 0 {
		return 0, err
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		fresh, same, late, err := p.compare(t, prices)
		if err != nil {
			return err
		}
		if late {
			if err := countLate(t); err != nil {
				return err
			}
		}
		set = len(fresh)
		if err := p.write(t, fresh, same); err != nil {
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
			return nil, ledger.ErrInvalid.In("", "%s of %s: the price of a day that has not begun cannot be known; today is %s",
				price.Asset, price.Day, today)
		}
		checked = append(checked, price)
	}
	order := func(a, b Price) int { return cmp.Or(strings.Compare(a.Asset, b.Asset), cmp.Compare(a.Day, b.Day)) }
	slices.SortStableFunc(checked, order)
	checked = slices.Compact(checked)
	for i := 1; i < len(checked); i++ {
		if order(checked[i-1], checked[i]) == 0 {
			return nil, ledger.ErrInvalid.In("", "%s of %s has two prices", checked[i].Asset, checked[i].Day)
		}
	}
	return checked, nil
}

// compare locks the prices' assets, and divides the prices into those that are new or
// changed and those that are known already. late: some of the new ones are of declared days.
func (p *Prices) compare(t db.Tx, prices []Price) (fresh, same []Price, late bool, err error) {
	declared := map[string]staking.Day{}
	for _, price := range prices {
		if _, locked := declared[price.Asset]; locked {
			continue
		}
		if declared[price.Asset], err = p.books.LockDeclarations(t, price.Asset); err != nil {
			return nil, nil, false, err
		}
	}
	known, err := At(t, prices)
	if err != nil {
		return nil, nil, false, err
	}
	for i, price := range prices {
		fixed := price.Day <= declared[price.Asset]
		switch k := known[i]; {
		case k.Price == price.Price && fixed:
		case k == price:
			same = append(same, price)
		case k.Price != 0 && fixed:
			return nil, nil, false, ledger.ErrConflict.In("",
				"%s of %s is paid at the price of %s, %s; it cannot be %s any more", price.Asset, price.Day, k.Day,
				ledger.FormatDecimal(k.Price, conversion.PriceScale), ledger.FormatDecimal(price.Price, conversion.PriceScale))
		default:
			fresh, late = append(fresh, price), late || fixed
		}
	}
	return fresh, same, late, nil
}

// At finds for each price the one that is known for its asset and day: of that day, or
// the last of at most 7 days before. None is Price 0.
func At(t db.View, wanted []Price) ([]Price, error) {
	known, numbers := make([]Price, len(wanted)), make([]int, len(wanted))
	for i := range numbers {
		numbers[i] = i
	}
	err := t.QueryEach(func(r db.Row) error {
		known[r.Int(0)] = Price{r.Text(1), staking.Day(r.Int(2)), r.Int(3)}
		return nil
	}, `SELECT CAST($1 AS bigint), asset, day, price FROM prices WHERE asset = $2 AND day <= $3 AND day >= $3 - `+fmt.Sprint(Reach)+`
	     ORDER BY day DESC LIMIT 1`, db.SetOf(numbers,
		db.Int("number", func(i int) int64 { return int64(i) }),
		db.Text("asset", func(i int) string { return wanted[i].Asset }),
		db.Int("day", func(i int) int64 { return int64(wanted[i].Day) })))
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	return known, nil
}

// write writes new prices, and records of others that they are still what they were: a
// feed that repeats a price keeps it new enough to convert at.
func (p *Prices) write(t db.Tx, fresh, same []Price) error {
	now := p.clock().UnixMilli()
	rows := func(prices []Price) db.Set {
		return db.SetOf(prices,
			db.Text("asset", func(p Price) string { return p.Asset }),
			db.Int("day", func(p Price) int64 { return int64(p.Day) }),
			db.Int("price", func(p Price) int64 { return p.Price }),
			db.Int("at", func(Price) int64 { return now }))
	}
	if _, err := t.Set(nil, `UPDATE prices SET set_at = r.at FROM {rows} WHERE prices.asset = r.asset AND prices.day = r.day AND prices.set_at < r.at`,
		rows(same)); err != nil {
		return fmt.Errorf("renew prices: %w", err)
	}
	if _, err := t.Set(nil, `INSERT INTO prices (asset, day, price, set_at) SELECT r.asset, r.day, r.price, r.at FROM {rows} WHERE true
	                         ON CONFLICT (asset, day) DO UPDATE SET price = excluded.price, set_at = excluded.set_at`, rows(fresh)); err != nil {
		return fmt.Errorf("write prices: %w", err)
	}
	return nil
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
