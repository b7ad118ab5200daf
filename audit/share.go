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
// of the period weigh. It is not changed once it is derived.
type divided struct {
	period
	gross, net   big.Int
	before, pool big.Int // in parts of a smallest unit: year of them are one
	weight       big.Int
}

// pays: a period that earned nothing, or lost, pays nothing, whatever was left before.
func (d *divided) pays() bool { return d.net.Sign() > 0 && d.pool.Sign() > 0 && d.weight.Sign() > 0 }

// compare is the order in which the income of a day is divided: losses first, then by period.
func (d *divided) compare(other *divided) int {
	return cmp.Or(compareKeys(d.Key, other.Key), cmp.Compare(lossFirst(d.net.Sign() < 0), lossFirst(other.net.Sign() < 0)),
		d.period.compare(other.period))
}

func lossFirst(loss bool) int {
	if loss {
		return 0
	}
	return 1
}

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

// derivation are the distributions of all days that one snapshot has. They are derived once for all
// buckets, unless a run has gone on since: then a bucket that has accrued more reads a later snapshot.
type derivation struct {
	divided map[Key][]*divided
	through map[string]staking.Day // by token: of the days after it they are not known yet
	needed  map[string][]need      // by token, by day
	shared  map[string]bool        // the tokens that have ever been in the mode share
}

// need is from which day on the weights of a token's days are needed, for its distributions of a day and after it.
type need struct{ day, first staking.Day }

// derive derives the distributions.
func derive(s *Sharing) *derivation {
	v := &derivation{divided: map[Key][]*divided{}, through: map[string]staking.Day{}, needed: map[string][]need{},
		shared: map[string]bool{}}
	for _, t := range s.Terms {
		v.shared[t.Asset] = v.shared[t.Asset] || t.Mode == staking.Share
		if d, known := v.through[t.Asset]; !known || t.From < d {
			v.through[t.Asset] = t.From
		}
	}
	declared := map[Key]*Declaration{}
	for i := range s.Declared {
		x := &s.Declared[i]
		declared[x.Key] = x
		v.through[x.Asset] = max(v.through[x.Asset], x.Day+1)
	}
	for token, d := range v.through {
		v.through[token] = min(d, s.Over)
	}
	all := s.periods()
	left := s.leftBefore(all)
	var before *divided
	for _, d := range all {
		for day := d.first; day <= d.last; day++ {
			if x := declared[Key{day, d.Asset}]; x != nil {
				d.weight.Add(&d.weight, integral(x.Eligible, x.EligibleRest))
			}
		}
		switch {
		case before == nil || before.Key != d.Key:
			d.before.Set(left[d.Key])
		case !before.pays():
			d.before.Set(&before.pool)
		}
		d.pool.Add(&d.before, d.pool.Mul(&d.net, year))
		v.divided[d.Key] = append(v.divided[d.Key], d)
		before = d
	}
	for _, d := range slices.Backward(all) {
		first := d.first
		if n := len(v.needed[d.Asset]); n > 0 {
			first = min(first, v.needed[d.Asset][n-1].first)
		}
		v.needed[d.Asset] = append(v.needed[d.Asset], need{d.Day, first})
	}
	for _, needs := range v.needed {
		slices.Reverse(needs)
	}
	return v
}

// neededFrom is the first day before one, or that day, whose weights a distribution of the day or of a later one needs.
func (v *derivation) neededFrom(token string, d staking.Day) staking.Day {
	needs := v.needed[token]
	i, _ := slices.BinarySearchFunc(needs, d, func(n need, d staking.Day) int { return cmp.Compare(n.day, d) })
	if i == len(needs) {
		return staking.Forever
	}
	return needs[i].first
}

// covers reports whether the distributions of all days that a bucket has accrued are known.
func (v *derivation) covers(progress []Progress) bool {
	return !slices.ContainsFunc(progress, func(p Progress) bool {
		return v.shared[p.Asset] && p.Accrued > v.through[p.Asset]
	})
}

// periods are the distributions with their income, in the order in which it is divided.
func (s *Sharing) periods() []*divided {
	rules := map[string][]staking.Terms{}
	for _, t := range s.Terms {
		rules[t.Asset] = append(rules[t.Asset], t)
	}
	found := map[period]*divided{}
	for i := range s.Incomes {
		x := &s.Incomes[i]
		if modeOn(rules[x.Asset], x.Last) != staking.Share {
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
	return slices.SortedFunc(maps.Values(found), (*divided).compare)
}

// modeOn is the mode of a token's terms, by day and revision, on a day.
func modeOn(terms []staking.Terms, d staking.Day) (mode staking.Mode) {
	for _, t := range terms {
		if t.From <= d {
			mode = t.Mode
		}
	}
	return mode
}

// leftBefore is what was left, by what was paid, before each day that has distributions.
func (s *Sharing) leftBefore(all []*divided) map[Key]*big.Int {
	rows := map[string][]*Distribution{}
	for i := range s.Distributions {
		d := &s.Distributions[i]
		rows[d.Asset] = append(rows[d.Asset], d)
	}
	for _, some := range rows {
		slices.SortFunc(some, func(a, b *Distribution) int { return cmp.Compare(a.Day, b.Day) })
	}
	left := map[string]*big.Int{} // by token
	found := map[Key]*big.Int{}
	for _, d := range all {
		if found[d.Key] != nil {
			continue
		}
		sum := left[d.Asset]
		if sum == nil {
			sum = new(big.Int)
			left[d.Asset] = sum
		}
		some := rows[d.Asset]
		for len(some) > 0 && some[0].Day < d.Day {
			sum.Sub(sum.Add(sum, exact(staking.Exact{Units: some[0].Net})), exact(some[0].Paid))
			some = some[1:]
		}
		rows[d.Asset] = some
		found[d.Key] = new(big.Int).Set(sum)
	}
	return found
}

// compareDistributions compares the rows of the distributions with those that are derived.
func (a *audit) compareDistributions() {
	rows, declared := map[period]*Distribution{}, map[Key]bool{}
	for i := range a.outline.Distributions {
		rows[a.outline.Distributions[i].period()] = &a.outline.Distributions[i]
	}
	for _, x := range a.outline.Declared {
		declared[x.Key] = true
	}
	wrong := func(p period, what string) {
		a.find(Finding{Day: p.Day, HasDay: true, Asset: p.Asset,
			What: fmt.Sprintf("the distribution of %s to %s %s", p.first, p.last, what)})
	}
	for _, d := range a.derivation.all() {
		row := rows[d.period]
		delete(rows, d.period)
		switch {
		case row == nil && declared[d.Key]:
			wrong(d.period, "is missing, though the day is declared")
		case row != nil && !declared[d.Key]:
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

// all are the distributions, in the order in which the income is divided.
func (v *derivation) all() []*divided {
	return slices.SortedFunc(func(yield func(*divided) bool) {
		for _, some := range v.divided {
			for _, d := range some {
				if !yield(d) {
					return
				}
			}
		}
	}, (*divided).compare)
}

// derive sets the distributions that the bucket's rewards rest on: those of all buckets, or, if a run has gone on
// since they were read, those of the bucket's snapshot.
func (w *worker) derive() error {
	w.audit.mu.Lock()
	w.derivation = w.audit.derivation
	w.audit.mu.Unlock()
	if w.derivation.covers(w.head.Progress) {
		return nil
	}
	sharing, err := w.books.Sharing()
	if err != nil {
		return err
	}
	w.derivation = derive(&sharing)
	w.audit.mu.Lock()
	defer w.audit.mu.Unlock()
	w.audit.derivation = w.derivation
	return nil
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

// dayWeight is the sum of the eligible integrals of the days in the mode share up to one.
type dayWeight struct {
	day staking.Day
	sum big.Int
}

// weigh adds a day to the sums, if a distribution needs it, and drops those that none needs any more.
func (p *position) weigh(d staking.Day, earning *big.Int) {
	needed := p.token.needed
	if d < needed {
		return
	}
	old := 0
	for old+1 < len(p.weights) && p.weights[old+1].day < needed {
		old++
	}
	p.weights = append(slices.Delete(p.weights, 0, old), dayWeight{day: d})
	n := len(p.weights) - 1
	if p.weights[n].sum.Set(earning); n > 0 {
		p.weights[n].sum.Add(earning, &p.weights[n-1].sum)
	}
}

// addWeight adds to sum what the position weighs through a day, or with the sign -1 subtracts it.
func (p *position) addWeight(sum *big.Int, through staking.Day, sign int) {
	i, found := slices.BinarySearchFunc(p.weights, through, func(x dayWeight, d staking.Day) int {
		return cmp.Compare(x.day, d)
	})
	if !found {
		i--
	}
	switch {
	case i < 0:
	case sign > 0:
		sum.Add(sum, &p.weights[i].sum)
	default:
		sum.Sub(sum, &p.weights[i].sum)
	}
}

// shares sets f.shared to what the position has of the day's distributions. An account that had nothing to come
// any more before the day was over has nothing.
func (w *worker) shares(p *position, f *figures) {
	f.shared.SetInt64(0)
	ended := p.stored.Ended != 0 && p.stored.Ended < (w.day+1).Millis()
	if w.day > p.token.progress.Accrued || !p.earns || ended {
		return
	}
	w.campaignShares(p, f)
	if len(p.weights) == 0 {
		return
	}
	for _, d := range w.derivation.divided[Key{w.day, p.stored.Asset}] {
		if !d.pays() {
			continue
		}
		sum := new(big.Int)
		p.addWeight(sum, d.last, 1)
		p.addWeight(sum, d.first-1, -1)
		sum.Quo(sum.Mul(sum, &d.pool), &d.weight)
		f.shared.Add(&f.shared, sum)
		w.given.add(d.period, sum)
	}
}

// compareShares compares what the bucket's accounts have of each distribution with its rows.
func (w *worker) compareShares() {
	rows := tally[period]{}
	for _, s := range w.head.Shares {
		rows[period{s.Key, s.First, s.Last}] = exact(s.Sum)
	}
	for k, all := range w.derivation.divided {
		for _, d := range all {
			if rows[d.period] == nil && w.token(k.Asset).progress.Accrued < k.Day {
				continue
			}
			if row, derived := rows.of(d.period), w.given.of(d.period); row.Cmp(derived) != 0 {
				w.find(Finding{Day: d.Day, HasDay: true, Asset: d.Asset, What: fmt.Sprintf(
					"bucket %d has %s parts of a smallest unit of the distribution of %s to %s; derived %s",
					w.number, row, d.first, d.last, derived)})
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
		if sum := a.shares.of(d.period()); exact(d.Paid).Cmp(sum) != 0 {
			a.find(Finding{Day: d.Day, HasDay: true, Asset: d.Asset, What: fmt.Sprintf(
				"the distribution of %s to %s paid %s parts of a smallest unit; the buckets have %s", d.First, d.Last,
				exact(d.Paid), sum)})
		}
	}
}
