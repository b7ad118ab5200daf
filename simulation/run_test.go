package simulation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/testkit"
)

// half is what halves all rates and fees.
func half(_ ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) {
	t.APR, t.Fee = t.APR/2, t.Fee/2
	return t, nil
}

// TestOneSnapshot: what is posted and settled while it runs is not in it, and it does not
// keep others from writing.
func TestOneSnapshot(t *testing.T) {
	for _, kind := range scenario.Databases {
		w := newTown(t, kind, scenario.Chance(1, 0))
		w.live(t, 10, 6)
		o := Options{From: day1, Through: w.last, Change: half}
		want := testkit.Must(Run(t.Context(), w.Reader(), o))(t)
		wrote := false
		o.Progress = func(done, of int) {
			if wrote || done < of/2 {
				return
			}
			wrote = true
			for _, a := range []ledger.Account{"holder-00", "holder-01", "holder-05", "holder-09"} {
				w.deposit(t, "late-"+string(a), a, "BNB", 50*coin, time.Time{})
			}
			w.settle(t, w.last+1)
		}
		got := testkit.Must(Run(t.Context(), w.Reader(), o))(t)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(staking.Integral{})); diff != "" || !wrote {
			t.Errorf("%s: others wrote (%v), and the result differs:\n%s", kind, wrote, diff)
		}
	}
}

// TestItCanBeInterrupted on both databases, and the books go on.
func TestItCanBeInterrupted(t *testing.T) {
	for _, kind := range scenario.Databases {
		w := newTown(t, kind, scenario.Chance(2, 0))
		w.live(t, 6, 3)
		ctx, stop := context.WithCancel(t.Context())
		o := Options{From: day1, Through: w.last, Progress: func(done, _ int) {
			if done == 10 {
				stop()
			}
		}}
		if r, err := Run(ctx, w.Reader(), o); !errors.Is(err, context.Canceled) || r.Tokens != nil {
			t.Errorf("%s: %v, %v", kind, r, err)
		}
		o.Progress = nil
		testkit.Must(Run(t.Context(), w.Reader(), o))(t)
		w.settle(t, w.last+1)
	}
}

func TestWhatCannotBeSimulated(t *testing.T) {
	w := newTown(t, "sqlite", scenario.Chance(3, 0))
	w.live(t, 4, 5)
	income := staking.Income{Reference: "i", Asset: "SOL", Chain: "c", Source: "s", First: day1, Last: day1, Gross: 1,
		Evidence: "e"}
	for says, change := range map[string]func(*Options){
		"is after":                 func(o *Options) { o.From = o.Through + 1 },
		"lies before it":           func(o *Options) { o.From = day1 - 1 },
		"at most 366":              func(o *Options) { o.From = o.Through - MaxDays },
		"is not paid yet":          func(o *Options) { o.Through++ },
		`asset "XYZ"`:              func(o *Options) { o.Tokens = []string{"XYZ"} },
		"not between the minimum":  func(o *Options) { o.Change = withCap(0) },
		"the source of the income": func(o *Options) { income.Source = ""; o.Incomes = []staking.Income{income} },
	} {
		o := Options{From: day1, Through: w.last}
		change(&o)
		_, err := Run(t.Context(), w.Reader(), o)
		if !errors.Is(err, ledger.ErrInvalid) && !errors.Is(err, ledger.ErrNotFound) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

func withCap(n ledger.Amount) func(ledger.Asset, staking.Day, staking.Terms) (staking.Terms, error) {
	return func(_ ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) {
		t.Cap = n
		return t, nil
	}
}

// TestLimitsPerOwner: alice and bob are one person's from Day 2 on, dave and erin another's.
// The first are above the cap together and share it, the others reach the minimum together.
func TestLimitsPerOwner(t *testing.T) {
	for _, kind := range scenario.Databases {
		w := newTown(t, kind, scenario.Chance(4, 0))
		held := map[ledger.Account]ledger.Amount{"alice": 100 * coin, "bob": 60 * coin, "carol": 100 * coin,
			"dave": coin / 3, "erin": coin / 3, "fred": coin / 3}
		for _, a := range []ledger.Account{"alice", "bob", "carol", "dave", "erin", "fred"} {
			w.open(t, day1+1, a)
			w.clock.Forward(day1.Start().Add(time.Hour))
			w.deposit(t, "d-"+string(a), a, "BNB", held[a], time.Time{})
		}
		for account, owner := range map[ledger.Account]string{"alice": "p-1", "bob": "p-1", "dave": "p-2", "erin": "p-2",
			"fred": "p-3"} {
			if _, _, err := w.SetOwner(t.Context(), account, owner, day1+2); err != nil {
				t.Fatal(err)
			}
		}
		w.settle(t, day1+2)
		_, after := accruals(t, w, Options{From: day1 + 1, Through: day1 + 2, Tokens: []string{"BNB"},
			Change: func(_ ledger.Asset, _ staking.Day, t staking.Terms) (staking.Terms, error) {
				t.PerOwner, t.Cap, t.APR = true, 80*coin, 36_500_000 // 0.1 % a day
				return t, nil
			}})
		var got []string
		for _, line := range after {
			f := strings.Split(line, "\t")
			got = append(got, strings.Join([]string{f[0], f[2], f[9]}, " "))
		}
		// Rewards of Day 1 are in the balances of the next: bob's part of the cap, 30, is rounded down.
		first, next := fmt.Sprint(int(day1+1)), fmt.Sprint(int(day1+2))
		want := []string{first + " alice 8000000", first + " bob 6000000", first + " carol 8000000", next + " alice 5000000",
			next + " bob 2999999", next + " carol 8000000", next + " dave 33333", next + " erin 33333"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

// TestADayThatWaits: rewards that are accrued and not paid are in no balance.
func TestADayThatWaits(t *testing.T) {
	w := newTown(t, "sqlite", scenario.Chance(5, 0))
	w.live(t, 8, 5)
	o := Options{From: day1, Through: w.last}
	want, _ := accruals(t, w, o)
	pool := testkit.Must(Run(t.Context(), w.Reader(), o))(t).Tokens[0].Pool
	testkit.Must(w.Fund(t.Context(), "out", "BNB", pool, true))(t)
	w.clock.Forward((w.last + 2).Start().Add(10 * time.Minute))
	report := testkit.Must(staking.Run(t.Context(), w.DB, w.clock.Now(), staking.Options{Workers: 1}))(t)
	if len(report.Waiting) != 1 {
		t.Fatalf("%v waits", report.Waiting)
	}
	if got, _ := accruals(t, w, o); !cmp.Equal(want, got) || len(want) == 0 {
		t.Errorf("with a day that waits:\n%s", cmp.Diff(want, got))
	}
}

// TestNobodysShareIsTheNextOnes: the income of a day on which nobody reaches the minimum is
// divided with that of the next, and the effect is that of the simulated terms alone.
func TestNobodysShareIsTheNextOnes(t *testing.T) {
	w := newTown(t, "sqlite", scenario.Chance(6, 0))
	w.open(t, day1+1, "alice")
	w.clock.Forward(day1.Start().Add(time.Hour))
	w.deposit(t, "d", "alice", "SOL", 10*coin, time.Time{})
	for d := day1 + 1; d <= day1+2; d++ {
		w.settle(t, d)
		w.income(t, d.String(), d, d, 1001) // the fee is 300
	}
	w.settle(t, day1+3)
	r := testkit.Must(Run(t.Context(), w.Reader(), Options{From: day1, Through: w.last, Tokens: []string{"SOL"},
		Change: func(_ ledger.Asset, d staking.Day, t staking.Terms) (staking.Terms, error) {
			if t.Fee = staking.Whole / 10; d == day1+1 { // 100
				t.Min = 100 * coin
			}
			return t, nil
		}}))(t)
	token := r.Tokens[0]
	income := Income{Gross: 2002, FeeBefore: 600, FeeAfter: 200, Undivided: 1}
	if token.Before != 2*701 || token.After != 2*901 || token.Income != income || token.Holders != (Holders{More: 1}) {
		t.Errorf("%+v", token)
	}
	if days := token.Days; days[2].After.Total != 0 || days[3].After.Total != 2*901 || days[2].Before.Total != 701 {
		t.Errorf("by day: %+v", days)
	}
}
