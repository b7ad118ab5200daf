package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// isClosed says since when an account is closed, in milliseconds since 1970.
func isClosed(id ledger.Account, since int64) error {
	return ledger.ErrInvalid.In("", "account %s is closed since %s", id, stamp(since)).Because(ReasonClosed)
}

// CloseAccount closes an account for ever: only when its balances are zero, free
// and held, no withdrawal is pending, its switch is off, and every day that it
// earned on is paid for every token. A closed account takes no entry any more and
// is not opened again; what was is kept, and its residence may still be mended. Its
// logins and sessions end with it.
// ErrInvalid says what keeps it open, ErrNotFound that it was never opened. The
// same twice is once.
func (db *DB) CloseAccount(ctx context.Context, id ledger.Account) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	err := db.engine.Write(ctx, func(t tx) error {
		c := closing{db, t, id}
		if err := c.lockBalances(); err != nil {
			return err
		}
		a, err := lockAccount(t, id)
		if err != nil || !a.Closed.IsZero() {
			return err
		}
		for _, step := range []func() error{c.checkBalances, c.checkWithdrawals, c.checkDays} {
			if err := step(); err != nil {
				return err
			}
		}
		if err := c.mark(); err != nil {
			return err
		}
		return db.logLine(t, "account close", string(id), "")
	})
	if err != nil {
		return fmt.Errorf("close account %s: %w", id, err)
	}
	return nil
}

// closing is the closing of an account on its way.
type closing struct {
	db *DB
	t  tx
	id ledger.Account
}

// mark marks the account as closed, and ends its logins and sessions.
func (c closing) mark() error {
	_, err := c.t.Exec("UPDATE accounts SET closed = $1 WHERE bucket = $2 AND account = $3", c.db.now(), int64(c.id.Bucket()), string(c.id))
	if err != nil {
		return err
	}
	return people.EndAll(c.t, c.id)
}

// lockBalances marks the account's balances as closed, which locks them: a posting
// that changes one is either in the books by now, or finds it closed. What a
// refused closing has marked is rolled back. Balances come before the account, as
// Post takes them.
func (c closing) lockBalances() error {
	_, err := c.t.Exec("UPDATE balances SET closed = 1 WHERE bucket = $1 AND account IN ($2, $3)",
		int64(c.id.Bucket()), string(c.id), string(c.id.Held()))
	if err != nil {
		return fmt.Errorf("lock the balances of %s: %w", c.id, err)
	}
	return nil
}

// checkBalances refuses an account that has something. The account is locked, so
// that no balance is added to it meanwhile; one that was added after lockBalances
// has looked is not marked, and the transaction begins anew.
func (c closing) checkBalances() error { return c.checkHolds(true) }

// checkHeld refuses an account that has something held.
func (c closing) checkHeld() error { return c.checkHolds(false) }

// checkHolds refuses an account that has something held or, if that matters, free.
func (c closing) checkHolds(free bool) error {
	assets := *c.db.known.Load()
	var has error
	unmarked := false
	err := c.t.Query(func(r row) error {
		asset, amount, held := assets[r.Text(1)], ledger.Amount(r.Int(2)), ledger.Account(r.Text(0)).IsHeld()
		switch {
		case amount == 0 || has != nil || (!held && !free):
		case held && !free:
			has = ledger.ErrInvalid.In("", "it has %s %s in open orders or pending withdrawals; release it, and complete or cancel the withdrawals first",
				asset.Format(amount), r.Text(1))
		case held:
			has = ledger.ErrInvalid.In("", "it has %s %s in open orders or pending withdrawals; it is closed when it is empty", asset.Format(amount), r.Text(1))
		default:
			has = ledger.ErrInvalid.In("", "it has %s %s; it is closed when it is empty", asset.Format(amount), r.Text(1))
		}
		unmarked = unmarked || r.Int(3) == 0
		return nil
	}, "SELECT account, asset, balance, closed FROM balances WHERE bucket = $1 AND account IN ($2, $3) ORDER BY asset, account",
		int64(c.id.Bucket()), string(c.id), string(c.id.Held()))
	if err == nil && has == nil && unmarked {
		return fmt.Errorf("%w: a balance was added meanwhile", errRetry)
	}
	if err != nil {
		return err
	}
	return has
}

// checkWithdrawals refuses an account with a withdrawal that waits: it could not
// end any more.
func (c closing) checkWithdrawals() error {
	waits := ""
	err := c.t.Query(func(r row) error { waits = r.Text(0); return nil },
		"SELECT id FROM pending WHERE bucket = $1 AND account = $2 ORDER BY id LIMIT 1", int64(c.id.Bucket()), string(c.id))
	if err == nil && waits != "" {
		err = ledger.ErrInvalid.In("", "its withdrawal %s is pending; complete or cancel it first", waits)
	}
	return err
}

// checkDays refuses an account that earns, or one of whose days is not paid.
func (c closing) checkDays() error {
	enrollments, err := EnrollmentsOf(c.t, c.id)
	if err != nil {
		return err
	}
	today := staking.DayOf(c.db.clock())
	if slices.ContainsFunc(enrollments, func(e staking.Enrollment) bool { return e.On(today) }) {
		return ledger.ErrInvalid.In("", "its Soft Staking is on; switch it off first")
	}
	d, token, err := c.db.unpaid(c.t, c.id)
	if err != nil || d == 0 {
		return err
	}
	return ledger.ErrInvalid.In("", "it earned on %s, and %s of that day is not paid yet; close it when it is", d, token)
}

// unpaid is the first day that the account was enrolled for and that is not paid, and of
// which token; 0 if there is none.
func (db *DB) unpaid(t view, id ledger.Account) (first staking.Day, token string, err error) {
	enrollments, err := EnrollmentsOf(t, id)
	if err != nil {
		return 0, "", err
	}
	err = t.Query(func(r row) error {
		next := staking.Day(r.Int(1)) + 1
		for _, e := range enrollments {
			if d := max(e.From, next); d < e.Until && first == 0 {
				first, token = d, r.Text(0)
			}
		}
		return nil
	}, "SELECT asset, paid_through FROM progress WHERE bucket = $1 ORDER BY paid_through, asset", int64(id.Bucket()))
	return first, token, err
}
