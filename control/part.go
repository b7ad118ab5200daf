package control

import (
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// backEndParts is the one table of what a back end's token may do: by its parts, the operations, and the kinds of
// entries that it posts. What is in no line a back end does not do.
var backEndParts = []struct {
	part       access.Parts
	kinds      []ledger.Kind
	operations []Operation
}{
	{access.Deposits, []ledger.Kind{ledger.Deposit}, []Operation{"account open", "address set", "address remove",
		"payouts answer", "reconcile"}},
	{access.Trades, []ledger.Kind{ledger.Trade, ledger.Transfer, ledger.Hold, ledger.Release},
		[]Operation{"account sweep"}}, // it moves all that an account has to another
	{access.Withdrawals, []ledger.Kind{ledger.Withdrawal, ledger.WithdrawalRequest, ledger.WithdrawalCompleted,
		ledger.WithdrawalCancelled}, []Operation{"withdrawal request", "withdrawal cancel", CompleteWithdrawal}},
	{access.Enrollment, nil, []Operation{"account open", "account set-region",
		"account close", "accept", "enroll", "leave"}},
}

// PartsOf are the parts of which a back end's token needs one for an operation: of "post" those that post anything. The
// operations with which a proposal is made are its own, and so "proposal make" needs none in particular.
func PartsOf(op Operation) (parts access.Parts) {
	if op == "proposal make" {
		return access.AllParts
	}
	for _, p := range backEndParts {
		if slices.Contains(p.operations, op) || op == "post" && len(p.kinds) > 0 {
			parts |= p.part
		}
	}
	return parts
}

// CheckKind is access.ErrForbidden where an actor is a back end without the part that entries of a kind belong to.
func CheckKind(kind ledger.Kind, a access.Actor) error {
	var parts access.Parts
	for _, p := range backEndParts {
		if slices.Contains(p.kinds, kind) {
			parts |= p.part
		}
	}
	return checkParts(a, parts, "entries of the kind ", string(kind))
}

// checkParts is access.ErrForbidden where an actor is a back end that has none of some parts. what is
// words that together say what they are for: this is asked for each entry, and seldom refused.
func checkParts(a access.Actor, parts access.Parts, what ...string) error {
	if a.Role != access.Exchange || a.Parts&parts != 0 {
		return nil
	}
	return access.ErrForbidden.In("", "a back end's token for %s may not do this: %s", a.Parts, strings.Join(what, "")).
		Because(ReasonPart)
}
