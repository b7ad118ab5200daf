package audit

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Numbers that never change.
var (
	dayMillis = big.NewInt(24 * 60 * 60 * 1000)
	// year divides balance × milliseconds × rate in 1e-8 into units of a year.
	year = new(big.Int).Mul(big.NewInt(365*100_000_000), dayMillis)
)

// rule is a token's terms, in the units of the arithmetic.
type rule struct {
	staking.Terms
	rate, least, most big.Int // least and most are the minimum and the cap over a day
}

func newRule(t staking.Terms) rule {
	r := rule{Terms: t}
	r.rate.SetInt64(int64(t.APR))
	r.least.Mul(r.least.SetInt64(int64(t.Min)), dayMillis)
	r.most.Mul(r.most.SetInt64(int64(t.Cap)), dayMillis)
	return r
}

// position is a balance as it changes over time: after the postings that were read so far,
// with the rewards that were due until then.
type position struct {
	stored                 Balance
	token                  *token
	switches               []staking.Enrollment // those not over yet, by day
	excluded               []staking.Exclusion  // of the account
	earns                  bool                 // is a holder's free balance
	balance, carry, earned big.Int
	weights                []dayWeight // of days in the mode share that a distribution needs
	owners                 []Ownership // those not over yet, by day
	together               *big.Int    // on the day, what is written of its owner; nil: nothing
	togetherOther          *big.Int    // the same by the measure that the terms do not have

	// Of the day, where it has postings.
	moved             bool
	opened            bool
	last              int64 // milliseconds of the day that are summed
	opening, integral big.Int
	lowest            big.Int // the smallest balance after a moment that is over
}

// init prepares a position that begins at zero.
func (p *position) init(b Balance, t *token) {
	p.stored, p.token, p.switches, p.excluded, p.moved, p.weights = b, t, nil, nil, false, p.weights[:0]
	p.owners, p.together, p.togetherOther = nil, nil, nil
	p.earns = !b.Account.IsHouse() && !b.Account.IsHeld()
	for _, n := range []*big.Int{&p.balance, &p.carry, &p.earned} {
		n.SetInt64(0)
	}
}

// covered reports whether an enrollment covers a day; days are asked for in order.
func (p *position) covered(d staking.Day) bool {
	for len(p.switches) > 0 && p.switches[0].Until <= d {
		p.switches = p.switches[1:]
	}
	return len(p.switches) > 0 && p.switches[0].From <= d
}

// move applies a posting to the balance, at milliseconds after the day began.
func (w *worker) move(p *position, millis int64, amount ledger.Amount) {
	if !p.moved {
		p.moved, p.opened, p.last = true, false, 0
		p.integral.SetInt64(0)
		w.moved = append(w.moved, p)
	}
	if millis > p.last {
		w.endMoment(p)
		if !p.opened {
			p.opening.Set(&p.balance)
			p.opened = true
		}
		w.sumUntil(p, millis)
	}
	p.balance.Add(&p.balance, w.scratch.SetInt64(int64(amount)))
}

// sumUntil adds the integral of the balance up to milliseconds after the day began.
func (w *worker) sumUntil(p *position, millis int64) {
	w.scratch.Mul(&p.balance, w.factor.SetInt64(millis-p.last))
	p.integral.Add(&p.integral, &w.scratch)
	p.last = millis
}

// endMoment finds balances below zero, after all changes of a moment, and the smallest of the day.
func (w *worker) endMoment(p *position) {
	if !p.opened || p.balance.Cmp(&p.lowest) < 0 {
		p.lowest.Set(&p.balance)
	}
	if p.balance.Sign() < 0 && !p.stored.Account.IsHouse() && !w.overdrawn(p.stored, w.day.Millis()+p.last) {
		w.findAt(p, fmt.Sprintf("the balance is %s at %s",
			units(p.token.asset, &p.balance), stamp(w.day.Millis()+p.last)))
	}
}

// overdrawn reports whether an authoritative entry accounts for a balance below zero at a moment.
func (w *worker) overdrawn(b Balance, at int64) bool {
	return slices.ContainsFunc(w.head.Overdrawn, func(o Overdraft) bool {
		return o.Account == b.Account && o.Asset == b.Asset && o.At <= at && at < o.Until
	})
}

// endDay moves the positions with postings to the end of the day.
func (w *worker) endDay() {
	for _, p := range w.moved {
		w.endMoment(p)
		if !p.opened {
			p.opening.Set(&p.balance)
		}
		w.sumUntil(p, dayMillis.Int64())
	}
	w.moved = w.moved[:0]
}

// figures are what a position earns on a day.
type figures struct {
	opening, integral     *big.Int
	steady, average, rest big.Int
	eligible, interest    big.Int
	together, earning     big.Int // the former is compared with minimum and cap
	eligibleRest, shared  big.Int // the former in the mode share, and where a campaign weighs the day
	reward, left          big.Int
}

// measure sets the opening and the integral of the day by the measure of the terms, which may be nil.
func (f *figures) measure(p *position, r *rule) {
	by := staking.Average
	if r != nil {
		by = r.Measure
	}
	f.measureBy(p, by)
}

// measureBy sets them by a measure: by Lowest the integral is the smallest balance for the whole day.
func (f *figures) measureBy(p *position, by staking.Measure) {
	f.opening, f.integral = &p.opening, &p.integral
	if !p.moved {
		f.opening, f.integral = &p.balance, f.steady.Mul(&p.balance, dayMillis)
	} else if by == staking.Lowest {
		f.integral = f.steady.Mul(&p.lowest, dayMillis)
	}
}

// earn works out what of the integral that is measured is eligible, and reports whether any is. The integral is
// compared with the minimum, not the rounded average. together is what is written of the owner, or nil.
func (f *figures) earn(p *position, r *rule, together *big.Int) bool {
	f.limits(r, together)
	if f.integral.Sign() < 0 || f.together.Cmp(&r.least) < 0 {
		return false
	}
	f.average.QuoRem(f.integral, dayMillis, &f.rest)
	f.eligible.Quo(&f.earning, dayMillis)
	return true
}

// derive works out what a position earns on the day, and reports whether it earns
// at all.
func (f *figures) derive(p *position, r *rule, day staking.Day) bool {
	f.measure(p, r)
	if !f.earn(p, r, p.together) {
		return false
	}
	earning := &f.earning
	f.eligibleRest.SetInt64(0)
	if r.Mode == staking.Share || p.token.weighed != nil {
		f.eligibleRest.Mod(earning, dayMillis)
	}
	if f.interest.SetInt64(0); r.Mode == staking.Share {
		p.weigh(day, earning)
	} else {
		f.interest.Mul(earning, &r.rate)
	}
	return true
}

// none are the figures of a position that does not earn on the day by itself.
func (f *figures) none(p *position) {
	f.measure(p, p.token.rule)
	for _, n := range []*big.Int{&f.average, &f.rest, &f.eligible, &f.eligibleRest, &f.interest} {
		n.SetInt64(0)
	}
}

// sum adds the shares and what is carried, and rounds down.
func (f *figures) sum(p *position) {
	f.interest.Add(f.interest.Add(&f.interest, &f.shared), &p.carry)
	f.reward.QuoRem(&f.interest, year, &f.left)
}

// settle derives what a position earned on the day, compares it with its record,
// if it has one, and takes the reward if it was paid: it counts from the day's end.
func (w *worker) settle(p *position, record *staking.Accrual) {
	t := p.token
	w.shares(p, &w.figures)
	due := w.measures(p) && w.figures.derive(p, t.rule, w.day)
	if due {
		w.weigh(p, &w.figures, false)
	}
	w.settleOther(p)
	if !due && w.figures.shared.Sign() > 0 {
		due = true
		w.figures.none(p)
	}
	if due {
		w.figures.sum(p)
	}
	if due && record != nil {
		w.compare(p, record)
	} else if record != nil {
		w.findAt(p, "has a reward of "+t.asset.Format(record.Reward)+", but "+w.whyNot(p))
	} else if due && w.audited() && (w.figures.integral.Sign() > 0 || w.figures.shared.Sign() > 0) {
		// If the minimum is zero, an empty balance may have a record of zero, or none:
		// it depends on whether the balance had a row by then.
		w.findAt(p, "has no record of its reward of "+units(t.asset, &w.figures.reward))
	}
	if due && w.day <= t.progress.Paid {
		p.balance.Add(&p.balance, &w.figures.reward)
		p.earned.Add(&p.earned, &w.figures.reward)
		p.carry.Set(&w.figures.left)
	}
	p.moved, p.together, p.togetherOther = false, nil, nil
}

// measures reports whether the run has measured what a position has on the day.
func (w *worker) measures(p *position) bool {
	t := p.token
	return w.day <= t.progress.Accrued && p.earns && t.rule != nil && t.rule.Offered && p.covered(w.day) &&
		p.excludedBy(w.day) == ""
}

// whyNot is why a position earned nothing on the day.
func (w *worker) whyNot(p *position) string {
	t := p.token
	switch {
	case !p.earns:
		return "only the free balance of a holder earns"
	case w.day > t.progress.Accrued:
		return "the bucket is accrued only through " + t.progress.Accrued.String()
	case t.rule == nil:
		return "the token has no terms on the day"
	case !t.rule.Offered:
		return "the token is not offered on the day"
	case !p.covered(w.day):
		return "no enrollment covers the day"
	case p.excludedBy(w.day) != "":
		return "it is excluded on the day: " + p.excludedBy(w.day) + " has it"
	}
	measured := "average"
	if t.rule.Measure == staking.Lowest {
		measured = "smallest balance"
	}
	return "the " + measured + " is below the minimum of " + t.asset.Format(t.rule.Min)
}

// compare finds the figures of a record that differ from the derived ones.
func (w *worker) compare(p *position, a *staking.Accrual) {
	f, t := &w.figures, p.token
	if is(f.opening, int64(a.Opening)) && is(&f.average, int64(a.Average)) && is(&f.rest, a.Rest) &&
		is(&f.eligible, int64(a.Eligible)) && is(&f.eligibleRest, a.EligibleRest) && a.APR == t.rule.APR &&
		is(&f.reward, int64(a.Reward)) &&
		is(&p.carry, int64(a.Before)) && is(&f.left, int64(a.Carry)) {
		return
	}
	wrong := differences{asset: t.asset}
	wrong.amount("opening", a.Opening, f.opening)
	wrong.amount("average", a.Average, &f.average)
	wrong.number("the average's rest", a.Rest, &f.rest)
	wrong.amount("eligible", a.Eligible, &f.eligible)
	wrong.number("the eligible average's rest", a.EligibleRest, &f.eligibleRest)
	if a.APR != t.rule.APR {
		wrong.add("APR is %s, by the terms %s", a.APR, t.rule.APR)
	}
	wrong.amount("reward", a.Reward, &f.reward)
	wrong.number("carry before", int64(a.Before), &p.carry)
	wrong.number("carry", int64(a.Carry), &f.left)
	w.findAt(p, strings.Join(wrong.all, "; "))
}

// differences are what is stored and differs from what was derived.
type differences struct {
	asset ledger.Asset
	all   []string
}

func (d *differences) add(format string, args ...any) {
	d.all = append(d.all, fmt.Sprintf(format, args...))
}

func (d *differences) amount(name string, stored ledger.Amount, derived *big.Int) {
	if !is(derived, int64(stored)) {
		d.add("%s is %s, derived %s", name, d.asset.Format(stored), units(d.asset, derived))
	}
}

func (d *differences) number(name string, stored int64, derived *big.Int) {
	if !is(derived, stored) {
		d.add("%s is %d, derived %s", name, stored, derived)
	}
}

// is reports whether a derived number equals the stored one.
func is(derived *big.Int, stored int64) bool {
	return derived.IsInt64() && derived.Int64() == stored
}

// close compares a balance's row with the derived balance.
func (w *worker) close(p *position) {
	t, b := p.token, p.stored
	switch b.Account {
	case ledger.Payable:
		p.balance.Add(&p.balance, &t.payable)
		t.payableSeen = true
	case ledger.Rewards:
		p.balance.Sub(&p.balance, &t.declared)
	}
	wrong := differences{asset: t.asset}
	wrong.amount("balance", b.Balance, &p.balance)
	wrong.amount("earned", b.Earned, &p.earned)
	wrong.number("carry", int64(b.Carry), &p.carry)
	if b.Balance < 0 && !b.Account.Overdraws() {
		wrong.add("the balance %s is below zero", t.asset.Format(b.Balance))
	}
	if wrong.all != nil {
		w.find(Finding{Account: b.Account, Asset: b.Asset, What: strings.Join(wrong.all, "; ") + w.inBucket(b.Account)})
	}
}

// inBucket distinguishes the rows of house accounts, which every bucket has.
func (w *worker) inBucket(a ledger.Account) string {
	if !a.IsHouse() {
		return ""
	}
	return fmt.Sprintf(", in bucket %d", w.number)
}
