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

// lookedBack is what a day's balance was, counted forwards from the books' first day.
type lookedBack struct {
	opening  ledger.Amount
	integral *big.Int
	smallest ledger.Amount
}

// lookBack counts an account's days together from its statement.
func lookBack(t *testing.T, db *store.DB, id ledger.Account, token string, to staking.Day) map[staking.Day]lookedBack {
	t.Helper()
	var lines []reports.Line
	for _, l := range statement(t, db, id, reports.LinesAsked{From: day1, To: to + 1, Asset: token}) {
		if l.Account == id {
			lines = append(lines, l)
		}
	}
	days := map[staking.Day]lookedBack{}
	for d := day1; d <= to; d++ {
		l := lookedBack{integral: new(big.Int)}
		for _, line := range lines {
			since := line.At.Sub(d.Start()).Milliseconds()
			if since <= 0 {
				l.opening += line.Amount
			}
			if since < staking.DayMillis {
				part := new(big.Int).Mul(big.NewInt(int64(line.Amount)), big.NewInt(staking.DayMillis-max(since, 0)))
				l.integral.Add(l.integral, part)
			}
		}
		l.smallest = smallest(d, lines)
		days[d] = l
	}
	return days
}

// TestExplainAnyDay: of days with and without a reward, paid, waiting and not over, each
// is explained by what the statement says of it, and the paper comes to what was paid.
func TestExplainAnyDay(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		random := rand.New(rand.NewPCG(5, 3))
		accounts, tokens := []ledger.Account{"alice", "bob"}, []string{"BNB", "SOL"}
		for _, id := range accounts {
			open(t, db, id)
			for _, token := range tokens {
				deposit(t, db, fmt.Sprintf("%s-%s", id, token), id, 1, token, time.Time{})
			}
			on(t, db, id)
		}
		fund(t, db, "BNB", 10) // and no SOL: its days wait
		measureLowest(t, db, "SOL", day1+1)
		measureLowest(t, db, "BNB", day1+4) // until then by the average
		paid, unpaid := 0, 0
		for day := 2; day <= 8; day++ {
			clock.Set(day, "23:59")
			switch day {
			case 4:
				off(t, db, "alice")
			case 5:
				on(t, db, "alice")
			}
			for n := range 6 {
				after := time.Duration(random.Int64N(23*3600_000)*int64(min(n, 1))) * time.Millisecond
				move := ledger.Move{From: accounts[n%2], To: accounts[(n+1)%2], Asset: tokens[random.IntN(2)],
					Amount: ledger.Amount(1 + random.Int64N(40_000_000))}
				testkit.Must(db.Post(t.Context(), []ledger.Entry{{ID: fmt.Sprintf("t-%d-%d", day, n), Kind: ledger.Transfer,
					At: testkit.Moment(day, "00:00").Add(after), Moves: []ledger.Move{move}}}))(t)
			}
			clock.Set(day+1, "00:07")
			if day < 8 {
				settle(t, db, clock)
			}
			for _, id := range accounts {
				for _, token := range tokens {
					for d, was := range lookBack(t, db, id, token, day1+staking.Day(day)) {
						e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, d, token))(t)
						explains(t, e, was)
						if e.Paid {
							paid++
						} else {
							unpaid++
						}
					}
				}
			}
		}
		if paid < 20 || unpaid < 100 {
			t.Errorf("only %d paid days and %d others were explained", paid, unpaid)
		}
		days := rewardDays(t, db, "bob", "BNB")
		for _, d := range days {
			if !testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "bob", d, "BNB"))(t).Paid {
				t.Errorf("%s was not paid", d)
			}
		}
		if len(days) < 3 {
			t.Errorf("bob's days with rewards are %v", days)
		}
	})
}

// rewardDays walks over the days on which an account was paid a reward of a token.
func rewardDays(t *testing.T, db *store.DB, id ledger.Account, token string) (days []staking.Day) {
	t.Helper()
	for d := staking.Day(0); d != day1; {
		before, after, err := reports.New(db.Reader()).NearRewards(t.Context(), id, max(d, day1), token)
		ok(t, err)
		if len(days) > 1 && before != days[len(days)-2] {
			t.Errorf("before %s is %s, and not %s", d, before, days[len(days)-2])
		}
		if d = after; d == 0 {
			break
		}
		days = append(days, d)
	}
	return days
}

// explains compares an explanation with what the statement says of its day.
func explains(t *testing.T, e reports.Explanation, was lookedBack) {
	t.Helper()
	m, p := e.Measured, e.Paper()
	what := fmt.Sprintf("%s %s %s", m.Account, m.Asset, m.Day)
	measured := was.integral
	if e.Terms.Measure == staking.Lowest {
		measured = new(big.Int).Mul(big.NewInt(int64(was.smallest)), big.NewInt(staking.DayMillis))
	}
	average, rest := new(big.Int).QuoRem(measured, big.NewInt(staking.DayMillis), new(big.Int))
	if m.Opening != was.opening || int64(m.Average) != average.Int64() || m.Rest != rest.Int64() {
		t.Errorf("%s: it is explained as %+v; it opened with %d, and was on average %s and %s", what, m, was.opening,
			average, rest)
	}
	if p.Integral.Cmp(measured) != 0 {
		t.Errorf("%s: the lines come to %s, and not to %s", what, p.Integral, measured)
	}
	stays, product := int64(0), new(big.Int)
	for _, l := range p.Lines {
		stays += l.Stays
		product.Add(product, new(big.Int).Mul(big.NewInt(int64(l.Balance)), big.NewInt(l.Stays)))
	}
	if stays != staking.DayMillis || product.Cmp(was.integral) != 0 {
		t.Errorf("%s: the balances stay for %d ms and come to %s, and not to %s", what, stays, product, was.integral)
	}
	if e.Stored && (p.Units.Int64() != int64(m.Reward) || p.Carry.Int64() != int64(m.Carry)) {
		t.Errorf("%s: on paper the reward is %s and the carry %s; stored are %d and %d", what, p.Units, p.Carry, m.Reward,
			m.Carry)
	}
	same(t, what+": paid, without a why and without a reason", []bool{e.Why == "", e.Reason == ""}, []bool{e.Paid, e.Paid})
	if e.Behind != 0 && e.Why != reports.WhyWaits {
		t.Errorf("%s: behind %s, and why is %q", what, e.Behind, e.Why)
	}
}

// TestEveryWhy: each reason for which there is no reward, or none yet.
func TestEveryWhy(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 2, "BNB", time.Time{})
		deposit(t, db, "d2", "alice", 100, "ADA", time.Time{})
		deposit(t, db, "d3", "alice", 50, "SOL", time.Time{})
		on(t, db, "alice")
		fund(t, db, "BNB", 1)
		why := func(day int, token string, want reports.Why) reports.Explanation {
			t.Helper()
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), "alice", day1+staking.Day(day-1), token))(t)
			if e.Why != want {
				t.Errorf("Day %d of %s: %q is wanted, and not %q: %s", day, token, want, e.Why, e.Reason)
			}
			return e
		}
		why(1, "BNB", reports.WhyNotOn)
		clock.Set(2, "12:00")
		why(2, "BNB", reports.WhyNotOver)
		why(2, "ADA", reports.WhyBelowYet)
		ok(t, db.SetTerms(t.Context(), staking.Terms{Asset: "BNB", From: day1 + 3, Cap: 1}))
		clock.Set(3, "00:01")
		why(2, "BNB", reports.WhyNotSettled)
		clock.Set(3, "00:10")
		settle(t, db, clock)
		why(2, "BNB", "")
		why(2, "ADA", reports.WhyBelow)
		if e := why(2, "SOL", reports.WhyWaits); e.Behind != 0 {
			t.Errorf("Day 2 waits behind %s", e.Behind)
		}
		clock.Set(4, "00:10")
		settle(t, db, clock)
		if e := why(3, "SOL", reports.WhyWaits); e.Behind != day1+1 {
			t.Errorf("Day 3 waits behind %s, and not behind Day 2", e.Behind)
		}
		why(4, "BNB", reports.WhyNotOffered)
	})
}
