package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestAnApprovalIsOfOneOperation: books that carry an approval do what is approved and nothing else, be it
// what needs approval or what takes effect at once and is not the approver's to do.
func TestAnApprovalIsOfOneOperation(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		free := map[control.Operation]func(*store.DB) error{
			"account open":   func(b *store.DB) error { return b.OpenAccounts(ctx, []store.Account{{ID: "eve"}}) },
			"account freeze": func(b *store.DB) error { _, err := b.Freeze(ctx, "alice", "order 8", true); return err },
			"post": func(b *store.DB) error {
				return refusal(b.Post(ctx, []ledger.Entry{{ID: "d-9", Kind: ledger.Deposit,
					Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: unit}}}}))
			},
			"fund":       func(b *store.DB) error { _, err := b.Fund(ctx, "f-9", "BNB", unit, false); return err },
			"key revoke": func(b *store.DB) error { return b.People().RevokeKey(ctx, staffKey("L").Key) },
			"leave":      func(b *store.DB) error { return b.Leave(ctx, "alice", staking.Client{}, time.Time{}) },
		}
		var proposals []control.Proposal
		for of := range needApproval {
			if repetition(t) && len(proposals) == 3 {
				break // nothing is done: no statement is another there
			}
			proposals = append(proposals, propose(t, db, proposer, of))
		}
		before := contents(t, url)
		for _, p := range proposals {
			carrying := store.Carrying(db.As(bob), p.ID, p.Operation, p.EffectDigest())
			for op, do := range needApproval {
				if op == p.Operation {
					continue
				}
				if err := do(ctx, carrying); err == nil {
					t.Errorf("with the approval of %s: %s is done", p.Operation, op)
				}
			}
			for op, do := range free {
				if control.Includes(p.Operation, op) {
					continue
				}
				if err := do(carrying); !errors.Is(err, access.ErrForbidden) {
					t.Errorf("with the approval of %s: %s: %v", p.Operation, op, err)
				}
			}
		}
		same(t, "after other operations than what is approved", strings.Split(contents(t, url), "\n"),
			strings.Split(before, "\n"))
	})
}
