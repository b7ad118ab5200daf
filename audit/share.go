package audit

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// period names a distribution: the token's days that are weighed, and the day on which the
// income was entered.
type period struct {
	Key
	first, last staking.Day
}

func (d *Distribution) period() period { return period{d.Key, d.First, d.Last} }

func (p period) compare(other period) int {
	return cmp.Or(compareKeys(p.Key, other.Key), cmp.Compare(p.first, other.first), cmp.Compare(p.last, other.last))
}

// divided is a distribution as it is derived from the income, the terms, and what the days
// of the period weigh.
type divided struct {
	period
	gross, net   big.Int
	before, pool big.Int // in parts of a smallest unit: year of them are one
	weight       big.Int
	shares       big.Int // of the bucket's accounts
}

func (d *divided) pays() bool { return d.pool.Sign() > 0 && d.weight.Sign() > 0 }

// exact is an exact amount in parts of a smallest unit.
func exact(e staking.Exact) *big.Int {
	n := new(big.Int).Mul(big.NewInt(int64(e.Units)), year)
	return n.Add(n, big.NewInt(int64(e.Part)))
}

// integral is a number of units over the whole day, and a rest in unit-milliseconds.
func integral(units ledger.Amount, rest int64) *big.Int {
	n := new(big.Int).Mul(big.NewInt(int64(units)), dayMillis)
	return n.Add(n, big.NewInt(rest))
}

// divide derives the distributions of all days from the bucket's snapshot.
func (w *worker) divide() {
	w.divided = map[Key][]*divided{}
	found := map[period]*divided{}
	for i := range w.head.Incomes {
		x := &w.head.Incomes[i]
		if r := w.ruleOn(x.Asset, x.Last); r == nil || r.Mode != staking.Share {
			continue
		}
		p := period{Key{dayOf(x.At), x.Asset}, x.First, x.Last}
		d := found[p]
		if d == nil {
			d = &divided{period: p}
			found[p] = d
		}
		d.gross.Add(&d.gross, big.NewInt(int64(x.Gross)))
		d.net.Add(&d.net, big.NewInt(int64(x.Gross-x.fee())))
	}
	all := slices.SortedFunc(maps.Values(found), func(a, b *divided) int { return a.compare(b.period) })
	declared := map[Key]*Declaration{}
	for i := range w.head.Declared {
		declared[w.head.Declared[i].Key] = &w.head.Declared[i]
	}
	left := w.leftAfter()
	var before *divided
	for _, d := range all {
		for day := max(d.first, w.outline.First); day <= min(d.last, w.head.Last); day++ {
			if x := declared[Key{day, d.Asset}]; x != nil {
				d.weight.Add(&d.weight, integral(x.Eligible, x.EligibleRest))
			}
		}
		switch {
		case before == nil || before.Key != d.Key:
			if n := left[d.Key]; n != nil {
				d.before.Set(n)
			}
		case !before.pays():
			d.before.Set(&before.pool)
		}
		d.pool.Add(&d.before, d.pool.Mul(&d.net, year))
		w.divided[d.Key] = append(w.divided[d.Key], d)
		before = d
	}
	if w.number == 0 {
		w.compareDistributions(all, declared)
	}
}

// leftAfter is what was left, by what was paid, before each day that has distributions.
func (w *worker) leftAfter() map[Key]*big.Int {
	rows := slices.SortedFunc(slices.Values(w.head.Distributions),
		func(a, b Distribution) int { return a.period().compare(b.period()) })
	left := map[string]*big.Int{} // by token
	found := map[Key]*big.Int{}
	days := map[string]staking.Day{}
	for i := range rows {
		d := &rows[i]
		if days[d.Asset] != d.Day || left[d.Asset] == nil {
			if left[d.Asset] == nil {
				left[d.Asset] = new(big.Int)
			}
			days[d.Asset] = d.Day
			found[d.Key] = new(big.Int).Set(left[d.Asset])
		}
		n := left[d.Asset]
		n.Sub(n.Add(n, exact(staking.Exact{Units: d.Net})), exact(d.Paid))
	}
	// A day that is accrued and not declared has no row yet.
	for _, x := range w.head.Incomes {
		k := Key{dayOf(x.At), x.Asset}
		if found[k] == nil && left[k.Asset] != nil && k.Day > days[k.Asset] {
			found[k] = left[k.Asset]
		}
	}
	return found
}

// compareDistributions compares the rows of the distributions with those that are derived.
func (w *worker) compareDistributions(all []*divided, declared map[Key]*Declaration) {
	rows := map[period]*Distribution{}
	for i := range w.head.Distributions {
		rows[w.head.Distributions[i].period()] = &w.head.Distributions[i]
	}
	wrong := func(p period, what string) {
		w.find(Finding{Day: p.Day, HasDay: true, Asset: p.Asset,
			What: fmt.Sprintf("the distribution of %s to %s %s", p.first, p.last, what)})
	}
	for _, d := range all {
		row := rows[d.period]
		delete(rows, d.period)
		switch {
		case row == nil && declared[d.Key] != nil:
			wrong(d.period, "is missing, though the day is declared")
		case row != nil && declared[d.Key] == nil:
			wrong(d.period, "is written, though the day is not declared")
		case row == nil:
		case !is(&d.gross, int64(row.Gross)) || !is(&d.net, int64(row.Net)):
			wrong(d.period, fmt.Sprintf("has a gross income of %d and a net of %d; derived %s and %s",
				row.Gross, row.Net, &d.gross, &d.net))
		case exact(row.Before).Cmp(&d.before) != 0:
			wrong(d.period, fmt.Sprintf("begins with %s parts of a smallest unit; derived %s", exact(row.Before), &d.before))
		case row.Weight != d.weight.String():
			wrong(d.period, fmt.Sprintf("is divided by the weight %s; derived %s", row.Weight, &d.weight))
		}
	}
	for p := range rows {
		wrong(p, "divides no income")
	}
}

// ruleOn is a token's terms on a day, or nil.
func (w *worker) ruleOn(asset string, d staking.Day) (found *rule) {
	rules := w.token(asset).rules
	for i := range rules {
		if rules[i].From <= d {
			found = &rules[i]
		}
	}
	return found
}

// dayWeight is the eligible integral of a day in the mode share.
type dayWeight struct {
	day      staking.Day
	integral big.Int
}

// shares sets f.shared to what the position has of the day's distributions.
func (w *worker) shares(p *position, f *figures) {
	f.shared.SetInt64(0)
	if w.day > p.token.progress.Accrued || !p.earns {
		return
	}
	for _, d := range w.divided[Key{w.day, p.stored.Asset}] {
		if !d.pays() {
			continue
		}
		sum := new(big.Int)
		for i := range p.weights {
			if x := &p.weights[i]; d.first <= x.day && x.day <= d.last {
				sum.Add(sum, &x.integral)
			}
		}
		sum.Quo(sum.Mul(sum, &d.pool), &d.weight)
		f.shared.Add(&f.shared, sum)
		d.shares.Add(&d.shares, sum)
	}
}

// compareShares compares what the bucket's accounts have of each distribution with its rows.
func (w *worker) compareShares() {
	rows := map[period]*big.Int{}
	for _, s := range w.head.Shares {
		rows[period{s.Key, s.First, s.Last}] = exact(s.Sum)
	}
	for k, all := range w.divided {
		for _, d := range all {
			row := rows[d.period]
			if row == nil && w.token(k.Asset).progress.Accrued < k.Day {
				continue
			}
			if row == nil {
				row = new(big.Int)
			}
			if row.Cmp(&d.shares) != 0 {
				w.find(Finding{Day: d.Day, HasDay: true, Asset: d.Asset, What: fmt.Sprintf(
					"bucket %d has %s parts of a smallest unit of the distribution of %s to %s; derived %s",
					w.number, row, d.first, d.last, &d.shares)})
			}
			delete(rows, d.period)
		}
	}
	for p := range rows {
		w.find(Finding{Day: p.Day, HasDay: true, Asset: p.Asset, What: fmt.Sprintf(
			"bucket %d has a share of the distribution of %s to %s, and there is none", w.number, p.first, p.last)})
	}
}

// comparePaid compares what each distribution paid with the sum over the buckets.
func (a *audit) comparePaid() {
	for i := range a.outline.Distributions {
		d := &a.outline.Distributions[i]
		sum := a.shares[d.period()]
		if sum == nil {
			sum = new(big.Int)
		}
		if exact(d.Paid).Cmp(sum) != 0 {
			a.find(Finding{Day: d.Day, HasDay: true, Asset: d.Asset, What: fmt.Sprintf(
				"the distribution of %s to %s paid %s parts of a smallest unit; the buckets have %s", d.First, d.Last,
				exact(d.Paid), sum)})
		}
	}
}
