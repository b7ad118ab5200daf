package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// Freeze is the state of an account that lets nothing out. The zero one is of an account
// that is not frozen.
type Freeze struct {
	Since  time.Time // UTC; zero: it is not frozen
	Reason string
	Earns  bool // the days of the freeze earn, if the switch is on

	resumes bool // the switch was on when the freeze set it off, and is set on again
}

// How a freeze is kept in accounts.frozen_mode.
const (
	frozenEarning = 0 // the account goes on earning
	frozenOff     = 1 // it does not earn
	frozenResumes = 2 // it does not earn, and the switch is set on again when it is unfrozen
)

// The switch events of a freeze and of its end.
const (
	leftFrozen       = left + ": frozen"
	enrolledUnfrozen = enrolled + ": unfrozen"
)

func readFreeze(since, mode int64, reason string) Freeze {
	if since == 0 {
		return Freeze{}
	}
	return Freeze{Since: db.TimeOf(since), Reason: reason, Earns: mode == frozenEarning, resumes: mode == frozenResumes}
}

func isFrozen(id ledger.Account) error {
	return ledger.ErrFrozen.In("", "%s: nothing leaves it until an operator unfreezes it", id)
}

func (a Account) checkUnfrozen() error {
	if a.Freeze.Since.IsZero() {
		return nil
	}
	return isFrozen(a.ID)
}

// Freeze lets nothing leave an account, from its free part or from its held part, until it
// is unfrozen: entries that would are refused with ledger.ErrFrozen, the completion of a
// pending withdrawal too. What stays in the account is allowed: a release, and the
// cancelling of a withdrawal. Deposits and rewards come in, and an operator's adjustment
// is posted, since a court or an error may need it. It holds for every entry posted after
// the commit, dated back or not.
//
// Where earns is false, the account earns nothing from today (UTC) on, as if it was
// switched off; Unfreeze sets the switch on again if it was on, and the holder is notified
// then that rewards are paused. The reason is kept and logged.
// Repeating with the same earns has no further effect and answers repeated; with another it
// is ledger.ErrInvalid. ledger.ErrNotFound if the account was never opened.
func (b *DB) Freeze(ctx context.Context, id ledger.Account, reason string, earns bool) (repeated bool, err error) {
	err = b.changeFreeze(ctx, id, reason, 1, func(s *switchChange) error {
		f := s.account.Freeze
		repeated = !f.Since.IsZero()
		switch {
		case !s.account.Closed.IsZero():
			return s.account.checkOpen()
		case repeated && f.Earns != earns:
			return ledger.ErrInvalid.In("", "it is frozen since %s with earning %s; unfreeze it first",
				ledger.FormatTime(f.Since), onOff(f.Earns))
		case repeated:
			return nil
		}
		mode := int64(frozenEarning)
		if !earns {
			if mode = frozenOff; s.isOn() {
				mode = frozenResumes
			}
			if err := s.endAs(s.day, leftFrozen); err != nil {
				return err
			}
		}
		if err := b.setFreeze(s.t, id, b.now(), mode, reason); err != nil {
			return err
		}
		if mode == frozenResumes {
			if err := b.People().NotifyAll(s.t, []ledger.Account{id}, people.NoticePaused, people.PausedFrozen); err != nil {
				return err
			}
		}
		return b.logLine(s.t, "account freeze", string(id), "earning "+onOff(earns)+": "+reason)
	})
	return repeated, annotate(err, "freeze account %s", id)
}

// Unfreeze ends an account's freeze. Where the freeze has set its switch off, it is set on
// again and earns from tomorrow (UTC) on, unless its holder switched off in the meantime or
// Soft Staking is not offered to its residence any more: then resumed is false. The reason is
// logged. Of an account that is not frozen it has no effect and answers repeated.
// ledger.ErrNotFound if the account was never opened.
func (b *DB) Unfreeze(ctx context.Context, id ledger.Account, reason string) (resumed, repeated bool, err error) {
	err = b.changeFreeze(ctx, id, reason, 0, func(s *switchChange) error {
		f := s.account.Freeze
		resumed, repeated = false, f.Since.IsZero()
		if repeated {
			return nil
		}
		said := ""
		if f.resumes {
			restricted, err := RegionsAt(s.t)
			if err != nil {
				return err
			}
			resumed = staking.CheckRegion(s.account.Region, staking.Client{}, restricted) == nil && !s.isOn()
			said = "; Soft Staking stays off: it is not offered to its residence"
		}
		if resumed {
			said = "; Soft Staking is on again"
			if _, err := s.on(); err != nil {
				return err
			}
			if err := s.record(enrolledUnfrozen, staking.Client{}); err != nil {
				return err
			}
		}
		if err := b.setFreeze(s.t, id, 0, 0, ""); err != nil {
			return err
		}
		effect := reason + said
		if err := b.permit(s.t, control.Unfreeze, unfreezing{id, reason}, string(id), effect); err != nil {
			return err
		}
		return b.logLine(s.t, string(control.Unfreeze), string(id), effect)
	})
	return resumed, repeated, annotate(err, "unfreeze account %s", id)
}

func onOff(on bool) string { return [...]string{"off", "on"}[db.Flag(on)] }

// changeFreeze marks the account's balances and changes its freeze, with the locks of a
// change of its switch: before the account's the balances', as Post takes them. So an entry
// that takes from one is either in the books by now, or finds it marked.
func (b *DB) changeFreeze(ctx context.Context, id ledger.Account, reason string, mark int64,
	change func(*switchChange) error) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return err
	}
	lock := func(t db.Tx) error {
		_, err := t.Exec("UPDATE balances SET frozen = $1 WHERE bucket = $2 AND account IN ($3, $4)",
			mark, int64(id.Bucket()), string(id), string(id.Held()))
		return annotate(err, "lock the balances of %s", id)
	}
	return b.changeSwitch(ctx, id, time.Time{}, lock, func(s *switchChange) error {
		unmarked, err := db.Count(s.t,
			"SELECT count(*) FROM balances WHERE bucket = $1 AND account IN ($2, $3) AND frozen <> $4",
			int64(id.Bucket()), string(id), string(id.Held()), mark)
		if err == nil && unmarked > 0 {
			err = fmt.Errorf("%w: a balance was added at the same time", db.ErrRetry)
		}
		if err != nil {
			return err
		}
		return change(s)
	})
}

func (b *books) setFreeze(t db.Tx, id ledger.Account, since, mode int64, reason string) error {
	_, err := t.Exec("UPDATE accounts SET frozen = $1, frozen_mode = $2, frozen_reason = $3 WHERE bucket = $4 "+
		"AND account = $5",
		since, mode, strings.TrimSpace(reason), int64(id.Bucket()), string(id))
	if err == nil {
		err = b.wrote(t, integrity.Accounts, string(id))
	}
	return err
}

// mayEarn refuses to switch on what a freeze has switched off.
func (a Account) mayEarn() error {
	if f := a.Freeze; !f.Since.IsZero() && !f.Earns {
		return ledger.ErrFrozen.In("", "%s: it earns nothing until an operator unfreezes it", a.ID)
	}
	return nil
}

// staysOff keeps a freeze that ends from setting the switch on again.
func (b *books) staysOff(s *switchChange) error {
	if !s.account.Freeze.resumes {
		return nil
	}
	_, err := s.t.Exec("UPDATE accounts SET frozen_mode = $1 WHERE bucket = $2 AND account = $3", int64(frozenOff),
		int64(s.account.ID.Bucket()), string(s.account.ID))
	if err == nil {
		err = b.wrote(s.t, integrity.Accounts, string(s.account.ID))
	}
	return err
}

// checkFreeze says why the item cannot take what it takes from frozen accounts, or nil.
// Moves between the parts of one account stay in it; only those to the free part are
// allowed, since what is held leaves more easily. An adjustment is an operator's, and what another ledger
// has done is done.
func (g *groupCommit) checkFreeze(it *item) error {
	if it.Kind == ledger.Adjustment || it.Kind == ledger.Joined {
		return nil
	}
	for _, m := range it.Moves {
		from, _ := m.Sides()
		if b := g.balances[key{from, m.From, m.Asset}]; b != nil && b.frozen && m.To != m.From.Owner() {
			return isFrozen(m.From.Owner())
		}
	}
	return nil
}
