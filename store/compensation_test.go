package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// late is a deposit of 1500 BNB at a moment of a day.
func late(id string, to ledger.Account, day int, hour string) ledger.Entry {
	e := oneMove(id, ledger.Deposit, ledger.Custody, to, 1500_0)
	e.At = testkit.Moment(day, hour)
	return e
}

// lateBooks runs a test when Day 2 is paid: alice, twin and off had 600 BNB, twin got a
// late deposit in time, and the switch of off is off.
func lateBooks(t *testing.T, test func(t *testing.T, db *store.DB, clock *testkit.Clock,
	reward func(ledger.Account) ledger.Amount)) {
	t.Helper()
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		testkit.Must(db.Fund(t.Context(), "f", bnb, coins(10_0000), false))(t)
		for _, id := range []ledger.Account{"alice", "twin", "small", "off"} {
			open(t, db, id)
			if id != "off" {
				on(t, db, id)
			}
		}
		for _, id := range []ledger.Account{"alice", "twin", "off"} {
			deposit(t, db, "d-"+string(id), id, 600, bnb, noon)
		}
		clock.Set(2, "23:00")
		ok(t, refusal(post(t, db, late("twin", "twin", 2, "06:00")), nil)) // beyond the cap of 1000
		clock.Set(3, "00:10")
		settle(t, db, clock)
		test(t, db, clock, func(id ledger.Account) ledger.Amount {
			return testkit.Must(reports.New(db.Reader()).Explain(t.Context(), id, day1+1, bnb))(t).Measured.Reward
		})
	})
}

// What the day would have earned with a late deposit is what the same deposit earns
// another who made it in time, beyond the cap too.
func TestWhatALateDepositWouldHaveEarned(t *testing.T) {
	lateBooks(t, func(t *testing.T, db *store.DB, _ *testkit.Clock, reward func(ledger.Account) ledger.Amount) {
		ctx, day := t.Context(), day1+1
		p := testkit.Must(reports.New(db.Reader()).Propose(ctx, "alice", day, bnb,
			[]ledger.Entry{late("late", "alice", 2, "06:00")}))(t)
		if !p.Earned || p.Difference <= 0 {
			t.Errorf("proposed is %+v", p)
		}
		more := reward("twin") - reward("alice")
		same(t, "the reward, the difference, and what is missing",
			[]ledger.Amount{p.With.Reward, p.Difference, p.Missing()}, []ledger.Amount{reward("twin"), more, more})
		if p := testkit.Must(reports.New(db.Reader()).Propose(ctx, "small", day, bnb,
			[]ledger.Entry{late("late", "small", 1, "13:00")}))(t); !p.Earned || p.Was.Earned || p.Difference != p.With.Reward {
			t.Errorf("of one who earned nothing: %+v", p)
		}
		if p := testkit.Must(reports.New(db.Reader()).Propose(ctx, "off", day, bnb,
			[]ledger.Entry{late("late", "off", 1, "13:00")}))(t); p.Earned || p.Difference != 0 {
			t.Errorf("of one whose switch is off: %+v", p)
		}
		wrong := late("late", "alice", 2, "06:00")
		wrong.At = time.Time{}
		for what, e := range map[string]ledger.Entry{
			"no time": wrong, "another's": late("late", "twin", 2, "06:00"),
			"of the next day": late("late", "alice", 3, "00:00"), "posted": late("d-alice", "alice", 2, "06:00"),
			"what is no entry": {ID: "late", Kind: "gift", At: noon, Moves: wrong.Moves},
		} {
			if _, err := reports.New(db.Reader()).Propose(ctx, "alice", day, bnb, []ledger.Entry{e}); !errors.Is(err,
				ledger.ErrInvalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// A compensation makes it good, once, and is no reward.
func TestACompensation(t *testing.T) {
	lateBooks(t, func(t *testing.T, db *store.DB, clock *testkit.Clock, reward func(ledger.Account) ledger.Amount) {
		ctx, day := t.Context(), day1+1
		missing := reward("twin") - reward("alice")
		c := store.Compensation{Account: "alice", Asset: bnb, Day: day, Name: "late", Amount: missing}
		first := testkit.Must(db.Compensate(ctx, c, "the deposit came late"))(t)
		again := testkit.Must(db.Compensate(ctx, c, "another reason"))(t)
		if first.Repeated || !again.Repeated {
			t.Errorf("%+v, then %+v", first, again)
		}
		for what, change := range map[string]func(*store.Compensation){
			"conflict: the same ID": func(c *store.Compensation) { c.Amount++ },
			"not paid":              func(c *store.Compensation) { c.Day++ },
			"not found":             func(c *store.Compensation) { c.Account = "nobody" },
			"insufficient":          func(c *store.Compensation) { c.Name, c.Amount = "x", coins(20_0000) },
			"a name of 1 to 64":     func(c *store.Compensation) { c.Name = "a/b" },
			"name of 1 to 64":       func(c *store.Compensation) { c.Name = strings.Repeat("x", 65) },
			"is not above zero":     func(c *store.Compensation) { c.Name, c.Amount = "y", 0 },
			"is not paid":           func(c *store.Compensation) { c.Day = day1 - 1 },
		} {
			other := c
			change(&other)
			_, err := db.Compensate(ctx, other, "why")
			if want, _, _ := strings.Cut(what, ":"); err == nil || want != "conflict" && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := db.Compensate(ctx, c, " ")
		wants(t, err, ledger.ErrInvalid)
		long := store.Compensation{Account: ledger.Account(strings.Repeat("l", ledger.MaxID)), Asset: bnb, Day: day,
			Name: strings.Repeat("n", 64), Amount: 1}
		open(t, db, long.Account)
		testkit.Must(db.Compensate(ctx, long, "why"))(t)

		e := testkit.Must(reports.New(db.Reader()).Explain(ctx, "alice", day, bnb))(t)
		if len(e.Compensations) != 1 || e.Compensations[0].Entry != fmt.Sprintf("compensation/%s/BNB/alice/late", day) ||
			e.Compensations[0].Amount != missing {
			t.Errorf("the explanation has %+v", e.Compensations)
		}
		if p := testkit.Must(reports.New(db.Reader()).Propose(ctx, "alice", day, bnb,
			[]ledger.Entry{late("late", "alice", 2, "06:00")}))(t); p.Missing() != 0 || p.Compensated != missing {
			t.Errorf("after it %d is missing", p.Missing())
		}
		if got := earned(t, db, "alice", bnb); got != reward("alice") {
			t.Errorf("earned is %d: a compensation is no reward", got)
		}
		own := ledger.Entry{ID: e.Compensations[0].Entry + "2", Kind: ledger.Compensation,
			Moves: []ledger.Move{{From: ledger.Rewards, To: "alice", Asset: bnb, Amount: 1}}}
		wants(t, post(t, db, own)[0].Err, ledger.ErrInvalid)
		clock.Set(5, "00:10")
		settle(t, db, clock)
		audited(t, db)
	})
}

func TestCorrectionsInABatch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		fix := func(id string, tenths int64, reason string) store.ReasonedEntry {
			e := oneMove(id, ledger.Adjustment, ledger.Custody, "alice", tenths)
			if tenths < 0 {
				e = oneMove(id, ledger.Adjustment, "alice", ledger.Custody, -tenths)
			}
			return store.ReasonedEntry{Entry: e, Reason: reason}
		}
		bad := []store.ReasonedEntry{fix("a-1", 5, "one"), fix("a-2", -99, "two"), fix("a-3", 5, " "),
			{Entry: oneMove("a-4", ledger.Deposit, ledger.Custody, "alice", 1), Reason: "x"}, fix("a-5", 1, "five")}
		_, err := db.AdjustAll(ctx, bad[:2], true)
		wants(t, err, ledger.ErrInsufficient)
		_, err = db.AdjustAll(ctx, bad[2:3], true)
		wants(t, err, ledger.ErrInvalid)
		has(t, db, "alice", 0, 0)
		outcomes := testkit.Must(db.AdjustAll(ctx, bad, false))(t)
		for i, want := range []error{nil, ledger.ErrInsufficient, ledger.ErrInvalid, ledger.ErrInvalid, nil} {
			if want == nil && outcomes[i].Err == nil {
				continue
			}
			wants(t, outcomes[i].Err, want)
		}
		for _, o := range testkit.Must(db.AdjustAll(ctx, []store.ReasonedEntry{bad[0], bad[4]}, true))(t) {
			if !o.Repeated || o.Err != nil {
				t.Errorf("posted again it is %+v", o)
			}
		}
		has(t, db, "alice", 6, 0)
		var lines []string
		for _, l := range logged(t, db, "adjust") {
			lines = append(lines, l.Subject+" "+l.Detail)
		}
		same(t, "the log", lines, []string{"a-1 adjustment 0.5 BNB from @custody to alice: one",
			"a-5 adjustment 0.1 BNB from @custody to alice: five"})
	})
}
