package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// balancesAt are all balances at a moment, as they are exported.
func balancesAt(t *testing.T, db *store.DB, at time.Time) (all []reports.Held) {
	t.Helper()
	ok(t, reports.New(db.Reader()).ExportBalances(t.Context(), at, func() error { all = nil; return nil },
		func(h reports.Held) error {
			all = append(all, h)
			return nil
		}))
	return all
}

// foldedAt are all balances at a moment, added up from the journal.
func foldedAt(t *testing.T, db *store.DB, at time.Time) (all []reports.Held) {
	t.Helper()
	type key struct {
		account ledger.Account
		asset   string
	}
	sums := map[key]reports.Held{}
	ok(t, reports.New(db.Reader()).Journal(t.Context(), func(p ledger.Posting) error {
		if p.At.After(at) {
			return nil
		}
		owner := p.Account
		if p.Account.IsHeld() {
			owner = p.Account[:len(p.Account)-len("/held")]
		}
		h := sums[key{owner, p.Asset}]
		h.Account, h.Asset = owner, p.Asset
		if p.Account.IsHeld() {
			h.Held += p.Amount
		} else {
			h.Free += p.Amount
		}
		sums[key{owner, p.Asset}] = h
		return nil
	}))
	for _, h := range sums {
		if h.Free != 0 || h.Held != 0 {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b reports.Held) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Asset, b.Asset))
	})
	return all
}

// The balances of every moment are what the journal adds up to, whenever they are asked
// for: rewards, what is declared and not paid, what is held, and late entries with them.
func TestExportBalances(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "holder-1-0") // which stands between holder-1 and holder-1/held
		deposit(t, db, "d-0", "holder-1-0", 1, "BNB", time.Time{})
		accounts := bookkeeping(t, db, clock)
		hold := func(id string, day int, hour string, from, to ledger.Account) {
			t.Helper()
			ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: id, Kind: ledger.Hold, At: testkit.Moment(day, hour),
				Moves: oneBNB(from, to)}})))
		}
		hold("h-1", 4, "00:01", "holder-1", "holder-1/held")
		clock.Set(5, "12:00")
		hold("h-2", 5, "11:00", "holder-2", "holder-2/held") // late
		if day, _, err := reports.New(db.Reader()).Final(ctx); err != nil || day != day1+2 {
			t.Fatalf("final is %s: %v", day, err)
		}
		moments := []time.Time{clock.Now()}
		for day := 1; day <= 5; day++ {
			moments = append(moments, testkit.Moment(day, "00:00").Add(-time.Millisecond), testkit.Moment(day, "00:00"),
				testkit.Moment(day, "11:00"))
		}
		for _, at := range moments {
			if at.Before(day1.Start()) {
				continue
			}
			got, want := balancesAt(t, db, at), foldedAt(t, db, at)
			if !slices.Equal(got, want) {
				t.Errorf("at %s there is %v, want %v", at, got, want)
			}
			sums := map[string]ledger.Amount{}
			for _, h := range got {
				sums[h.Asset] += h.Free + h.Held
			}
			for asset, sum := range sums {
				if sum != 0 {
					t.Errorf("at %s %s sums to %d", at, asset, sum)
				}
			}
		}
		before := balancesAt(t, db, testkit.Moment(4, "12:00"))
		deposit(t, db, "d-late", accounts[3], 1, "BNB", time.Time{})
		if after := balancesAt(t, db, testkit.Moment(4, "12:00")); !slices.Equal(before, after) || len(before) < 40 {
			t.Errorf("a change has changed the past: %v, before %v", after, before)
		}
		none := func() error { return nil }
		visit := func(reports.Held) error { return fmt.Errorf("a row") }
		wants(t, reports.New(db.Reader()).ExportBalances(ctx, clock.Now().Add(time.Millisecond), none, visit),
			ledger.ErrInvalid)
		wants(t, reports.New(db.Reader()).ExportBalances(ctx, day1.Start().Add(-time.Millisecond), none, visit),
			ledger.ErrInvalid)
		if staking.DayOf(clock.Now()) != day1+4 {
			t.Error("the clock has moved")
		}
	})
}
