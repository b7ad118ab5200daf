package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/reports"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestProposalsAreFoundUnderAllTheyAreAbout: under each account and each entry of each move, and under nothing that
// only has the same text.
func TestProposalsAreFoundUnderAllTheyAreAbout(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		ctx := t.Context()
		for _, id := range []ledger.Account{"bob_2", "bobx2", "missed"} {
			open(t, db, id)
		}
		of := make(map[control.Operation]string)
		for op := range needApproval {
			of[op] = propose(t, db, proposer, op).ID
		}
		correction := func(id string, from, to ledger.Account) store.ReasonedEntry {
			return store.ReasonedEntry{Entry: ledger.Entry{ID: id, Kind: ledger.Adjustment,
				Moves: []ledger.Move{{From: from, To: to, Asset: "SOL", Amount: 1}}}, Reason: "missed"}
		}
		_, err := db.As(proposer).AdjustAll(ctx, []store.ReasonedEntry{correction("a-7", "alice", "bob_2"),
			correction("a-8", ledger.Custody, "dora"), correction("a/9", "alice/held", ledger.Custody)}, false)
		needed, is := errors.AsType[*control.Needed](err)
		if !is {
			t.Fatalf("it needs approval: %v", err)
		}
		batch := testkit.Must(db.As(proposer).Propose(ctx, needed.Draft, ""))(t).ID
		found := func(asked store.ProposalsAsked) (ids []string) {
			for after := (control.Proposal{}); ; { // one a page
				page := testkit.Must(reports.New(db.Reader()).Proposals(ctx, after, asked, 1))(t)
				if len(page) == 0 {
					slices.Sort(ids)
					return ids
				}
				after = page[0]
				ids = append(ids, after.ID)
			}
		}
		want := func(asked store.ProposalsAsked, ids ...string) {
			t.Helper()
			slices.Sort(ids)
			same(t, "the proposals about "+string(asked.Account)+asked.Entry, found(asked), ids)
		}
		want(store.ProposalsAsked{Account: "bob_2"}, batch)
		want(store.ProposalsAsked{Account: "bobx2"})
		want(store.ProposalsAsked{Account: "missed"}) // a reason
		want(store.ProposalsAsked{Account: "BNB"})    // a subject
		want(store.ProposalsAsked{Account: "closed"}, of[control.EraseAccount])
		alices := []string{batch, of[control.Adjust], of[control.Compensate], of[control.CompleteWithdrawal],
			of[control.ResetFactors]}
		doras := []string{batch, of[control.Unfreeze], of[control.SetRegion], of[control.AddLogin],
			of[control.InviteLogin], of[control.CreateKey], of[control.LimitKey]}
		want(store.ProposalsAsked{Account: "dora"}, doras...)
		want(store.ProposalsAsked{Account: "alice"}, alices...)
		want(store.ProposalsAsked{Account: "alice", State: control.Executed})
		want(store.ProposalsAsked{Account: "dora", Entry: "a-7"}, batch)
		for entry, id := range map[string]string{"a-7": batch, "a-8": batch, "a/9": batch, "a-1": of[control.Adjust],
			"fund/f-2": of[control.WithdrawFunds], "fees/f-1": of[control.WithdrawFees], "income/e-2": of[control.EnterIncome],
			"fund/f-3": of[control.Fund], "fees/f-3": of[control.ReturnFees],
			"campaign/spring": of[control.AddCampaign],
			ledger.CompensationID((day1 + 1).String(), "BNB", "alice", "n-1"): of[control.Compensate],
			store.Withdrawal{ID: "w-1"}.Ending(ledger.WithdrawalCompleted).ID: of[control.CompleteWithdrawal],
		} {
			want(store.ProposalsAsked{Entry: entry}, id)
		}
		for _, none := range []string{"f-2", "fund/f-1", "9", "n-1", "other/a-7"} {
			want(store.ProposalsAsked{Entry: none})
		}
	})
}

// TestProposalsOfADayAreLimited, of a person under each of their credentials.
func TestProposalsOfADayAreLimited(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		propose(t, db, proposer, control.SetTerms)
		testkit.Must(db.Exec(t.Context(), "UPDATE ceilings_used SET used = $1 WHERE measure = 'proposals'",
			int64(store.MaxProposals-1)))(t)
		propose(t, db, proposer, control.AddRegion)
		another := access.Actor{Role: access.Operator, Credential: "token AAAAAAAAAAAA", Person: proposer.Person}
		more := func(by access.Actor, op control.Operation) error {
			needed, is := errors.AsType[*control.Needed](needApproval[op](t.Context(), db.As(by)))
			if !is {
				t.Fatalf("%s needs approval", op)
			}
			_, err := db.As(by).Propose(t.Context(), needed.Draft, "as agreed")
			return err
		}
		wants(t, more(another, control.PublishDocument), access.ErrCeiling)
		ok(t, more(proposer, control.SetTerms)) // it is proposed already
		if n := testkit.Must(db.Count(t.Context(), "SELECT count(*) FROM proposals"))(t); n != 2 {
			t.Errorf("there are %d proposals", n)
		}
		clock.Forward(clock.Now().Add(24 * time.Hour))
		ok(t, more(another, control.PublishDocument))
	})
}
