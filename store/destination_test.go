package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// aliceAs are the credentials of alice, whom thieves may steal from.
var aliceAs = map[string]access.Actor{
	"session": access.Session{Email: "alice@example.com", Account: "alice"}.Actor(),
	"token":   access.Token{ID: "4fQx81LmZp0a", Role: access.Holder, Account: "alice"}.Actor(),
	"key":     access.Key{Key: "vmPUZE6mv9SD5VNHk4", Account: "alice"}.Actor(),
}

// reasonOf is the reason of an error, "" for none and "?" for an error without.
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	if e, is := errors.AsType[*ledger.Error](err); is && e.Reason != "" {
		return e.Reason
	}
	return "? " + err.Error()
}

// A holder withdraws to saved addresses only, 48 hours after they were added, whatever the credential; a removed one,
// and one that differs in anything, is not saved. A back end has its own list.
func TestHoldersWithdrawToSavedAddresses(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "d", "alice", 100, bnb, time.Time{})
		alice := db.As(aliceAs["session"])
		saved := people.WithdrawalAddress{Account: "alice", Asset: bnb, Network: "bsc", Address: "0xabcdef0123456789",
			Tag: "7", Label: "mine"}
		n := 0
		try := func(by *store.DB, change ...func(*store.Withdrawal)) string {
			t.Helper()
			n++
			w := store.Withdrawal{ID: fmt.Sprintf("alice/w%d", n), Account: "alice", Asset: bnb, Amount: coins(1),
				Network: "BSC", Address: saved.Address, Tag: "7"}
			for _, f := range change {
				f(&w)
			}
			_, err := by.Withdraw(ctx, w)
			return reasonOf(err)
		}
		all := func(what, want string) {
			t.Helper()
			for name, actor := range aliceAs {
				same(t, what+", "+name, try(db.As(actor)), want)
			}
		}
		all("before it is saved", store.ReasonAddressUnknown)
		same(t, "a back end", try(db), "")

		a := testkit.Must(alice.People().AddWithdrawalAddress(ctx, saved))(t)
		same(t, "saved", []any{a.Network, a.Added, a.Usable}, []any{"BSC", clock.Now(), clock.Now().Add(48 * time.Hour)})
		same(t, "saved again", testkit.Must(alice.People().AddWithdrawalAddress(ctx, saved))(t), a)
		same(t, "notices", noticed(t, db, "alice"), []string{"address|BNB|BSC|6789"})
		all("at once", store.ReasonAddressWaits)
		clock.Advance(48*time.Hour - time.Millisecond)
		all("a millisecond too early", store.ReasonAddressWaits)
		clock.Advance(time.Millisecond)
		all("after 48 hours", "")
		same(t, "in small letters", try(alice, func(w *store.Withdrawal) { w.Network = "bsc" }), "")
		for what, change := range map[string]func(*store.Withdrawal){
			"network": func(w *store.Withdrawal) { w.Network = "" },
			"address": func(w *store.Withdrawal) { w.Address += "0" },
			"case":    func(w *store.Withdrawal) { w.Address = "0xABCDEF0123456789" },
			"tag":     func(w *store.Withdrawal) { w.Tag = "" },
			"nowhere": func(w *store.Withdrawal) { w.Network, w.Address, w.Tag = "", "", "" },
		} {
			same(t, "another "+what, try(alice, change), store.ReasonAddressUnknown)
		}
		wants(t, refusal(testkit.Must(alice.Post(ctx, []ledger.Entry{request("plain", "alice", 1)}))(t), nil),
			access.ErrForbidden)

		for range 2 {
			ok(t, alice.People().RemoveWithdrawalAddress(ctx, "alice", a.ID))
		}
		all("when it is removed", store.ReasonAddressUnknown)
		wants(t, db.People().RemoveWithdrawalAddress(ctx, "bob", a.ID), ledger.ErrNotFound)
		again := testkit.Must(alice.People().AddWithdrawalAddress(ctx, saved))(t)
		same(t, "waits again", again.Usable, clock.Now().Add(48*time.Hour))
		all("when it is saved again", store.ReasonAddressWaits)
		audited(t, db)
	})
}

// After a password was set, nothing is withdrawn for 72 hours, whatever is saved or switched off.
func TestResetsDelayWithdrawals(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		addLogin(t, db, "alice@example.com", "alice")
		deposit(t, db, "d", "alice", 100, bnb, time.Time{})
		alice := db.As(aliceAs["session"])
		to := people.WithdrawalAddress{Account: "alice", Asset: bnb, Address: "0x1"}
		testkit.Must(alice.People().AddWithdrawalAddress(ctx, to))(t)
		n := 0
		try := func(address string) string {
			n++
			_, err := alice.Withdraw(ctx, store.Withdrawal{ID: fmt.Sprintf("alice/w%d", n), Account: "alice", Asset: bnb,
				Amount: coins(1), Address: address})
			return reasonOf(err)
		}
		for range 2 { // off and on again takes nothing away
			ok(t, alice.People().SetSavedOnly(ctx, "alice", false))
		}
		same(t, "a notice", noticed(t, db, "alice"), []string{"any-address", "address|BNB|BNB|…"})
		same(t, "switched off", try("0x2"), store.ReasonAddressUnknown)
		clock.Advance(48 * time.Hour)
		same(t, "after 48 hours", []string{try("0x1"), try("0x2")}, []string{"", ""})
		setPassword(t, db, "alice@example.com", people.PasswordChange{Hash: otherHash})
		same(t, "at once", []string{try("0x1"), try("0x2")}, []string{store.ReasonAddressWaits, store.ReasonAddressWaits})
		saved := testkit.Must(db.People().WithdrawalAddresses(ctx, "alice"))(t)
		same(t, "usable", saved[0].Usable, clock.Now().Add(72*time.Hour))
		clock.Advance(72*time.Hour - time.Millisecond)
		same(t, "too early", []string{try("0x1"), try("0x2")}, []string{store.ReasonAddressWaits, store.ReasonAddressWaits})
		clock.Advance(time.Millisecond)
		same(t, "after 72 hours", []string{try("0x1"), try("0x2")}, []string{"", ""})
		ok(t, alice.People().SetSavedOnly(ctx, "alice", true))
		same(t, "a notice", noticed(t, db, "alice")[0], "saved-only")
		same(t, "to saved ones only", []string{try("0x1"), try("0x2")}, []string{"", store.ReasonAddressUnknown})
		// Staff narrows where an account withdraws to, alone, and does not widen it.
		staff := db.As(operator("olga")).People()
		wants(t, staff.SetSavedOnly(ctx, "alice", false), access.ErrForbidden)
		ok(t, staff.SetSavedOnly(ctx, "alice", true))
		ok(t, staff.RemoveWithdrawalAddress(ctx, "alice", saved[0].ID))
		same(t, "to none", []string{try("0x1"), try("0x2")}, []string{store.ReasonAddressUnknown,
			store.ReasonAddressUnknown})
		settings := testkit.Must(db.People().WithdrawalSettings(ctx, "alice"))(t)
		if !settings.SavedOnly(clock.Now()) || settings.Waits.After(clock.Now()) {
			t.Errorf("alice's settings are %+v", settings)
		}
	})
}

// What cannot be saved.
func TestAddressesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		good := people.WithdrawalAddress{Account: "alice", Asset: bnb, Network: "BSC", Address: "0x1"}
		for what, c := range map[string]struct {
			change func(*people.WithdrawalAddress)
			kind   error
		}{
			"no account":   {func(a *people.WithdrawalAddress) { a.Account = "nobody" }, ledger.ErrNotFound},
			"a house":      {func(a *people.WithdrawalAddress) { a.Account = "@custody" }, ledger.ErrInvalid},
			"no token":     {func(a *people.WithdrawalAddress) { a.Asset = "DOGE" }, ledger.ErrNotFound},
			"no address":   {func(a *people.WithdrawalAddress) { a.Address = "" }, ledger.ErrInvalid},
			"a space":      {func(a *people.WithdrawalAddress) { a.Address = "0x1 0x2" }, ledger.ErrInvalid},
			"two lines":    {func(a *people.WithdrawalAddress) { a.Tag = "1\n2" }, ledger.ErrInvalid},
			"no network":   {func(a *people.WithdrawalAddress) { a.Network = "B S C" }, ledger.ErrInvalid},
			"a long label": {func(a *people.WithdrawalAddress) { a.Label = string(make([]byte, 300)) }, ledger.ErrInvalid},
		} {
			a := good
			c.change(&a)
			by := aliceAs["key"]
			by.Account = a.Account
			if _, err := db.As(by).People().AddWithdrawalAddress(ctx, a); !errors.Is(err, c.kind) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for role, may := range map[access.Role]bool{access.Holder: true, access.Exchange: false, access.Operator: false,
			access.Auditor: false} {
			by := access.Actor{Role: role, Account: "alice", Credential: "token x"}
			_, err := db.As(by).People().AddWithdrawalAddress(ctx, good)
			if (err == nil) != may || err != nil && !errors.Is(err, access.ErrForbidden) {
				t.Errorf("%s saves an address: %v", role, err)
			}
			ok(t, removeAll(t, db))
		}
		for i := range people.MaxAddresses {
			a := good
			a.Address = fmt.Sprintf("0x%d", i)
			testkit.Must(db.As(aliceAs["key"]).People().AddWithdrawalAddress(ctx, a))(t)
		}
		_, err := db.As(aliceAs["key"]).People().AddWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "alice",
			Asset: bnb, Address: "0xone-more"})
		same(t, "one too many", reasonOf(err), people.ReasonTooManyAddresses)
	})
}

// removeAll removes alice's addresses.
func removeAll(t *testing.T, db *store.DB) error {
	t.Helper()
	for _, a := range testkit.Must(db.People().WithdrawalAddresses(t.Context(), "alice"))(t) {
		if err := db.People().RemoveWithdrawalAddress(t.Context(), "alice", a.ID); err != nil {
			return err
		}
	}
	return nil
}
