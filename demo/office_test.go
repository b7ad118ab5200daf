package demo_test

import (
	"errors"
	"testing"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/demo"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
	"github.com/softstake/softstake/testkit"
)

// TestTheOfficeHasSomethingToDo when visitors come: a day waits, terms are proposed, and a large withdrawal is pending.
func TestTheOfficeHasSomethingToDo(t *testing.T) {
	ctx := t.Context()
	town := makeTown(t, file(t), small(1))
	testkit.Must(town.Welcome(ctx, town.Morning()))(t)
	olga := access.Staff{Email: "olga@example.com", Role: access.Operator}
	if err := errors.Join(town.Books.People().AddStaff(ctx, olga.Email, olga.Role, access.Invitation{}),
		town.Office(ctx, olga.Actor())); err != nil {
		t.Fatal(err)
	}
	for _, s := range testkit.Must(town.Reports.TokenStatus(ctx))(t) {
		waits, wanted := errors.Is(s.Waiting, staking.ErrLimit), s.Asset == demo.Inflated
		if waits != wanted || waits && s.PaidThrough != town.Last-1 {
			t.Errorf("%s is paid through %s, and waits for %v", s.Asset, s.PaidThrough, s.Waiting)
		}
	}
	asked := store.ProposalsAsked{State: control.Open}
	if open := testkit.Must(town.Reports.Proposals(ctx, control.Proposal{}, asked, 9))(t); len(open) != 1 ||
		open[0].Operation != control.SetTerms {
		t.Errorf("what is proposed is %v", open)
	}
	pending := testkit.Must(town.Reports.PendingWithdrawals(ctx, store.Withdrawal{}, 9))(t)
	if len(pending) != 1 || pending[0].Account != demo.Wilma {
		t.Errorf("what is withdrawn is %v", pending)
	}
}
