package store

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
)

// With four eyes, completing a withdrawal needs approval from an amount on. Smaller ones are added up over the UTC day
// on which they are completed: of each account, of each destination, whoever withdraws to it, and of each member of
// staff who completes. The one that would reach the amount, in any of these sums, needs approval. What was approved is
// in no sum. A back end completes for everybody: what its token completes has a ceiling instead, see usage.go.

// The measures of these sums. They are kept beside what is used of ceilings.
const (
	outOfAccount   = "withdrawn from an account"
	toDestination  = "withdrawn to a destination"
	completedByOne = "completed by a person"
)

// isOutflow reports whether a usage is one of these sums.
func (u *usage) isOutflow() bool {
	return u.measure == outOfAccount || u.measure == toDestination || u.measure == completedByOne
}

// takesOut reports whether entries of the kind end a withdrawal, or are one at once: tokens leave for good.
func takesOut(k ledger.Kind) bool { return k == ledger.WithdrawalCompleted || k == ledger.Withdrawal }

// addsOutflow reports whether what an item takes out of accounts is added up.
func (g *groupCommit) addsOutflow(it *item) bool {
	return g.controls.fourEyes && it.call.approval == nil && takesOut(it.Kind)
}

// countOutflow adds up what an item takes out of accounts, by the sums that may need approval.
func (g *groupCommit) countOutflow(it *item) error {
	if !g.addsOutflow(it) {
		return nil
	}
	destination := g.destinationOf(it)
	for _, m := range it.Moves {
		least := g.controls.limits[m.Asset].MaxWithdrawal
		if least == 0 {
			continue
		}
		for _, sum := range [][2]string{
			{outOfAccount, string(m.From.Owner())}, {toDestination, destination}, {completedByOne, person(it.call.actor)},
		} {
			if sum[1] == "" {
				continue
			}
			// What stays below the amount needs no approval.
			if err := it.use(g.usage(usageKey{sum[1], g.today(), sum[0], m.Asset}, least-1), m.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// person is whose completions are added up: a member of staff, whatever the credential. "": nobody's.
func person(by access.Actor) string {
	if !by.Role.IsStaff() {
		return ""
	}
	return cmp.Or(by.Person, by.Credential)
}

// destinationOf names where the withdrawal goes that an item completes: the same for each way to write an address in
// upper and lower case, whatever the network and the tag. A tag distinguishes accounts behind one address, such as
// those of an exchange, and so more is added up than one person gets: otherwise another tag each time would avoid the
// sum. "": it is not known.
func (g *groupCommit) destinationOf(it *item) string {
	of, ends := it.ends()
	if !ends {
		return ""
	}
	var to ledger.Destination
	if r := g.requests[of]; r != nil {
		to = r.destination
	}
	for _, other := range g.named[of.id] { // requested in this transaction
		if other.Kind == ledger.WithdrawalRequest && len(other.Moves) > 0 && other.Moves[0].From == of.account {
			to = other.call.destination
		}
	}
	if to.Address == "" {
		return ""
	}
	return hex.EncodeToString(ledger.HashTexts("softstake outflow", strings.ToLower(to.Address))[:16])
}

// checkOutflow finds out whether completing the item's withdrawal needs approval. One that does is in no sum: it is
// approved, or it is not done.
func (g *groupCommit) checkOutflow(it *item) error {
	it.large = slices.ContainsFunc(it.uses, func(u use) bool { return u.isOutflow() && u.amount > u.left() })
	if it.large {
		it.uses = slices.DeleteFunc(it.uses, func(u use) bool { return u.isOutflow() })
	}
	return nil
}
