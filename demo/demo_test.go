package demo_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/softstake/softstake/audit"
	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pgtest"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func file(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "town.db") }

func small(seed uint64) demo.Options {
	return demo.Options{Holders: 20, Days: 8, Seed: seed, Last: demo.LastDay(), Volatile: true}
}

func makeTown(t *testing.T, url string, o demo.Options) *demo.Town {
	t.Helper()
	town, err := demo.New(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := town.Close(); err != nil {
			t.Error(err)
		}
	})
	return town
}

// journal is the town's journal, to the byte, and how many lines it has.
func journal(t *testing.T, db *store.DB) (digest string, lines int) {
	t.Helper()
	hash := sha256.New()
	err := reports.New(db.Reader()).Journal(t.Context(), func(p ledger.Posting) error {
		lines++
		_, err := fmt.Fprintln(hash, p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), lines
}

func TestTheSameSeedMakesTheSameTown(t *testing.T) {
	first, lines := journal(t, makeTown(t, file(t), small(1)).Books)
	if lines < 500 {
		t.Errorf("the journal has %d lines only", lines)
	}
	if again, _ := journal(t, makeTown(t, file(t), small(1)).Books); again != first {
		t.Error("the same seed made another town")
	}
	if other, _ := journal(t, makeTown(t, file(t), small(2)).Books); other == first {
		t.Error("another seed made the same town")
	}
	later := small(1)
	later.Last++
	if other, _ := journal(t, makeTown(t, file(t), later).Books); other == first {
		t.Error("another last day made the same town")
	}
}

func TestBothDatabasesKeepTheSameTown(t *testing.T) {
	here, lines := journal(t, makeTown(t, file(t), small(3)).Books)
	there, theirs := journal(t, makeTown(t, scenario.Migrated(t), small(3)).Books)
	if here != there {
		t.Errorf("SQLite has %d lines of journal, digest %s; PostgreSQL %d, %s", lines, here, theirs, there)
	}
}

// What a town is there to show happens in it, and its books are right.
func TestTownShowsWhatCanHappen(t *testing.T) {
	var seen []int
	o := demo.Options{Holders: 100, Days: 10, Seed: 1, Last: demo.LastDay(), Volatile: true}
	o.Progress = func(done, of int) { seen = append(seen, done*100+of) }
	town := makeTown(t, file(t), o)
	if want := []int{111, 211, 311, 411, 511, 611, 711, 811, 911, 1011, 1111}; !slices.Equal(seen, want) {
		t.Errorf("progress was %v", seen)
	}
	report, err := audit.Run(t.Context(), reports.AuditOf(town.Books.Reader()), audit.Options{Workers: 1})
	if err != nil || report.Total != 0 {
		t.Errorf("the audit: %v, %d findings, first %v", err, report.Total, report.Findings)
	}

	kinds, bySuffix := map[ledger.Kind]bool{}, map[string]bool{}
	fromHeld, atDesk, between := 0, 0, 0
	err = town.Reports.Journal(t.Context(), func(p ledger.Posting) error {
		kinds[p.Kind], bySuffix[filepath.Base(p.Entry)] = true, true
		if p.Kind == ledger.Trade && p.Side == 0 {
			switch {
			case p.Account.IsHeld() && p.Other == ledger.Desk:
				atDesk++
			case p.Account.IsHeld():
				fromHeld++
			case !p.Account.IsHouse() && !p.Other.IsHouse():
				between++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []ledger.Kind{ledger.Deposit, ledger.Withdrawal, ledger.Transfer, ledger.Trade, ledger.Hold,
		ledger.Release, ledger.Fund, "reward", "declare"} {
		if !kinds[kind] {
			t.Errorf("no entry of the kind %s", kind)
		}
	}
	for _, suffix := range []string{"sent", "cancelled", "filled"} {
		if !bySuffix[suffix] {
			t.Errorf("no entry is %s", suffix)
		}
	}
	if fromHeld == 0 || atDesk == 0 || between == 0 {
		t.Errorf("orders filled by holders %d, by the desk %d, what holders gave for them %d", fromHeld, atDesk, between)
	}
	checkDelay(t, town)
	checkPeople(t, town)
}

// checkDelay shows that a token's days waited for funds, and were paid all the same.
func checkDelay(t *testing.T, town *demo.Town) {
	t.Helper()
	if len(town.Delays) == 0 {
		t.Error("no day waited for funds")
	}
	for _, d := range town.Delays {
		// Without a delay it is paid on the day after, and it is paid on the day after the town's last.
		if !slices.IsSorted([]staking.Day{town.First, d.First, d.Last, d.PaidOn - 2, town.Last - 1}) {
			t.Errorf("a delay of %+v", d)
		}
	}
	status, err := town.Reports.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.Unpriced != 0 {
		t.Errorf("%d days of tokens have no price", status.Unpriced)
	}
	for _, s := range status.Tokens {
		if s.Asset == demo.Inflated { // see TestTheOfficeHasSomethingToDo
			continue
		}
		if s.PaidThrough != town.Last || s.Waiting != nil {
			t.Errorf("%s is paid through %s: %v", s.Asset, s.PaidThrough, s.Waiting)
		}
	}
}

// checkPeople looks for every kind of holder.
func checkPeople(t *testing.T, town *demo.Town) {
	t.Helper()
	accounts, err := town.Reports.Accounts(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := staking.ShippedTokens(town.First)
	if err != nil {
		t.Fatal(err)
	}
	terms := map[string]staking.Terms{}
	for _, token := range tokens {
		terms[token.Asset.Symbol] = token.Terms
	}
	var held, below, capped, late, off, again int
	for _, a := range accounts {
		balances, err := town.Reports.Balances(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range balances {
			held += min(int(b.Held), 1)
			if term, offered := terms[b.Asset]; offered && b.Free < term.Min {
				below++
			}
		}
		if err := town.Reports.Rewards(t.Context(), a.ID, town.First, town.Last, func(r reports.Reward) error {
			if r.Average > r.Eligible {
				capped++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		enrollments, err := town.Reports.Enrollments(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		again += min(max(len(enrollments)-1, 0), 1)
		for _, e := range enrollments[:min(len(enrollments), 1)] {
			if e.From > town.First+1 {
				late++
			}
			if e.Until != staking.Forever {
				off++
			}
		}
		if a.ID == town.Refused && len(enrollments) > 0 {
			t.Errorf("%s of %s was switched on", a.ID, a.Region)
		}
	}
	for what, n := range map[string]int{
		"open orders": held, "below the minimum": below, "capped rewards": capped,
		"on late": late, "off": off, "on again": again,
	} {
		if n == 0 {
			t.Errorf("there are no holders of the sort %q", what)
		}
	}
	if town.Refused == "" {
		t.Error("nobody was refused")
	}
}

func TestTownsThatCannotBeMade(t *testing.T) {
	for _, change := range []func(*demo.Options){
		func(o *demo.Options) { o.Holders = 9 },
		func(o *demo.Options) { o.Holders = 100_001 },
		func(o *demo.Options) { o.Days = 2 },
		func(o *demo.Options) { o.Days = 367 },
		func(o *demo.Options) { o.Last = 5 },
	} {
		o := small(1)
		change(&o)
		if _, err := demo.New(t.Context(), file(t), o); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// An interrupt ends the making of a town, and a second town is not made into the first.
func TestTownIsInterruptedAndNotMadeTwice(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	o := small(1)
	o.Progress = func(done, of int) {
		if done == 2 {
			stop()
		}
	}
	url := file(t)
	if _, err := demo.New(ctx, url, o); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := demo.New(t.Context(), url, small(1)); err == nil {
		t.Error("a town was made where one is already")
	}
}
