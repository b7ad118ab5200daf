package reports

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/holding"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Share is what an account has of a distribution, with every figure it came about by.
type Share struct {
	staking.Distribution
	FeeRate  staking.Rate // the operator's part of the income, by the terms of the period's last day
	Declared bool         // it is written, and does not change any more
	Weighs   ledger.Asset // what the days weigh: the token itself, or the eligible token of a campaign
	Percent  int64        // of a campaign: what the account's eligible integral counts, in hundredths
	Days     []Weighed    // the account's days of the period, in order; those that weigh nothing are left out
	Weight   staking.Integral
	Exact    staking.Exact // the share
}

// Fee is what of the income the operator has kept; below zero after a slashing.
func (s Share) Fee() ledger.Amount { return s.Gross - s.Net }

// Kept is the fee as it is taken off the income.
func (s Share) Kept() ledger.Amount { return -s.Fee() }

// Weighed is what an account's day weighs.
type Weighed struct {
	Day      staking.Day
	Eligible ledger.Amount // average, up to the cap, rounded down
	Rest     int64         // what that rounding left, in unit-milliseconds
	Integral staking.Integral
}

// Payment is a distribution of a period that has a day, and the day with whose reward it is paid.
type Payment struct {
	PaidOn, First, Last staking.Day
}

// DayWeight is what a day in the mode share weighs, and what becomes of it: it counts in the distribution of its
// period.
type DayWeight struct {
	Integral staking.Integral // the account's
	All      staking.Integral // everybody's; zero: not declared yet
	PaidBy   []Payment        // the distributions of periods that have the day, in the order in which they are paid
	Entered  []Payment        // the same of incomes that are entered, and divided when the day of their entry is settled
	// What the day comes to at the net rate of the last paid period, rounded down: an estimate
	// that promises nothing. It is not known before the first period is paid.
	Estimate      ledger.Amount
	EstimateKnown bool
	Rate          Rate // of the estimate
}

// readShares reads what the account has of the distributions of the day, those of incomes first, then the budgets of
// campaigns.
func (e *Explanation) readShares(t db.View, id ledger.Account, d staking.Day) error {
	found, err := declaredShares(t, e.Asset.Symbol, d)
	if err != nil {
		return err
	}
	if found == nil {
		coming, err := holding.Distributions(t, d, e.Asset.Symbol)
		if errors.Is(err, staking.ErrUndivided) {
			return nil // the day has them once those of the period are declared
		}
		if err != nil {
			return err
		}
		for _, v := range coming {
			found = append(found, Share{Distribution: v})
		}
	}
	for _, s := range found {
		s.Weighs = e.Asset
		if err := s.weigh(t, id); err != nil {
			return fmt.Errorf("read what %s weighs: %w", id, err)
		}
		if s.Budget == nil {
			if err := s.readFeeRate(t); err != nil {
				return err
			}
		}
		if s.Weight != (staking.Integral{}) {
			e.Shares = append(e.Shares, s)
		}
	}
	return nil
}

// weigh reads what the account's days weigh in the distribution.
func (s *Share) weigh(t db.View, id ledger.Account) error {
	// An account that had ended by then weighs nothing.
	ended, err := db.Count(t, "SELECT count(*) FROM accounts WHERE bucket = $1 AND account = $2 AND ended > 0 "+
		"AND ended < $3", int64(id.Bucket()), string(id), (s.Day + 1).Millis())
	if err != nil || ended > 0 {
		return err
	}
	if s.Budget != nil {
		err = s.weighBudget(t, id)
	} else {
		err = s.readDays(t, id, s.Asset, "accruals")
	}
	s.Exact = s.Divider().Share(s.Weight)
	return err
}

// readFeeRate reads the fee of an income by the terms of the last day of its period.
func (s *Share) readFeeRate(t db.View) error {
	terms, err := store.TermsAt(t, s.Last)
	if err != nil {
		return err
	}
	s.FeeRate = terms[s.Asset].Fee
	return nil
}

// readDays reads the account's days of a token in a table of what is eligible.
func (s *Share) readDays(t db.View, id ledger.Account, token, table string) error {
	return t.Query(func(r db.Row) error {
		a := staking.Accrual{Eligible: ledger.Amount(r.Int(1)), EligibleRest: r.Int(2)}
		w := Weighed{staking.Day(r.Int(0)), a.Eligible, a.EligibleRest, a.EligibleIntegral()}
		if w.Integral != (staking.Integral{}) {
			s.Days, s.Weight = append(s.Days, w), s.Weight.Add(w.Integral)
		}
		return nil
	}, `SELECT a.day, a.eligible, a.eligible_rest FROM days d CROSS JOIN `+table+` a
	     WHERE d.bucket = $1 AND d.day BETWEEN $2 AND $3 AND a.bucket = d.bucket AND a.day = d.day AND a.account = $4 AND a.asset = $5
	     ORDER BY d.day`, int64(id.Bucket()), int64(s.First), int64(s.Last), string(id), token)
}

// shared is the sum of the shares.
func (e *Explanation) shared() (sum staking.Exact) {
	for _, s := range e.Shares {
		sum = sum.Add(s.Exact)
	}
	return sum
}

// measureShared measures a day that has shares and earned nothing by itself: its accrual
// has no average.
func (e *Explanation) measureShared() {
	if e.OnlyShares = e.Earned && len(e.Shares) > 0 && e.Measured.Average == 0 && e.Measured.Rest == 0; !e.OnlyShares {
		return
	}
	h := staking.HoldingAt(e.Measured.Account, e.Asset.Symbol, e.Measured.Opening, 0)
	changes := e.changesOf(e.Measured.Day)
	if e.Terms.Measure == staking.Lowest {
		h.MeasureLowest(changes)
	} else {
		for _, c := range changes {
			if c.Millis > 0 { // the opening has those of midnight
				h.Change(c.Amount, c.Millis)
			}
		}
	}
	if !h.Integral.Less(staking.Integral{}) {
		e.Measured.Average, e.Measured.Rest = h.Integral.Average()
	}
}

// awaitsIncome reports whether the day weighs, its income is not entered, and it has no shares of others.
func (e *Explanation) awaitsIncome() bool {
	return e.Weighing != nil && e.Weighing.Waits() && len(e.Shares) == 0
}

// awaitsDivision reports the same of a day whose income is entered, and not divided.
func (e *Explanation) awaitsDivision() bool {
	w := e.Weighing
	return w != nil && !w.Waits() && len(w.PaidBy) == 0 && len(e.Shares) == 0
}

// Waits reports whether the day waits for its income: none is entered.
func (w *DayWeight) Waits() bool { return len(w.PaidBy) == 0 && len(w.Entered) == 0 }

// weigh says what becomes of a day of the mode share that earned.
func (e *Explanation) weigh(rs *Reports, t db.View, d staking.Day) error {
	if e.Terms.Mode != staking.Share || e.Measured.EligibleIntegral() == (staking.Integral{}) {
		return nil
	}
	w := &DayWeight{Integral: e.Measured.EligibleIntegral()}
	err := t.Query(func(r db.Row) error {
		w.All = staking.Accrual{Eligible: ledger.Amount(r.Int(0)), EligibleRest: r.Int(1)}.EligibleIntegral()
		return nil
	}, "SELECT eligible, eligible_rest FROM declarations WHERE day = $1 AND asset = $2", int64(d), e.Asset.Symbol)
	if err != nil {
		return err
	}
	w.PaidBy, err = db.All(t, scan(func(r db.Row) Payment {
		return Payment{staking.Day(r.Int(0)), staking.Day(r.Int(1)), staking.Day(r.Int(2))}
	}), `SELECT day, first_day, last_day FROM distributions WHERE asset = $1 AND last_day >= $2 AND first_day <= $2
	      ORDER BY day, first_day, last_day`, e.Asset.Symbol, int64(d))
	if err != nil {
		return err
	}
	if w.Entered, err = enteredFor(t, e.Asset.Symbol, d, w.PaidBy); err != nil {
		return err
	}
	rates, err := rs.currentRates(t, map[string]staking.Terms{e.Asset.Symbol: e.Terms})
	if err != nil {
		return err
	}
	w.Rate = rates[e.Asset.Symbol]
	if w.Rate.Known {
		w.Estimate, w.EstimateKnown = staking.EstimateDay(w.Integral, w.Rate.Net)
	}
	e.Weighing = w
	return nil
}

// Whole are the weights of the account and of everybody in whole numbers, in smallest units × milliseconds.
func (w *DayWeight) Whole() (mine, all *big.Int) { return wholeOf(w.Integral), wholeOf(w.All) }

// wholeOf is an integral that is not below zero as a number.
func wholeOf(i staking.Integral) *big.Int {
	average, rest := i.Average()
	n := times(average, staking.DayMillis)
	return n.Add(n, big.NewInt(rest))
}

// enteredFor are the periods that have a day and whose income was entered, but for those that are divided already.
func enteredFor(t db.View, token string, d staking.Day, divided []Payment) ([]Payment, error) {
	all, err := db.All(t, scan(func(r db.Row) Payment {
		return Payment{staking.DayOf(db.TimeOf(r.Int(0))), staking.Day(r.Int(1)), staking.Day(r.Int(2))}
	}), `SELECT at, first_day, last_day FROM incomes WHERE asset = $1 AND mode = $2 AND first_day <= $3 AND last_day >= $3`, token, int64(staking.Share), int64(d))
	slices.SortFunc(all, func(a, b Payment) int {
		return cmp.Or(cmp.Compare(a.PaidOn, b.PaidOn), cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	all = slices.Compact(all) // of several sources
	return slices.DeleteFunc(all, func(p Payment) bool { return slices.Contains(divided, p) }), err
}

// Counted is the share in whole numbers, as one would work it out on paper.
type Counted struct {
	Share
	Pool  *big.Int // the net and what was left before, or a campaign's budget, in parts of a smallest unit
	Mine  *big.Int // the account's weight, in smallest units × milliseconds; of a campaign, × hundredths
	All   *big.Int // everybody's
	Parts *big.Int // Pool × Mine / All, rounded down
	// What the distribution before left, in parts; below zero if it is missing. Of a campaign, what was left of the pool.
	Before *big.Int
}

// count works the share out, with an arithmetic that shares nothing with the rule's. A part is
// one of staking.Unit of a smallest unit.
func (s Share) count() Counted {
	c := Counted{Share: s, Pool: new(big.Int), Mine: new(big.Int), All: new(big.Int), Parts: new(big.Int)}
	for _, w := range s.Days {
		c.Mine.Add(c.Mine, w.Millis())
	}
	if b := s.Budget; b != nil {
		c.Before = partsOf(b.Left)
		c.Pool = countBudget(c.Before, b.Days)
		c.Mine.Mul(c.Mine, big.NewInt(s.Percent))
	} else {
		c.Before = partsOf(s.Before)
		c.Pool.Add(c.Before, partsOf(staking.Exact{Units: s.Net}))
	}
	if _, ok := c.All.SetString(s.Distribution.Weight.String(), 10); ok && c.All.Sign() > 0 && c.Pool.Sign() > 0 {
		c.Parts.Quo(c.Parts.Mul(c.Pool, c.Mine), c.All)
	}
	return c
}

// Millis is what the day weighs, in smallest units × milliseconds.
func (w Weighed) Millis() *big.Int {
	n := times(w.Eligible, staking.DayMillis)
	return n.Add(n, big.NewInt(w.Rest))
}

// partsOf is an exact amount in parts: staking.Unit of them are a smallest unit.
func partsOf(e staking.Exact) *big.Int {
	n := times(e.Units, int64(staking.Unit))
	return n.Add(n, big.NewInt(int64(e.Part)))
}
