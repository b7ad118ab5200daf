package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// Today says what an account's day has come to so far.
type Today struct {
	Day      staking.Day
	At       time.Time   // the moment that it tells of
	On       bool        // the switch is on
	Enrolled bool        // the switch covers the day: it does not on the day it is switched on or off
	From     staking.Day // the first day that is measured, where the switch is on
	Tokens   []TodayToken
}

// TodayToken is what the day has come to in a token on offer.
type TodayToken struct {
	Asset    ledger.Asset
	Terms    staking.Terms   // of the day
	Free     ledger.Amount   // now
	SoFar    ledger.Amount   // the average since 00:00, rounded down
	Holding  staking.Holding // of the whole day, as if nothing moved any more
	Measured staking.Accrual // what comes of it; below the minimum without eligible, reward and carries
	Reached  bool            // the average of the whole day reaches the minimum
	Awaited  staking.Day     // the first day before it that the switch covered and that is not settled, or 0: what it pays is not in these figures
}

// Today says what an account's tokens on offer have come to since 00:00, and what
// the day would pay if nothing moved any more. It is read in one snapshot.
// ErrNotFound if the account was never opened.
func (rs *Reports) Today(ctx context.Context, id ledger.Account) (Today, error) {
	if err := id.CheckHolder(); err != nil {
		return Today{}, err
	}
	assets, err := rs.Assets(ctx)
	if err != nil {
		return Today{}, err
	}
	var s Today
	err = rs.Read(ctx, func(t db.View) error {
		if _, err := store.FindAccount(t, id); err != nil {
			return err
		}
		// After the first statement, which takes the snapshot: a day that is over in it is over for us.
		s = Today{At: db.TimeOf(rs.Now().UnixMilli())}
		s.Day = staking.DayOf(s.At)
		m := today{t: t, id: id, day: s.Day, elapsed: s.At.UnixMilli() - s.Day.Millis(), positions: map[string]*position{}}
		if err := m.read(); err != nil {
			return err
		}
		s.Enrolled = covers(m.enrollments, s.Day)
		for _, e := range m.enrollments {
			if e.On(s.Day) {
				s.On, s.From = true, e.From
			}
		}
		for _, a := range assets {
			if terms, known := m.terms[a.Symbol]; known && terms.Offered {
				s.Tokens = append(s.Tokens, m.token(a, terms))
			}
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read the day of %s: %w", id, err)
	}
	return s, nil
}

// today is the measuring of a day that is not over.
type today struct {
	t           db.View
	id          ledger.Account
	day         staking.Day
	elapsed     int64 // milliseconds since 00:00
	enrollments []staking.Enrollment
	terms       map[string]staking.Terms
	positions   map[string]*position // by asset
}

// position is what the account has of an asset.
type position struct {
	holding staking.Holding
	free    ledger.Amount    // now
	sofar   staking.Integral // since 00:00
	through staking.Day      // its bucket is paid through this day
}

func (m *today) read() (err error) {
	if m.enrollments, err = store.EnrollmentsOf(m.t, m.id); err != nil {
		return err
	}
	if m.terms, err = store.TermsAt(m.t, m.day); err != nil {
		return err
	}
	for symbol := range m.terms {
		m.positions[symbol] = m.begin(symbol, 0, 0)
	}
	bucket := int64(m.id.Bucket())
	err = m.t.Query(func(r db.Row) error {
		m.positions[r.Text(0)] = m.begin(r.Text(0), ledger.Amount(r.Int(1)), staking.Fraction(r.Int(2)))
		return nil
	}, "SELECT asset, balance, carry FROM balances WHERE bucket = $1 AND account = $2", bucket, string(m.id))
	if err != nil {
		return err
	}
	err = m.t.Query(func(r db.Row) error {
		if p := m.positions[r.Text(0)]; p != nil {
			p.through = staking.Day(r.Int(1))
		}
		return nil
	}, "SELECT asset, paid_through FROM progress WHERE bucket = $1", bucket)
	if err != nil {
		return err
	}
	return m.t.Query(func(r db.Row) error {
		if p := m.positions[r.Text(0)]; p != nil {
			p.undo(ledger.Amount(r.Int(2)), r.Int(1)-m.day.Millis(), m.elapsed)
		}
		return nil
	}, "SELECT asset, at, amount FROM postings WHERE bucket = $1 AND day >= $2 AND account = $3", bucket, int64(m.day), string(m.id))
}

// begin is a position from which the changes since 00:00 are then taken out.
func (m *today) begin(asset string, balance ledger.Amount, carry staking.Fraction) *position {
	return &position{holding: staking.Now(m.id, asset, balance, carry), free: balance, sofar: staking.Over(balance, m.elapsed)}
}

// undo takes out a change that was made so many milliseconds after 00:00.
func (p *position) undo(change ledger.Amount, millis, elapsed int64) {
	p.holding.Undo(change, millis)
	p.sofar = p.sofar.Sub(staking.Over(change, min(millis, elapsed)))
}

// token says what a token's day has come to.
func (m *today) token(a ledger.Asset, terms staking.Terms) TodayToken {
	p := m.positions[a.Symbol]
	s := TodayToken{Asset: a, Terms: terms, Free: p.free, SoFar: p.holding.Opening, Holding: p.holding}
	if m.elapsed > 0 {
		if !p.sofar.Less(staking.Integral{}) {
			s.SoFar = p.sofar.AverageOver(m.elapsed)
		}
	}
	s.Measured, s.Reached = comesTo(m.day, terms, p.holding)
	for d := p.through + 1; d < m.day && s.Awaited == 0; d++ {
		for _, e := range m.enrollments {
			if e.Covers(d) {
				s.Awaited = d
			}
		}
	}
	return s
}

// comesTo says what a holding of a whole day comes to: also below the minimum, then
// without eligible, reward and carries, and false.
func comesTo(d staking.Day, terms staking.Terms, h staking.Holding) (a staking.Accrual, reached bool) {
	if a, reached = staking.Accrue(d, terms, h); reached {
		return a, true
	}
	a = staking.Accrual{Day: d, Account: h.Account, Asset: h.Asset, Opening: h.Opening}
	if !h.Integral.Less(staking.Integral{}) {
		a.Average, a.Rest = h.Integral.Average()
	}
	return a, false
}

// After says what the token's day comes to if its free balance changes by so much
// at a moment of it, and nothing else moves any more: what Measured is once that is
// posted, and Reached. What would take more than is free comes to an average of zero.
func (s TodayToken) After(change ledger.Amount, at time.Time) (a staking.Accrual, reached bool) {
	h := s.Holding
	h.Change(change, at.UnixMilli()-s.Measured.Day.Millis())
	return comesTo(s.Measured.Day, s.Terms, h)
}
