package staking_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// firstDay is the first of the days that are simulated, all of which are over in the end.
const firstDay staking.Day = 20_000

const simulatedDays = 4

// randomBooks are small books before anything has happened.
func randomBooks(r *rand.Rand) *memoryBooks {
	b := &memoryBooks{
		first: firstDay, closed: firstDay - 1,
		clock:     firstDay.Start().Add(time.Duration(r.Int64N(int64(48 * time.Hour)))),
		closings:  staking.Closings{{From: firstDay, After: pick(r, 0, 5*time.Minute, 2*time.Hour)}},
		batchSize: 1 + r.IntN(3), tokens: map[string]*memoryToken{},
	}
	for _, symbol := range []string{"ADA", "BNB", "SOL"}[:1+r.IntN(3)] {
		b.tokens[symbol] = randomToken(r, symbol)
	}
	for i := range 1 + r.IntN(5) {
		p := position{bucket: r.IntN(buckets), enrolled: staking.Enrollment{
			Account: ledger.Account(fmt.Sprintf("user-%d", i)),
			From:    firstDay + staking.Day(r.IntN(3)),
			Until:   pick(r, staking.Forever, firstDay+staking.Day(r.IntN(5))),
		}, owner: pick(r, "", "o-1", "o-1", "o-2")}
		for _, symbol := range slices.Sorted(maps.Keys(b.tokens)) {
			held := p
			held.opening = ledger.Amount(upTo(r, int64(3*bnb)))
			held.balance, held.accrued = held.opening, map[staking.Day]staking.Accrual{}
			b.tokens[symbol].positions = append(b.tokens[symbol].positions, &held)
		}
	}
	return b
}

func randomToken(r *rand.Rand, symbol string) *memoryToken {
	t := &memoryToken{
		asset:    ledger.Asset{Symbol: symbol, Scale: 8, MaxSupply: ledger.MaxSupply},
		approved: map[staking.Day]bool{}, sums: map[staking.Day]map[string]staking.Integral{}, settled: firstDay - 1,
		limit: staking.Limit{
			Asset: symbol, MaxTotal: pick[ledger.Amount](r, 0, 0, 20_000), MaxChange: pick[int64](r, 0, 0, 1_000),
		},
	}
	t.fund(pick[ledger.Amount](r, 0, 30_000, bnb))
	for i := range buckets {
		t.accrued[i], t.paid[i] = firstDay-1, firstDay-1
	}
	for d := range staking.Day(simulatedDays) {
		t.terms = append(t.terms, randomTerms(r, symbol, firstDay+d))
	}
	return t
}

func randomTerms(r *rand.Rand, symbol string, from staking.Day) staking.Terms {
	return staking.Terms{
		Asset: symbol, From: from, Offered: r.IntN(8) > 0, APR: pick[staking.Rate](r, 3_650_000, 150_000, rateMax),
		Min: pick(r, 0, bnb/2), Cap: pick(r, bnb, 1_000*bnb), PerOwner: r.IntN(3) == 0,
	}
}

func (t *memoryToken) fund(amount ledger.Amount) { t.funded, t.pool = t.funded+amount, t.pool+amount }

func (s *simulation) options() staking.Options {
	o := staking.Options{Workers: 1 + s.IntN(3), Start: s.IntN(7), Progress: s.checkStep}
	if s.IntN(6) == 0 {
		through := firstDay + staking.Day(s.IntN(simulatedDays))
		o.Through = &through
	}
	return o
}

// checkStep finds progress that cannot be.
func (s *simulation) checkStep(step staking.Step) {
	if step.Done < 1 || step.Done > step.Of || step.Day < firstDay {
		s.find("progress: %+v", step)
	}
}

// skew is how far the clock of a process is from that of the books.
func (s *simulation) skew() time.Duration {
	return pick(s.Rand, 0, 0, 0, 0, time.Minute, -time.Hour, 24*time.Hour, -24*time.Hour)
}

// interfere is what somebody else does between two steps.
func (s *simulation) interfere() {
	symbol := pick(s.Rand, slices.Sorted(maps.Keys(s.books.tokens))...)
	t := s.books.tokens[symbol]
	next := firstDay + staking.Day(len(t.declared)) // to be declared
	switch s.IntN(6) {
	case 0:
		t.fund(ledger.Amount(s.IntN(50_000)))
	case 1:
		t.approved[next] = true
	case 2:
		s.correctTerms(t, next)
	case 3:
		s.postLate(t)
	case 4:
		s.books.clock = s.books.clock.Add(-time.Duration(s.Int64N(int64(12 * time.Hour))))
		s.seen["a clock set back"]++
	default:
		last := (firstDay + simulatedDays).Start()
		s.books.clock = s.books.clock.Add(time.Duration(s.Int64N(int64(24 * time.Hour))))
		if s.books.clock.After(last) {
			s.books.clock = last
		}
	}
}

// correctTerms corrects the terms of a day that is not declared, if it is over: what was accrued
// of it is taken back.
func (s *simulation) correctTerms(t *memoryToken, d staking.Day) {
	if d >= staking.DayOf(s.books.clock) {
		return
	}
	t.terms[d-firstDay] = randomTerms(s.Rand, t.asset.Symbol, d)
	for i := range t.accrued {
		if t.paid[i] == d-1 {
			t.accrued[i] = d - 1
		}
	}
	for _, p := range t.positions {
		delete(p.accrued, d)
	}
	delete(t.approved, d)
	delete(t.sums, d)
	s.seen["terms corrected"]++
	s.trace("terms of %s of %s corrected", t.asset.Symbol, d)
}

// postLate posts an entry at a moment of a day that is not closed. No withdrawal takes more
// than what the account began with, so that no balance falls below zero.
func (s *simulation) postLate(t *memoryToken) {
	open, now := (s.books.closed + 1).Millis(), s.books.clock.UnixMilli()
	if now < open {
		return
	}
	p := pick(s.Rand, t.positions...)
	left := p.opening
	for _, e := range p.changes {
		left += min(e.change, 0)
	}
	change := pick(s.Rand, ledger.Amount(upTo(s.Rand, int64(bnb))), -ledger.Amount(upTo(s.Rand, int64(left))))
	e := event{open + upTo(s.Rand, now-open), change}
	p.changes, p.balance = append(p.changes, e), p.balance+change
	s.seen["a late entry"]++
	s.trace("%d %s of %s at %s", change, t.asset.Symbol, p.enrolled.Account, time.UnixMilli(e.at).UTC())
}

// straight is what the positions earn, computed forward from their openings day after day,
// and the balances that they then have.
func (t *memoryToken) straight() (rewards [][]staking.Accrual, balances []ledger.Amount) {
	symbol := t.asset.Symbol
	rewards, balances = make([][]staking.Accrual, len(t.positions)), make([]ledger.Amount, len(t.positions))
	carries := make([]staking.Fraction, len(t.positions))
	for i, p := range t.positions {
		balances[i] = p.opening
	}
	for number, terms := range t.terms {
		d := firstDay + staking.Day(number)
		holdings, sums := make([]staking.Holding, len(t.positions)), map[string]staking.Integral{}
		for i, p := range t.positions {
			h := staking.HoldingAt(p.enrolled.Account, symbol, balances[i], carries[i])
			for _, e := range p.changes {
				if staking.DayOf(time.UnixMilli(e.at)) == d {
					h.Change(e.change, e.at-d.Millis())
					balances[i] += e.change
				}
			}
			if holdings[i] = h; p.enrolled.Covers(d) {
				p.addTo(sums, h)
			}
		}
		for i, p := range t.positions {
			if a, earned := staking.Accrue(d, terms, p.together(sums, holdings[i])); earned && p.enrolled.Covers(d) {
				rewards[i], carries[i], balances[i] = append(rewards[i], a), a.Carry, balances[i]+a.Reward
			}
		}
	}
	for i, p := range t.positions {
		for _, e := range p.changes {
			if e.at >= (firstDay + simulatedDays).Millis() {
				balances[i] += e.change
			}
		}
	}
	return rewards, balances
}

func compareDue(a, b staking.Due) int {
	return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Day, b.Day))
}
