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

// withdrawalFactorMark names the row of meta that reports whether holders withdraw only with a second factor: "on" or
// "off". Books from before there was this rule have none, and are off.
const withdrawalFactorMark = "withdrawal_factor"

// NeedsFactor reports whether a holder withdraws only with a second factor; see DB.SetWithdrawalFactor.
func NeedsFactor(t db.View) (bool, error) {
	n, err := db.Count(t, "SELECT count(*) FROM meta WHERE name = $1 AND value = 'on'", withdrawalFactorMark)
	return n > 0, annotate(err, "read whether withdrawals need a factor")
}

// SetWithdrawalFactor sets whether a holder needs a second factor to withdraw, to save a withdrawal address and to make
// an API key that withdraws. That it does takes effect at once; that it does not any more needs approval
// (control.EndWithdrawalFactor). Idempotent.
func (b *DB) SetWithdrawalFactor(ctx context.Context, on bool) error {
	op, says := control.Operation("withdrawal-factor on"), "holders withdraw with a second factor only"
	if !on {
		op, says = control.EndWithdrawalFactor, "holders withdraw without a second factor"
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		if err := t.Query(nil, "SELECT value FROM meta WHERE name = $1"+t.Share(), withdrawalFactorMark); err != nil {
			return err
		}
		was, err := NeedsFactor(t)
		if err != nil || was == on {
			return err
		}
		if !on {
			if err := b.permit(t, op, struct{}{}, "books", says); err != nil {
				return err
			}
		}
		if err := b.writeWithdrawalFactor(t, on); err != nil {
			return err
		}
		return b.logLine(t, string(op), "books", says)
	})
	return annotate(err, "set whether withdrawals need a factor")
}

func (b *books) writeWithdrawalFactor(t db.Tx, on bool) error {
	value := "off"
	if on {
		value = "on"
	}
	_, err := t.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		withdrawalFactorMark, value)
	if err == nil {
		err = b.wrote(t, integrity.WithdrawalFactor, withdrawalFactorMark)
	}
	return err
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
