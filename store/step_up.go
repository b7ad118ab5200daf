package store

import (
	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// confirm refuses a call whose items, accepted and new, a person who has logged in with a factor has not confirmed:
// withdrawals and transfers to others. Staff confirm what they approve. A frequent caller has a token, which is limited
// otherwise.
func (g *groupCommit) confirm(c *call, items []*item) error {
	if c.actor.Subject() == "" {
		return nil
	}
	if c.approval != nil {
		d, need, err := g.draftOf(c, items)
		if err != nil || !need {
			return err
		}
		return people.UseApproval(g.t, g.books.guard, g.now, c.actor, c.approval.proposal, d.EffectDigest())
	}
	for _, it := range items {
		if !it.isNew() || it.Kind != ledger.Transfer && it.Kind != ledger.WithdrawalRequest {
			continue
		}
		if err := people.UseStepUp(g.t, g.books.guard, g.now, c.actor,
			access.EntryStepUp(it.Entry, c.destination)); err != nil {
			return err
		}
	}
	return nil
}
