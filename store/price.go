package store

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
	"strings"

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

// USDT is what prices are told in. Its own is 1.
const USDT = "USDT"

const (
	// PriceScale is how many decimals a price, and a value in USDT, has.
	PriceScale = 8
	// PriceUnit is 1 USDT as a price or a value: 10^PriceScale.
	PriceUnit = 100_000_000
	// PriceReach is how many days a price holds on where later ones are missing.
	PriceReach = 7
)

// SetPrices sets prices of days that have begun, all of them or none, and says
// how many were new or changed. A price may be changed until its day is declared
// for the asset. A day declared without a price, or one of the 7 days before it,
// gets one once. The same price again changes nothing but how new it is, and that only
// until its day is declared; another price of a declared day is ErrConflict.
func (db *DB) SetPrices(ctx context.Context, prices []Price) (set int, err error) {
	prices, err = db.checkPrices(ctx, prices)
	if err != nil || len(prices) == 0 {
		return 0, err
	}
	err = db.engine.Write(ctx, func(t tx) error {
		frozen, err := lockPrices(t, prices)
		if err != nil {
			return err
		}
		known, err := PricesAt(t, prices)
		if err != nil {
			return err
		}
		var news, same []Price
		late := false
		for i, p := range prices {
			k := known[i]
			switch {
			case k.Price == p.Price && p.Day <= frozen[p.Asset]:
			case k == p:
				same = append(same, p)
			case k.Price != 0 && p.Day <= frozen[p.Asset]:
				return ledger.ErrConflict.In("", "%s of %s is paid at the price of %s, %s; it cannot be %s any more",
					p.Asset, p.Day, k.Day, ledger.FormatDecimal(k.Price, PriceScale), ledger.FormatDecimal(p.Price, PriceScale))
			default:
				news, late = append(news, p), late || p.Day <= frozen[p.Asset]
			}
		}
		if late {
			if err := countLatePrices(t); err != nil {
				return err
			}
		}
		set = len(news)
		if err := db.renewPrices(t, same); err != nil {
			return err
		}
		return db.writePrices(t, news)
	})
	if err != nil {
		return 0, fmt.Errorf("set prices: %w", err)
	}
	return set, nil
}

// priceField is the price of a line of those that are set.
func priceField(i int) string { return fmt.Sprintf("prices[%d].price", i) }

// checkPrices refuses prices that cannot be, and returns the others by asset and
// day, each once, without those of USDT.
func (db *DB) checkPrices(ctx context.Context, prices []Price) ([]Price, error) {
	today := staking.DayOf(db.clock())
	var checked []Price
	for i, p := range prices {
		switch _, err := db.Asset(ctx, p.Asset); {
		case p.Asset == USDT && p.Price == PriceUnit:
			continue
		case p.Asset == USDT:
			return nil, ledger.ErrInvalid.In(priceField(i), "the price of USDT is 1")
		case err != nil:
			return nil, err
		case p.Price <= 0:
			return nil, ledger.ErrInvalid.In(priceField(i), "the price of %s of %s is not above zero", p.Asset, p.Day)
		case p.Day < 0 || p.Day > today:
			return nil, ledger.ErrInvalid.In("", "%s of %s: the price of a day that has not begun cannot be known; today is %s",
				p.Asset, p.Day, today)
		}
		checked = append(checked, p)
	}
	slices.SortStableFunc(checked, comparePrices)
	checked = slices.Compact(checked)
	for i := 1; i < len(checked); i++ {
		if comparePrices(checked[i-1], checked[i]) == 0 {
			return nil, ledger.ErrInvalid.In("", "%s of %s has two prices", checked[i].Asset, checked[i].Day)
		}
	}
	return checked, nil
}

func comparePrices(a, b Price) int {
	return cmp.Or(strings.Compare(a.Asset, b.Asset), cmp.Compare(a.Day, b.Day))
}

// lockPrices keeps days of the prices' assets, which come in order, from being
// declared, and says through which day each asset's are.
func lockPrices(t tx, prices []Price) (frozen map[string]staking.Day, err error) {
	frozen = map[string]staking.Day{}
	for _, p := range prices {
		if _, done := frozen[p.Asset]; done {
			continue
		}
		if err := lockToken(t, p.Asset); err != nil {
			return nil, err
		}
		through := int64(-1)
		if _, err := one(t, []*int64{&through}, "SELECT day FROM declarations WHERE asset = $1 ORDER BY day DESC LIMIT 1",
			p.Asset); err != nil {
			return nil, err
		}
		frozen[p.Asset] = staking.Day(through)
	}
	return frozen, nil
}

// PricesAt finds for each price the one that is known for its asset and day: of
// that day, or the last of at most 7 days before. None is Price 0.
func PricesAt(t view, wanted []Price) ([]Price, error) {
	known := make([]Price, len(wanted))
	numbers := make([]int64, len(wanted))
	for i := range numbers {
		numbers[i] = int64(i)
	}
	err := t.QueryEach(func(r row) error {
		known[r.Int(0)] = Price{r.Text(1), staking.Day(r.Int(2)), r.Int(3)}
		return nil
	}, `SELECT CAST($1 AS bigint), asset, day, price FROM prices WHERE asset = $2 AND day <= $3 AND day >= $3 - `+fmt.Sprint(PriceReach)+`
	     ORDER BY day DESC LIMIT 1`, append(set{ints("number", numbers)}, db.SetOf(wanted,
		db.Text("asset", func(p Price) string { return p.Asset }),
		db.Int("day", func(p Price) int64 { return int64(p.Day) }))...))
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	return known, nil
}

// renewPrices records that prices are still what they were: a feed that repeats a price
// keeps it new enough to convert at.
func (b *DB) renewPrices(t tx, prices []Price) error {
	_, err := t.Set(nil, `UPDATE prices SET set_at = r.at FROM {rows} WHERE prices.asset = r.asset AND prices.day = r.day AND prices.set_at < r.at`, b.priceSet(prices))
	if err != nil {
		return fmt.Errorf("renew prices: %w", err)
	}
	return nil
}

// priceSet is prices that are set now.
func (b *DB) priceSet(prices []Price) set {
	now := b.now()
	return db.SetOf(prices,
		db.Text("asset", func(p Price) string { return p.Asset }),
		db.Int("day", func(p Price) int64 { return int64(p.Day) }),
		db.Int("price", func(p Price) int64 { return p.Price }),
		db.Int("at", func(Price) int64 { return now }))
}

func (db *DB) writePrices(t tx, prices []Price) error {
	_, err := t.Set(nil, `INSERT INTO prices (asset, day, price, set_at) SELECT r.asset, r.day, r.price, r.at FROM {rows} WHERE true
	                      ON CONFLICT (asset, day) DO UPDATE SET price = excluded.price, set_at = excluded.set_at`, db.priceSet(prices))
	if err != nil {
		return fmt.Errorf("write prices: %w", err)
	}
	lines := make([]LogLine, len(prices))
	for i, p := range prices {
		detail := fmt.Sprintf("%s: %s", p.Day, ledger.FormatDecimal(p.Price, PriceScale))
		lines[i] = LogLine{Actor: db.actor, Action: "price set", Subject: p.Asset, Detail: detail}
	}
	return db.writeLog(t, lines)
}

// Worth is Value of an amount of any length, and is exact to the last digit: it has no limit.
func Worth(asset ledger.Asset, amount *big.Int, price int64) *big.Int {
	worth := new(big.Int).Mul(amount, big.NewInt(price))
	return worth.Quo(worth, conversion.Whole(asset))
}

// Value is what an amount of an asset, zero or more, is worth at a price: in USDT
// and in 1e-8, rounded down. Its error is ledger.ErrOverflow.
func Value(asset ledger.Asset, amount ledger.Amount, price int64) (ledger.Amount, error) {
	whole := uint64(1)
	for range asset.Scale {
		whole *= 10
	}
	hi, lo := bits.Mul64(uint64(amount), uint64(price))
	if amount < 0 || price < 0 || hi >= whole {
		return 0, fmt.Errorf("the value of %s %s at %s: %w", asset.Format(amount), asset.Symbol,
			ledger.FormatDecimal(price, PriceScale), ledger.ErrOverflow)
	}
	value, _ := bits.Div64(hi, lo, whole)
	if value >= 1<<63 {
		return 0, fmt.Errorf("the value of %s %s at %s: %w", asset.Format(amount), asset.Symbol,
			ledger.FormatDecimal(price, PriceScale), ledger.ErrOverflow)
	}
	return ledger.Amount(value), nil
}

// LatePrices is the row of meta that counts how often prices were set for days that
// were declared: what was without a price may have one.
const LatePrices = "late_prices"

// countLatePrices counts that prices are being set late.
func countLatePrices(t tx) error {
	_, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, '1')
	                  ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS bigint) + 1 AS text)`, LatePrices)
	if err != nil {
		return fmt.Errorf("count the late prices: %w", err)
	}
	return nil
}
