package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/scenario"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestALargeWithdrawalIsPostedAlone: a batch in which a withdrawal is completed that needs approval is refused whole,
// atomic or not, with the kind of error that says so; without four eyes, or when it is alone and approved, it is
// completed.
func TestALargeWithdrawalIsPostedAlone(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		complete := store.Withdrawal{ID: "w-1", Account: "alice", Asset: "BNB", Amount: 5 * unit}.
			Ending(ledger.WithdrawalCompleted)
		beside := ledger.Entry{ID: "d-9", Kind: ledger.Deposit,
			Moves: []ledger.Move{{From: ledger.Custody, To: "alice", Asset: "BNB", Amount: unit}}}
		before := contents(t, url)
		for _, batch := range [][]ledger.Entry{{complete, beside}, {beside, complete}} {
			wants(t, failure(db.As(proposer).PostAll(ctx, batch)), control.ErrNeedsApproval)
		}
		same(t, "the books after batches that were refused", contents(t, url), before)
		for _, batch := range [][]ledger.Entry{{complete, beside}, {beside, complete}} {
			for i, o := range testkit.Must(db.As(proposer).Post(ctx, batch))(t) {
				if batch[i].ID == beside.ID {
					ok(t, o.Err)
					continue
				}
				wants(t, o.Err, control.ErrNeedsApproval)
				if _, proposable := errors.AsType[*control.Needed](o.Err); proposable {
					t.Errorf("a batch could be proposed: %v", o.Err)
				}
			}
		}
		p := propose(t, db, proposer, control.CompleteWithdrawal)
		testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		// What is completed already is repeated in any batch.
		for _, o := range testkit.Must(db.As(proposer).Post(ctx, []ledger.Entry{complete, beside}))(t) {
			ok(t, o.Err)
		}
		scenario.Clean(t, db)
	})
}

// TestABatchHidesNoCorrection: wherever in it the correction or the large withdrawal is, and of whichever kind.
func TestABatchHidesNoCorrection(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, _ *testkit.Clock) {
		entry := func(id string, kind ledger.Kind, from, to ledger.Account, amount ledger.Amount) ledger.Entry {
			return ledger.Entry{ID: id, Kind: kind, Moves: []ledger.Move{{From: from, To: to, Asset: "BNB", Amount: amount}}}
		}
		beside := entry("d-9", ledger.Deposit, ledger.Custody, "alice", unit)
		before := contents(t, url)
		for _, hidden := range []ledger.Entry{
			entry("a-1", ledger.Adjustment, "alice", ledger.Custody, 1),
			entry("a-2", ledger.Adjustment, ledger.Custody, "alice", 1),
			entry("w-9", ledger.Withdrawal, "alice", ledger.Custody, 50*unit),
		} {
			for _, batch := range [][]ledger.Entry{{hidden}, {hidden, beside}, {beside, hidden}} {
				wants(t, failure(db.As(proposer).PostAll(t.Context(), batch)), control.ErrNeedsApproval)
			}
			o := testkit.Must(db.As(proposer).Post(t.Context(), []ledger.Entry{hidden, hidden}))(t)
			wants(t, o[0].Err, control.ErrNeedsApproval)
			wants(t, o[1].Err, control.ErrNeedsApproval)
			if at := hidden.Kind == ledger.Withdrawal; strings.Contains(o[0].Err.Error(), "completes") ||
				at != strings.Contains(o[0].Err.Error(), "it is a large withdrawal") {
				t.Errorf("%s is refused with: %v", hidden.Kind, o[0].Err)
			}
		}
		same(t, "the books after batches that were refused", contents(t, url), before)
	})
}

// TestManyCorrectionsAreOneProposal: those that are refused are no part of what is approved, and one that is refused
// since makes it something else.
func TestManyCorrectionsAreOneProposal(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		var all []store.ReasonedEntry
		for i := range 900 { // 90 of 100 BNB that alice has free are 900 times a tenth of one
			e := ledger.Entry{ID: fmt.Sprintf("a-%03d", i), Kind: ledger.Adjustment,
				Moves: []ledger.Move{{From: "alice", To: ledger.Custody, Asset: "BNB", Amount: unit / 10}}}
			all = append(all, store.ReasonedEntry{Entry: e, Reason: "missed"})
		}
		all[3].Reason = ""                   // invalid
		all[5].Moves[0].Amount = 1000 * unit // more than there is
		_, err := db.As(proposer).AdjustAll(ctx, all, false)
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatalf("it needs approval: %v", err)
		}
		if n := strings.Count(needed.Draft.Effect, "; ") + 1; n != len(all)-2 {
			t.Fatalf("the effect has %d corrections of %d", n, len(all)-2)
		}
		p := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t)
		deposit(t, db, "d-8", "alice", 2000, "BNB", time.Time{}) // the large one is possible now
		wants(t, failure(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest())), control.ErrEffect)
		sell := func(id string, amount ledger.Amount) {
			t.Helper()
			ok(t, refusal(db.Post(ctx, []ledger.Entry{{ID: id, Kind: ledger.Trade,
				Moves: []ledger.Move{{From: "alice", To: ledger.Desk, Asset: "BNB", Amount: amount}}}})))
		}
		sell("t-1", 2095*unit) // none of them is
		wants(t, failure(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest())), ledger.ErrInsufficient)
		deposit(t, db, "d-9", "alice", 95, "BNB", time.Time{})
		done := testkit.Must(db.As(bob).ApproveProposal(ctx, p.ID, p.EffectDigest()))(t)
		if done.Decision.Effect != p.Effect {
			t.Error("another effect than that which was looked at")
		}
		for i, o := range testkit.Must(db.As(proposer).AdjustAll(ctx, all, false))(t) {
			if refused := i == 3 || i == 5; refused != (o.Err != nil) || !refused && !o.Repeated {
				t.Errorf("%s after the approval: %+v", all[i].ID, o)
			}
		}
		scenario.Clean(t, db)
	})
}
