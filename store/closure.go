package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// Sweep is the closing of an account that leaves what it has to another. The account is
// closed at once, for everybody but the run: it credits the rewards of the days that the
// switch covered, and moves them on. What is still to come is a row in sweeps, and
// nothing else: each move is an entry close/ACCOUNT/1, close/ACCOUNT/2 …, and so is
// made once, wherever the process is interrupted.
type Sweep struct {
	Account ledger.Account
	Target  ledger.Account
	Moved   []Swept     // what this call has moved
	Unpaid  staking.Day // the first day whose reward, or share of income, may still come, or 0
	Refused string      // why what the account has cannot be moved, or nothing
	Left    []Carried   // below the smallest unit, which nobody can move

	free []Swept // what there is to be moved
}

// Swept is what was moved.
type Swept struct {
	Entry  string
	Asset  string
	Amount ledger.Amount
}

// Carried is the fraction of the smallest unit that an account's last reward left.
type Carried struct {
	Asset string
	Carry staking.Fraction
}

// SweepAccount closes an account as CloseAccount does, and leaves what it has free, and
// the rewards that are still to come, to another holder's open account. Its switch is
// switched off: today is not paid any more, the days before are. What it has held, or a
// pending withdrawal, keeps it open. Of an account that is being swept it moves on what
// there is, and another target takes the place of the one before.
// A back end's token needs the parts enrollment and trades, and what the account has free counts to its ceilings as a
// transfer would, and each target that is named as a switch: else it is access.ErrForbidden or access.ErrCeiling, and
// nothing is closed.
// Idempotent. Safe to call at any time, and after an interruption; the run goes on too.
func (b *DB) SweepAccount(ctx context.Context, id, target ledger.Account) (Sweep, error) {
	for _, a := range []ledger.Account{id, target} {
		if err := a.CheckHolder(); err != nil {
			return Sweep{}, err
		}
	}
	if id == target {
		return Sweep{}, ledger.ErrInvalid.In("", "what account %s has cannot be left to itself", id)
	}
	var s Sweep
	err := b.ensureDays(ctx)
	if err == nil {
		err = b.engine.Write(ctx, func(t db.Tx) error { return b.beginSweep(t, id, target) })
	}
	if err == nil {
		s, err = b.sweep(ctx, id)
	}
	s.Target = cmp.Or(s.Target, target) // the sweep may be over
	return s, annotate(err, "close account %s", id)
}

// beginSweep closes the account, and writes that it is to be swept. The locks are those
// of a switch event and then those of a closing.
func (b *DB) beginSweep(t db.Tx, id, target ledger.Account) error {
	today := staking.DayOf(b.clock())
	c := b.closing(t, id)
	var a, to Account
	if err := inOrder(
		func() error { return b.lockOpenDay(t, today, id.Bucket()) },
		func() error { return lockLists(t) },
		c.lockBalances,
		func() (err error) { a, err = lockAccount(t, id); return err },
		func() (err error) { to, err = FindAccount(t, target); return err },
		func() error { return inOrder(to.checkOpen, to.checkUnfrozen, a.checkUnfrozen) },
		func() error { return b.check("account sweep") },
	); err != nil {
		return err
	}
	if !a.Closed.IsZero() {
		there, err := findSweep(t, b.guard, id)
		if forged := errors.Is(err, integrity.ErrForged); !forged && (err != nil || there.Target == target) {
			return err
		}
		n, err := t.Exec("UPDATE sweeps SET target = $1, refused = '' WHERE bucket = $2 AND account = $3", string(target),
			int64(id.Bucket()), string(id))
		if err != nil || n == 0 {
			return err
		}
		return inOrder(
			func() error { return b.signSweep(t, id) },
			func() error {
				return b.logLine(t, "account close", string(id), "what is still to come goes to "+string(target))
			},
			func() error { return b.useSweep(t, id) }) // what an earlier sweep was refused is still there
	}
	return inOrder(
		func() error { return c.checkHolds(false) },
		c.checkWithdrawals,
		func() error { return c.switchOff(today) },
		c.mark,
		func() error {
			_, err := t.Exec("INSERT INTO sweeps (bucket, account, target, begun, refused) VALUES ($1, $2, $3, $4, '')",
				int64(id.Bucket()), string(id), string(target), b.now())
			return err
		},
		func() error { return b.signSweep(t, id) },
		func() error {
			return b.logLine(t, "account close", string(id), "what it has and is still to come goes to "+string(target))
		},
		func() error { return b.useSweep(t, id) })
}

// switchOff ends the running enrollment today, and keeps that as a switch event.
func (c closing) switchOff(today staking.Day) error {
	on, err := isOn(c.t, c.id, today)
	if err == nil {
		err = forgetListedOut(c.t, c.id)
	}
	if err != nil || !on {
		return err
	}
	if err := endEnrollments(c.t, today, c.id); err != nil {
		return err
	}
	return recordSwitches(c.t, switchRow{account: c.id, at: c.db.now(), action: left})
}

// signSweep gives a sweep that this transaction has written its MAC.
func (b *DB) signSweep(t db.Tx, id ledger.Account) error {
	return b.guard.Sign(t, integrity.Sweeps, "bucket = $1 AND account = $2", int64(id.Bucket()), string(id))
}

// findSweep reads the row of an account that is being swept; of another one it has no target. integrity.ErrForged for
// one that is not as it was written.
func findSweep(t db.View, g *integrity.Guard, id ledger.Account) (Sweep, error) {
	s := Sweep{Account: id}
	err := t.Query(func(r db.Row) error {
		if err := g.Check(integrity.Sweeps, r, 0); err != nil {
			return err
		}
		s.Target, s.Refused = ledger.Account(r.Text(1)), r.Text(integrity.Sweeps.MAC()+1)
		return nil
	}, "SELECT "+integrity.Sweeps.Columns("")+", refused FROM sweeps WHERE bucket = $1 AND account = $2",
		int64(id.Bucket()), string(id))
	return s, err
}

// SweepOf is what an account has that is being swept, and what is still to come; of another
// one without a target. A sweep that somebody has changed by SQL is none: what the account has
// stays there until it is closed with a target again.
func SweepOf(t db.View, g *integrity.Guard, id ledger.Account) (Sweep, error) {
	bucket := int64(id.Bucket())
	s, err := findSweep(t, g, id)
	if err != nil && !errors.Is(err, integrity.ErrForged) {
		return s, err
	}
	err = t.Query(func(r db.Row) error {
		if amount := ledger.Amount(r.Int(1)); amount > 0 && len(s.free) < ledger.MaxMoves {
			s.free = append(s.free, Swept{Asset: r.Text(0), Amount: amount})
		}
		if carry := staking.Fraction(r.Int(2)); carry > 0 {
			s.Left = append(s.Left, Carried{r.Text(0), carry})
		}
		return nil
	}, "SELECT asset, balance, carry FROM balances WHERE bucket = $1 AND account = $2 ORDER BY asset", bucket, string(id))
	if err != nil {
		return s, err
	}
	o, err := outstandingOf(t, id)
	s.Unpaid = o.day
	return s, err
}

// nextSweep is the ID of the next entry that sweeps an account.
func nextSweep(t db.View, id ledger.Account) (string, error) {
	for n := 1; ; n++ {
		e := ledger.Entry{ID: fmt.Sprintf("%s%s/%d", sweepPrefix, id, n)}
		taken, err := db.Count(t, "SELECT count(*) FROM entries WHERE bucket = $1 AND entry = $2", int64(e.Bucket()), e.ID)
		if err != nil || taken == 0 {
			return e.ID, err
		}
	}
}

// sweepPrefix begins the IDs of the entries that sweep accounts.
const sweepPrefix = "close/"

// sweeps reports whether the item is an entry of our own that sweeps a closed account.
func (it *item) sweeps(owner ledger.Account) bool {
	return it.call.system && strings.HasPrefix(it.ID, sweepPrefix+string(owner)+"/")
}

// sweep moves on what an account that is being swept has. When nothing is left, every day that
// it earned on is paid, and the income of these days is distributed, the sweep is over.
func (b *DB) sweep(ctx context.Context, id ledger.Account) (Sweep, error) {
	var moved []Swept
	for {
		e := ledger.Entry{Kind: ledger.Transfer}
		s, err := read(ctx, b, func(t db.View) (s Sweep, err error) {
			if s, err = SweepOf(t, b.guard, id); err == nil && s.Target != "" {
				e.ID, err = nextSweep(t, id)
			}
			return s, err
		})
		s.Moved = moved
		if err != nil || s.Target == "" {
			return s, err
		}
		if len(s.free) == 0 && s.Unpaid != 0 {
			return s, nil
		}
		if len(s.free) == 0 {
			return s, b.endSweep(ctx, id)
		}
		var amounts []string
		for i, m := range s.free {
			s.free[i].Entry = e.ID
			e.Moves = append(e.Moves, ledger.Move{From: id, To: s.Target, Asset: m.Asset, Amount: m.Amount})
			amounts = append(amounts, (*b.assetCache.Load())[m.Asset].Format(m.Amount)+" "+m.Asset)
		}
		detail := fmt.Sprintf("%s to %s as %s", strings.Join(amounts, ", "), s.Target, e.ID)
		switch o, err := b.postOne(ctx, &call{entries: []ledger.Entry{e}, system: true,
			log: logFields{action: "account sweep", subject: string(id), detail: detail}}); {
		case err == nil:
			moved = append(moved, s.free...)
		case o.Err == nil: // the database's
			return s, err
		// Another process has swept it: look again.
		case errors.Is(err, ledger.ErrConflict), errors.Is(err, ledger.ErrInsufficient):
		default: // it stays there until the reason is gone, or the account is closed with another target
			s.Refused = err.Error()
			return s, b.engine.Write(ctx, func(t db.Tx) error {
				_, err := t.Exec("UPDATE sweeps SET refused = $1 WHERE bucket = $2 AND account = $3", s.Refused,
					int64(id.Bucket()), string(id))
				return err
			})
		}
	}
}

// endSweep ends a sweep that has nothing left to move and nothing to wait for.
func (b *DB) endSweep(ctx context.Context, id ledger.Account) error {
	return b.engine.Write(ctx, func(t db.Tx) error {
		c := b.closing(t, id)
		if err := inOrder(c.lockBalances, c.checkBalances, c.checkDays, c.end); errors.Is(err, ledger.ErrInvalid) {
			return nil // something is still to come, or has just come
		} else if err != nil {
			return err
		}
		n, err := t.Exec("DELETE FROM sweeps WHERE bucket = $1 AND account = $2", int64(id.Bucket()), string(id))
		if err != nil || n == 0 {
			return err
		}
		return b.logLine(t, "account sweep", string(id), "nothing is left, and nothing is to come")
	})
}

// sweepAll moves on what the accounts have that are being swept.
func (b *DB) sweepAll(ctx context.Context) error {
	accounts, err := read(ctx, b, func(t db.View) ([]string, error) {
		return db.All(t, db.TextOf, "SELECT account FROM sweeps ORDER BY bucket, account")
	})
	for _, id := range accounts {
		if err == nil {
			_, err = b.sweep(ctx, ledger.Account(id))
		}
	}
	return annotate(err, "move on what closed accounts have")
}

func isClosed(id ledger.Account, since time.Time) error {
	return ledger.ErrInvalid.In("", "account %s is closed since %s", id, ledger.FormatTime(since)).Because(ReasonClosed)
}

func (a Account) checkOpen() error {
	if a.Closed.IsZero() {
		return nil
	}
	return isClosed(a.ID, a.Closed)
}

// CloseAccount closes an account forever: only when its balances are zero, free
// and held, no withdrawal is pending, its switch is off, every day that it
// earned on is paid for every token, and the income of these days is distributed. A closed
// account takes no entry any more and is not opened again; its history stays, and its residence
// may still be corrected. Its logins and sessions end with it.
// ErrInvalid says what keeps it open, ErrNotFound that it was never opened. Idempotent.
func (b *DB) CloseAccount(ctx context.Context, id ledger.Account) error {
	if err := id.CheckHolder(); err != nil {
		return err
	}
	err := b.write(ctx, func(t db.Tx) error {
		c := b.closing(t, id)
		if err := c.lockBalances(); err != nil {
			return err
		}
		a, err := lockAccount(t, id)
		if err != nil || !a.Closed.IsZero() {
			return err
		}
		return inOrder(c.checkBalances, c.checkWithdrawals, c.checkDays, c.mark, c.end,
			func() error { return b.logLine(t, "account close", string(id), "") },
			func() error { return b.useCount(t, access.OfSwitches, 1) })
	})
	return annotate(err, "close account %s", id)
}

// closing is the closing of an account in a transaction.
type closing struct {
	db *DB
	t  db.Tx
	id ledger.Account
	at int64 // of all that it looks at and writes, so that one day counts
}

func (b *DB) closing(t db.Tx, id ledger.Account) closing { return closing{b, t, id, b.now()} }

// mark marks the account as closed, and ends its logins and sessions.
func (c closing) mark() error {
	_, err := c.t.Exec("UPDATE accounts SET closed = $1 WHERE bucket = $2 AND account = $3", c.at,
		int64(c.id.Bucket()), string(c.id))
	if err != nil {
		return err
	}
	return people.EndAll(c.t, c.id, db.TimeOf(c.at))
}

// end writes that nothing is to come any more: from now on the account has no share of what is distributed.
func (c closing) end() error {
	_, err := c.t.Exec("UPDATE accounts SET ended = $1 WHERE bucket = $2 AND account = $3", c.at,
		int64(c.id.Bucket()), string(c.id))
	return err
}

// lockBalances marks the account's balances as closed, which locks them: a posting
// that changes one is either in the books by now, or finds it closed. What a
// refused closing has marked is rolled back. Balances come before the account, as
// Post takes them.
func (c closing) lockBalances() error {
	_, err := c.t.Exec("UPDATE balances SET closed = 1 WHERE bucket = $1 AND account IN ($2, $3)",
		int64(c.id.Bucket()), string(c.id), string(c.id.Held()))
	return annotate(err, "lock the balances of %s", c.id)
}

// checkBalances refuses an account that has something. The account is locked, so
// that no balance is added to it now; one that was added after lockBalances has run
// is not marked, and the transaction is run again.
func (c closing) checkBalances() error { return c.checkHolds(true) }

// checkHolds refuses an account that has something held or, if that matters, free.
func (c closing) checkHolds(free bool) error {
	assets := *c.db.assetCache.Load()
	var has error
	unmarked := false
	err := c.t.Query(func(r db.Row) error {
		asset, amount, held := assets[r.Text(1)], ledger.Amount(r.Int(2)), ledger.Account(r.Text(0)).IsHeld()
		unmarked = unmarked || r.Int(3) == 0
		if amount == 0 || has != nil || !held && !free {
			return nil
		}
		where, what := "", "it is closed when it is empty"
		if held {
			where = " in open orders or pending withdrawals"
		}
		if !free {
			what = "release it, and complete or cancel the withdrawals first"
		}
		has = ledger.ErrInvalid.In("", "it has %s %s%s; %s", asset.Format(amount), r.Text(1), where, what)
		return nil
	}, "SELECT account, asset, balance, closed FROM balances WHERE bucket = $1 AND account IN ($2, $3) ORDER BY "+
		"asset, account",
		int64(c.id.Bucket()), string(c.id), string(c.id.Held()))
	if err == nil && has == nil && unmarked {
		return fmt.Errorf("%w: a balance was added at the same time", db.ErrRetry)
	}
	if err != nil {
		return err
	}
	return has
}

// checkWithdrawals refuses an account with a pending withdrawal: it could not end any more.
func (c closing) checkWithdrawals() error {
	pending, found, err := db.First(c.t, db.TextOf,
		"SELECT id FROM pending WHERE bucket = $1 AND account = $2 ORDER BY id LIMIT 1",
		int64(c.id.Bucket()), string(c.id))
	if found {
		err = ledger.ErrInvalid.In("", "its withdrawal %s is pending; complete or cancel it first", pending)
	}
	return err
}

func (c closing) checkDays() error {
	on, err := isOn(c.t, c.id, staking.DayOf(db.TimeOf(c.at)))
	if err != nil {
		return err
	}
	if on {
		return ledger.ErrInvalid.In("", "its Soft Staking is on; switch it off first")
	}
	o, err := outstandingOf(c.t, c.id)
	if err == nil && o.day == 0 {
		o, err = enterable(c.t, c.id, staking.DayOf(db.TimeOf(c.at)))
	}
	if err != nil || o.day == 0 {
		return err
	}
	return ledger.ErrInvalid.In("", "%s; close it when it is", o.reason)
}

// isOn reports whether an account's switch is on, on a day.
func isOn(t db.View, id ledger.Account, d staking.Day) (bool, error) {
	enrollments, err := EnrollmentsOf(t, id)
	return slices.ContainsFunc(enrollments, func(e staking.Enrollment) bool { return e.On(d) }), err
}
