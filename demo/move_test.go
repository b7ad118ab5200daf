package demo_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

const week = 7 * 24 * time.Hour

// welcome makes a small town that is open to visitors.
func welcome(t *testing.T, url string) (*demo.Town, map[string]ledger.Account) {
	t.Helper()
	town := makeTown(t, url, small(1))
	came, err := town.Welcome(t.Context(), town.Morning())
	if err != nil {
		t.Fatal(err)
	}
	accounts := map[string]ledger.Account{}
	for _, v := range came {
		accounts[v.Name] = v.Account
	}
	return town, accounts
}

// move moves the clock on, and says how many days were settled on the way.
func move(t *testing.T, town *demo.Town, by time.Duration) (settled int) {
	t.Helper()
	to := town.Clock.Now().Add(by)
	if err := town.Move(t.Context(), to, func(done, _ int) { settled = done }); err != nil {
		t.Fatal(err)
	}
	if now := town.Clock.Now(); !now.Equal(to) {
		t.Errorf("the clock says %s, not %s", now, to)
	}
	return settled
}

// checkAudit lets the auditor look at the town.
func checkAudit(t *testing.T, town *demo.Town) {
	t.Helper()
	report, err := audit.Run(t.Context(), reports.AuditOf(town.Books.Reader()), audit.Options{Workers: 1})
	if err != nil || report.Total != 0 {
		t.Errorf("the audit: %v, %d findings, first %v", err, report.Total, report.Findings)
	}
}

// earned are an account's rewards since the town was opened, as "DAY ASSET AVERAGE REWARD".
func earned(t *testing.T, town *demo.Town, account ledger.Account) (rewards []string) {
	t.Helper()
	err := town.Reports.Rewards(t.Context(), account, town.Last+1, town.Last+100, func(r reports.Reward) error {
		asset, err := town.Books.Asset(t.Context(), r.Asset)
		if err == nil {
			rewards = append(rewards, r.Day.String()+" "+r.Asset+" "+asset.Format(r.Average)+" "+asset.Format(r.Reward))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rewards
}

// start accepts the documents and uses Start Earning.
func start(t *testing.T, town *demo.Town, account ledger.Account) error {
	t.Helper()
	for _, name := range staking.DocumentNames {
		if err := town.Books.Documents().Accept(t.Context(), account, name, 0, staking.Client{Platform: "web"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := town.Books.Enroll(t.Context(), account, staking.Client{Platform: "web"}, time.Time{})
	return err
}

// TestVisitorsLiveInTheTown: what they do counts, they do nothing by themselves, and
// the books stay right. That PostgreSQL keeps the same town is another test's; a week in it is a long one.
func TestVisitorsLiveInTheTown(t *testing.T) {
	urls := map[string]func(*testing.T) string{"sqlite": file}
	if scenario.Long() {
		urls["postgres"] = func(t *testing.T) string { return pgtest.Database(t) }
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			town, who := welcome(t, url(t))
			alice := who[demo.Alice]
			if err := start(t, town, who[demo.Carla]); !errors.Is(err, staking.ErrRegion) {
				t.Errorf("carla starts earning: %v", err)
			}
			if err := errors.Join(start(t, town, alice), start(t, town, who[demo.Dora])); err != nil {
				t.Fatal(err)
			}
			if n := move(t, town, time.Hour); n != 0 {
				t.Errorf("%d days were settled in an hour", n)
			}
			for range 2 {
				if n := move(t, town, 24*time.Hour); n != 1 {
					t.Errorf("%d days were settled in a day", n)
				}
			}
			post(t, town, ledger.Entry{ID: "add", Kind: ledger.Deposit,
				Moves: []ledger.Move{{From: ledger.Custody, To: alice, Asset: "BNB", Amount: 240_000_000}}})
			if n := move(t, town, week); n != 7 {
				t.Errorf("%d days were settled in a week", n)
			}
			rewards := earned(t, town, alice)
			if len(rewards) != 3*8+1+7 { // of ADA, BNB and SOL; of NEAR; of the campaign
				t.Fatalf("alice earned %d rewards: %s", len(rewards), rewards)
			}
			for i, want := range []string{"2025-11-02 ADA 1250.75 0.01713356", "2025-11-02 BNB 3.5 0.00001438",
				"2025-11-02 SOL 14.2 0.00031123"} {
				if rewards[i] != want {
					t.Errorf("alice earned %s, not %s", rewards[i], want)
				}
			}
			// Deposited at 10:30 of the second day: 13.5 of its 24 hours.
			if want := "2025-11-03 BNB 4.85001438 0.00001993"; rewards[5] != want {
				t.Errorf("alice earned %s, not %s", rewards[5], want)
			}
			// The income of the week came on 7 November; until then its days wait for it.
			if want := "2025-11-07 NEAR 240 0.08451412"; !slices.Contains(rewards, want) {
				t.Errorf("alice earned %s, and not %s", rewards, want)
			}
			// Of the campaign, from the day after the first on which her BNB earned; her own AXS are too few.
			if want := "2025-11-03 AXS 0 0.73564624"; rewards[4] != want {
				t.Errorf("alice earned %s, not %s", rewards[4], want)
			}
			if carla, dora := earned(t, town, who[demo.Carla]), earned(t, town, who[demo.Dora]); len(carla)+len(dora) > 0 {
				t.Errorf("carla earned %s, dora %s", carla, dora)
			}
			if bruno := earned(t, town, who[demo.Bruno]); len(bruno) < 9 {
				t.Errorf("bruno earned %s", bruno)
			}
			checkAudit(t, town)
		})
	}
}

func post(t *testing.T, town *demo.Town, e ledger.Entry) {
	t.Helper()
	if _, err := town.Books.PostAll(t.Context(), []ledger.Entry{e}); err != nil {
		t.Fatal(err)
	}
}

// TestHowTheClockIsMovedDoesNotMatter: a week at once, in steps, and stopped on the
// way make the same journal.
func TestHowTheClockIsMovedDoesNotMatter(t *testing.T) {
	whole, _ := welcome(t, file(t))
	move(t, whole, week)
	want, _ := journal(t, whole.Books)

	steps, _ := welcome(t, file(t))
	for range 7 * 3 {
		move(t, steps, 8*time.Hour)
	}
	if got, _ := journal(t, steps.Books); got != want {
		t.Error("a week in steps is another week")
	}

	stopped, _ := welcome(t, file(t))
	end := stopped.Clock.Now().Add(week)
	ctx, stop := context.WithCancel(t.Context())
	if err := stopped.Move(ctx, end, func(done, of int) {
		if of != 7 {
			t.Errorf("%d days are to be settled", of)
		}
		if done == 3 {
			stop()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped on the way: %v", err)
	}
	if now := stopped.Clock.Now(); !now.Before(end) {
		t.Errorf("the clock was moved to %s all the same", now)
	}
	if settled := move(t, stopped, end.Sub(stopped.Clock.Now())); settled != 4 {
		t.Errorf("%d days were settled afterwards", settled)
	}
	if got, _ := journal(t, stopped.Books); got != want {
		t.Error("a week with a stop on the way is another week")
	}
	checkAudit(t, stopped)
}

// takeAll takes all that an account has free out of the town.
func takeAll(t *testing.T, town *demo.Town, account ledger.Account) {
	t.Helper()
	balances, err := town.Reports.Balances(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		if b.Free > 0 {
			post(t, town, ledger.Entry{ID: "gone-" + b.Asset, Kind: ledger.Withdrawal,
				Moves: []ledger.Move{{From: account, To: ledger.Custody, Asset: b.Asset, Amount: b.Free}}})
		}
	}
}

// TestTheOperatorWorks: withdrawals are sent, and pools do not stay empty. Nobody
// counts on what a visitor has taken away.
func TestTheOperatorWorks(t *testing.T) {
	town, who := welcome(t, file(t))
	out, err := town.Books.Withdraw(t.Context(), store.Withdrawal{ID: "away", Account: who[demo.Alice], Asset: "SOL",
		Amount: 100_000_000, Address: "far"})
	if err = errors.Join(err, out.Err); err != nil {
		t.Fatal(err)
	}
	state := func() store.WithdrawalState {
		w, err := town.Reports.Withdrawal(t.Context(), who[demo.Alice], "away")
		if err != nil {
			t.Fatal(err)
		}
		return w.State
	}
	move(t, town, time.Hour)
	if s := state(); s != store.Pending {
		t.Errorf("it is %s before the operator has looked", s)
	}
	move(t, town, time.Hour)
	if s := state(); s != store.Completed {
		t.Errorf("it is %s after two hours", s)
	}
	takeAll(t, town, who[demo.Bruno])
	tokens, err := town.Reports.TokenStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range tokens {
		if s.Pool <= s.Reserved {
			continue
		}
		if out, err := town.Books.Fund(t.Context(), "empty/"+s.Asset, s.Asset, s.Pool-s.Reserved, true); errors.Join(err,
			out.Err) != nil {
			t.Fatal(errors.Join(err, out.Err))
		}
	}
	move(t, town, week)
	if tokens, err = town.Reports.TokenStatus(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range tokens {
		if s.Asset == demo.Inflated { // it waits for approval since the last day
			continue
		}
		if s.PaidThrough != town.Last+7 || s.Waiting != nil {
			t.Errorf("%s is paid through %s: %v", s.Asset, s.PaidThrough, s.Waiting)
		}
	}
	checkAudit(t, town)
}

// TestTheClockGoesOnlyForward, as another does, whatever that one does.
func TestTheClockGoesOnlyForward(t *testing.T) {
	start := time.Date(2025, time.November, 1, 9, 30, 0, 0, time.UTC)
	var clock demo.Clock
	clock.Set(start)
	clock.Set(start.Add(-time.Hour))
	is := func(want time.Duration) {
		t.Helper()
		if got := clock.Now().Sub(start); got != want {
			t.Errorf("%s have passed, not %s", got, want)
		}
	}
	is(0)
	real := time.Date(2031, time.May, 5, 5, 5, 5, 999_999, time.UTC)
	clock.Go(func() time.Time { return real })
	real = real.Add(1500 * time.Microsecond)
	is(time.Millisecond)
	real = real.Add(500 * time.Microsecond)
	is(2 * time.Millisecond)
	real = real.Add(-time.Hour)
	is(2 * time.Millisecond)
	clock.Set(start.Add(time.Hour))
	is(time.Hour)
	real = real.Add(time.Hour + time.Second)
	is(time.Hour + time.Second)
}

// TestNothingIsPostedWhileTheClockMoves: what is done with a stopped clock is dated before
// the clock jumps.
func TestNothingIsPostedWhileTheClockMoves(t *testing.T) {
	town, who := welcome(t, file(t))
	before := town.Clock.Now()
	done := make(chan error, 1)
	town.Still(func() {
		go func() { done <- town.Move(t.Context(), before.Add(24*time.Hour), nil) }()
		post(t, town, ledger.Entry{ID: "in-time", Kind: ledger.Deposit, At: before,
			Moves: []ledger.Move{{From: ledger.Custody, To: who[demo.Alice], Asset: "BNB", Amount: 1}}})
		if now := town.Clock.Now(); !now.Equal(before) {
			t.Errorf("the clock has moved to %s", now)
		}
	})
	if err := <-done; err != nil {
		t.Error(err)
	}
}
