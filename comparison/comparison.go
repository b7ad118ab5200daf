// Package comparison compares the books with another ledger at the end of a day, when asked and each night. How two
// lists of balances are compared, and how those of the other ledger are read, is reconcile; what it leads to is store.
package comparison

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reconcile"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Extent is how much of what differs is kept.
type Extent struct {
	Differences int // accounts, each as often as it differs
	Explained   int // of them those for which a cause is looked for
}

// Whole is what is kept of figures that are asked for; Sent, of those that were sent here, which anybody with a token
// of a back end may do.
var (
	Whole = Extent{store.MostDifferences, 1000}
	Sent  = Extent{store.MostSent, 100}
)

// Theirs reads the figures of another ledger at the end of a day.
type Theirs func(ctx context.Context, day staking.Day, assets map[string]ledger.Asset) (reconcile.Figures, error)

// Make compares some tokens, and writes nothing: store.DB.AddComparison does. The day is one that
// reports.Comparable names for them, or an earlier one: else ledger.ErrInvalid, as for figures that are of another day.
func (e Extent) Make(ctx context.Context, rs *reports.Reports, day staking.Day, assets map[string]ledger.Asset,
	theirs Theirs) (c store.Comparison, err error) {
	if err := checkDay(ctx, rs, day, assets); err != nil {
		return c, err
	}
	figures, err := theirs(ctx, day, assets)
	if err != nil {
		return c, err
	}
	c = store.Comparison{Day: day, At: (day + 1).Start().Add(-time.Millisecond), Theirs: figures.AsOf,
		WithPayouts: figures.WithPayouts, Ignored: int64(figures.Ignored)}
	if d := figures.PayoutsDay; d != "" && d != c.PayoutsDay().String() {
		return c, ledger.ErrInvalid.In("", "the payouts of the other ledger are those of %s; those of %s are compared", d,
			c.PayoutsDay())
	}
	if c.Position, err = rs.NewestEvent(ctx); err != nil {
		return c, err
	}
	if err := e.balances(ctx, rs, &c, assets, figures.Balances); err != nil {
		return c, err
	}
	if c.WithPayouts {
		if err := e.payouts(ctx, rs, &c, assets, figures.Payouts); err != nil {
			return c, err
		}
	}
	slices.SortStableFunc(c.Tokens, func(a, b store.ComparedToken) int { // as AddComparison locks them
		return cmp.Compare(a.Asset.Symbol, b.Asset.Symbol)
	})
	return c, e.explain(ctx, rs, &c)
}

// checkDay refuses a day at whose end what some of the tokens are may still change.
func checkDay(ctx context.Context, rs *reports.Reports, day staking.Day, assets map[string]ledger.Asset) error {
	days, err := rs.Comparable(ctx, false)
	if err != nil {
		return err
	}
	for symbol := range assets {
		last := rs.FirstDay() - 1
		for _, d := range days {
			if slices.Contains(d.Tokens, symbol) {
				last = d.Day
			}
		}
		if day > last || day < rs.FirstDay() {
			return ledger.ErrInvalid.In("day", "%s is no day that is closed, with the rewards that count on it", day)
		}
	}
	return nil
}

// balances compares what accounts have.
func (e Extent) balances(ctx context.Context, rs *reports.Reports, c *store.Comparison, assets map[string]ledger.Asset,
	theirs []reconcile.Balance) error {
	compared := reconcile.New(assets, theirs, e.Differences)
	err := rs.ExportBalances(ctx, c.At, func() error { compared.Begin(); return nil }, func(h reports.Held) error {
		if h.Account.IsHouse() {
			return nil
		}
		both, err := h.Free.Add(h.Held)
		compared.Add(reconcile.Balance{Account: h.Account, Asset: h.Asset, Amount: both})
		return err
	})
	if err == nil {
		add(c, reconcile.Balances, compared.End())
	}
	return err
}

// payouts compares what accounts are paid for the day before.
func (e Extent) payouts(ctx context.Context, rs *reports.Reports, c *store.Comparison, assets map[string]ledger.Asset,
	theirs []reconcile.Balance) error {
	compared := reconcile.New(assets, theirs, e.Differences-len(c.Differences))
	err := rs.PayoutsOf(ctx, c.PayoutsDay(), func() error { compared.Begin(); return nil },
		func(b reconcile.Balance) error { compared.Add(b); return nil })
	if err == nil {
		add(c, reconcile.Payouts, compared.End())
	}
	return err
}

func add(c *store.Comparison, kind reconcile.Kind, r reconcile.Result) {
	for _, t := range r.Tokens {
		c.Tokens = append(c.Tokens, store.ComparedToken{Kind: kind, Token: t})
	}
	for _, d := range r.Differences {
		c.Differences = append(c.Differences, store.ComparedDifference{Kind: kind, Difference: d})
	}
}

// explain looks for the causes of the first differences.
func (e Extent) explain(ctx context.Context, rs *reports.Reports, c *store.Comparison) (err error) {
	for i := range c.Differences[:min(len(c.Differences), e.Explained)] {
		d := &c.Differences[i]
		if d.Kind == reconcile.Payouts {
			d.Cause, err = rs.PayoutCause(ctx, d.Account, d.Asset.Symbol, c.PayoutsDay(), d.Ours != 0)
		} else {
			d.Cause, err = rs.Cause(ctx, d.Account, d.Asset.Symbol, d.Missing(), c.At)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
