package holding

import (
	"fmt"

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
	spans   []span // in which the account is enrolled

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

// On is the holding of a day of the period, without its fraction and without shares of
// distributions. It is Absent on a day that is not measured.
func (p *Period) On(d staking.Day) staking.Holding {
	day := &p.days[d-p.First]
	return staking.Holding{
		Account: p.Account, Asset: p.Asset, Opening: day.opening, Integral: day.integral, Absent: !p.measured(d),
	}
}

// Lowest is the smallest free balance of a day of the period, after all changes of a
// millisecond, from 00:00:00.000 with its changes to 23:59:59.999.
func (p *Period) Lowest(d staking.Day) ledger.Amount { return p.days[d-p.First].lowest }

// measured reports whether the account earns on the day with what it has.
func (p *Period) measured(d staking.Day) bool {
	for _, s := range p.spans {
		if s.from <= d && d < s.until {
			return true
		}
	}
	return false
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

// MeasurePeriod measures what the accounts of a bucket had of the wanted tokens on each of
// some days that are paid, page after page in key order: what Measure says of each of the
// days, from one reading. Positions that are enrolled on none of the days are left out. A
// page is valid only during the call; it takes 40 bytes a position and day.
func MeasurePeriod(t db.View, bucket int, first, last staking.Day, wanted func(asset string) bool,
	page func([]Period) error) error {
	m := periods{measure: measure{t: t, bucket: int64(bucket), wanted: wanted}, from: first, through: last,
		paid: map[string]staking.Day{}}
	err := t.Query(func(r db.Row) error {
		m.paid[r.Text(0)] = staking.Day(r.Int(1))
		return nil
	}, "SELECT asset, paid_through FROM progress WHERE bucket = $1", m.bucket)
	if err != nil {
		return fmt.Errorf("read the progress: %w", err)
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

// periods is a page of positions being measured over some days.
type periods struct {
	measure
	from, through staking.Day
	paid          map[string]staking.Day // of each token, through which day
	of            []Period               // of each of measure's page
	days          []daily                // theirs
}

// read measures the positions of a page.
func (m *periods) read() error {
	spans, err := m.enrollments()
	if err != nil {
		return err
	}
	kept := m.page[:0]
	for _, h := range m.page {
		if spans[h.Account] != nil {
			kept = append(kept, h)
		}
	}
	m.page, m.of = kept, m.of[:0]
	n := int(m.through-m.from) + 1
	if size := n * len(m.page); cap(m.days) < size {
		m.days = make([]daily, size)
	}
	m.days = m.days[:n*len(m.page)]
	clear(m.days)
	for i, h := range m.page {
		m.of = append(m.of, Period{Account: h.Account, Asset: h.Asset, Carry: h.Carry, First: m.from,
			days: m.days[i*n : (i+1)*n], spans: spans[h.Account], carried: staking.Forever})
	}
	if len(m.page) == 0 {
		return nil
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

// enrollments are the spans of the page's accounts that have days of the period.
func (m *periods) enrollments() (map[ledger.Account][]span, error) {
	spans := map[ledger.Account][]span{}
	err := m.t.Query(func(r db.Row) error {
		account := ledger.Account(r.Text(0))
		spans[account] = append(spans[account], span{staking.Day(r.Int(1)), staking.Day(r.Int(2))})
		return nil
	}, `SELECT account, from_day, until_day FROM enrollments
	     WHERE bucket = $1 AND account BETWEEN $2 AND $3 AND from_day <= $4 AND until_day > $5 AND until_day > from_day`,
		m.bucket, m.first, m.last, int64(m.through), int64(m.from))
	if err != nil {
		return nil, fmt.Errorf("read enrollments: %w", err)
	}
	return spans, nil
}

// postings takes in what was posted since the period began. The balance in the page becomes
// that after the period.
func (m *periods) postings() error {
	at := 0
	err := m.t.Query(func(r db.Row) error {
		account, asset := r.Text(0), r.Text(1)
		var found bool
		if at, found = m.find(at, account, asset); !found {
			return nil
		}
		d, amount := staking.Day(r.Int(2)), ledger.Amount(r.Int(4))
		if d > m.through {
			m.page[at].Opening -= amount
			return nil
		}
		m.of[at].change(d, r.Int(3), amount)
		return nil
	}, `SELECT account, asset, day, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account BETWEEN $3 AND $4
	     ORDER BY day, at`, m.bucket, int64(m.from), m.first, m.last)
	if err != nil {
		return fmt.Errorf("read changes: %w", err)
	}
	return nil
}

// rewards takes in what was credited for the days since the period began: the reward of a
// day is in the opening of the next.
func (m *periods) rewards() error {
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
		if d >= m.through {
			m.page[at].Opening -= reward
			return nil
		}
		p.days[d+1-m.from].change += reward
		return nil
	}, `SELECT account, asset, day, reward, before FROM accruals
	     WHERE bucket = $1 AND day >= $2 AND account BETWEEN $3 AND $4`,
		m.bucket, int64(m.from), m.first, m.last)
	if err != nil {
		return fmt.Errorf("read rewards: %w", err)
	}
	return nil
}
