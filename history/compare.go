package history

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Comparison is an estimate beside what the real product paid.
type Comparison struct {
	Days   []ComparedDay // by day and then token, within the window
	Totals []Total       // by token
}

// ComparedDay is a day of a token that something was estimated or really paid for.
type ComparedDay struct {
	Day     staking.Day
	Asset   string
	Accrual staking.Accrual // where Estimated
	Paid    ledger.Amount   // where WasPaid; for this day, and credited on the next

	Estimated, WasPaid bool
}

// Total is what a token's days come to.
type Total struct {
	Asset     string
	Days      int // of the window, with an estimate
	Estimated ledger.Amount
	PaidDays  int // of the window, with a reward really paid
	Paid      ledger.Amount
	Only      int           // of PaidDays, those without an estimate
	Outside   ledger.Amount // really paid for days outside the window, without an estimate
}

// dayOf names a day of a token.
type dayOf struct {
	day   staking.Day
	asset string
}

// Compare puts what the real product paid beside the estimate of a window. A real
// reward is credited on the day after the one that it is for (rules: the clock).
func Compare(accruals []staking.Accrual, statements []Statement, w Window) (Comparison, error) {
	days := map[dayOf]ComparedDay{}
	for _, a := range accruals {
		days[dayOf{a.Day, a.Asset}] = ComparedDay{Day: a.Day, Asset: a.Asset, Accrual: a, Estimated: true}
	}
	outside := map[string]ledger.Amount{}
	for _, s := range statements {
		symbol := s.Asset.Symbol
		for _, m := range s.Rewards {
			var err error
			d := days[dayOf{staking.DayOf(m.At) - 1, symbol}]
			d.Day, d.Asset, d.WasPaid = staking.DayOf(m.At)-1, symbol, true
			if w.First <= d.Day && d.Day <= w.Last {
				d.Paid, err = d.Paid.Add(m.Sum)
				days[dayOf{d.Day, symbol}] = d
			} else {
				outside[symbol], err = outside[symbol].Add(m.Sum)
			}
			if err != nil {
				return Comparison{}, fmt.Errorf("the rewards of %s really paid: %w; look for a row with a wrong amount",
					symbol, err)
			}
		}
	}
	c := Comparison{Days: make([]ComparedDay, 0, len(days))}
	for _, d := range days {
		c.Days = append(c.Days, d)
	}
	slices.SortFunc(c.Days, func(a, b ComparedDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Asset, b.Asset))
	})
	return c, c.sum(outside)
}

// sum makes the totals of the days, and of the rewards outside the window.
func (c *Comparison) sum(outside map[string]ledger.Amount) error {
	totals := map[string]Total{}
	for symbol, amount := range outside {
		totals[symbol] = Total{Asset: symbol, Outside: amount}
	}
	for _, d := range c.Days {
		t := totals[d.Asset]
		t.Asset = d.Asset
		var err error
		if d.Estimated {
			t.Days++
			t.Estimated, err = t.Estimated.Add(d.Accrual.Reward)
		}
		if d.WasPaid && err == nil {
			t.PaidDays++
			t.Paid, err = t.Paid.Add(d.Paid)
		}
		if err != nil {
			return fmt.Errorf("the rewards of %s in total: %w; look for a row with a wrong amount", d.Asset, err)
		}
		if d.WasPaid && !d.Estimated {
			t.Only++
		}
		totals[d.Asset] = t
	}
	for _, t := range totals {
		c.Totals = append(c.Totals, t)
	}
	slices.SortFunc(c.Totals, func(a, b Total) int { return cmp.Compare(a.Asset, b.Asset) })
	return nil
}
