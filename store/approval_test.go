package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
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

// contents is all of the books but the log and the proposals, which reports whether an operation was done.
func contents(t *testing.T, url string) string {
	t.Helper()
	rows := testkit.Must(scenario.Dump(t.Context(), url, "SELECT * FROM limits; SELECT * FROM approvals; "+
		"SELECT name FROM join_sources; SELECT * FROM join_addresses; SELECT value FROM meta WHERE name = 'payouts'; "+
		"SELECT * FROM account_limits; SELECT * FROM labels; SELECT * FROM owners; "+
		"SELECT account, id FROM withdrawal_addresses; "+
		"SELECT * FROM prices; SELECT * FROM rates; SELECT name, version FROM documents; SELECT subject, id FROM passkeys; "+
		"SELECT code, number, removed FROM listings; "+
		"SELECT email, role, invite_hash FROM staff; SELECT id FROM tokens; SELECT symbol FROM assets; "+
		"SELECT email, password FROM logins; SELECT key, addresses FROM keys; SELECT account, region, frozen FROM accounts; "+
		"SELECT * FROM close_after; SELECT * FROM join_partitions; SELECT * FROM join_closings; "+
		"SELECT name, url, former_until FROM webhooks; SELECT name, number FROM webhook_messages; "+
		"SELECT name, address FROM targets; "+
		"SELECT * FROM comparison_limits; SELECT * FROM comparison_resolutions; SELECT * FROM comparison_releases; "+
		"SELECT endpoint FROM comparison_sources; "+
		"SELECT * FROM meta WHERE name <> 'regions_changed'"))(t)
	return strings.Join(rows, "\n")
}
