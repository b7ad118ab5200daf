package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// ann is an approver who has logged in to the console.
var ann = access.Staff{Email: "ann@example.com", Role: access.Approver, Source: access.Local}.Actor()

// TestStaffConfirmEachApproval: whatever is approved, a member of staff confirms that proposal and that effect, afresh,
// and uses the confirmation once; a password, another's confirmation and one of something else count for nothing.
func TestStaffConfirmEachApproval(t *testing.T) {
	eachToPropose(t, func(t *testing.T, url string, db *store.DB, clock *testkit.Clock) {
		ctx := t.Context()
		confirm := func(email, digest string) string {
			t.Helper()
			return testkit.Must(db.People().ConfirmProvided(ctx, email, digest))(t)
		}
		unconfirmed := func(what string, p control.Proposal, proof string) {
			t.Helper()
			_, err := db.As(ann.With(proof)).ApproveProposal(ctx, p.ID, p.EffectDigest())
			if !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != access.ReasonStepUp {
				t.Fatalf("%s %s: %v", p.Operation, what, err)
			}
		}
		operations := slices.DeleteFunc(control.Operations(), func(op control.Operation) bool {
			return needApproval[op] == nil || op == control.EndFourEyes
		})
		used := ""
		for i, op := range append(operations, control.EndFourEyes) {
			if repetition(t) && i%10 != 0 {
				continue // TestWhatNeedsApproval approves each
			}
			before := contents(t, url)
			p := propose(t, db, proposer, op)
			digest := access.ApprovalStepUp(p.ID, p.EffectDigest())
			unconfirmed("without a confirmation", p, "")
			unconfirmed("with one that was used", p, used)
			unconfirmed("with one of another proposal", p, confirm("ann@example.com",
				access.ApprovalStepUp("0123456789ab", p.EffectDigest())))
			unconfirmed("with one of another effect", p, confirm("ann@example.com", access.ApprovalStepUp(p.ID, "0")))
			unconfirmed("with another person's", p, confirm("bob@example.com", digest))
			unconfirmed("with a password", p, testkit.Must(db.People().ConfirmPassword(ctx, "staff ann@example.com",
				digest))(t))
			if after := contents(t, url); after != before {
				t.Fatalf("%s was done without a confirmation", op)
			}
			used = confirm("ann@example.com", digest)
			done, err := db.As(ann.With(used)).ApproveProposal(ctx, p.ID, p.EffectDigest())
			if err != nil || done.Decision.State != control.Executed || done.Decision.By.Credential != ann.Credential {
				t.Fatalf("%s: %+v, %v", op, done, err)
			}
		}
	})
}

// TestAConfirmationIsShort: after five minutes it is none.
func TestAConfirmationIsShort(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, clock *testkit.Clock) {
		p := propose(t, db, proposer, control.WithdrawFunds)
		proof := testkit.Must(db.People().ConfirmProvided(t.Context(), "ann@example.com",
			access.ApprovalStepUp(p.ID, p.EffectDigest())))(t)
		clock.Advance(access.StepUpLife)
		wants(t, failure(db.As(ann.With(proof)).ApproveProposal(t.Context(), p.ID, p.EffectDigest())), access.ErrForbidden)
	})
}

// TestTwoCredentialsOfOnePerson: a token of a person and the same person at the console are one to four eyes, in any
// capitals.
func TestTwoCredentialsOfOnePerson(t *testing.T) {
	eachToPropose(t, func(t *testing.T, _ string, db *store.DB, _ *testkit.Clock) {
		token := access.Token{ID: "AnnsToken012", Role: access.Operator, Person: access.PersonOf("Ann@Example.com")}.Actor()
		p := propose(t, db, token, control.SetTerms)
		proof := testkit.Must(db.People().ConfirmProvided(t.Context(), "ann@example.com",
			access.ApprovalStepUp(p.ID, p.EffectDigest())))(t)
		err := failure(db.As(ann.With(proof)).ApproveProposal(t.Context(), p.ID, p.EffectDigest()))
		if !errors.Is(err, access.ErrForbidden) || ledger.ReasonOf(err) != control.ReasonOwn {
			t.Errorf("Ann approves at the console what her token has proposed: %v", err)
		}
	})
}
