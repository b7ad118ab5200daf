package cli

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
)

// minutes is a time as a flag has it: whole minutes, "5", or a duration, "90s".
type minutes time.Duration

// UnmarshalText reads it.
func (m *minutes) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseInt(string(text), 10, 32); err == nil {
		*m = minutes(time.Duration(n) * time.Minute)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	*m = minutes(d)
	return err
}

// conversionRules are how holders may convert.
func (c *serveCmd) conversionRules(ctx context.Context, db *store.DB, log *slog.Logger) (*store.ConversionRules, error) {
	rules := &store.ConversionRules{PriceMaxAge: time.Duration(c.PriceMaxAge), Spread: c.ConvertSpread, Floors: map[string]ledger.Amount{}}
	limit, err := ledger.ParseDecimal(c.ConvertLimit, store.PriceScale)
	if err != nil {
		return nil, usage("--convert-daily-limit: %s", plain(err))
	}
	rules.DailyLimit = ledger.Amount(limit)
	for item := range strings.SplitSeq(c.ConvertFloor, ",") {
		symbol, amount, apart := strings.Cut(strings.TrimSpace(item), "=")
		switch {
		case item == "":
		case !apart && symbol == "0":
			rules.Stocked = true
		case !apart:
			return nil, usage("--convert-floor %q is neither 0 nor a token and its amount, such as BNB=10", item)
		default:
			if rules.Floors[symbol], err = floorOf(ctx, db, symbol, amount); err != nil {
				return nil, err
			}
		}
	}
	if err := rules.Check(); errors.Is(err, ledger.ErrInvalid) {
		return nil, usage("--convert: %s", plain(err))
	}
	if c.ConvertFloor == "" {
		log.Warn("conversions may overdraw @desk; --convert-floor 0 lets it pay out what it has")
	}
	return rules, nil
}

// floorOf reads what @desk keeps of a token.
func floorOf(ctx context.Context, db *store.DB, symbol, amount string) (ledger.Amount, error) {
	asset, err := db.Asset(ctx, symbol)
	if errors.Is(err, ledger.ErrNotFound) {
		return 0, usage("--convert-floor: %s", plain(err))
	}
	if err != nil {
		return 0, err
	}
	number, below := strings.CutPrefix(amount, "-")
	n, err := asset.Parse(number)
	if err != nil {
		return 0, usage("--convert-floor %s: %s", symbol, plain(err))
	}
	if below {
		n = -n
	}
	return n, nil
}
