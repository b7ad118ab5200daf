package holding

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Period is what an account had of a token on each of some days, and the fraction that its
// last reward before them left.
type Period struct {
	Account ledger.Account
	Asset   string
	Carry   staking.Fraction
	First   staking.Day
	days    []daily
	spans   []span  // in which the account is enrolled
	others  []span  // in which another product has the token
	granted []grant // its shares of campaigns, in order of their days
	weighed []bool  // the days that a campaign weighs; nil: none
	ended   int64   // when the account was closed and nothing was to come any more, in Unix milliseconds; 0: it was not

	carried staking.Day // of whose accrual Carry is; Forever: of none since the period began
	run     run
}

// daily is a day of a position: at first its changes alone, then what it had.
type daily struct {
	opening  ledger.Amount    // at 00:00, with the changes of that very millisecond
	lowest   ledger.Amount    // the smallest balance after all changes of a millisecond
	change   ledger.Amount    // of the whole day, with the reward of the day before
	integral staking.Integral // of the free balance, over the day
}

// span is the days from one on and before another.
type span struct{ from, until staking.Day }

// run is how far the changes of a position are read: the balance against the opening of the day.
type run struct {
	day     int
	at      int64
	balance ledger.Amount
}

// Days is how many days the period has.
func (p *Period) Days() int { return len(p.days) }

// On is the holding of a day of the period by a measure, without its fraction. Its shares are
// those of campaigns alone, as they are recorded. It is Absent on a day that is not measured.
func (p *Period) On(d staking.Day, m staking.Measure) staking.Holding {
	i := int(d - p.First)
	day := &p.days[i]
	h := staking.Holding{
		Account: p.Account, Asset: p.Asset, Opening: day.opening, Integral: day.integral, Absent: !p.measured(d),
		Weighed: p.weighed != nil && p.weighed[i],
	}
	if m == staking.Lowest {
		h.Integral = staking.IntegralOf(day.lowest, staking.DayMillis)
	}
	n, _ := slices.BinarySearchFunc(p.granted, d, func(g grant, d staking.Day) int { return cmp.Compare(g.day, d) })
	for ; n < len(p.granted) && p.granted[n].day == d; n++ {
		h.Shared = h.Shared.Add(p.granted[n].share)
	}
	return h
}

// Ended reports whether the account was closed by the end of a day, and had nothing to come any
// more: it has no share of what is divided on the day.
func (p *Period) Ended(d staking.Day) bool { return p.ended > 0 && p.ended < (d+1).Millis() }

// measured reports whether the account earns on the day with what it has.
func (p *Period) measured(d staking.Day) bool {
	covers := func(s span) bool { return s.from <= d && d < s.until }
	return slices.ContainsFunc(p.spans, covers) && !slices.ContainsFunc(p.others, covers)
}

// change takes a change of the balance in, in order of time.
func (p *Period) change(d staking.Day, at int64, amount ledger.Amount) {
	i := int(d - p.First)
	day, millis := &p.days[i], at-d.Millis()
	day.change += amount
	h := staking.Holding{Opening: day.opening, Integral: day.integral}
	h.Rewind(amount, millis)
	day.opening, day.integral = h.Opening, h.Integral
	if millis <= 0 {
		return
	}
	if p.run.day != i || p.run.at != at {
		p.settle()
	}
	if p.run.day != i {
		p.run = run{day: i}
	}
	p.run.at = at
	p.run.balance += amount
}

// settle compares the balance after all changes of a millisecond with the smallest of the day.
func (p *Period) settle() {
	day := &p.days[p.run.day]
	day.lowest = min(day.lowest, p.run.balance)
}

// countBack turns the changes into what the position had, from the balance after the period.
func (p *Period) countBack(balance ledger.Amount) {
	p.settle()
	for i := len(p.days) - 1; i >= 0; i-- {
		day := &p.days[i]
		day.opening += balance
		day.lowest += day.opening
		day.integral = day.integral.Add(staking.IntegralOf(balance, staking.DayMillis))
		balance -= day.change
	}
}

// Periods measure what accounts had on each of some days. They are not safe for concurrent use.
type Periods struct {
	view              db.View
	firstDay, lastDay staking.Day
	tokens            func(asset string) bool
	budgets           []staking.Distribution // of campaigns, that took effect on these days
	weighed           map[string][]bool      // of a token, the days that a campaign weighs
}

// PeriodsOf prepares the measuring of some days, both ends inclusive, of the wanted tokens, for
// which all of them are paid.
func PeriodsOf(t db.View, first, last staking.Day, wanted func(asset string) bool) (*Periods, error) {
	p := &Periods{view: t, firstDay: first, lastDay: last, tokens: wanted, weighed: map[string][]bool{}}
	campaigns, err := overlapping(t, first-1, last)
	if err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		for _, part := range c.Parts {
			if p.weighed[part.Token] == nil {
				p.weighed[part.Token] = make([]bool, last-first+1)
			}
			for i := range p.weighed[part.Token] {
				if c.On(first + staking.Day(i)) {
					p.weighed[part.Token][i] = true
				}
			}
		}
	}
	p.budgets, err = recordedBudgets(t, first, last, campaigns, wanted)
	return p, err
}

// Measure measures the positions of a bucket, page after page in key order: what the function
// Measure says of each of the days, from one reading. Of the distributions it knows those of
// campaigns. Positions that are enrolled on none of the days are left out, unless a campaign
// paid them. A page is valid only during the call. Memory: 40 bytes a position of the page and
// day, and about as much for each share of a campaign in the bucket.
func (p *Periods) Measure(bucket int, page func([]Period) error) error {
	m := periodPage{Periods: p, measure: measure{t: p.view, bucket: int64(bucket), wanted: p.tokens},
		paid: map[string]staking.Day{}}
	err := m.t.Query(func(r db.Row) error {
		m.paid[r.Text(0)] = staking.Day(r.Int(1))
		return nil
	}, "SELECT asset, paid_through FROM progress WHERE bucket = $1", m.bucket)
	if err != nil {
		return fmt.Errorf("read the progress: %w", err)
	}
	if m.granted, err = grantsOf(p.view, bucket, p.budgets); err != nil {
		return err
	}
	for {
		more, err := m.balances()
		if err != nil || !more {
			return err
		}
		if err := m.read(); err != nil {
			return err
		}
		if len(m.of) == 0 {
			continue
		}
		if err := page(m.of); err != nil {
			return err
		}
	}
}

// periodPage is a page of positions being measured over some days.
type periodPage struct {
	*Periods
	measure
	paid    map[string]staking.Day // of each token, through which day
	granted map[position][]grant   // of the bucket
	of      []Period               // of each of measure's page
	days    []daily                // theirs
}

// read measures the positions of a page.
func (m *periodPage) read() error {
	spans, err := m.enrollments()
	if err != nil {
		return err
	}
	kept := m.page[:0]
	for _, h := range m.page {
		if spans[h.Account] != nil || m.granted[position{h.Account, h.Asset}] != nil {
			kept = append(kept, h)
		}
	}
	m.page, m.of = kept, m.of[:0]
	if len(m.page) == 0 {
		return nil
	}
	n := int(m.lastDay-m.firstDay) + 1
	if size := n * len(m.page); cap(m.days) < size {
		m.days = make([]daily, size)
	}
	m.days = m.days[:n*len(m.page)]
	clear(m.days)
	others, err := m.exclusions()
	if err != nil {
		return err
	}
	ended, err := m.ended()
	if err != nil {
		return err
	}
	for i, h := range m.page {
		m.of = append(m.of, Period{Account: h.Account, Asset: h.Asset, Carry: h.Carry, First: m.firstDay,
			days: m.days[i*n : (i+1)*n], spans: spans[h.Account],
			others:  slices.Concat(others[position{h.Account, ""}], others[position{h.Account, h.Asset}]),
			granted: m.granted[position{h.Account, h.Asset}], weighed: m.weighed[h.Asset], ended: ended[h.Account],
			carried: staking.Forever})
	}
	if err := m.postings(); err != nil {
		return err
	}
	if err := m.rewards(); err != nil {
		return err
	}
	for i := range m.of {
		m.of[i].countBack(m.page[i].Opening)
	}
	return nil
}

// exclusions are the spans of days of the period in which another product has what the page's accounts have.
func (m *periodPage) exclusions() (map[position][]span, error) {
	others := map[position][]span{}
	err := m.t.Query(func(r db.Row) error {
		at := position{ledger.Account(r.Text(0)), r.Text(1)}
		others[at] = append(others[at], span{staking.Day(r.Int(2)), staking.Day(r.Int(3))})
		return nil
	}, `SELECT account, asset, from_day, until_day FROM exclusions
	     WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND from_day <= $4 AND until_day > $5`,
		m.bucket, m.first, m.last, int64(m.lastDay), int64(m.firstDay))
	if err != nil {
		return nil, fmt.Errorf("read exclusions: %w", err)
	}
	return others, nil
}

// ended is when those of the page's accounts ended that are closed, with nothing to come any more.
func (m *periodPage) ended() (map[ledger.Account]int64, error) {
	ended := map[ledger.Account]int64{}
	err := m.t.Query(func(r db.Row) error {
		ended[ledger.Account(r.Text(0))] = r.Int(1)
		return nil
	}, "SELECT account, ended FROM accounts WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND ended > 0",
		m.bucket, m.first, m.last)
	if err != nil {
		return nil, fmt.Errorf("read which accounts are closed: %w", err)
	}
	return ended, nil
}

// enrollments are the spans of the page's accounts that have days of the period.
func (m *periodPage) enrollments() (map[ledger.Account][]span, error) {
	spans := map[ledger.Account][]span{}
	err := m.t.Query(func(r db.Row) error {
		account := ledger.Account(r.Text(0))
		spans[account] = append(spans[account], span{staking.Day(r.Int(1)), staking.Day(r.Int(2))})
		return nil
	}, `SELECT account, from_day, until_day FROM enrollments
	     WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND from_day <= $4 AND until_day > $5 AND until_day > from_day`,
		m.bucket, m.first, m.last, int64(m.lastDay), int64(m.firstDay))
	if err != nil {
		return nil, fmt.Errorf("read enrollments: %w", err)
	}
	return spans, nil
}

// postings takes in what was posted since the period began. The balance in the page becomes
// that after the period.
func (m *periodPage) postings() error {
	at := 0
	err := m.t.Query(func(r db.Row) error {
		account, asset := r.Text(0), r.Text(1)
		var found bool
		if at, found = m.find(at, account, asset); !found {
			return nil
		}
		d, amount := staking.Day(r.Int(2)), ledger.Amount(r.Int(4))
		if d > m.lastDay {
			m.page[at].Opening -= amount
			return nil
		}
		m.of[at].change(d, r.Int(3), amount)
		return nil
	}, `SELECT account, asset, day, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account BETWEEN $3 AND $4
	     ORDER BY day, at`, m.bucket, int64(m.firstDay), m.first, m.last)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	return nil
}

// rewards takes in what was credited for the days since the period began: the reward of a
// day is in the opening of the next.
func (m *periodPage) rewards() error {
	at := 0
	err := m.t.Query(func(r db.Row) error {
		account, asset := r.Text(0), r.Text(1)
		var found bool
		d := staking.Day(r.Int(2))
		if at, found = m.find(at, account, asset); !found || d > m.paid[asset] {
			return nil
		}
		p, reward := &m.of[at], ledger.Amount(r.Int(3))
		if d < p.carried {
			p.carried, p.Carry = d, staking.Fraction(r.Int(4))
		}
		if d >= m.lastDay {
			m.page[at].Opening -= reward
			return nil
		}
		p.days[d+1-m.firstDay].change += reward
		return nil
	}, `SELECT account, asset, day, reward, before FROM accruals
	     WHERE bucket = $1 AND day >= $2 AND account BETWEEN $3 AND $4`,
		m.bucket, int64(m.firstDay), m.first, m.last)
	if err != nil {
		return fmt.Errorf("read rewards: %w", err)
	}
	return nil
}
