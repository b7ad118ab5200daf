package store_test

import (
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestAHolderActsOnItsOwnAccount: the books themselves refuse a holder, whatever the credential, what is not of its own
// account, also where no page and no API asked first.
func TestAHolderActsOnItsOwnAccount(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "d-1", "alice", 10, "BNB", time.Time{})
		deposit(t, db, "d-2", "bob", 10, "BNB", time.Time{})
		addLogin(t, db, "bob@example.com", "bob")
		bobs := newKey(t, "bob")
		ok(t, db.People().AddKey(ctx, bobs))
		session := addSession(t, db, clock, "bob@example.com", "bob")
		w := store.Withdrawal{ID: "w-1", Account: "bob", Asset: "BNB", Amount: 1e8}
		testkit.Must(db.Withdraw(ctx, w))(t)
		rules := conversion.Rules{PriceMaxAge: 10 * time.Minute}
		for name, by := range aliceAs {
			h := db.As(by)
			posts := func(e ledger.Entry) func() error {
				return func() error { return refusal(h.Post(ctx, []ledger.Entry{e})) }
			}
			for what, do := range map[string]func() error{
				"deposit":    posts(oneMove("x-1", ledger.Deposit, ledger.Custody, "alice", 1e8)),
				"desk":       posts(oneMove("x-2", ledger.Trade, ledger.Desk, "alice", 1e8)),
				"transfer":   posts(oneMove("x-3", ledger.Transfer, "bob", "alice", 1e8)),
				"trade":      posts(oneMove("x-4", ledger.Trade, "bob", "alice", 1e8)),
				"withdrawal": posts(oneMove("x-5", ledger.Withdrawal, "bob", ledger.Custody, 1e8)),
				"cancel":     posts(w.Ending(ledger.WithdrawalCancelled)),
				"complete":   posts(w.Ending(ledger.WithdrawalCompleted)),
				"request": func() error {
					_, err := h.Withdraw(ctx, store.Withdrawal{ID: "x-6", Account: "bob", Asset: "BNB", Amount: 1})
					return err
				},
				"convert": func() error {
					assets := testkit.Must(db.Assets(ctx))(t)
					_, err := h.Convert(ctx, "x-7", "bob", conversion.Quote{From: assets[0], Into: assets[1], Amount: 1, Gives: 1},
						rules)
					return err
				},
				"enroll": func() error { _, err := h.Enroll(ctx, "bob", staking.Client{}, time.Time{}); return err },
				"enroll many": func() error {
					o, err := h.EnrollBatch(ctx, []store.EnrollRequest{{Account: "bob"}})
					if err == nil {
						err = o[0].Err
					}
					return err
				},
				"leave":  func() error { return h.Leave(ctx, "bob", staking.Client{}, time.Time{}) },
				"accept": func() error { return h.Documents().Accept(ctx, "bob", "terms-of-use", 0, staking.Client{}) },
				"limit": func() error {
					_, err := h.SetOwnLimit(ctx, store.AccountLimit{Account: "bob", Asset: "BNB", Amount: 1})
					return err
				},
				"deposit address": func() error {
					_, err := h.People().SetDepositAddress(ctx, people.DepositAddress{Account: "bob", Asset: "BNB", Address: "0x1"})
					return err
				},
				"no deposit address": func() error { return h.People().RemoveDepositAddress(ctx, "bob", "BNB", "") },
				"withdrawal address": func() error {
					_, err := h.People().AddWithdrawalAddress(ctx, people.WithdrawalAddress{Account: "bob", Asset: "BNB",
						Address: "0x1"})
					return err
				},
				"no withdrawal address": func() error { return h.People().RemoveWithdrawalAddress(ctx, "bob", "00") },
				"saved addresses only":  func() error { return h.People().SetSavedOnly(ctx, "bob", true) },
				"key":                   func() error { return h.People().AddKey(ctx, newKey(t, "bob")) },
				"no key":                func() error { return h.People().RevokeKey(ctx, bobs.Key) },
				"addresses of a key": func() error {
					_, err := h.People().LimitKey(ctx, bobs.Key, nil)
					return err
				},
				"password": func() error {
					_, err := h.People().SetPassword(ctx, "bob@example.com", people.PasswordChange{Hash: otherHash})
					return err
				},
				"session":  func() error { return h.People().EndSession(ctx, "bob", session.ID) },
				"sessions": func() error { return h.People().EndSessions(ctx, "bob", "") },
				"event": func() error {
					return h.People().AddSecurityEvent(ctx, "bob", people.SecurityEvent{Action: "log-in"})
				},
				"mail": func() error {
					return h.People().ChangeMailSettings(ctx, "bob@example.com", func(m *people.MailSettings) { m.Optional = false })
				},
				"keys": func() error { _, err := h.People().Keys(ctx, "bob"); return err },
			} {
				t.Run(name+" "+what, func(t *testing.T) { wants(t, do(), access.ErrForbidden) })
			}
		}
		h := db.As(aliceAs["token"])
		ok(t, refusal(h.Post(ctx, []ledger.Entry{oneMove("x-8", ledger.Transfer, "alice", "bob", 1)})))
		testkit.Must(h.People().SetDepositAddress(ctx, people.DepositAddress{Account: "alice", Asset: "BNB", Address: "0x1"}))(t)
		ok(t, h.Leave(ctx, "alice", staking.Client{}, time.Time{}))
		if n := len(testkit.Must(db.People().Sessions(ctx, "bob"))(t)); n != 1 {
			t.Errorf("bob has %d sessions", n)
		}
	})
}
