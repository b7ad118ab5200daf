package simulation

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Result is what the simulated terms would have cost, and whom they would have concerned.
// Amounts are in smallest units. Before is by the recorded terms, After by the simulated
// ones, both with the income of the days simulated alone.
type Result struct {
	From, Through staking.Day
	Tokens        []Token // by symbol
}

// Token is what comes of a token.
type Token struct {
	Asset         ledger.Asset
	Days          []Day // those simulated, and those after them on which income of these is divided
	Before, After ledger.Amount
	// Declared is what was really declared for the days simulated. In the mode share, income of other periods is in
	// it, and income of the last days may not be.
	Declared ledger.Amount
	Holders  Holders
	Deciles  []Decile // by average holding, the smallest first; empty ones are left out

	Pool     ledger.Amount // in @rewards now
	Reserved ledger.Amount // of it, for income that is not distributed and for campaigns
	DaysLeft int64         // for which the rest suffices at the mean cost of a day without campaigns, rounded down
	Lasts    bool          // DaysLeft is known: the mode is fixed on all days, and they cost something

	Income Income
}

// Cost is what a token's day is paid with.
type Cost struct {
	Holders int64 // with an accrual
	Total   ledger.Amount
}

// Day is the cost of a token's day.
type Day struct {
	Day           staking.Day
	Before, After Cost
}

// Holders are how many would have earned more, less and the same, compared exactly; New
// earned nothing, and Lost would have earned nothing. Who earns neither way is not counted.
type Holders struct{ More, Less, Same, New, Lost int64 }

// Decile is a tenth of the holders who are counted.
type Decile struct {
	Number                int // 1 to 10
	Holders               int64
	Least, Most, Mean     ledger.Amount // average holdings on the days on which they are enrolled, rounded down
	Before, After         ledger.Amount
	RateBefore, RateAfter staking.Rate // a year, on what they held, rounded down; 0 if it is out of range
}

// Income is the staking income of the periods that lie wholly in the days simulated.
type Income struct {
	Gross     ledger.Amount // with what is not recorded
	FeeBefore ledger.Amount // of the recorded income
	FeeAfter  ledger.Amount // by the simulated terms
	Earlier   staking.Exact // what earlier periods left, divided by the simulated terms; below zero: what they lost
	Missing   bool          // the simulated mode is share on some day, and there is no income to divide
	Partly    int           // incomes left out: only a part of their period is simulated, in the mode share
	Undivided int           // periods in the mode share of which nobody has a share
}

// tally sums what a token costs, and keeps what each of its holders has.
type tally struct {
	days    []Day
	holders Holders
	each    []holder
}

// holder is a position that earns.
type holder struct {
	integral      staking.Integral // of the days on which it is enrolled
	average       ledger.Amount
	before, after ledger.Amount
}

// compare works out what a position earns by both plans.
func (s *simulation) compare(p *holding.Period, token int) error {
	t := s.tallies[token]
	var earned [2]staking.Exact
	var rewards [2]ledger.Amount
	for k, plan := range s.plans() {
		carry := p.Carry
		err := plan.accruals(p, token, func(i int, a staking.Accrual) (err error) {
			carry = a.Carry
			rewards[k] += a.Reward // at most what all days pay, which is summed with care
			cost := t.on(s.From, i, k)
			cost.Holders++
			cost.Total, err = cost.Total.Add(a.Reward)
			return err
		})
		if err != nil {
			return fmt.Errorf("the total of %s: %w", p.Asset, err)
		}
		earned[k] = staking.Exact{Units: rewards[k], Part: carry}.Sub(staking.Exact{Part: p.Carry})
	}
	if !t.holders.count(earned[0], earned[1]) {
		return nil
	}
	h := holder{before: rewards[0], after: rewards[1]}
	days := int64(0)
	for i := range p.Days() {
		if day := p.On(p.First+staking.Day(i), staking.Average); !day.Absent {
			h.integral = h.integral.Add(day.Integral)
			days++
		}
	}
	if h.integral.Less(staking.Integral{}) {
		h.integral = staking.Integral{}
	}
	h.average = h.integral.AverageOver(max(days, 1) * staking.DayMillis)
	t.each = append(t.each, h)
	return nil
}

// on is the cost of a day, counted from the first, by the recorded plan (0) or the other (1).
func (t *tally) on(first staking.Day, i, plan int) *Cost {
	for len(t.days) <= i {
		t.days = append(t.days, Day{Day: first + staking.Day(len(t.days))})
	}
	if plan == 0 {
		return &t.days[i].Before
	}
	return &t.days[i].After
}

// count counts a position, and reports whether it earns at all.
func (h *Holders) count(before, after staking.Exact) bool {
	none := staking.Exact{}
	switch {
	case before == none && after == none:
		return false
	case before == none:
		h.New++
	case after == none:
		h.Lost++
	case before == after:
		h.Same++
	case before.Units < after.Units || before.Units == after.Units && before.Part < after.Part:
		h.More++
	default:
		h.Less++
	}
	return true
}

// result sums what was measured.
func (s *simulation) result() (Result, error) {
	r := Result{From: s.From, Through: s.Through, Tokens: make([]Token, len(s.assets))}
	for i, asset := range s.assets {
		v, t := &r.Tokens[i], s.tallies[i]
		v.Asset, v.Holders, v.Deciles = asset, t.holders, decilesOf(t.each)
		t.on(s.From, s.days()-1, 0)
		for n, day := range t.days {
			if n < s.days() || day.Before.Holders > 0 || day.After.Holders > 0 {
				v.Days = append(v.Days, day)
			}
			var err error
			if v.Before, err = v.Before.Add(day.Before.Total); err == nil {
				v.After, err = v.After.Add(day.After.Total)
			}
			if err != nil {
				return r, fmt.Errorf("the total of %s: %w", asset.Symbol, err)
			}
		}
		if err := s.sumIncome(&v.Income, i); err != nil {
			return r, err
		}
		if err := s.readPool(v, i); err != nil {
			return r, err
		}
	}
	return r, nil
}

// readPool reads what was paid, and for how long the pool would suffice.
func (s *simulation) readPool(v *Token, token int) (err error) {
	symbol := v.Asset.Symbol
	if v.Pool, err = store.PoolOf(s.t, symbol); err == nil {
		v.Reserved, err = store.Reserved(s.t, symbol)
	}
	if err != nil {
		return fmt.Errorf("read the pool: %w", err)
	}
	declared, err := db.Count(s.t, "SELECT CAST(coalesce(sum(total), 0) AS bigint) FROM declarations "+
		"WHERE asset = $1 AND day BETWEEN $2 AND $3", symbol, int64(s.From), int64(s.Through))
	if err != nil {
		return fmt.Errorf("read what was paid: %w", err)
	}
	v.Declared = ledger.Amount(declared)
	campaigns, err := db.Count(s.t, "SELECT CAST(coalesce(sum(paid_units), 0) AS bigint) FROM campaign_distributions "+
		"WHERE asset = $1 AND day BETWEEN $2 AND $3", symbol, int64(s.From), int64(s.Through))
	if err != nil {
		return fmt.Errorf("read what campaigns paid: %w", err)
	}
	cost := int64(v.After) - campaigns
	if v.Lasts = !slices.ContainsFunc(s.other.terms[token], shares) && cost > 0; v.Lasts {
		n := new(big.Int).Mul(big.NewInt(int64(max(v.Pool-v.Reserved, 0))), big.NewInt(int64(s.days())))
		v.DaysLeft = n.Quo(n, big.NewInt(cost)).Int64()
	}
	return nil
}

// shares reports whether rewards of a day come out of income.
func shares(t staking.Terms) bool { return t.Offered && t.Mode == staking.Share }

// sumIncome sums the income of a token.
func (s *simulation) sumIncome(sum *Income, token int) (err error) {
	for _, i := range s.incomes {
		if i.token != token || i.First < s.From || i.Last > s.Through {
			continue
		}
		fee := i.Split(s.other.on(token, i.Last).Fee).Fee
		if sum.FeeAfter, err = sum.FeeAfter.Add(fee); err == nil {
			sum.Gross, err = sum.Gross.Add(i.Gross)
		}
		if err == nil && i.recorded {
			sum.FeeBefore, err = sum.FeeBefore.Add(i.Split(s.recorded.on(token, i.Last).Fee).Fee)
		}
		if err != nil {
			return fmt.Errorf("the income of %s: %w", i.Asset, err)
		}
	}
	for _, d := range s.other.shares[token] {
		if !d.Pays() {
			sum.Undivided++
		}
		sum.Earlier = sum.Earlier.Add(d.earlier)
	}
	sum.Partly = s.other.left[token]
	sum.Missing = len(s.other.shares[token]) == 0 && slices.ContainsFunc(s.other.terms[token], shares)
	return nil
}

// decilesOf divides holders into tenths by their average holding. It sorts them.
func decilesOf(each []holder) (all []Decile) {
	slices.SortFunc(each, func(a, b holder) int { return cmp.Compare(a.average, b.average) })
	for n := range 10 {
		some := each[len(each)*n/10 : len(each)*(n+1)/10]
		if len(some) == 0 {
			continue
		}
		d := Decile{Number: n + 1, Holders: int64(len(some)), Least: some[0].average, Most: some[len(some)-1].average}
		var integral staking.Integral
		sum := new(big.Int)
		for _, h := range some {
			integral = integral.Add(h.integral)
			sum.Add(sum, big.NewInt(int64(h.average)))
			d.Before += h.before // of all of them the sum was found to fit
			d.After += h.after
		}
		d.Mean = ledger.Amount(sum.Quo(sum, big.NewInt(d.Holders)).Int64())
		d.RateBefore, d.RateAfter = rate(d.Before, integral), rate(d.After, integral)
		all = append(all, d)
	}
	return all
}

// rate is the yearly rate that a reward is on what was held, or 0 where there is none.
func rate(reward ledger.Amount, held staking.Integral) staking.Rate {
	r, ok := staking.YearlyRate(reward, held)
	if !ok {
		return 0
	}
	return r
}
