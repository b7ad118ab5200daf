package holding

import (
	"errors"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// In the mode share each day is accrued as in the mode fixed, but earns nothing by itself:
// its accruals say what it weighs. The income of a period is divided on the day on which it
// was entered, when all days of the period are paid and never change any more. The shares
// are rewards of that day, credited with all others. So the run stays what it is: a day is
// accrued from what is in the books at its end, whenever that is done.

// ErrUndeclared is of a distribution whose period has days that are not declared yet. The run
// comes to no such day.
var ErrUndeclared = errors.New("a day of the period is not declared yet")

// Weight is a sum of eligible integrals of one day: units over the whole of it, and what is
// left of them, in unit-milliseconds.
type Weight struct {
	Units ledger.Amount
	Rest  int64
}

// Add adds what an accrual weighs. Its error is ledger.ErrOverflow.
func (w *Weight) Add(a staking.Accrual) (err error) {
	w.Units, err = w.Units.Add(a.Eligible)
	w.Rest += a.EligibleRest
	return err
}

func readWeight(r db.Row, i int) staking.Integral {
	return staking.Accrual{Eligible: ledger.Amount(r.Int(i)), EligibleRest: r.Int(i + 1)}.EligibleIntegral()
}

// Distributions are the distributions of some tokens' day, by token and period: of the
// income that was entered on the day for periods in the mode share. What was left of the
// token's income before, or is missing, is part of the first, and of the next after one
// that pays nothing.
func Distributions(t db.View, d staking.Day, tokens []string) ([]staking.Distribution, error) {
	incomes, err := db.All(t, func(r db.Row) (staking.Distribution, error) {
		i := staking.Income{Gross: ledger.Amount(r.Int(3))}
		return staking.Distribution{
			Asset: r.Text(0), Day: d, First: staking.Day(r.Int(1)), Last: staking.Day(r.Int(2)), Gross: i.Gross,
			Net: i.Split(staking.Rate(r.Int(4))).Net,
		}, nil
	}, `SELECT asset, first_day, last_day, gross, fee FROM incomes WHERE at >= $1 AND at < $2 AND mode = $3
	     ORDER BY asset, first_day, last_day`, d.Millis(), (d + 1).Millis(), int64(staking.Share))
	if err != nil {
		return nil, fmt.Errorf("read the income of %s: %w", d, err)
	}
	var all []staking.Distribution
	for _, i := range incomes {
		if !slices.Contains(tokens, i.Asset) {
			continue
		}
		if n := len(all); n > 0 && all[n-1].Asset == i.Asset && all[n-1].First == i.First && all[n-1].Last == i.Last {
			if err := join(&all[n-1], i); err != nil {
				return nil, fmt.Errorf("sum the income of %s: %w", i.Asset, err)
			}
			continue
		}
		all = append(all, i)
	}
	for i := range all {
		v := &all[i]
		if v.Weight, err = weightOf(t, *v); err != nil {
			return nil, fmt.Errorf("read what everybody weighs in %s: %w", v.Asset, err)
		}
		if i == 0 || all[i-1].Asset != v.Asset {
			v.Before, err = leftBefore(t, d, v.Asset)
		} else if !all[i-1].Pays() {
			v.Before = all[i-1].Pool()
		}
		if err != nil {
			return nil, fmt.Errorf("read what the distribution of %s before left: %w", v.Asset, err)
		}
	}
	return all, nil
}

// join adds the income of another source for the same period.
func join(d *staking.Distribution, other staking.Distribution) (err error) {
	if d.Gross, err = d.Gross.Add(other.Gross); err == nil {
		d.Net, err = d.Net.Add(other.Net)
	}
	return err
}

// weightOf is everybody's eligible integrals of the period's days, all of which are declared.
func weightOf(t db.View, d staking.Distribution) (sum staking.Integral, err error) {
	days := 0
	err = t.Query(func(r db.Row) error {
		days++
		sum = sum.Add(readWeight(r, 0))
		return nil
	}, "SELECT eligible, eligible_rest FROM declarations WHERE day BETWEEN $1 AND $2 AND asset = $3",
		int64(d.First), int64(d.Last), d.Asset)
	if err == nil && days != int(d.Last-d.First)+1 {
		err = ErrUndeclared
	}
	return sum, err
}

// leftBefore is what was left when the distributions of the last day before that had any
// were paid: what the first of them found, and of each the net less what was paid.
func leftBefore(t db.View, d staking.Day, token string) (left staking.Exact, err error) {
	first := true
	err = t.Query(func(r db.Row) error {
		if first {
			left = staking.Exact{Units: ledger.Amount(r.Int(0)), Part: staking.Fraction(r.Int(1))}
		}
		first = false
		left = left.Add(staking.Exact{Units: ledger.Amount(r.Int(2))})
		left = left.Sub(staking.Exact{Units: ledger.Amount(r.Int(3)), Part: staking.Fraction(r.Int(4))})
		return nil
	}, `SELECT before_units, before_part, net, paid_units, paid_part FROM distributions
	     WHERE asset = $1 AND day = (SELECT max(day) FROM distributions WHERE asset = $1 AND day < $2)
	     ORDER BY first_day, last_day`, token, int64(d))
	return left, err
}

// Division is a distribution in one bucket.
type Division struct {
	staking.Distribution
	Paid    staking.Exact // to the bucket's accounts that were measured so far
	divider *staking.Divider
	weights map[ledger.Account]staking.Integral // of the bucket's accounts that were not
}

// Shares are the distributions of a day in one bucket.
type Shares []*Division

// SharesOf reads what the accounts of a bucket weigh in some distributions.
func SharesOf(t db.View, bucket int, all []staking.Distribution) (Shares, error) {
	var s Shares
	for _, d := range all {
		v := &Division{Distribution: d, divider: d.Divider(), weights: map[ledger.Account]staking.Integral{}}
		err := t.Query(func(r db.Row) error {
			account := ledger.Account(r.Text(0))
			v.weights[account] = v.weights[account].Add(readWeight(r, 1))
			return nil
		}, "SELECT account, eligible, eligible_rest FROM accruals WHERE bucket = $1 AND day BETWEEN $2 AND $3 AND asset = $4",
			int64(bucket), int64(d.First), int64(d.Last), d.Asset)
		if err != nil {
			return nil, fmt.Errorf("read what accounts weigh: %w", err)
		}
		s = append(s, v)
	}
	return s, nil
}

// has reports whether an account has a weight in one of the distributions.
func (s Shares) has(h staking.Holding) bool {
	return slices.ContainsFunc(s, func(v *Division) bool {
		_, has := v.weights[h.Account]
		return has && v.Asset == h.Asset
	})
}

// take gives a holding its shares, once.
func (s Shares) take(h *staking.Holding) {
	for _, v := range s {
		if v.Asset == h.Asset {
			share := v.divider.Share(v.weights[h.Account])
			delete(v.weights, h.Account)
			h.Shared = h.Shared.Add(share)
			v.Paid = v.Paid.Add(share)
		}
	}
}

// Lost is an account that has a share and no balance to be measured, or "".
func (v *Division) Lost() ledger.Account {
	for account := range v.weights {
		return account
	}
	return ""
}
