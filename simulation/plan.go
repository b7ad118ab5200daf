package simulation

import (
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// plan is terms over the days, and what follows from them: once those recorded, and once those simulated.
type plan struct {
	s       *simulation
	terms   [][]staking.Terms    // of each token and day
	shares  [][]division         // of each token, in the order in which they take effect
	weights [][]staking.Integral // of each token and day, everybody's eligible integrals
	sums    map[owned]staking.Integral
	left    []int // of each token, how many incomes are left out: their periods are only partly simulated

	running []staking.Integral // what a position weighs before each day
}

// division is a distribution, and what works out its shares.
type division struct {
	staking.Distribution
	divider *staking.Divider
	earlier staking.Exact    // of Before, what comes from periods that are not simulated
	ended   staking.Integral // of Weight, what accounts have that are closed and have no share
}

func newPlan(s *simulation) *plan {
	n := len(s.assets)
	p := &plan{s: s, terms: make([][]staking.Terms, n), shares: make([][]division, n),
		weights: make([][]staking.Integral, n), sums: map[owned]staking.Integral{}, left: make([]int, n),
		running: make([]staking.Integral, s.days()+1)}
	for i := range p.weights {
		p.weights[i] = make([]staking.Integral, s.days())
	}
	return p
}

// divides reports whether there are distributions.
func (p *plan) divides() bool {
	return slices.ContainsFunc(p.shares, func(d []division) bool { return len(d) > 0 })
}

// on are the terms of a token on a day that is simulated.
func (p *plan) on(token int, d staking.Day) staking.Terms { return p.terms[token][d-p.s.From] }

// divide makes distributions of the incomes whose whole periods are in the mode share.
func (p *plan) divide(incomes []income, all bool) error {
	for _, i := range incomes {
		if !i.recorded && !all {
			continue
		}
		if i.First < p.s.From || i.Last > p.s.Through {
			edge := min(max(i.Last, p.s.From), p.s.Through)
			if p.on(i.token, edge).Mode == staking.Share {
				p.left[i.token]++
			}
			continue
		}
		mode := p.on(i.token, i.Last).Mode
		for d := i.First; d < i.Last; d++ {
			if p.on(i.token, d).Mode != mode {
				return ledger.ErrInvalid.In("terms", "%s is in the mode %s on %s, and in another on another day of the period of "+
					"the income %q; let the mode begin with a period", i.Asset, mode, i.Last, i.Reference)
			}
		}
		if mode == staking.Share {
			if err := p.join(i); err != nil {
				return err
			}
		}
	}
	for _, of := range p.shares {
		slices.SortFunc(of, func(a, b division) int { return a.Compare(b.Distribution) })
	}
	return nil
}

// join adds an income to the distribution of its day and period.
func (p *plan) join(i income) (err error) {
	net := i.Split(p.on(i.token, i.Last).Fee).Net
	of := p.shares[i.token]
	at := slices.IndexFunc(of, func(d division) bool {
		return d.Day == i.day && d.First == i.First && d.Last == i.Last
	})
	if at < 0 {
		p.shares[i.token] = append(of, division{Distribution: staking.Distribution{Asset: i.Asset, Day: i.day,
			First: i.First, Last: i.Last, Gross: i.Gross, Net: net}})
		return nil
	}
	d := &of[at]
	if d.Gross, err = d.Gross.Add(i.Gross); err == nil {
		d.Net, err = d.Net.Add(net)
	}
	return err
}

// link finds what each distribution divides, when everybody's weights are known, as
// holding.Distributions does: the first of a day has what those before have left, and each
// that follows has the pool of one that paid nothing. What the rounding of all shares leaves is
// less than a smallest unit, and known only when all shares are. Where the recorded distribution
// found no more than that beside, it is taken: so the recorded terms give the recorded shares.
func (p *plan) link(t db.View) error {
	for token, of := range p.shares {
		var left staking.Exact
		for i := range of {
			d := &of[i]
			for day := d.First; day <= d.Last; day++ {
				d.Weight = d.Weight.Add(p.weights[token][day-p.s.From])
			}
			if i == 0 || of[i-1].Day < d.Day {
				before, known, err := recordedBefore(t, d.Distribution)
				if err != nil {
					return err
				}
				if known && (i == 0 || before.Sub(left).Units == 0) {
					d.earlier = before.Sub(left)
					left = before
				}
				d.Before = left
			} else if !of[i-1].Pays() {
				d.Before = of[i-1].Pool()
			}
			d.divider = d.Divider()
			paid := d.divider.Share(d.Weight.Sub(d.ended))
			left = left.Add(staking.Exact{Units: d.Net}).Sub(paid)
		}
	}
	return nil
}

// weigh adds what a position weighs on each day of a token with distributions.
func (p *plan) weigh(of *holding.Period, token int) error {
	if len(p.shares[token]) == 0 {
		return nil
	}
	err := p.accruals(of, token, func(i int, a staking.Accrual) error {
		p.weights[token][i] = p.weights[token][i].Add(a.EligibleIntegral())
		return nil
	})
	for i := range p.shares[token] {
		if d := &p.shares[token][i]; of.Ended(d.Day) {
			d.ended = d.ended.Add(p.weight(d.Distribution))
		}
	}
	return err
}

// weight is what the position that was just accrued weighs in a distribution.
func (p *plan) weight(d staking.Distribution) staking.Integral {
	return p.running[d.Last-p.s.From+1].Sub(p.running[d.First-p.s.From])
}

// recordedBefore is what the recorded distribution of the same income found, if there is one.
func recordedBefore(t db.View, d staking.Distribution) (staking.Exact, bool, error) {
	return db.First(t, func(r db.Row) (staking.Exact, error) {
		return holding.ReadExact(r, 0), nil
	}, `SELECT before_units, before_part FROM distributions
	     WHERE asset = $1 AND day = $2 AND first_day = $3 AND last_day = $4`,
		d.Asset, int64(d.Day), int64(d.First), int64(d.Last))
}

// accruals gives visit what a position accrues on the days, and on those after them on which
// income of these days is divided; i counts the days from the first.
func (p *plan) accruals(of *holding.Period, token int, visit func(i int, a staking.Accrual) error) error {
	carry, next := of.Carry, p.shares[token]
	owner := p.s.owners.of(of.Account)
	for i := range p.s.days() {
		d := p.s.From + staking.Day(i)
		t := p.terms[token][i]
		h := of.On(d, t.Measure)
		h.Carry, h.OwnerIntegral = carry, p.sum(owner, d, token)
		next = p.take(of, &h, d, next)
		a, earned := staking.Accrue(d, t, h)
		p.running[i+1] = p.running[i]
		if !earned {
			continue
		}
		carry = a.Carry
		if t.Mode == staking.Share {
			p.running[i+1] = p.running[i].Add(a.EligibleIntegral())
		}
		if err := visit(i, a); err != nil {
			return err
		}
	}
	for len(next) > 0 {
		h := staking.Holding{Account: of.Account, Asset: of.Asset, Carry: carry, Absent: true}
		d := next[0].Day
		next = p.take(of, &h, d, next)
		a, earned := staking.Accrue(d, staking.Terms{}, h)
		if !earned {
			continue
		}
		carry = a.Carry
		if err := visit(int(d-p.s.From), a); err != nil {
			return err
		}
	}
	return nil
}

// take gives a holding its shares of the distributions of a day, and returns those after it.
func (p *plan) take(of *holding.Period, h *staking.Holding, d staking.Day, next []division) []division {
	for len(next) > 0 && next[0].Day <= d {
		v := &next[0]
		if v.divider != nil && !of.Ended(v.Day) { // nobody's weight is known before
			h.Shared = h.Shared.Add(v.divider.Share(p.weight(v.Distribution)))
		}
		next = next[1:]
	}
	return next
}
