package holding

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// In the mode share each day is accrued as in the mode fixed, but earns nothing by itself:
// its accruals say what it weighs. The income of a period is divided on the day on which it
// was entered, when all days of the period are paid and never change any more. The shares
// are rewards of that day, credited with all others. So the run stays what it is: a day is
// accrued from what is in the books at its end, whenever that is done.

// ErrNoBalance is of books that were changed by hand: an account has earned, and has no balance to be
// measured.
var ErrNoBalance = errors.New("it has no balance; an audit says more")

// Weight is a sum of eligible integrals of one day: units over the whole of it, and what is
// left of them, in unit-milliseconds.
type Weight struct {
	Units ledger.Amount
	Rest  int64
}

// Add adds what an accrual weighs. What holders have together may exceed 63 bits where the supply of the
// token was set too low: the sum is then TooLarge.
func (w *Weight) Add(a staking.Accrual) {
	units, err := w.Units.Add(a.Eligible)
	if w.Units = units; err != nil || w.TooLarge() {
		w.Units = math.MaxInt64
	}
	w.Rest += a.EligibleRest
}

// TooLarge reports whether the sum is larger than the books can keep.
func (w *Weight) TooLarge() bool { return w.Units == math.MaxInt64 }

// ReadWeight reads an eligible integral: units over the day, and in the next column the rest.
func ReadWeight(r db.Row, i int) staking.Integral {
	return staking.Accrual{Eligible: ledger.Amount(r.Int(i)), EligibleRest: r.Int(i + 1)}.EligibleIntegral()
}

// ReadExact reads an exact amount: its units, and in the next column its part.
func ReadExact(r db.Row, i int) staking.Exact {
	return staking.Exact{Units: ledger.Amount(r.Int(i)), Part: staking.Fraction(r.Int(i + 1))}
}

// Distributions are the distributions of a token's day: of the income that was entered on the day
// for periods in the mode share, losses first, then by period. What was left of the token's income
// before, or is missing, is part of the first, and of the next after one that pays nothing. They
// never change once the day is closed, the days before it are declared, and they are worked out
// without an error. The budgets of campaigns for the day before follow. staking.ErrUndivided, if something
// cannot be divided: a day of the period is not declared yet, to which no run comes, the day before of a
// campaign's token is not, or the sums are too large.
func Distributions(t db.View, d staking.Day, token string) ([]staking.Distribution, error) {
	return DistributionsAfter(t, d, token, nil)
}

// DistributionsAfter are the distributions of a token's day as they will be when those of the days before it that are
// not declared have been paid: before, by day. It is for previews; else it is Distributions.
func DistributionsAfter(t db.View, d staking.Day, token string, before []Foreseen) ([]staking.Distribution, error) {
	all, err := entered(t, d, token)
	for i := range all {
		v := &all[i]
		if err == nil {
			v.Weight, err = weightOf(t, *v)
		}
		if err == nil && i == 0 {
			v.Before, err = leftAfter(t, d, token, before)
		} else if err == nil && !all[i-1].Pays() {
			v.Before = all[i-1].Pool()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("divide the income of %s of %s: %w", token, d, err)
	}
	campaigns, err := budgets(t, d, token, before)
	return append(all, campaigns...), err
}

// entered are the incomes of a token that were entered on a day, those of one period together, in their order.
func entered(t db.View, d staking.Day, token string) (all []staking.Distribution, err error) {
	err = t.Query(func(r db.Row) error {
		v := staking.Distribution{Asset: token, Day: d, First: staking.Day(r.Int(0)), Last: staking.Day(r.Int(1)),
			Gross: ledger.Amount(r.Int(2))}
		v.Net = staking.Income{Gross: v.Gross}.Split(staking.Rate(r.Int(3))).Net
		if n := len(all); n > 0 && all[n-1].First == v.First && all[n-1].Last == v.Last {
			return join(&all[n-1], v)
		}
		all = append(all, v)
		return nil
	}, `SELECT first_day, last_day, gross, fee FROM incomes WHERE at >= $1 AND at < $2 AND asset = $3 AND mode = $4
	     ORDER BY first_day, last_day`, d.Millis(), (d + 1).Millis(), token, int64(staking.Share))
	slices.SortFunc(all, staking.Distribution.Compare)
	return all, err
}

// join adds the income of another source for the same period.
func join(d *staking.Distribution, other staking.Distribution) (err error) {
	if d.Gross, err = d.Gross.Add(other.Gross); err == nil {
		d.Net, err = d.Net.Add(other.Net)
	}
	if err != nil {
		err = staking.ErrUndivided.In("", "the income of %s to %s together: %w", d.First, d.Last, err)
	}
	return err
}

// weightOf is everybody's eligible integrals of the period's days, all of which are declared.
func weightOf(t db.View, d staking.Distribution) (sum staking.Integral, err error) {
	days := 0
	err = t.Query(func(r db.Row) error {
		days++
		sum = sum.Add(ReadWeight(r, 0))
		return nil
	}, "SELECT eligible, eligible_rest FROM declarations WHERE day BETWEEN $1 AND $2 AND asset = $3",
		int64(d.First), int64(d.Last), d.Asset)
	if err == nil && days != int(d.Last-d.First)+1 {
		err = staking.ErrUndivided.In("", "a day of %s to %s is not declared yet", d.First, d.Last)
	}
	return sum, err
}

// Left is what was left of a token's income when the distributions of the last day before one that had
// any were paid: what the first of them found, and of each the net less what was paid.
func Left(t db.View, d staking.Day, token string) (left staking.Exact, err error) {
	first := true
	err = t.Query(func(r db.Row) error {
		if first {
			left = ReadExact(r, 0)
		}
		first = false
		left = left.Add(staking.Exact{Units: ledger.Amount(r.Int(2))})
		left = left.Sub(ReadExact(r, 3))
		return nil
	}, `SELECT before_units, before_part, net, paid_units, paid_part FROM distributions
	     WHERE asset = $1 AND day = (SELECT max(day) FROM distributions WHERE asset = $1 AND day < $2)
	     ORDER BY `+InOrder, token, int64(d))
	return left, err
}

// InOrder is the order of the distributions of one day, in SQL.
const InOrder = "CASE WHEN net < 0 THEN 0 ELSE 1 END, first_day, last_day"

// Division is a distribution in one bucket.
type Division struct {
	staking.Distribution
	Paid    staking.Exact // to the bucket's accounts that were measured so far
	divider *staking.Divider
	period  *weighed
}

// weighed are the days of a period of a token, and what the holdings of a page weigh in them.
type weighed struct {
	asset       string
	first, last staking.Day
	weights     []staking.Integral // by the index in the page

	budget  *staking.Budget // of a campaign, which another token's accruals weigh; or nil
	weigher *weigher        // of the budget in the bucket
}

// Shares are the distributions of a day in one bucket. They read what accounts weigh page by
// page, each day of any period once.
type Shares struct {
	Divisions []*Division
	day       staking.Day  // the distributions'
	periods   []*weighed   // each once, however many distributions divide its income
	days      []weighedDay // of periods of incomes, ascending
}

// weighedDay is a day that is read, and the periods that have it.
type weighedDay struct {
	day     staking.Day
	periods []*weighed
}

// SharesOf prepares the distributions of a day for a bucket; nil where nothing is divided.
func SharesOf(all []staking.Distribution) *Shares {
	if len(all) == 0 {
		return nil
	}
	s := &Shares{day: all[0].Day}
	for _, d := range all {
		v := &Division{Distribution: d, divider: d.Divider()}
		s.Divisions = append(s.Divisions, v)
		if d.Pays() {
			v.period = s.periodOf(d)
		}
	}
	slices.SortFunc(s.days, func(a, b weighedDay) int { return cmp.Compare(a.day, b.day) })
	return s
}

// periodOf is the period of a distribution, whose days are to be read.
func (s *Shares) periodOf(d staking.Distribution) *weighed {
	for _, p := range s.periods {
		if p.asset == d.Asset && p.first == d.First && p.last == d.Last && p.budget == nil && d.Budget == nil {
			return p
		}
	}
	p := &weighed{asset: d.Asset, first: d.First, last: d.Last, budget: d.Budget}
	s.periods = append(s.periods, p)
	if p.budget != nil {
		return p
	}
	for day := d.First; day <= d.Last; day++ {
		i := slices.IndexFunc(s.days, func(w weighedDay) bool { return w.day == day })
		if i < 0 {
			i, s.days = len(s.days), append(s.days, weighedDay{day: day})
		}
		s.days[i].periods = append(s.days[i].periods, p)
	}
	return p
}

// weigh reads what the holdings of a page weigh. An account that is closed, and had nothing to
// come any more before the day was over, weighs nothing: its share stays in the pool.
func (s *Shares) weigh(m *measure) error {
	for _, p := range s.periods {
		p.weights = slices.Grow(p.weights[:0], len(m.page))[:len(m.page)]
		clear(p.weights)
	}
	if err := s.weighDays(m); err != nil {
		return fmt.Errorf("read what accounts weigh: %w", err)
	}
	for _, p := range s.periods {
		if p.budget == nil {
			continue
		}
		if err := p.weigh(m); err != nil {
			return fmt.Errorf("read what accounts weigh in the campaign %s: %w", p.budget.Campaign.ID, err)
		}
	}
	i := 0
	err := m.t.Query(func(r db.Row) error {
		ended := ledger.Account(r.Text(0))
		for ; i < len(m.page) && m.page[i].Account <= ended; i++ {
			for _, p := range s.periods {
				if m.page[i].Account == ended {
					p.weights[i] = staking.Integral{}
				}
			}
		}
		return nil
	}, `SELECT account FROM accounts WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND ended > 0 AND ended < $4
	     ORDER BY account`, m.bucket, m.first, m.last, (s.day + 1).Millis())
	if err != nil {
		return fmt.Errorf("read which accounts are closed: %w", err)
	}
	return nil
}

// weighDays adds what the holdings of a page weigh on the days of periods of incomes: a range of
// keys a day.
func (s *Shares) weighDays(m *measure) error {
	through := m.last
	if m.ends {
		through = afterAll
	}
	same := func(name, value string) db.Field[weighedDay] {
		return db.Text(name, func(weighedDay) string { return value })
	}
	fields := []db.Field[weighedDay]{
		db.Int("bucket", func(weighedDay) int64 { return m.bucket }),
		db.Int("day", func(d weighedDay) int64 { return int64(d.day) }),
		same("from", m.from), same("through", through),
	}
	var names []string
	for _, token := range s.tokens() {
		fields = append(fields, same(token, token))
		names = append(names, fmt.Sprintf("$%d", len(fields)))
	}
	n, i := 0, 0 // the day and the holding that are come to
	return m.t.QueryEach(func(r db.Row) error {
		for ; s.days[n].day != staking.Day(r.Int(0)); n++ {
			i = 0
		}
		account, asset := ledger.Account(r.Text(1)), r.Text(2)
		if m.isOnOther(account, asset) {
			return nil
		}
		for i < len(m.page) && before(m.page[i], account, asset) {
			i++
		}
		found := i < len(m.page) && m.page[i].Account == account && m.page[i].Asset == asset
		weight := ReadWeight(r, 3)
		for _, p := range s.days[n].periods {
			if p.asset == asset && !found {
				return fmt.Errorf("%s has a share of %s: %w", account, asset, ErrNoBalance)
			}
			if p.asset == asset {
				p.weights[i] = p.weights[i].Add(weight)
			}
		}
		return nil
	}, `SELECT day, account, asset, eligible, eligible_rest FROM accruals
	     WHERE bucket = $1 AND day = $2 AND account BETWEEN $3 AND $4 AND asset IN (`+strings.Join(names, ", ")+`) ORDER BY account, asset`, db.SetOf(s.days, fields...))
}

// isOnOther reports whether a position of the first or the last account is on another page. Comparing both columns in
// SQL would cost more than everything else of a row.
func (m *measure) isOnOther(account ledger.Account, asset string) bool {
	return string(account) == m.from && asset <= m.after || !m.ends && string(account) == m.last && asset > m.asset
}

// tokens are those that have periods of incomes.
func (s *Shares) tokens() (all []string) {
	for _, p := range s.periods {
		if p.budget == nil && !slices.Contains(all, p.asset) {
			all = append(all, p.asset)
		}
	}
	return all
}

// before reports whether a holding comes before an account's of an asset.
func before(h staking.Holding, account ledger.Account, asset string) bool {
	return h.Account < account || h.Account == account && h.Asset < asset
}

// afterAll is after every account there can be.
const afterAll = "\U0010ffff"

// has reports whether a holding of the page weighs anything.
func (s *Shares) has(i int, asset string) bool {
	return s != nil && slices.ContainsFunc(s.periods, func(p *weighed) bool {
		return p.asset == asset && p.weights[i] != (staking.Integral{})
	})
}

// keep moves what a holding of the page weighs to where the holding moves.
func (s *Shares) keep(to, from int) {
	if s == nil || to == from {
		return
	}
	for _, p := range s.periods {
		p.weights[to] = p.weights[from]
	}
}

// take gives a holding of the page its shares.
func (s *Shares) take(i int, h *staking.Holding) {
	if s == nil {
		return
	}
	for _, v := range s.Divisions {
		if v.period != nil && v.Asset == h.Asset {
			share := v.divider.Share(v.period.weights[i])
			h.Shared = h.Shared.Add(share)
			v.Paid = v.Paid.Add(share)
		}
	}
}
