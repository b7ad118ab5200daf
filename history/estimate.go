package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// MaxDays bounds the days of an estimate, a hundred years: a row with a mistyped
// year must not make millions of them.
const MaxDays = 36_600

// ReasonTooLong is ledger.ErrInvalid: an estimate of more than MaxDays days. The caller names fewer.
const ReasonTooLong = "too-many-days"

// Shortage is a token of which more was spent than the estimate has: the rewards that
// were really paid, and spent, were larger than the estimated ones. The balance counts
// as zero where it would be below.
type Shortage struct {
	Asset  string
	At     time.Time     // of the first spending that the balance did not cover, UTC
	Amount ledger.Amount // what is missing in all, above zero
}

// Estimate is what Soft Staking would have paid on the statements: an accrual
// for each day of the window and token that reached its minimum, by day and then
// token. Each token goes forward through its days: a reward is in the balance
// from the day after, and its fraction is carried to the next (rules: what is
// earned). The estimated rewards replace those that were really paid.
func Estimate(statements []Statement, o Offer, w Window) ([]staking.Accrual, []Shortage, error) {
	if days := w.Last - w.First + 1; days > MaxDays {
		return nil, nil, ledger.ErrInvalid.In("",
			"is a year mistyped? From %s to %s are %d days, and at most %d can be estimated",
			w.First, w.Last, days, MaxDays).Because(ReasonTooLong)
	}
	var accruals []staking.Accrual
	var shortages []Shortage
	for _, s := range statements {
		walk := walk{asset: s.Asset.Symbol, balance: s.Opening, ahead: s.Moments}
		for d := w.First; d <= w.Last; d++ {
			a, earned, err := walk.over(d, o.On(s.Asset.Symbol, d))
			if err != nil {
				return nil, nil, err
			}
			if earned {
				accruals = append(accruals, a)
			}
		}
		if walk.short.Amount > 0 {
			shortages = append(shortages, walk.short)
		}
	}
	slices.SortFunc(accruals, func(a, b staking.Accrual) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Asset, b.Asset))
	})
	return accruals, shortages, nil
}

// walk is where a token has come to on its way through the days.
type walk struct {
	asset   string
	balance ledger.Amount
	carry   staking.Fraction
	ahead   []Moment // those that are not in the balance yet
	short   Shortage
}

// over walks over one day, and says what it earned. Moments before it, which no
// day has covered, come into its opening.
func (w *walk) over(d staking.Day, t staking.Terms) (staking.Accrual, bool, error) {
	for len(w.ahead) > 0 && millisInto(d, w.ahead[0]) <= 0 {
		if err := w.step(d); err != nil {
			return staking.Accrual{}, false, err
		}
	}
	h := staking.Holding{Asset: w.asset, Opening: w.balance, Carry: w.carry}
	since, changes := int64(0), []staking.Change(nil)
	for len(w.ahead) > 0 && millisInto(d, w.ahead[0]) < staking.DayMillis {
		until := millisInto(d, w.ahead[0])
		h.Integral = h.Integral.Add(staking.IntegralOf(w.balance, until-since))
		since = until
		before := w.balance
		if err := w.step(d); err != nil {
			return staking.Accrual{}, false, err
		}
		changes = append(changes, staking.Change{Millis: until, Amount: w.balance - before})
	}
	h.Integral = h.Integral.Add(staking.IntegralOf(w.balance, staking.DayMillis-since))
	if t.Measure == staking.Lowest {
		h.MeasureLowest(changes)
	}
	a, earned := staking.Accrue(d, t, h)
	if !earned {
		return staking.Accrual{}, false, nil
	}
	w.carry = a.Carry
	return a, true, w.credit(d, a.Reward)
}

// step takes the next moment into the balance, which never falls below zero.
func (w *walk) step(d staking.Day) error {
	m := w.ahead[0]
	w.ahead = w.ahead[1:]
	if err := w.credit(d, m.Sum); err != nil || w.balance >= 0 {
		return err
	}
	if w.short.Amount == 0 {
		w.short = Shortage{Asset: w.asset, At: m.At}
	}
	missing, err := w.short.Amount.Sub(w.balance)
	if err != nil {
		return fmt.Errorf("what is missing of %s on %s: %w", w.asset, d, err)
	}
	w.short.Amount, w.balance = missing, 0
	return nil
}

func (w *walk) credit(d staking.Day, change ledger.Amount) error {
	balance, err := w.balance.Add(change)
	if err != nil {
		return fmt.Errorf("the balance of %s with its rewards on %s: %w", w.asset, d, err)
	}
	w.balance = balance
	return nil
}

// millisInto is how long after the day's beginning the moment was; below zero: before.
func millisInto(d staking.Day, m Moment) int64 { return m.At.UnixMilli() - d.Millis() }
