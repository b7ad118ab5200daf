// Package pricing keeps in the database what tokens were worth on a day, and USDT in currencies. It knows of the
// books only which days are declared.
package pricing

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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
// another price of a declared day is ErrConflict.
func (p *Prices) Set(ctx context.Context, prices []Price) (set int, err error) {
	prices, err = p.check(ctx, prices)
	if err != nil || len(prices) == 0 {
		return 0, err
	}
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
		if err := p.permit(t, prices, fresh); err != nil {
			return err
		}
		set = len(fresh)
		if err := priceSeries.write(t, fresh, same, p.clock()); err != nil {
			return err
		}
		return p.books.LogPrices(t, fresh)
	})
	if err != nil {
		return 0, fmt.Errorf("set prices: %w", err)
	}
	return set, nil
}

// How much a price may move without approval, as a part of the one before: a fifth (20 %) from one day to the next, and a
// half within Month days, so that many small steps do not come to a large one. Ours: a token that doubles within a month
// is looked at, and one that follows its market is not.
const (
	freeMove      = 5
	freeMonthMove = 2
	// Month is how many days before its own those prices are that a price is compared with.
	Month = 30
)

// moves reports whether a price is farther from one before than a part of it. The first price of an asset has nothing to
// be compared with.
func (p Price) moves(before Price, part int64) bool {
	return before.Price != 0 && max(p.Price-before.Price, before.Price-p.Price) > before.Price/part
}

// move is a price, and the one that it is too far from.
type move struct{ now, before Price }

// compared is what is known of the prices that fresh ones are compared with.
type compared struct {
	fresh   []Price
	known   []Price            // of the day of each, or of the last day before it
	earlier []Price            // of the day before each, or of the last before that
	month   map[string][]Price // of each asset, of Month days before the first to the last of its fresh ones
	nearest []Price            // of each of which month has none: the nearest of the asset
}

// permit asks for approval of prices of which a new one moves too far: see tooFar.
func (p *Prices) permit(t db.Tx, asked, fresh []Price) error {
	c, err := compare(t, fresh)
	if err != nil {
		return err
	}
	moves := c.tooFar(nil)
	if len(moves) > 0 { // only then it matters what was approved
		approved, err := approvedSince(t, p.clock())
		if err != nil {
			return err
		}
		moves = c.tooFar(approved)
	}
	var lines, assets []string
	for _, m := range moves {
		assets = append(assets, m.now.Asset)
		lines = append(lines, fmt.Sprintf("%s of %s: %s, after %s of %s", m.now.Asset, m.now.Day,
			ledger.FormatDecimal(m.now.Price, conversion.PriceScale),
			ledger.FormatDecimal(m.before.Price, conversion.PriceScale), m.before.Day))
	}
	effect := fmt.Sprintf("%d prices, %s", len(fresh), strings.Join(lines, ", "))
	return p.books.Permit(t, moves != nil, control.SetPrices, asked, strings.Join(slices.Compact(assets), " "), effect)
}

// tooFar are the prices that need approval: those that are more than a fifth away from what is known of their day; from
// that of the day before, or of the last of the 7 days before it, unless they are near one of their day that was
// approved; or more than a half away from one of the Month days before, of their own or, where there is none, from the
// nearest. Of these days only those count since the last of which a price was approved.
func (c compared) tooFar(approved []Price) (moves []move) {
	for i, now := range c.fresh {
		near := func(a Price) bool { return a.Asset == now.Asset && a.Day == now.Day && !now.moves(a, freeMove) }
		switch {
		case now.moves(c.known[i], freeMove):
			moves = append(moves, move{now, c.known[i]})
			continue
		case now.moves(c.earlier[i], freeMove) && !slices.ContainsFunc(approved, near):
			moves = append(moves, move{now, c.earlier[i]})
			continue
		}
		since := now.Day - Month
		for _, a := range approved {
			if a.Asset == now.Asset && a.Day <= now.Day {
				since = max(since, a.Day)
			}
		}
		for _, before := range append(c.of(now, since), c.nearest[i]) {
			if now.moves(before, freeMonthMove) {
				moves = append(moves, move{now, before})
				break
			}
		}
	}
	return moves
}

// of are the prices from a day to that of another price, of its asset.
func (c compared) of(now Price, since staking.Day) (prices []Price) {
	for _, p := range c.month[now.Asset] {
		if p.Day >= since && p.Day <= now.Day {
			prices = append(prices, p)
		}
	}
	return prices
}

// compare reads what fresh prices, which are sorted by asset and day, are compared with.
func compare(t db.View, fresh []Price) (c compared, err error) {
	c = compared{fresh: fresh, month: map[string][]Price{}, nearest: make([]Price, len(fresh))}
	if c.known, err = At(t, fresh); err != nil {
		return c, err
	}
	daysBefore := slices.Clone(fresh)
	for i := range daysBefore {
		daysBefore[i].Day--
	}
	if c.earlier, err = At(t, daysBefore); err != nil {
		return c, err
	}
	var spans [][2]Price // the first and the last of each asset
	for _, p := range fresh {
		if n := len(spans); n > 0 && spans[n-1][0].Asset == p.Asset {
			spans[n-1][1] = p
			continue
		}
		spans = append(spans, [2]Price{p, p})
	}
	err = t.QuerySet(func(r db.Row) error {
		asset := r.Text(0)
		c.month[asset] = append(c.month[asset], Price{asset, staking.Day(r.Int(1)), r.Int(2)})
		return nil
	}, "SELECT p.asset, p.day, p.price FROM {rows} JOIN prices p ON p.asset = r.asset AND p.day BETWEEN r.first AND r.last",
		db.SetOf(spans,
			db.Text("asset", func(s [2]Price) string { return s[0].Asset }),
			db.Int("first", func(s [2]Price) int64 { return int64(s[0].Day - Month) }),
			db.Int("last", func(s [2]Price) int64 { return int64(s[1].Day) })))
	if err != nil {
		return c, fmt.Errorf("read the prices of a month: %w", err)
	}
	return c, c.readNearest(t)
}

// readNearest reads the nearest price of each of which there is none of the Month days before, nor of its own.
func (c compared) readNearest(t db.View) error {
	var alone []int
	for i, p := range c.fresh {
		if c.of(p, p.Day-Month) == nil {
			alone = append(alone, i)
		}
	}
	err := t.QueryEach(func(r db.Row) error {
		c.nearest[r.Int(0)] = Price{r.Text(1), staking.Day(r.Int(2)), r.Int(3)}
		return nil
	}, "SELECT CAST($1 AS bigint), asset, day, price FROM prices WHERE asset = $2 ORDER BY abs(day - $3), day LIMIT 1",
		db.SetOf(alone,
			db.Int("number", func(i int) int64 { return int64(i) }),
			db.Text("name", func(i int) string { return c.fresh[i].Asset }),
			db.Int("day", func(i int) int64 { return int64(c.fresh[i].Day) })))
	if err != nil {
		return fmt.Errorf("read the nearest prices: %w", err)
	}
	return nil
}

// approvedSince are the prices that were approved within Month days.
func approvedSince(t db.View, now time.Time) (all []Price, err error) {
	err = t.Query(func(r db.Row) error {
		prices, err := control.Read[[]Price](json.RawMessage(r.Text(0)))
		all = append(all, prices...)
		return err
	}, "SELECT content FROM proposals WHERE operation = $1 AND decision = $2 AND made_at >= $3",
		string(control.SetPrices), string(control.Executed), now.Add(-control.Lifetime-(Month+1)*24*time.Hour).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read the prices that were approved: %w", err)
	}
	return all, nil
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
