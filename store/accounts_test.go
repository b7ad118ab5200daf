package store_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

func TestOpenAccountIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		if repeated := testkit.Must(db.OpenAccount(ctx, "alice", "us-ca"))(t); repeated {
			t.Error("the first is not a repetition")
		}
		clock.Set(2, "08:00")
		if repeated := testkit.Must(db.OpenAccount(ctx, "alice", "US-CA"))(t); !repeated {
			t.Error("the second is a repetition")
		}
		_, err := db.OpenAccount(ctx, "alice", "DE")
		wants(t, err, ledger.ErrConflict)
		if a := testkit.Must(db.Account(ctx, "alice"))(t); a != (store.Account{ID: "alice", Region: "US-CA", Opened: noon}) {
			t.Errorf("alice is %+v", a)
		}
		testkit.Must(db.OpenAccount(ctx, "bob", ""))(t)
		if a := testkit.Must(db.Account(ctx, "bob"))(t); a.Region != "" {
			t.Errorf("bob's residence is not verified; it is %q", a.Region)
		}
		_, err = db.Account(ctx, "carol")
		wants(t, err, ledger.ErrNotFound)
		for _, id := range []ledger.Account{"", "@rewards", "a/b", "a b", "a\n", ledger.Account(strings.Repeat("x", 129))} {
			_, err := db.OpenAccount(ctx, id, "DE")
			wants(t, err, ledger.ErrInvalid)
		}
		_, err = db.OpenAccount(ctx, "dora", "DEU")
		wants(t, err, ledger.ErrInvalid)
	})
}

func TestAccountsAreReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.OpenAccount(ctx, "user-7", "FR"))(t)
		var accounts []store.Account
		for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "7"} {
			accounts = append(accounts, store.Account{ID: ledger.Account("user-" + n), Region: "de",
				Opened: noon.Add(-time.Hour)})
		}
		ok(t, db.OpenAccounts(ctx, accounts))
		ok(t, db.OpenAccounts(ctx, accounts))
		var read []store.Account
		for after := ledger.Account(""); ; after = read[len(read)-1].ID {
			page := testkit.Must(reports.New(db.Reader()).Accounts(ctx, after, 4))(t)
			if len(page) == 0 {
				break
			}
			read = append(read, page...)
		}
		if len(read) != 9 || !slices.IsSortedFunc(read,
			func(a, b store.Account) int { return a.ID.Bucket() - b.ID.Bucket() }) {
			t.Errorf("read are %v", read)
		}
		for _, a := range read {
			if want := map[bool]staking.Region{true: "FR", false: "DE"}[a.ID == "user-7"]; a.Region != want {
				t.Errorf("%s is a resident of %s", a.ID, a.Region)
			}
		}
		wants(t, db.OpenAccounts(ctx, []store.Account{{ID: "fine"}, {ID: "@not"}}), ledger.ErrInvalid)
		_, err := db.Account(ctx, "fine")
		wants(t, err, ledger.ErrNotFound)
	})
}

func TestBalancesShowFreeAndHeld(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "d1", "alice", 5, "SOL", time.Time{})
		deposit(t, db, "d2", "alice", 2, "BNB", time.Time{})
		deposit(t, db, "d3", "bob", 7, "BNB", time.Time{})
		ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: "h", Kind: ledger.Hold,
			Moves: []ledger.Move{{From: "alice", To: "alice/held", Asset: "SOL", Amount: 1_00000000}}}})))
		want := []reports.Balance{{Asset: "BNB", Free: 2_00000000}, {Asset: "SOL", Free: 4_00000000, Held: 1_00000000}}
		if got := testkit.Must(reports.New(db.Reader()).Balances(ctx, "alice"))(t); !slices.Equal(got, want) {
			t.Errorf("alice has %v", got)
		}
		_, err := reports.New(db.Reader()).Balances(ctx, "carol")
		wants(t, err, ledger.ErrNotFound)
		_, err = reports.New(db.Reader()).Balances(ctx, "alice/held")
		wants(t, err, ledger.ErrInvalid)
		for _, b := range testkit.Must(reports.New(db.Reader()).HouseBalances(ctx))(t) {
			if b.Account == ledger.Custody && b.Asset == "BNB" && b.Sum.Cmp(big.NewInt(-9_00000000)) != 0 {
				t.Errorf("@custody, over its buckets, has %s BNB", b.Sum)
			}
			if b.Account == ledger.Custody && b.Asset == "SOL" && b.Sum.Cmp(big.NewInt(-5_00000000)) != 0 {
				t.Errorf("@custody has %s SOL", b.Sum)
			}
			if !b.Account.IsHouse() {
				t.Errorf("%s is no house account", b.Account)
			}
		}
	})
}

func TestAccountsThatWereThereAreReturnedAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		testkit.Must(db.OpenAccount(ctx, "alice", "DE"))(t)
		testkit.Must(db.OpenAccount(ctx, "bob", ""))(t)
		there := testkit.Must(db.OpenOrFind(ctx, []store.Account{{ID: "carol", Region: "fr"}, {ID: "alice", Region: "US"},
			{ID: "bob", Region: "DE"}}))(t)
		slices.SortFunc(there, func(a, b store.Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if want := []store.Account{{ID: "alice", Region: "DE", Opened: noon},
			{ID: "bob", Opened: noon}}; !slices.Equal(there, want) {
			t.Errorf("there were %v, want %v", there, want)
		}
		if a := testkit.Must(db.Account(ctx, "carol"))(t); a.Region != "FR" {
			t.Errorf("carol is %+v", a)
		}
		if there := testkit.Must(db.OpenOrFind(ctx, []store.Account{{ID: "dora"}}))(t); len(there) != 0 {
			t.Errorf("there were %v", there)
		}
	})
}

func TestEnrollAllFillsTheBooks(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		accounts := []ledger.Account{"user-1", "user-2", "user-3", "acct:77:spot"}
		wants(t, db.EnrollAll(ctx, accounts, day1), ledger.ErrNotFound)
		for _, id := range accounts {
			testkit.Must(db.OpenAccount(ctx, id, "DE"))(t)
		}
		ok(t, db.EnrollAll(ctx, append(accounts, "user-1"), day1))
		off(t, db, "user-2")
		on(t, db, "user-3")
		ok(t, db.EnrollAll(ctx, accounts, day1))
		for _, id := range accounts {
			if got := covered(t, db, id, 4); got != "xxxx" {
				t.Errorf("%s is covered %s", id, got)
			}
		}
		off(t, db, "user-1")
		clock.Set(2, "01:00")
		if e := on(t, db, "user-1"); e.From != day1+2 {
			t.Errorf("the documents are accepted, and it earns from Day 3; it is %+v", e)
		}
		settle(t, db, clock)
		wants(t, db.EnrollAll(ctx, accounts, day1), ledger.ErrDayClosed)
		wants(t, db.EnrollAll(ctx, []ledger.Account{"a b"}, day1+1), ledger.ErrInvalid)
	})
}
