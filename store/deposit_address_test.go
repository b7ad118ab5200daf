package store_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// addressOf is an address of alice's.
func addressOf(asset, network, address, tag string) people.DepositAddress {
	return people.DepositAddress{Account: "alice", Asset: asset, Network: network, Address: address, Tag: tag}
}

func TestDepositAddresses(t *testing.T) {
	eachWithAll(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		set := func(a people.DepositAddress, changed bool) {
			t.Helper()
			clock.Advance(time.Second)
			if got := testkit.Must(db.People().SetDepositAddress(ctx, a))(t); got != changed {
				t.Errorf("%+v is set, and changed: %t", a, got)
			}
		}
		there := func(want ...people.DepositAddress) {
			t.Helper()
			if got := testkit.Must(reports.New(db.Reader()).DepositAddresses(ctx,
				"alice"))(t); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("there are %v, not %v", got, want)
			}
		}
		there()
		set(addressOf("BNB", "bsc", "0x1", ""), true)
		set(addressOf("BNB", "BSC", "0x1", ""), false)
		set(addressOf("ALGO", "", "ABC", "7"), true)
		set(addressOf("BNB", "BSC", "0x2", "8"), true)
		set(addressOf("BNB", "OPBNB", "0x3", ""), true)
		there(addressOf("ALGO", "", "ABC", "7"), addressOf("BNB", "BSC", "0x2", "8"), addressOf("BNB", "OPBNB", "0x3", ""))
		if bobs := testkit.Must(reports.New(db.Reader()).DepositAddresses(ctx, "bob"))(t); len(bobs) != 0 {
			t.Errorf("bob has alice's: %v", bobs)
		}
		clock.Advance(time.Second)
		ok(t, db.People().RemoveDepositAddress(ctx, "alice", "BNB", "bsc"))
		wants(t, db.People().RemoveDepositAddress(ctx, "alice", "BNB", "BSC"), ledger.ErrNotFound)
		wants(t, db.People().RemoveDepositAddress(ctx, "alice", "BNB", ""), ledger.ErrNotFound)
		there(addressOf("ALGO", "", "ABC", "7"), addressOf("BNB", "OPBNB", "0x3", ""))
		var log []string
		for _, l := range testkit.Must(reports.New(db.Reader()).Log(ctx, noon, 100))(t) {
			if strings.HasPrefix(l.Action, "address ") {
				log = append(log, l.Actor.Credential+" "+l.Action+" "+l.Subject+" "+l.Detail)
			}
		}
		if got := strings.Join(log, "\n"); got != "test address set alice BNB on BSC: 0x1\n"+
			"test address set alice ALGO: ABC, tag 7\n"+
			"test address set alice BNB on BSC: 0x2, tag 8; before BNB on BSC: 0x1\n"+
			"test address set alice BNB on OPBNB: 0x3\n"+
			"test address remove alice BNB on BSC: 0x2, tag 8" {
			t.Errorf("the log says\n%s", got)
		}
		ok(t, db.CloseAccount(ctx, "alice"))
		there() // what is sent to a closed account cannot be posted
		_, err := db.People().SetDepositAddress(ctx, addressOf("BNB", "", "0x1", ""))
		wants(t, err, ledger.ErrInvalid)
	})
}

func TestDepositAddressesRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		for _, a := range []people.DepositAddress{
			addressOf("BNB", "", "", ""), addressOf("BNB", "", "0x 1", ""), addressOf("BNB", "", "0x1\n", ""),
			addressOf("BNB", "", strings.Repeat("x", 201), ""),
			addressOf("BNB", "", "\xff", ""), addressOf("BNB", "", "0x1", "a b"), addressOf("BNB", "B C", "0x1", ""),
			addressOf("BNB", "ıx", "0x1", ""),
			addressOf("BNB", strings.Repeat("x", 33), "0x1", ""), {Account: "@custody", Asset: "BNB", Address: "0x1"},
			{Asset: "BNB", Address: "0x1"},
		} {
			_, err := db.People().SetDepositAddress(t.Context(), a)
			wants(t, err, ledger.ErrInvalid)
		}
		for _, a := range []people.DepositAddress{addressOf("NOPE", "", "0x1", ""),
			{Account: "nobody", Asset: "BNB", Address: "0x1"}} {
			_, err := db.People().SetDepositAddress(t.Context(), a)
			wants(t, err, ledger.ErrNotFound)
		}
		_, err := reports.New(db.Reader()).DepositAddresses(t.Context(), "nobody")
		wants(t, err, ledger.ErrNotFound)
		_, err = reports.New(db.Reader()).DepositAddresses(t.Context(), "@custody")
		wants(t, err, ledger.ErrInvalid)
		wants(t, db.People().RemoveDepositAddress(t.Context(), "nobody", "BNB", ""), ledger.ErrNotFound)
		wants(t, db.People().RemoveDepositAddress(t.Context(), "alice", "BNB", "a b"), ledger.ErrInvalid)
	})
}

// Of several who set the same one at once, one changes it.
func TestDepositAddressAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		open(t, db, "alice")
		var all sync.WaitGroup
		changes, errs := make([]bool, 8), make([]error, 8)
		for i := range changes {
			all.Go(func() {
				changes[i], errs[i] = db.People().SetDepositAddress(t.Context(), addressOf("BNB", "BSC", "0x1", ""))
			})
		}
		all.Wait()
		n := 0
		for i := range changes {
			ok(t, errs[i])
			if changes[i] {
				n++
			}
		}
		if n != 1 {
			t.Errorf("it was changed %d times", n)
		}
	})
}
