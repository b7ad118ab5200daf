package cli

import (
	"context"
	"encoding/json"
	"io"
	"math/big"
	"time"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// instant is a time as it is printed: in UTC, with its milliseconds.
type instant time.Time

const instantForm = "2006-01-02T15:04:05.000Z"

// MarshalText writes RFC 3339 with milliseconds.
func (i instant) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads RFC 3339, in any zone.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := parseTime(string(text))
	*i = instant(t)
	return err
}

func (i instant) String() string { return time.Time(i).UTC().Format(instantForm) }

// parseTime reads a time as RFC 3339 writes it. Its errors are ledger.ErrInvalid.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, ledger.ErrInvalid.In("", "%q is not a time such as 2026-11-22T10:00:00Z", ledger.Clip(s))
	}
	return t.UTC(), nil
}

// clockTime is a time as a person reads it in a table: to the second where that is all there is.
func clockTime(t time.Time) string {
	if t.UnixMilli()%1000 == 0 {
		return wallTime(t)
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}

// wallTime is a time as a person reads it where a second is near enough.
func wallTime(t time.Time) string { return t.UTC().Format(time.DateTime) }

// assets are those of the books, by symbol, to write amounts with.
type assets map[string]ledger.Asset

func readAssets(ctx context.Context, db *store.DB) (assets, error) {
	list, err := db.Assets(ctx)
	if err != nil {
		return nil, err
	}
	return ledger.BySymbol(list), nil
}

// parseAmount is an asset of the books, and an amount of it as a person writes it. Its
// errors are those of store.DB.Asset and ledger.Asset.Parse.
func parseAmount(ctx context.Context, db *store.DB, symbol, amount string) (ledger.Asset, ledger.Amount, error) {
	asset, err := db.Asset(ctx, symbol)
	if err != nil {
		return asset, 0, err
	}
	n, err := asset.Parse(amount)
	return asset, n, err
}

// plain writes an amount as a decimal: "2.5".
func (a assets) plain(symbol string, n ledger.Amount) string { return a[symbol].Format(n) }

// with writes an amount with its token: "2.5 BNB".
func (a assets) with(symbol string, n ledger.Amount) string { return withUnit(a[symbol], n) }

func withUnit(a ledger.Asset, n ledger.Amount) string { return a.Format(n) + " " + a.Symbol }

// signed writes a change with its sign: "+2.5 BNB".
func (a assets) signed(symbol string, n ledger.Amount) string {
	if n > 0 {
		return "+" + a.with(symbol, n)
	}
	return a.with(symbol, n)
}

// sum writes a sum that may be larger than an amount.
func (a assets) sum(symbol string, n *big.Int) string {
	return ledger.FormatBig(n, a[symbol].Scale)
}

// usdt writes a value in USDT, or a dash where it is not known.
func usdt(value ledger.Amount, known bool) string {
	if !known {
		return none
	}
	return ledger.FormatDecimal(int64(value), conversion.PriceScale)
}

// timeOrNone is a time as a person reads it in a table, or a dash where there is none.
func timeOrNone(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return wallTime(t)
}

// usdtJSON is a value in USDT for a program: null where it is not known.
func usdtJSON(value ledger.Amount, known bool) *string {
	if !known {
		return nil
	}
	return new(usdt(value, known))
}

// writeJSON writes one value on a line.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
