package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
)

// Total is what a token has paid in the town.
type Total struct {
	Token   ledger.Asset
	Rate    reports.Rate  // that holds after the last day
	Holders int64         // different ones
	Rewards int64         // one a holder and day
	Paid    ledger.Amount // in smallest units
	Average ledger.Amount // the mean of the averages it was paid on, rounded down
	Worth   ledger.Amount // each day's total at its day's price: USDT in 1e-8, rounded down
}

// Totals are what each token on offer has paid, in the order of its symbol.
func (t *Town) Totals(ctx context.Context) ([]Total, error) {
	sums, err := t.Reports.TokenTotals(ctx, t.First, t.Last)
	if err != nil {
		return nil, err
	}
	worth, err := t.worth(ctx)
	if err != nil {
		return nil, err
	}
	rates, err := t.Reports.CurrentRates(ctx)
	if err != nil {
		return nil, err
	}
	var totals []Total
	for _, s := range sums {
		if t.market.token[s.Asset].Terms.Offered {
			totals = append(totals, Total{t.market.token[s.Asset].Asset, rates[s.Asset], s.Holders, s.Rewards, s.Total,
				s.Average, worth[s.Asset]})
		}
	}
	return totals, nil
}

// worth is what each token has paid, in USDT.
func (t *Town) worth(ctx context.Context) (map[string]ledger.Amount, error) {
	days, err := t.Reports.DayTotals(ctx, t.First, t.Last)
	if err != nil {
		return nil, err
	}
	worth := map[string]ledger.Amount{}
	for _, d := range days {
		if d.Total == 0 {
			continue
		}
		price, known, err := t.Reports.PriceOf(ctx, d.Asset, d.Day)
		if err == nil && !known {
			err = fmt.Errorf("%s has no price on %s", d.Asset, d.Day)
		}
		if err != nil {
			return nil, err
		}
		value, err := conversion.Value(t.market.token[d.Asset].Asset, d.Total, price)
		if err == nil {
			worth[d.Asset], err = worth[d.Asset].Add(value)
		}
		if err != nil {
			return nil, err
		}
	}
	return worth, nil
}

// Showcase explains the last days of one holder's token that earns by a rate on its average: of those who earned it
// on each of these days, it is the one with changes on most of them, and with most
// changes, but at most two a day, so that the sums can be followed; of several
// the first by name. In a very small town there may be none.
func (t *Town) Showcase(ctx context.Context) ([]reports.Explanation, error) {
	candidates := make([]purse, 0, len(t.recent))
	for p, changes := range t.recent {
		if slices.Max(changes[:]) <= 2 && t.market.plain(p.asset) {
			candidates = append(candidates, p)
		}
	}
	busy := func(p purse) int {
		n := 0
		for _, changes := range t.recent[p] {
			n += 10*min(changes, 1) + changes
		}
		return n
	}
	slices.SortFunc(candidates, func(a, b purse) int {
		return cmp.Or(busy(b)-busy(a), cmp.Compare(a.account, b.account), cmp.Compare(a.asset, b.asset))
	})
	for _, p := range candidates {
		days, all, err := t.explain(ctx, p)
		if err != nil || all {
			return days, err
		}
	}
	return []reports.Explanation{}, nil
}

// explain explains the last days of a purse; all: it earned on each of them.
func (t *Town) explain(ctx context.Context, p purse) (days []reports.Explanation, all bool, err error) {
	for d := t.Last - reported + 1; d <= t.Last; d++ {
		e, err := t.Reports.Explain(ctx, p.account, d, p.asset)
		if err != nil || !e.Paid {
			return days, false, err
		}
		days = append(days, e)
	}
	return days, true, nil
}
