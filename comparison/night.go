package comparison

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
)

const (
	// longest is how long a nightly comparison may take; lease, which is longer, is for how long no other process makes
	// one.
	longest = 25 * time.Minute
	lease   = 30 * time.Minute
	// writeWait is how long writing down what became of it may take when it is stopped.
	writeWait = 5 * time.Second
)

// ReasonNoSource is why there is nothing to compare with (ledger.ErrInvalid).
const ReasonNoSource = "no-source"

// Scheduled makes the comparisons with the source that the books name, each at the end of the last day at which its
// tokens can be compared, and writes each down: of all tokens or, if due, of those that were not compared since the
// last day was closed. A day that fails holds up no other: err has what failed of each, and all what was written down.
func Scheduled(ctx context.Context, books *store.DB, reach Reach, due bool) (all []store.Comparison, err error) {
	rs := reports.New(books.Reader())
	state, err := rs.ComparisonState(ctx)
	if err == nil && !state.Source.On() {
		err = ledger.ErrInvalid.In("", "it is not set where the figures of the other ledger come from").
			Because(ReasonNoSource)
	}
	if err != nil {
		return nil, err
	}
	read, name, err := reach.Open(state.Source)
	if err != nil {
		return nil, err
	}
	days, err := rs.Comparable(ctx, due)
	if err != nil {
		return nil, err
	}
	known, err := books.Assets(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		c, fault := Whole.Make(ctx, rs, d.Day, Choose(ledger.BySymbol(known), d.Tokens), read)
		if fault == nil {
			c.Source, c.Scheduled, c.Setting = name, true, state.Source.Number
			c, fault = books.AddComparison(ctx, c)
		}
		switch {
		case fault == nil:
			all = append(all, c)
		case ctx.Err() != nil: // the others would fail, too
			return all, errors.Join(err, fault)
		default:
			err = errors.Join(err, fmt.Errorf("%s: %w", d.Day, fault))
		}
	}
	return all, err
}

// Choose are the assets of some symbols.
func Choose(known map[string]ledger.Asset, symbols []string) map[string]ledger.Asset {
	chosen := map[string]ledger.Asset{}
	for _, symbol := range symbols {
		if a, is := known[symbol]; is {
			chosen[symbol] = a
		}
	}
	return chosen
}

// Night makes the comparisons that are due, if a source is set and no other process is making them. done says that some
// were made. What fails is written down, and retried with backoff by a later call: after a minute, then after twice as
// long each time, up to an hour. When ctx ends, it is not a failure: the next call makes what is left.
func Night(ctx context.Context, books *store.DB, reach Reach, log *slog.Logger) (done bool, err error) {
	rs := reports.New(books.Reader())
	state, err := rs.ComparisonState(ctx)
	if err != nil || !state.Source.On() || books.Now().Before(state.Schedule.Until) {
		return false, err
	}
	days, err := rs.Comparable(ctx, true)
	if err != nil || len(days) == 0 {
		return false, err
	}
	claimed, err := books.ClaimComparison(ctx, lease)
	if err != nil || !claimed {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	all, fault := Scheduled(limited, books, reach, true)
	for _, c := range all {
		report(log, c)
	}
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWait)
	defer cancel()
	if fault != nil && ctx.Err() != nil {
		return len(all) > 0, books.ReleaseComparison(kept)
	}
	return len(all) > 0, errors.Join(fault, books.EndComparison(kept, fault))
}

// report logs what came of a comparison.
func report(log *slog.Logger, c store.Comparison) {
	for _, t := range c.Tokens {
		if t.Differences > 0 {
			log.Warn("the other ledger differs", "reconciliation", c.Number, "day", c.Day.String(), "token", t.Asset.Symbol,
				"of", string(t.Kind), "accounts", t.Differences, "by", t.Asset.Format(t.Off), "stops", t.Stops)
		}
	}
	if c.Differing() == 0 {
		log.Info("the other ledger says the same", "reconciliation", c.Number, "day", c.Day.String(), "tokens", symbols(c))
	}
}

// symbols counts the tokens of a comparison.
func symbols(c store.Comparison) int {
	seen := map[string]bool{}
	for _, t := range c.Tokens {
		seen[t.Asset.Symbol] = true
	}
	return len(seen)
}
