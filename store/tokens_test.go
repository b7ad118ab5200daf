package store_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// bnbTerms are the shipped terms of BNB with another rate, from a day of the books.
func bnbTerms(t *testing.T, day int, apr string) staking.Terms {
	t.Helper()
	asset := ledger.Asset{Symbol: "BNB", Scale: 8, MaxSupply: 200_000_000_00000000}
	return testkit.Must(staking.ParseTerms(asset, day1+staking.Day(day-1), apr, "0.5", "1000"))(t)
}

// rates are the rate of BNB on so many first days.
func rates(t *testing.T, db *store.DB, days int) string {
	t.Helper()
	var line []string
	for d := range staking.Day(days) {
		for _, terms := range testkit.Must(reports.New(db.Reader()).TermsOn(t.Context(), day1+d))(t) {
			if terms.Asset == "BNB" {
				line = append(line, terms.APR.String())
			}
		}
	}
	return strings.Join(line, " ")
}

func TestTermsAreSetFromTomorrowOn(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		wants(t, db.SetTerms(ctx, bnbTerms(t, 1, "0.02")), ledger.ErrInvalid)
		ok(t, db.SetTerms(ctx, bnbTerms(t, 4, "0.04")))
		ok(t, db.SetTerms(ctx, bnbTerms(t, 2, "0.02")))
		ok(t, db.SetTerms(ctx, bnbTerms(t, 2, "0.02"))) // they hold already
		ok(t, db.SetTerms(ctx, bnbTerms(t, 3, "0.02")))
		if got := rates(t, db, 5); got != "0.0015 0.02 0.02 0.04 0.04" {
			t.Errorf("the rates are %s", got)
		}
		ok(t, db.SetTerms(ctx, bnbTerms(t, 2, "0.03"))) // terms of the future may be replaced
		ok(t, db.SetTerms(ctx, bnbTerms(t, 3, "0.0015")))
		if got := rates(t, db, 5); got != "0.0015 0.03 0.0015 0.04 0.04" {
			t.Errorf("the rates are %s", got)
		}
		history := testkit.Must(reports.New(db.Reader()).TermsHistory(ctx, "BNB"))(t)
		if len(history) != 5 {
			t.Fatalf("the former are kept: %+v", history)
		}
		want := history[2]
		want.Revision, want.SetBy, want.SetAt = 2, "test", noon
		same(t, "the third terms", history[2], want)
		if all := testkit.Must(reports.New(db.Reader()).TermsHistory(ctx, ""))(t); len(all) != 14 {
			t.Errorf("in all there are %d", len(all))
		}
		_, err := reports.New(db.Reader()).TermsHistory(ctx, "DOGE")
		wants(t, err, ledger.ErrNotFound)
		bad := bnbTerms(t, 9, "0.1")
		bad.Cap = 1
		wants(t, db.SetTerms(ctx, bad), ledger.ErrInvalid)
		bad.Asset = "DOGE"
		wants(t, db.SetTerms(ctx, bad), ledger.ErrNotFound)
		clock.Set(2, "00:00")
		wants(t, db.SetTerms(ctx, bnbTerms(t, 2, "0.5")), ledger.ErrInvalid)
		if lines := testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 99))(t); len(lines) != 5 {
			t.Errorf("the log says %v", lines)
		}
	})
}

func TestAnAssetIsAddedOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		asset := ledger.Asset{Symbol: "SHIB", Scale: 2, MaxSupply: 1_000_000_000_000_000_00}
		token := staking.Token{Asset: asset, Terms: testkit.Must(staking.ParseTerms(asset, 0, "0.01", "1000000",
			"10000000000"))(t)}
		clock.Set(3, "12:00")
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := db.AddAsset(ctx, token); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		history := testkit.Must(reports.New(db.Reader()).TermsHistory(ctx, "SHIB"))(t)
		if len(history) != 1 || history[0].From != day1+3 {
			t.Errorf("its terms hold from tomorrow on: %+v", history)
		}
		audited(t, db) // also while today, before its first, is open
		more := token.Terms
		more.From, more.APR = day1+3, 5
		ok(t, db.SetTerms(ctx, more))
		ok(t, db.AddAsset(ctx, token)) // it is there, added with the same figures
		other := token
		other.Asset.Scale = 3
		wants(t, db.AddAsset(ctx, other), ledger.ErrConflict)
		other = token
		other.Terms.APR = 7
		wants(t, db.AddAsset(ctx, other), ledger.ErrConflict)
		other.Asset.MaxSupply = 1 << 62
		other.Asset.Symbol = "shib"
		wants(t, db.AddAsset(ctx, other), ledger.ErrInvalid)
		clock.Set(4, "12:00")
		for _, due := range testkit.Must(db.Due(ctx, day1+9))(t) {
			if due.Asset == "SHIB" && due.Day != day1+3 {
				t.Errorf("its first day is %s", due.Day)
			}
		}
		open(t, db, "alice")
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{
			ID: "d", Kind: ledger.Deposit, Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "SHIB", Amount: 5}},
		}})))
	})
}

// A day that is over and not declared may be corrected: its accruals are made
// again, and the days after it are as they were.
func TestTermsOfADayThatIsOverAreCorrected(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 365, "BNB", time.Time{})
		on(t, db, "alice")
		clock.Set(3, "12:00")
		if waits := settle(t, db, clock).Waiting; len(waits) != 1 || waits[0].Day != day1+1 {
			t.Fatalf("Day 2 waits for funds: %v", waits)
		}
		wants(t, db.CorrectTerms(ctx, day1+2, bnbTerms(t, 1, "0.01"), "wrong"), ledger.ErrInvalid) // not over
		wants(t, db.CorrectTerms(ctx, day1+1, bnbTerms(t, 1, "0.01"), " "), ledger.ErrInvalid)     // no reason
		wants(t, db.CorrectTerms(ctx, day1, bnbTerms(t, 1, "0.01"), "wrong"), ledger.ErrInvalid)   // declared
		wants(t, db.CorrectTerms(ctx, day1-1, bnbTerms(t, 1, "0.01"), "wrong"), ledger.ErrInvalid) // before the books
		ok(t, db.CorrectTerms(ctx, day1+1, bnbTerms(t, 1, "0.01"), "a typing error"))
		ok(t, db.CorrectTerms(ctx, day1+1, bnbTerms(t, 1, "0.02"), "another"))
		ok(t, db.CorrectTerms(ctx, day1+1, bnbTerms(t, 1, "0.02"), "another"))
		if got := rates(t, db, 4); got != "0.0015 0.02 0.0015 0.0015" {
			t.Errorf("the rates are %s", got)
		}
		testkit.Must(db.Fund(ctx, "f", "BNB", 1_00000000, false))(t)
		settle(t, db, clock)
		if got := earned(t, db, "alice", "BNB"); got != 2_000_000 { // 365 BNB × 0.02 / 365
			t.Errorf("Day 2 has paid %d", got)
		}
		wants(t, db.CorrectTerms(ctx, day1+1, bnbTerms(t, 1, "0.03"), "too late"), ledger.ErrInvalid)
		history := testkit.Must(reports.New(db.Reader()).TermsHistory(ctx, "BNB"))(t)
		if len(history) != 4 || history[3].From != day1+2 {
			t.Fatalf("the history is %+v", history)
		}
		same(t, "the reasons", []string{history[1].Reason, history[2].Reason}, []string{"a typing error", "another"})
		lines := testkit.Must(reports.New(db.Reader()).Log(ctx, testkit.Moment(3, "00:00"), 99))(t)
		if !strings.Contains(lines[len(lines)-1].Detail, "another") {
			t.Errorf("the log says %v", lines)
		}
	})
}

func TestALimitWaitsForAnApproval(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		deposit(t, db, "d", "alice", 365, "BNB", time.Time{})
		on(t, db, "alice")
		testkit.Must(db.Fund(ctx, "f", "BNB", 1_00000000, false))(t)
		limit := staking.Limit{Asset: "BNB", MaxTotal: 1000, MaxChange: 5000}
		ok(t, db.SetLimit(ctx, limit))
		ok(t, db.SetLimit(ctx, limit))
		if limits := testkit.Must(reports.New(db.Reader()).Limits(ctx))(t); len(limits) != 1 || limits[0] != limit {
			t.Errorf("the limits are %v", limits)
		}
		wants(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB", MaxTotal: -1}), ledger.ErrInvalid)
		wants(t, db.SetLimit(ctx, staking.Limit{Asset: "DOGE"}), ledger.ErrNotFound)
		clock.Set(2, "12:00")
		wants(t, db.Approve(ctx, day1+1, "BNB"), ledger.ErrInvalid) // nobody can have looked at it
		clock.Set(3, "12:00")
		wantsReason(t, db.Approve(ctx, day1+1, "BNB"), ledger.ErrInvalid, store.ReasonNotAccrued)
		waits := settle(t, db, clock).Waiting
		if len(waits) != 1 {
			t.Fatalf("waiting is %v", waits)
		}
		wants(t, waits[0].Reason, staking.ErrLimit)
		ok(t, db.Approve(ctx, day1+1, "BNB"))
		ok(t, db.CorrectTerms(ctx, day1+1, bnbTerms(t, 1, "0.02"), "wrong")) // other figures than those approved
		wantsReason(t, db.Approve(ctx, day1+1, "BNB"), ledger.ErrInvalid, store.ReasonNotAccrued)
		if waits := settle(t, db, clock).Waiting; len(waits) != 1 {
			t.Errorf("waiting is %v", waits)
		}
		ok(t, db.Approve(ctx, day1+1, "BNB"))
		ok(t, db.Approve(ctx, day1+1, "BNB"))
		settle(t, db, clock)
		if got := earned(t, db, "alice", "BNB"); got != 2_000_000 {
			t.Errorf("Day 2 has paid %d", got)
		}
		wants(t, db.Approve(ctx, day1+1, "BNB"), ledger.ErrInvalid) // declared
		wants(t, db.Approve(ctx, day1+1, "DOGE"), ledger.ErrNotFound)
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: "BNB"}))
		if limits := testkit.Must(reports.New(db.Reader()).Limits(ctx))(t); len(limits) != 0 {
			t.Errorf("the limits are %v", limits)
		}
	})
}

// A correction comes before the day's total is declared, or not at all, however
// the two fall together.
func TestACorrectionNeverMeetsADeclaration(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		ada := testkit.Must(db.Asset(ctx, "ADA"))(t) // the first to be declared
		deposit(t, db, "d", "alice", 365, "ADA", time.Time{})
		on(t, db, "alice")
		testkit.Must(db.Fund(ctx, "f", "ADA", 100_00000000, false))(t)
		clock.Set(2, "12:00")
		settle(t, db, clock)
		for day := range staking.Day(3) {
			clock.Set(int(day)+3, "12:00")
			want := "0.005"
			var corrected atomic.Bool
			var correction sync.WaitGroup
			wrong := testkit.Must(staking.ParseTerms(ada, 0, "0.02", "150", "800000"))(t)
			accrued := func(s staking.Step) {
				if s.Stage != "accrue" || s.Done < s.Of {
					return
				}
				correction.Go(func() { // while the run declares
					err := db.CorrectTerms(ctx, day1+1+day, wrong, "wrong")
					if err == nil {
						corrected.Store(true)
					} else if !errors.Is(err, ledger.ErrInvalid) {
						t.Error(err)
					}
				})
			}
			_, err := staking.Run(ctx, db, clock.Now(), staking.Options{Progress: accrued})
			correction.Wait()
			if corrected.Load() {
				want = "0.02"
			}
			if err != nil { // what was accrued is gone; the next run makes it again
				t.Log(err)
			}
			settle(t, db, clock)
			paid := 0
			ok(t, reports.New(db.Reader()).Rewards(ctx, "alice", day1+1+day, day1+1+day, func(r reports.Reward) error {
				paid++
				if got := r.APR.String(); got != want {
					t.Errorf("Day %d is paid at %s, not at %s", day+2, got, want)
				}
				return nil
			}))
			if paid != 1 {
				t.Errorf("Day %d has %d rewards", day+2, paid)
			}
		}
	})
}

// TestATokenOfAnotherProcess: a process that has not seen a token yet settles its days, and
// says what they wait for, as the one that added it.
func TestATokenOfAnotherProcess(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		ctx, clock := t.Context(), testkit.NewClock(noon)
		db := testkit.Must(store.Create(ctx, url, options(clock), shipped(t, day1)))(t)
		closeAfter(t, db)
		stale := testkit.Must(store.Open(ctx, url, options(clock)))(t)
		closeAfter(t, stale)
		dot := ledger.Asset{Symbol: "DOT", Scale: 8, MaxSupply: 1 << 60}
		terms := testkit.Must(staking.ParseTerms(dot, day1, "0.01", "1", "100000"))(t)
		ok(t, db.AddAsset(ctx, staking.Token{Asset: dot, Terms: terms}))
		ok(t, db.SetLimit(ctx, staking.Limit{Asset: "DOT", MaxTotal: 1}))
		open(t, db, "alice")
		on(t, db, "alice")
		testkit.Must(db.Fund(ctx, "f", "DOT", 1000_0000_0000, false))(t)
		deposit(t, db, "d", "alice", 1000, "DOT", noon)
		clock.Set(3, "00:10")
		report := settle(t, stale, clock)
		if len(report.Waiting) != 1 || !errors.Is(report.Waiting[0].Reason, staking.ErrLimit) {
			t.Fatalf("it waits for %v, not for an approval", report.Waiting)
		}
		for _, status := range testkit.Must(reports.New(stale.Reader()).TokenStatus(ctx))(t) {
			if status.Asset == "DOT" && !errors.Is(status.Waiting, staking.ErrLimit) {
				t.Errorf("the status says that it waits for %v", status.Waiting)
			}
		}
		ok(t, stale.Approve(ctx, day1+1, "DOT"))
		if settle(t, stale, clock); earned(t, db, "alice", "DOT") == 0 {
			t.Error("nothing was paid after the approval")
		}
	})
}
