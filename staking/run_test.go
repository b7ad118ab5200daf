package staking_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// TestRunWhateverHappens runs staking.Run in several processes on books in memory, and lets
// them crash before and after any effect, lose connections, be cancelled, and run with wrong
// clocks, while others post late entries, correct terms, fund and approve. Whatever happened,
// the next run completes the days, and each reward is credited exactly once.
//
// SEED chooses other tries, TRIES how many; TRY=n does only the n-th, and shows its steps.
func TestRunWhateverHappens(t *testing.T) {
	many := uint64(10_000)
	if os.Getenv("SOFTSTAKE_LONG") == "1" {
		many = 300_000
	}
	seed, tries := fromEnv(t, "SEED", 1), fromEnv(t, "TRIES", many)
	if only := fromEnv(t, "TRY", tries); only < tries {
		if wrong := simulate(t, seed, only, map[string]uint64{}, t.Logf); wrong != nil {
			t.Fatalf("SEED=%d TRY=%d: %q", seed, only, wrong)
		}
		return
	}
	seen := map[string]uint64{}
	for i := range tries {
		if wrong := simulate(t, seed, i, seen, func(string, ...any) {}); wrong != nil {
			t.Fatalf("SEED=%d TRY=%d: %q", seed, i, wrong)
		}
	}
	t.Logf("seen: %v", seen)
	for _, what := range simulated {
		if seen[what] < tries/200 {
			t.Errorf("SEED=%d: only %d times in %d tries: %s", seed, seen[what], tries, what)
		}
	}
}

// simulated is what must have happened in enough of the tries.
var simulated = []string{
	errCrashed.Error() + before, errCrashed.Error() + after, errLost.Error() + before, errLost.Error() + after,
	context.Canceled.Error() + before, context.Canceled.Error() + after,
	staking.ErrChanged.Error(), staking.ErrFunds.Error(), staking.ErrLimit.Error(),
	"processes at the same time", "a clock ahead", "a clock set back", "a late entry", "terms corrected",
	"a day that earns nothing", "an owner above the cap",
}

// simulate does one try, and returns what was wrong.
func simulate(t *testing.T, seed, number uint64, seen map[string]uint64, trace func(string, ...any)) []string {
	r := rand.New(rand.NewPCG(seed, number))
	s := &simulation{Rand: r, books: randomBooks(r), seen: seen, trace: trace}
	synctest.Test(t, func(*testing.T) {
		s.faults, s.others = pick(r, 0, 20, 60, 200), pick(r, 0, 3, 12)
		s.play(1 + r.IntN(5))
		s.faults, s.others = 0, 0
		s.books.clock = (firstDay + simulatedDays).Start().Add(3 * time.Hour)
		s.settle() // with the funds there are
		for _, token := range s.books.tokens {
			token.fund(ledger.MaxSupply / 2)
			token.limit = staking.Limit{}
		}
		if r := s.settle(); r.Waiting != nil {
			s.find("with funds and without limits there wait %v", r.Waiting)
		}
		s.checkRewards()
		if r := s.settle(); r.Paid != nil {
			s.find("paid again: %v", r.Paid)
		}
		s.checkRewards()
	})
	return s.wrong
}

// settle is one run that nothing disturbs.
func (s *simulation) settle() staking.Report {
	p := s.start(s.books.clock, staking.Options{Workers: 2})
	s.play(0)
	return p.report
}

// judge compares what a run returned with what it was given and with the books.
func (s *simulation) judge(p *process) {
	who := fmt.Sprint("process ", p.number)
	if p.early {
		s.seen["a clock ahead"]++
	}
	expected := p.fault != nil && errors.Is(p.err, p.fault) || p.early && errors.Is(p.err, ledger.ErrInvalid)
	switch {
	case p.err == nil && (p.fault != nil || p.early):
		s.find("%s failed with %v and returned no error", who, p.fault)
	case p.err != nil && !expected:
		s.find("%s failed with %v and returned %v", who, p.fault, p.err)
	}
	if p.err != nil {
		return
	}
	through := s.books.closings.LastOver(p.now)
	if p.options.Through != nil {
		through = min(through, *p.options.Through)
	}
	if next := s.books.closings.ClosesAt(through + 1); p.report.Closed != through || !p.report.Next.Equal(next) {
		s.find("%s: closed %s, next %s; it ran at %s", who, p.report.Closed, p.report.Next, p.now)
	}
	waits := map[string]staking.Waiting{}
	for _, w := range p.report.Waiting {
		if _, twice := waits[w.Asset]; twice {
			s.find("%s: %s waits twice", who, w.Asset)
		}
		waits[w.Asset] = w
	}
	if !slices.IsSortedFunc(p.report.Paid, func(a, b staking.Due) int { return int(a.Day - b.Day) }) {
		s.find("%s: not the oldest days first: %v", who, p.report.Paid)
	}
	for _, d := range p.report.Paid {
		if s.books.tokens[d.Asset].paidThrough() < d.Day {
			s.find("%s: %s of %s is not paid", who, d.Asset, d.Day)
		}
	}
	for symbol, token := range s.books.tokens {
		switch w, is := waits[symbol]; {
		case !is && token.paidThrough() < through:
			s.find("%s: %s is paid through %s, not %s, and does not wait", who, symbol, token.paidThrough(), through)
		case is && s.others == 0:
			reason := s.books.Declare(context.Background(), w.Day, symbol, p.now)
			if w.Day != token.paidThrough()+1 || fmt.Sprint(reason) != w.Reason.Error() {
				s.find("%s: %v; the books say %v", who, w, reason)
			}
		}
	}
}

// checkConservation finds rewards that came from nowhere or were lost, after each step.
func (s *simulation) checkConservation() {
	for symbol, t := range s.books.tokens {
		sum, least := t.pool, t.pool
		for _, payable := range t.payable {
			sum, least = sum+payable, min(least, payable)
		}
		for _, p := range t.positions {
			for _, a := range p.credited {
				sum += a.Reward
			}
		}
		if sum != t.funded || least < 0 {
			s.find("%s: funded %d; @rewards, @payable and rewards are %d, the least %d", symbol, t.funded, sum, least)
		}
	}
}

// checkRewards compares all that was credited with a straight computation: each day
// forward from the first, once.
func (s *simulation) checkRewards() {
	var settled []staking.Due
	for symbol, t := range s.books.tokens {
		totals := make([]ledger.Amount, simulatedDays)
		rewards, balances := t.straight()
		for i, p := range t.positions {
			want, balance := rewards[i], balances[i]
			if !slices.Equal(want, p.credited) {
				s.find("%s of %s (-want +got):\n%s", symbol, p.enrolled.Account, cmp.Diff(want, p.credited))
			}
			if p.balance != balance {
				s.find("%s of %s: the balance is %d, not %d", symbol, p.enrolled.Account, p.balance, balance)
			}
			for _, a := range want {
				totals[a.Day-firstDay] += a.Reward
			}
		}
		if !slices.Equal(totals, t.declared) {
			s.find("declared of %s (-want +got):\n%s", symbol, cmp.Diff(totals, t.declared))
		}
		if t.sharedCap() {
			s.seen["an owner above the cap"]++
		}
		if slices.Contains(totals, 0) {
			s.seen["a day that earns nothing"]++
		}
		if t.payable != [buckets]ledger.Amount{} {
			s.find("payable of %s is %v", symbol, t.payable)
		}
		for d := range staking.Day(simulatedDays) {
			settled = append(settled, staking.Due{Asset: symbol, Day: firstDay + d})
		}
	}
	slices.SortFunc(settled, compareDue)
	got := slices.SortedFunc(slices.Values(s.books.settled), compareDue)
	if !slices.Equal(settled, got) {
		s.find("settled days (-want +got):\n%s", cmp.Diff(settled, got))
	}
}

// sharedCap reports whether on some day the accounts of an owner had parts of its cap.
func (t *memoryToken) sharedCap() bool {
	for d, sums := range t.sums {
		terms := t.terms[d-firstDay]
		for _, p := range t.positions {
			a, earned := p.accrued[d]
			if limit := staking.IntegralOf(terms.Cap, staking.DayMillis); p.owner != "" && limit.Less(sums[p.owner]) && earned &&
				a.Eligible < min(terms.Cap, a.Average) {
				return true
			}
		}
	}
	return false
}
