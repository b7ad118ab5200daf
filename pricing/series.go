package pricing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// series is a table of dated figures, one for each name and day: prices of tokens, or rates of currencies. A figure
// holds on its day, and on at most 7 days after it that have none of their own. All its figures travel as Price.
type series struct {
	table, name, figure string
	operation           control.Operation                              // that sets them
	read                func(content json.RawMessage) ([]Price, error) // what was proposed to be set
}

var (
	priceSeries = series{"prices", "asset", "price", control.SetPrices, control.Read[[]Price]}
	rateSeries  = series{"rates", "currency", "rate", control.SetRates, readRates}
)

// readRates are rates that were proposed.
func readRates(content json.RawMessage) ([]Price, error) {
	rates, err := control.Read[[]Rate](content)
	return pricesOf(rates), err
}

// pricesOf are rates as they travel.
func pricesOf(rates []Rate) []Price {
	prices := make([]Price, len(rates))
	for i, r := range rates {
		prices[i] = Price{Asset: r.Currency, Day: r.Day, Price: r.Rate}
	}
	return prices
}

// ratesOf are rates that have travelled.
func ratesOf(prices []Price) []Rate {
	rates := make([]Rate, len(prices))
	for i, p := range prices {
		rates[i] = Rate{p.Asset, p.Day, p.Price}
	}
	return rates
}

// early is the error of a figure of a day that has not begun.
func (s series) early(p Price, today staking.Day) error {
	return ledger.ErrInvalid.In("", "%s of %s: the %s of a day that has not begun cannot be known; today is %s", p.Asset,
		p.Day, s.figure, today)
}

// sorted are figures by name and day, each once.
func (s series) sorted(prices []Price) ([]Price, error) {
	order := func(a, b Price) int { return cmp.Or(strings.Compare(a.Asset, b.Asset), cmp.Compare(a.Day, b.Day)) }
	slices.SortStableFunc(prices, order)
	prices = slices.Compact(prices)
	for i := 1; i < len(prices); i++ {
		if order(prices[i-1], prices[i]) == 0 {
			return nil, ledger.ErrInvalid.In("", "%s of %s has two %ss", prices[i].Asset, prices[i].Day, s.figure)
		}
	}
	return prices, nil
}

// compare locks the figures' names, and divides the figures into those that are new or
// changed and those that are known already. late: some of the new ones are of declared days.
func (s series) compare(t db.Tx, prices []Price, lock func(db.Tx, string) (staking.Day, error)) (fresh, same []Price,
	late bool, err error) {
	declared := map[string]staking.Day{}
	for _, price := range prices {
		if _, locked := declared[price.Asset]; locked {
			continue
		}
		if declared[price.Asset], err = lock(t, price.Asset); err != nil {
			return nil, nil, false, err
		}
	}
	known, err := s.at(t, s.figure, prices)
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
				"%s of %s is paid at the %s of %s, %s; it cannot be %s any more", price.Asset, price.Day, s.figure, k.Day,
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
	return priceSeries.at(t, priceSeries.figure, wanted)
}

// at is At of a column: the figure, or its base.
func (s series) at(t db.View, column string, wanted []Price) ([]Price, error) {
	known, numbers := make([]Price, len(wanted)), make([]int, len(wanted))
	for i := range numbers {
		numbers[i] = i
	}
	err := t.QueryEach(func(r db.Row) error {
		known[r.Int(0)] = Price{r.Text(1), staking.Day(r.Int(2)), r.Int(3)}
		return nil
	}, `SELECT CAST($1 AS bigint), `+s.name+`, day, `+column+` FROM `+s.table+`
	     WHERE `+s.name+` = $2 AND day <= $3 AND day >= $3 - `+fmt.Sprint(Reach)+`
	     ORDER BY day DESC LIMIT 1`, db.SetOf(numbers,
		db.Int("number", func(i int) int64 { return int64(i) }),
		db.Text("name", func(i int) string { return wanted[i].Asset }),
		db.Int("day", func(i int) int64 { return int64(wanted[i].Day) })))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.table, err)
	}
	return known, nil
}

// write writes new figures, and records of others that they are still what they were: a
// feed that repeats a price keeps it new enough to convert at. Where a day has a base, only those that are rebased
// become it.
func (s series) write(t db.Tx, fresh, same []Price, rebased map[Price]bool, now time.Time) error {
	rows := func(prices []Price) db.Set {
		return db.SetOf(prices,
			db.Text("name", func(p Price) string { return p.Asset }),
			db.Int("day", func(p Price) int64 { return int64(p.Day) }),
			db.Int("figure", func(p Price) int64 { return p.Price }),
			db.Int("at", func(Price) int64 { return now.UnixMilli() }))
	}
	if _, err := t.Set(nil, `UPDATE `+s.table+` SET set_at = r.at FROM {rows}
	     WHERE `+s.table+`.`+s.name+` = r.name AND `+s.table+`.day = r.day AND `+s.table+`.set_at < r.at`, rows(same)); err != nil {
		return fmt.Errorf("renew %s: %w", s.table, err)
	}
	is := func(p Price) bool { return rebased[p] }
	isNot := func(p Price) bool { return !rebased[p] }
	insert := `INSERT INTO ` + s.table + ` (` + s.name + `, day, ` + s.figure + `, base, set_at)
	     SELECT r.name, r.day, r.figure, r.figure, r.at FROM {rows} WHERE true
	     ON CONFLICT (` + s.name + `, day)
	     DO UPDATE SET set_at = excluded.set_at, ` + s.figure + ` = excluded.` + s.figure
	_, err := t.Set(nil, insert, rows(slices.DeleteFunc(slices.Clone(fresh), is)))
	if err == nil {
		_, err = t.Set(nil, insert+", base = excluded.base", rows(slices.DeleteFunc(slices.Clone(fresh), isNot)))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", s.table, err)
	}
	return nil
}
