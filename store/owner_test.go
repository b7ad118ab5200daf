package store_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// set sets an owner, and reports whether that was a repetition.
func setOwner(t *testing.T, db *store.DB, id ledger.Account, owner string, from staking.Day) bool {
	t.Helper()
	_, repeated, err := db.SetOwner(t.Context(), id, owner, from)
	ok(t, err)
	return repeated
}

// TestOwners: an owner is set from tomorrow on, or from the day of the opening; a repetition has
// no further effect, and a later change leaves what was before.
func TestOwners(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		for range 2 {
			testkit.Must(db.OpenOwned(ctx, "alice", "DE", "c-7"))(t)
		}
		_, err := db.OpenOwned(ctx, "alice", "DE", "c-8")
		wants(t, err, ledger.ErrConflict)
		testkit.Must(db.OpenAccount(ctx, "alice", "DE"))(t)
		ok(t, db.OpenAccounts(ctx, []store.Account{{ID: "alice", Owner: "c-9"}, {ID: "bob", Owner: "c-7"}, {ID: "carol"}}))
		wants(t, db.OpenAccounts(ctx, []store.Account{{ID: "dave", Owner: "c 7"}}), ledger.ErrInvalid)
		if setOwner(t, db, "carol", "c-7", 0) || !setOwner(t, db, "carol", "c-7", 0) ||
			!setOwner(t, db, "carol", "c-7", day1+5) {
			t.Error("what holds already is set again, or what does not is not")
		}
		setOwner(t, db, "carol", "c-8", day1+1) // another revision of the same day
		setOwner(t, db, "carol", "", day1+3)
		for _, from := range []staking.Day{day1 - 1, day1, staking.Forever} {
			_, _, err := db.SetOwner(ctx, "carol", "c-1", from)
			wants(t, err, ledger.ErrInvalid)
		}
		_, _, err = db.SetOwner(ctx, "nobody", "c-1", 0)
		wants(t, err, ledger.ErrNotFound)
		_, _, err = db.SetOwner(ctx, "carol", "c|1", 0)
		wants(t, err, ledger.ErrInvalid)
		owners := func(owner string) []store.Ownership {
			all := testkit.Must(reports.New(db.Reader()).Owners(ctx, owner, store.Ownership{}, 100))(t)
			slices.SortFunc(all, func(a, b store.Ownership) int { return int(a.From - b.From) })
			for i := range all {
				all[i].Revision = 0
			}
			return all
		}
		if diff := cmp.Diff([]store.Ownership{{Account: "carol", From: day1 + 1, Owner: "c-8"},
			{Account: "carol", From: day1 + 3}}, owners("")[2:]); diff != "" {
			t.Errorf("owners (-want +got):\n%s", diff)
		}
		if found := owners("c-7"); len(found) != 2 {
			t.Errorf("of c-7: %v", found)
		}
		clock.Set(4, "12:00")
		if found := owners("c-8"); len(found) != 0 {
			t.Errorf("of c-8 two days later: %v", found)
		}
		testkit.Must(db.OpenAccount(ctx, "erin", "DE"))(t)
		ok(t, db.CloseAccount(ctx, "erin"))
		_, _, err = db.SetOwner(ctx, "erin", "c-1", 0)
		wants(t, err, ledger.ErrInvalid)
	})
}

// TestLabels: a label holds from tomorrow on until it is removed, and may come again.
func TestLabels(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		add := func(from staking.Day, repeats bool) {
			t.Helper()
			if _, repeated, err := db.AddLabel(ctx, "alice", "vip", from); err != nil || repeated != repeats {
				t.Errorf("added from %s: %t %v", from, repeated, err)
			}
		}
		remove := func(from staking.Day, repeats bool) {
			t.Helper()
			if _, repeated, err := db.RemoveLabel(ctx, "alice", "vip", from); err != nil || repeated != repeats {
				t.Errorf("removed from %s: %t %v", from, repeated, err)
			}
		}
		labels := func(want ...[2]staking.Day) {
			t.Helper()
			var got [][2]staking.Day
			for _, l := range testkit.Must(reports.New(db.Reader()).Labels(ctx, "vip", store.Label{}, 100))(t) {
				got = append(got, [2]staking.Day{l.From, l.Until})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		}
		remove(0, true)
		add(day1+5, false)
		add(day1+7, true)
		add(0, false) // earlier than it was set
		labels([2]staking.Day{day1 + 1, staking.Forever})
		remove(day1+4, false)
		remove(day1+4, true)
		labels([2]staking.Day{day1 + 1, day1 + 4})
		add(day1+6, false)
		labels([2]staking.Day{day1 + 1, day1 + 4}, [2]staking.Day{day1 + 6, staking.Forever})
		add(day1+4, false) // without a gap it is one
		labels([2]staking.Day{day1 + 1, staking.Forever})
		clock.Set(3, "12:00")
		remove(0, false)
		labels([2]staking.Day{day1 + 1, day1 + 3})
		for _, label := range []string{"", "VIP", "-a", "a b", "a/b"} {
			_, _, err := db.AddLabel(ctx, "alice", label, 0)
			wants(t, err, ledger.ErrInvalid)
		}
		_, _, err := db.AddLabel(ctx, "alice", "vip", day1+2)
		wants(t, err, ledger.ErrInvalid)
		_, _, err = db.RemoveLabel(ctx, "alice", "vip", day1+1) // a campaign may have paid by it
		wants(t, err, ledger.ErrInvalid)
		labels([2]staking.Day{day1 + 1, day1 + 3})
	})
}
