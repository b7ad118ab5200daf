package store_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestSharesAreExplained: on random books in the mode share, what an explanation works out on
// paper is the stored reward and the stored carry of every account and day, the shares of all
// accounts are what each distribution paid, and the days that are said to wait are those that
// no distribution has paid.
func TestSharesAreExplained(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
				s := shareBooks{T: t, db: db, clock: clock, random: rand.New(rand.NewPCG(12, seed)),
					reports: reports.New(db.Reader()), accounts: []ledger.Account{"alice", "bob", "carol", "dave"}}
				s.play()
				s.check()
				audited(t, db)
			})
		})
	}
}

// shareBooks are random books in the mode share, over some days.
type shareBooks struct {
	*testing.T
	db       *store.DB
	clock    *testkit.Clock
	random   *rand.Rand
	reports  *reports.Reports
	accounts []ledger.Account
	entered  int
	last     int // the last day of the last period
}

// shareDays is how many days the books have.
const shareDays = 14

func (s *shareBooks) play() {
	shareMode(s.T, s.db)
	for i, id := range s.accounts {
		open(s.T, s.db, id)
		on(s.T, s.db, id)
		deposit(s.T, s.db, "d-"+string(id), id, []int64{3, 1, 1500, 7}[i], bnb, noon)
		if i%2 == 1 {
			deposit(s.T, s.db, "s-"+string(id), id, 2, sol, noon)
		}
	}
	s.last = 1
	for day := 2; day <= shareDays; day++ {
		s.clock.Set(day, "12:34")
		s.move()
		if day > s.last+1 && s.random.IntN(2) == 0 {
			s.income(day)
		}
		s.clock.Set(day+1, "00:01")
		before := s.explain("alice", day1+staking.Day(day-1))
		s.clock.Set(day+1, "00:10")
		settle(s.T, s.db, s.clock)
		s.unsettled(before)
	}
}

// move deposits something, switches somebody off or on, or does nothing.
func (s *shareBooks) move() {
	id := s.accounts[s.random.IntN(len(s.accounts))]
	s.entered++
	switch s.random.IntN(4) {
	case 0:
		off(s.T, s.db, id)
	case 1:
		on(s.T, s.db, id)
	default:
		at := s.clock.Now().Add(-time.Duration(s.random.IntN(12*3600_000)) * time.Millisecond)
		deposit(s.T, s.db, fmt.Sprint("r", s.entered), id, s.random.Int64N(5)+1, bnb, at)
	}
}

// income enters that of all days since the last period, of two sources or with a slashing.
func (s *shareBooks) income(today int) {
	first := s.last + 1
	s.last = first + s.random.IntN(today-first)
	for source := range 1 + s.random.IntN(2) {
		gross := ledger.Amount(s.random.Int64N(3_000_000) + 1)
		enter(s.T, s.db, fmt.Sprintf("i%d-%d", today, source), first, s.last, gross)
	}
	if s.random.IntN(3) == 0 {
		enter(s.T, s.db, fmt.Sprintf("s%d", today), first, first, -ledger.Amount(s.random.Int64N(1000)+1))
	}
}

// unsettled: a day that is over is explained before its run as after it.
func (s *shareBooks) unsettled(before reports.Explanation) {
	s.Helper()
	after := s.explain(before.Measured.Account, before.Measured.Day)
	if before.Stored || after.Earned != after.Stored {
		s.Errorf("%s is stored before its run, or not after it", before.Measured.Day)
	}
	same(s, fmt.Sprintf("%s before its run", before.Measured.Day), before.Measured, after.Measured)
}

func (s *shareBooks) explain(id ledger.Account, d staking.Day) reports.Explanation {
	s.Helper()
	return testkit.Must(s.reports.Explain(s.Context(), id, d, bnb))(s.T)
}

// period names a distribution.
type sharePeriod struct{ paidOn, first, last staking.Day }

func (s *shareBooks) check() {
	paid, waiting := map[sharePeriod]staking.Exact{}, map[ledger.Account]int{}
	for _, id := range s.accounts {
		for d := day1; d < day1+shareDays; d++ {
			e := s.explain(id, d)
			s.adds(e)
			for _, share := range e.Shares {
				p := sharePeriod{d, share.First, share.Last}
				paid[p] = paid[p].Add(share.Exact)
			}
			if w := e.Weighing; w != nil && e.Paid && len(w.PaidBy) == 0 {
				waiting[id]++
			} else if w != nil {
				s.paidLater(e)
			}
		}
	}
	all := testkit.Must(s.reports.Distributions(s.Context(), bnb, day1, day1+shareDays, 100))(s.T)
	for _, d := range all {
		p := sharePeriod{d.Day, d.First, d.Last}
		same(s, fmt.Sprintf("the shares of %s to %s, paid on %s", d.First, d.Last, d.Day), paid[p], d.Paid)
		delete(paid, p)
	}
	if len(paid) > 0 || len(all) == 0 {
		s.Errorf("%d distributions are explained beside %d", len(paid), len(all))
	}
	for _, id := range s.accounts {
		h := testkit.Must(s.reports.Holder(s.Context(), id, staking.Client{}, reports.Offer|reports.Waits))(s.T)
		days := 0
		for _, w := range h.Waiting {
			days += w.Days
		}
		same(s, "the days of "+string(id)+" that wait", days, waiting[id])
	}
}

// adds compares the paper of an explanation with what is stored.
func (s *shareBooks) adds(e reports.Explanation) {
	s.Helper()
	m, p := e.Measured, e.Paper()
	if !e.Stored {
		return
	}
	if p.Units.Int64() != int64(m.Reward) || p.Carry.Int64() != int64(m.Carry) {
		s.Errorf("%s %s: on paper the reward is %s and the carry %s; stored are %d and %d", m.Account, m.Day, p.Units,
			p.Carry, m.Reward, m.Carry)
	}
	for i, c := range p.Shares {
		if mine, all := e.Shares[i].Weight.String(), e.Shares[i].Distribution.Weight.String(); c.Mine.String() != mine ||
			c.All.String() != all {
			s.Errorf("%s %s: on paper the weight is %s of %s; by the rule %s of %s", m.Account, m.Day, c.Mine, c.All, mine, all)
		}
	}
	if p.Integral.Cmp(bigIntegral(m)) != 0 {
		s.Errorf("%s %s: the lines come to %s; average and rest to %s", m.Account, m.Day, p.Integral, bigIntegral(m))
	}
}

// paidLater: the distribution that a day is said to be paid by has the day.
func (s *shareBooks) paidLater(e reports.Explanation) {
	s.Helper()
	for _, by := range e.Weighing.PaidBy {
		found := false
		for _, share := range s.explain(e.Measured.Account, by.PaidOn).Shares {
			for _, d := range share.Days {
				found = found || share.First == by.First && share.Last == by.Last && d.Day == e.Measured.Day &&
					d.Integral == e.Weighing.Integral
			}
		}
		if !found {
			s.Errorf("%s %s: the reward of %s has no share of its weight", e.Measured.Account, e.Measured.Day, by.PaidOn)
		}
	}
}

// bigIntegral is what an accrual was measured at, in smallest units × milliseconds.
func bigIntegral(a staking.Accrual) *big.Int {
	n := new(big.Int).Mul(big.NewInt(int64(a.Average)), big.NewInt(staking.DayMillis))
	return n.Add(n, big.NewInt(a.Rest))
}
