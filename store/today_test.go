package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// todayOf is what an account's day has come to in a token.
func todayOf(t *testing.T, db *store.DB, id ledger.Account, asset string) (reports.Holder, reports.OfferedToken) {
	t.Helper()
	day := holder(t, db, id, reports.Accruals)
	for _, token := range day.Tokens {
		if token.Asset.Symbol == asset {
			return day, token
		}
	}
	t.Fatalf("%s is not among today's tokens", asset)
	return day, reports.OfferedToken{}
}

// centi are so many hundredths of a token of 8 decimals.
func centi(n int64) ledger.Amount { return ledger.Amount(n * 1_000_000) }

func TestToday(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "alice")
		deposit(t, db, "d1", "alice", 2, "BNB", time.Time{})
		day, token := todayOf(t, db, "alice", "BNB")
		if day.On() || day.Covers(day.Today) || token.Free != centi(200) {
			t.Errorf("before the switch: %+v, free %d", day, token.Free)
		}
		on(t, db, "alice")
		if day, _ := todayOf(t, db, "alice", "BNB"); !day.On() || day.Covers(day.Today) || day.Running.From != day1+1 {
			t.Errorf("on Day 1: on %t, enrolled %t, measured from %s", day.On(), day.Covers(day.Today), day.Running.From)
		}

		clock.Set(2, "12:00")
		deposit(t, db, "d2", "alice", 1, "BNB", time.Time{})
		clock.Set(2, "18:00")
		day, token = todayOf(t, db, "alice", "BNB")
		if !day.Covers(day.Today) || day.Today != day1+1 || len(day.Tokens) != 10 {
			t.Errorf("on Day 2: enrolled %t, %s, %d tokens", day.Covers(day.Today), day.Today, len(day.Tokens))
		}
		// 2 for 18 h and 1 for 6 of them: (36+6)/18; until midnight 2 for 24 h and 1 for 12.
		if token.SoFar != ledger.Amount(2_33333333) || token.Measured.Average != centi(250) ||
			token.Measured.Opening != centi(200) || token.Free != centi(300) {
			t.Errorf("average so far %d, of the day %d, opening %d, free %d", token.SoFar, token.Measured.Average,
				token.Measured.Opening, token.Free)
		}
		// 2.5 × 0.0015 / 365 = 0.00001027397…
		if !token.Reached || token.Measured.Reward != 1027 {
			t.Errorf("reached %t, would pay %d", token.Reached, token.Measured.Reward)
		}
		if _, none := todayOf(t, db, "alice", "SOL"); none.Reached || none.Measured.Reward != 0 || none.SoFar != 0 {
			t.Errorf("without SOL: %+v", none)
		}

		// While Day 2 is not paid, Day 3 is shown without it; then with it, from its first moment.
		clock.Set(3, "00:01")
		if _, token := todayOf(t, db, "alice", "BNB"); token.Awaited != day1+1 || token.Measured.Before != 0 ||
			token.Measured.Opening != centi(300) {
			t.Errorf("before Day 2 is paid: awaited %s, carry %d, opening %d", token.Awaited, token.Measured.Before,
				token.Measured.Opening)
		}
		fund(t, db, "BNB", 1)
		clock.Set(3, "00:06")
		settle(t, db, clock)
		if _, token := todayOf(t, db, "alice", "BNB"); token.Awaited != 0 || token.Measured.Before == 0 ||
			token.Measured.Opening != centi(300)+1027 || token.SoFar != centi(300)+1027 {
			t.Errorf("after Day 2 is paid: awaited %s, carry %d, opening %d, so far %d", token.Awaited, token.Measured.Before,
				token.Measured.Opening, token.SoFar)
		}

		clock.Set(4, "00:01")
		if _, token := todayOf(t, db, "alice", "BNB"); token.Awaited != day1+2 {
			t.Errorf("before Day 3 is paid: awaited %s", token.Awaited)
		}

		off(t, db, "alice")
		if day, _ := todayOf(t, db, "alice", "BNB"); day.On() || day.Covers(day.Today) {
			t.Errorf("switched off: on %t, enrolled %t", day.On(), day.Covers(day.Today))
		}
		_, err := reports.New(db.Reader()).Holder(t.Context(), "nobody", staking.Client{}, reports.Accruals)
		wants(t, err, ledger.ErrNotFound)
	})
}

// fund puts so many whole tokens of 8 decimals into the pool.
func fund(t *testing.T, db *store.DB, asset string, tokens int64) {
	t.Helper()
	testkit.Must(db.Fund(t.Context(), fmt.Sprintf("%s-%d", asset, tokens), asset, ledger.Amount(tokens*1_00000000),
		false))(t)
}

// TestTodayAtItsEdges: the first moment of a day, what reaches no minimum and what
// lies above the cap.
func TestTodayAtItsEdges(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		open(t, db, "rich")
		open(t, db, "poor")
		deposit(t, db, "r", "rich", 1500, "BNB", time.Time{})
		testkit.Must(db.Post(t.Context(), []ledger.Entry{{ID: "p", Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "poor", Asset: "BNB", Amount: centi(50) - 1}}}}))(t)
		on(t, db, "rich")
		on(t, db, "poor")
		clock.Set(2, "00:00")
		if _, token := todayOf(t, db, "rich", "BNB"); token.SoFar != centi(150_000) ||
			token.Measured.Eligible != centi(100_000) || token.Measured.Average != centi(150_000) {
			t.Errorf("above the cap, at midnight: so far %d, eligible %d", token.SoFar, token.Measured.Eligible)
		}
		if _, token := todayOf(t, db, "poor", "BNB"); token.Reached || token.Measured.Average != centi(50)-1 ||
			token.Measured.Reward != 0 {
			t.Errorf("one unit below the minimum: %+v", token)
		}
		// What comes in the first millisecond counts for the whole day.
		deposit(t, db, "first", "poor", 1, "BNB", time.Time{})
		if _, token := todayOf(t, db, "poor", "BNB"); token.SoFar != centi(150)-1 || token.Measured.Average != centi(150)-1 {
			t.Errorf("with a deposit at 00:00:00.000: so far %d, of the day %d", token.SoFar, token.Measured.Average)
		}
		// Another clock may be a second ahead: what it has posted is still to come.
		clock.Set(2, "06:00")
		deposit(t, db, "ahead", "poor", 1, "BNB", clock.Now().Add(time.Second))
		if _, token := todayOf(t, db, "poor", "BNB"); token.SoFar != centi(150)-1 || token.Free != centi(250)-1 {
			t.Errorf("with a deposit in a second: so far %d, free %d", token.SoFar, token.Free)
		}
	})
}

// TestTodayAgreesWithExplain: a day of random changes, looked at again and again,
// is shown alike by both, and its last moment as it is then paid.
func TestTodayAgreesWithExplain(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		random := rand.New(rand.NewPCG(7, 11))
		accounts, tokens := []ledger.Account{"alice", "bob"}, []string{"BNB", "SOL", "SUI"}
		for _, id := range accounts {
			open(t, db, id)
			for _, token := range tokens {
				deposit(t, db, fmt.Sprintf("%s-%s", id, token), id, 100, token, time.Time{})
			}
			on(t, db, id)
		}
		for _, token := range tokens {
			fund(t, db, token, 10)
		}
		measureLowest(t, db, "SUI", day1+1)
		n := 0
		for day := 2; day <= 3; day++ {
			clock.Set(day, "00:07")
			settle(t, db, clock)
			for range 12 {
				clock.Advance(time.Duration(random.Int64N(int64(100 * time.Minute))))
				n++
				move := ledger.Move{From: accounts[n%2], To: accounts[(n+1)%2], Asset: tokens[n%3],
					Amount: ledger.Amount(1 + random.Int64N(20_00000000))}
				ok(t, refusal(db.Post(t.Context(), []ledger.Entry{{ID: fmt.Sprint("t", n), Kind: ledger.Transfer,
					Moves: []ledger.Move{move}}})))
				agree(t, db, accounts, tokens)
			}
			clock.Set(day, "23:59:59")
			clock.Advance(999 * time.Millisecond)
			var promised []staking.Accrual
			for _, id := range accounts {
				for _, token := range tokens {
					_, today := todayOf(t, db, id, token)
					promised = append(promised, today.Measured)
					if over := today.Measured.Average - today.SoFar; over < -1_00000 || over > 1_00000 {
						t.Errorf("%s %s: in the last millisecond the average is %d so far and %d of the day", id, token, today.SoFar,
							today.Measured.Average)
					}
				}
			}
			clock.Set(day+1, "00:07")
			settle(t, db, clock)
			for _, p := range promised {
				if paid := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), p.Account, p.Day,
					p.Asset))(t); paid.Paid != (p.Reward > 0) || paid.Measured != p {
					t.Errorf("promised %+v, paid %t %+v", p, paid.Paid, paid.Measured)
				}
			}
		}
	})
}

// agree compares a day with its explanation.
func agree(t *testing.T, db *store.DB, accounts []ledger.Account, tokens []string) {
	t.Helper()
	for _, id := range accounts {
		for _, token := range tokens {
			day, today := todayOf(t, db, id, token)
			e := testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day.Today, token))(t)
			if today.Measured != e.Measured || day.Covers(day.Today) != e.Enrolled || today.Reached != e.Earned {
				t.Errorf("%s %s: today %+v, explained %+v", id, token, today.Measured, e.Measured)
			}
		}
	}
}
