package store

import (
	"context"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// withdrawalFactor is whether holders withdraw only with a second factor.
var withdrawalFactor = setting{kind: integrity.WithdrawalFactor, reports: "whether withdrawals need a factor",
	on:  settingChange{"withdrawal-factor on", "holders withdraw with a second factor only"},
	off: settingChange{control.EndWithdrawalFactor, "holders withdraw without a second factor"}}

// NeedsFactor reports whether a holder withdraws only with a second factor; see DB.SetWithdrawalFactor.
func NeedsFactor(t db.View) (bool, error) { return withdrawalFactor.read(t) }

// SetWithdrawalFactor sets whether a holder needs a second factor to withdraw, to save a withdrawal address and to make
// an API key that withdraws. That it does takes effect at once; that it does not any more needs approval
// (control.EndWithdrawalFactor). Idempotent.
func (b *DB) SetWithdrawalFactor(ctx context.Context, on bool) error {
	return b.set(ctx, withdrawalFactor, on)
}

// NeedsFactor is NeedsFactor of the books, for people.
func (s seam) NeedsFactor(t db.View) (bool, error) { return NeedsFactor(t) }

// byHolder reports whether the item is a withdrawal that its holder requests: with a session, a token or a key.
func (it *item) byHolder() bool {
	return it.Kind == ledger.WithdrawalRequest && it.call.actor.Role == access.Holder && len(it.Moves) > 0
}

// checkFactors refuses the withdrawals that holders request who have no second factor, where the books ask for one. A
// person has it for the login; a token and a key are no persons, and stand for those who log in to the account. Back
// ends ask their holders themselves, and are limited otherwise.
func (g *groupCommit) checkFactors() error {
	var items []*item
	var askers []people.Asker
	for it := range g.undecided {
		if it.byHolder() {
			items = append(items, it)
			askers = append(askers, people.Asker{Subject: it.call.actor.Subject(), Account: it.Moves[0].From})
		}
	}
	if len(items) == 0 {
		return nil
	}
	if needed, err := NeedsFactor(g.t); err != nil || !needed {
		return err
	}
	have, err := people.HaveFactors(g.t, g.books.guard, askers)
	for i, it := range items {
		if err == nil && !have[askers[i]] {
			it.refuse(people.NoFactor(askers[i].Account))
		}
	}
	return err
}
