package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// PayoutTarget is where payouts are delivered to, and how far.
type PayoutTarget struct {
	Name    string
	Address string // without a password
	Number  int64  // of the last payout that it has; 0: none
	Added   time.Time
	AddedBy string    // the credential
	Moved   time.Time // when Number last moved; zero: never
	Failed  time.Time // since when delivering fails; zero: it does not
	Error   string    // why; "": it does not fail
}

// PayoutTargetColumns are what ReadPayoutTarget reads.
const PayoutTargetColumns = "name, address, number, added, added_by, moved, failed, error"

// ReadPayoutTarget reads a row whose first columns are PayoutTargetColumns. It never fails.
func ReadPayoutTarget(r db.Row) (PayoutTarget, error) {
	return PayoutTarget{r.Text(0), r.Text(1), r.Int(2), db.TimeOf(r.Int(3)), r.Text(4), db.TimeOrZero(r.Int(5)),
		db.TimeOrZero(r.Int(6)), r.Text(7)}, nil
}

// The limits of what is kept of a target, in bytes and characters.
const (
	maxTargetName    = 64
	maxTargetAddress = 1_000
	maxTargetError   = 500
)

// ReasonOtherTarget is of a ledger.ErrConflict: the name is that of a target with another address.
const ReasonOtherTarget = "other-target"

// AddPayoutTarget makes a target known, before its first payout, and returns how far it is. Repeating it has no further
// effect. ledger.ErrConflict if the name is that of another address: payouts up to its number are there, and not here.
func (b *DB) AddPayoutTarget(ctx context.Context, name, address string) (p PayoutTarget, err error) {
	if err := checkTarget(name, address); err != nil {
		return p, err
	}
	// Mostly it is there, and nobody need wait to write it.
	p, err = b.PayoutTarget(ctx, name)
	if errors.Is(err, ledger.ErrNotFound) {
		err = b.engine.Write(ctx, func(t db.Tx) error {
			n, err := t.Exec("INSERT INTO payout_targets ("+PayoutTargetColumns+") VALUES ($1, $2, 0, $3, $4, 0, 0, '') "+
				"ON CONFLICT DO NOTHING", name, address, b.now(), b.actor.Credential)
			if err != nil || n == 0 {
				return err
			}
			return b.logLine(t, string(control.DeliverPayouts), name, "payouts are delivered to "+address)
		})
		if err == nil {
			p, err = b.PayoutTarget(ctx, name)
		}
	}
	if err == nil && p.Address != address {
		err = ledger.ErrConflict.In("name", "%s delivers to %s", name, p.Address).Because(ReasonOtherTarget)
	}
	return p, annotate(err, "deliver payouts to %s", ledger.Clip(name))
}

func checkTarget(name, address string) error {
	if err := ledger.CheckID("name", name); err != nil {
		return ledger.At("name", err)
	}
	if len(name) > maxTargetName {
		return ledger.ErrInvalid.In("name", "%q has more than %d characters", ledger.Clip(name), maxTargetName)
	}
	return ledger.At("address", ledger.CheckLine("the address", address, maxTargetAddress))
}

// PayoutTarget is a target; ledger.ErrNotFound if there is none.
func (b *DB) PayoutTarget(ctx context.Context, name string) (p PayoutTarget, err error) {
	err = b.engine.Read(ctx, func(t db.View) (err error) {
		p, err = findTarget(t, name, "")
		return err
	})
	return p, err
}

// findTarget reads a target, with a lock or "".
func findTarget(t db.View, name, lock string) (PayoutTarget, error) {
	p, found, err := db.First(t, ReadPayoutTarget, "SELECT "+PayoutTargetColumns+" FROM payout_targets WHERE name = $1"+
		lock, name)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("name", "no payouts are delivered to %q", ledger.Clip(name))
	}
	return p, err
}

// MovePayoutTarget keeps that a target which had the payouts up to a number has those up to another one, and does not
// fail any more. ledger.ErrConflict where it is not at the first one: another process delivers to it, or somebody has
// them sent again.
func (b *DB) MovePayoutTarget(ctx context.Context, name string, from, to int64) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		n, err := t.Exec("UPDATE payout_targets SET number = $3, moved = $4, failed = 0, error = '' "+
			"WHERE name = $1 AND number = $2", name, from, to, b.now())
		if err == nil && n == 0 {
			err = ledger.ErrConflict.In("", "it is not at payout %d", from)
		}
		return err
	})
	return annotate(err, "keep how far %s is", ledger.Clip(name))
}

// FailPayoutTarget keeps why delivering to a target fails; "": it does not. Since when it fails stays with the first
// reason. Repeating it has no further effect; of a target that is not known it has none.
func (b *DB) FailPayoutTarget(ctx context.Context, name, reason string) error {
	if letters := []rune(reason); len(letters) > maxTargetError {
		reason = string(letters[:maxTargetError])
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		_, err := t.Exec("UPDATE payout_targets SET error = $2, failed = CASE WHEN $2 = '' THEN 0 WHEN failed = 0 THEN $3 "+
			"ELSE failed END WHERE name = $1 AND error <> $2", name, reason, b.now())
		return err
	})
	return annotate(err, "keep why delivering to %s fails", ledger.Clip(name))
}

// ResendPayouts has the payouts from a number on delivered to a target again, at an address that may be another one:
// it has lost them, or was recovered to a moment. Whoever credits them goes by their IDs. ledger.ErrInvalid where the
// number is below 1, or above the one that is next: none is left out. ledger.ErrNotFound if there is no such target.
func (b *DB) ResendPayouts(ctx context.Context, name, address string, from int64) error {
	if err := checkTarget(name, address); err != nil {
		return err
	}
	err := b.engine.Write(ctx, func(t db.Tx) error {
		p, err := findTarget(t, name, t.Lock())
		if err == nil && (from < 1 || from > p.Number+1) {
			err = ledger.ErrInvalid.In("from", "%s has the payouts up to number %d; from is 1 to %d", name, p.Number,
				p.Number+1)
		}
		if err != nil {
			return err
		}
		if _, err := t.Exec("UPDATE payout_targets SET address = $2, number = $3, failed = 0, error = '' WHERE name = $1",
			name, address, from-1); err != nil {
			return err
		}
		return b.logLine(t, string(control.ResendPayouts), name, fmt.Sprintf("payouts from number %d on, which had those "+
			"up to %d, to %s", from, p.Number, address))
	})
	return annotate(err, "deliver payouts again to %s", ledger.Clip(name))
}

// EndPayoutTarget forgets a target: nobody waits for what it does not have. ledger.ErrNotFound if there is none.
func (b *DB) EndPayoutTarget(ctx context.Context, name string) error {
	err := b.engine.Write(ctx, func(t db.Tx) error {
		p, err := findTarget(t, name, t.Lock())
		if err == nil {
			_, err = t.Exec("DELETE FROM payout_targets WHERE name = $1", name)
		}
		if err != nil {
			return err
		}
		return b.logLine(t, string(control.EndDelivery), name, fmt.Sprintf("it has the payouts up to number %d, at %s",
			p.Number, p.Address))
	})
	return annotate(err, "end delivering to %s", ledger.Clip(name))
}
