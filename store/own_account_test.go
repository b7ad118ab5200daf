package store_test

import (
	"context"
	"maps"
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

// bobs is what bob has, and somebody else might want.
type bobs struct {
	withdrawal store.Withdrawal
	key        access.Key
	session    string
}

// TestAHolderUsesItsOwnAccount: the books themselves refuse a holder, whatever the credential, what is not of its own
// account, also where no page and no API asked first.
func TestAHolderUsesItsOwnAccount(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		open(t, db, "alice")
		open(t, db, "bob")
		deposit(t, db, "d-1", "alice", 10, "BNB", time.Time{})
		deposit(t, db, "d-2", "bob", 10, "BNB", time.Time{})
		addLogin(t, db, "bob@example.com", "bob")
		of := bobs{store.Withdrawal{ID: "w-1", Account: "bob", Asset: "BNB", Amount: 1}, newKey(t, "bob"),
			addSession(t, db, clock, "bob@example.com", "bob").ID}
		ok(t, db.People().AddKey(ctx, of.key))
		testkit.Must(db.Withdraw(ctx, of.withdrawal))(t)
		other := newKey(t, "bob")
		for name, by := range aliceAs {
			h := db.As(by)
			all := entriesOfOthers(ctx, h, of)
			maps.Copy(all, switchesOfOthers(ctx, h))
			maps.Copy(all, rowsOfOthers(ctx, h, of, other))
			for what, do := range all {
				t.Run(name+" "+what, func(t *testing.T) { wants(t, do(), access.ErrForbidden) })
			}
		}
		h := db.As(aliceAs["token"])
		ok(t, refusal(h.Post(ctx, []ledger.Entry{oneMove("alice/x-8", ledger.Transfer, "alice", "bob", 1)})))
		own := people.DepositAddress{Account: "alice", Asset: "BNB", Address: "0x1"}
		testkit.Must(h.People().SetDepositAddress(ctx, own))(t)
		ok(t, h.Leave(ctx, "alice", staking.Client{}, time.Time{}))
		if n := len(testkit.Must(db.People().Sessions(ctx, "bob"))(t)); n != 1 {
			t.Errorf("bob has %d sessions", n)
		}
	})
}

// entriesOfOthers are entries that a holder does not post.
func entriesOfOthers(ctx context.Context, h *store.DB, of bobs) map[string]func() error {
	posts := func(e ledger.Entry) func() error {
		return func() error { return refusal(h.Post(ctx, []ledger.Entry{e})) }
	}
	return map[string]func() error{
		"deposit":    posts(oneMove("x-1", ledger.Deposit, ledger.Custody, "alice", 1)),
		"desk":       posts(oneMove("x-2", ledger.Trade, ledger.Desk, "alice", 1)),
		"transfer":   posts(oneMove("x-3", ledger.Transfer, "bob", "alice", 1)),
		"trade":      posts(oneMove("x-4", ledger.Trade, "bob", "alice", 1)),
		"withdrawal": posts(oneMove("x-5", ledger.Withdrawal, "bob", ledger.Custody, 1)),
		"cancel":     posts(of.withdrawal.Ending(ledger.WithdrawalCancelled)),
		"complete":   posts(of.withdrawal.Ending(ledger.WithdrawalCompleted)),
		"request": func() error {
			return failure(h.Withdraw(ctx, store.Withdrawal{ID: "x-6", Account: "bob", Asset: "BNB", Amount: 1}))
		},
		"convert": func() error {
			assets, err := h.Assets(ctx)
			if err != nil {
				return err
			}
			q := conversion.Quote{From: assets[0], Into: assets[1], Amount: 1, Gives: 1}
			return failure(h.Convert(ctx, "x-7", "bob", q, conversion.Rules{PriceMaxAge: time.Minute}))
		},
	}
}

// switchesOfOthers are changes of what bob has agreed to.
func switchesOfOthers(ctx context.Context, h *store.DB) map[string]func() error {
	return map[string]func() error{
		"enroll": func() error { return failure(h.Enroll(ctx, "bob", staking.Client{}, time.Time{})) },
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
			return failure(h.SetOwnLimit(ctx, store.AccountLimit{Account: "bob", Asset: "BNB", Amount: 1}))
		},
	}
}

// rowsOfOthers are changes of bob's addresses and credentials, and a look at them.
func rowsOfOthers(ctx context.Context, h *store.DB, of bobs, other access.Key) map[string]func() error {
	p := h.People()
	return map[string]func() error{
		"deposit address": func() error {
			return failure(p.SetDepositAddress(ctx, people.DepositAddress{Account: "bob", Asset: "BNB", Address: "0x1"}))
		},
		"no deposit address": func() error { return p.RemoveDepositAddress(ctx, "bob", "BNB", "") },
		"withdrawal address": func() error {
			a := people.WithdrawalAddress{Account: "bob", Asset: "BNB", Address: "0x1"}
			return failure(p.AddWithdrawalAddress(ctx, a))
		},
		"no withdrawal address": func() error { return p.RemoveWithdrawalAddress(ctx, "bob", "00") },
		"saved addresses only":  func() error { return p.SetSavedOnly(ctx, "bob", true) },
		"key":                   func() error { return p.AddKey(ctx, other) },
		"no key":                func() error { return p.RevokeKey(ctx, of.key.Key) },
		"addresses of a key":    func() error { return failure(p.LimitKey(ctx, of.key.Key, nil)) },
		"password": func() error {
			return failure(p.SetPassword(ctx, "bob@example.com", people.PasswordChange{Hash: otherHash}))
		},
		"session":  func() error { return p.EndSession(ctx, "bob", of.session) },
		"sessions": func() error { return p.EndSessions(ctx, "bob", "") },
		"event":    func() error { return p.AddSecurityEvent(ctx, "bob", people.SecurityEvent{Action: "log-in"}) },
		"mail": func() error {
			return p.ChangeMailSettings(ctx, "bob@example.com", func(m *people.MailSettings) { m.Optional = false })
		},
		"keys": func() error { return failure(p.Keys(ctx, "bob")) },
	}
}
