package store

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// Compensation makes good what a reward was too low by: a day that is paid never changes,
// and an entry that came too late for it may have changed what it earned.
type Compensation struct {
	Entry   string // compensation/DAY/TOKEN/ACCOUNT/NAME
	Account ledger.Account
	Asset   string      // of the reward, and of the compensation
	Day     staking.Day // that the reward was for
	Name    string      // distinguishes the compensations of one reward; 1 to 64 characters of an ID, without a slash
	Amount  ledger.Amount
	At      time.Time // UTC, when it was posted and counts
}

// Compensate moves the amount from @rewards to the account, now, for its reward of a day
// that is paid, and logs who did it and why. It is no reward: it is not part of what the
// account has earned, and the audit derives the day as if it was not there. The pool may not
// go below zero: ledger.ErrInsufficient. Entry and At are not looked at. The entry's ID names
// the day, the token, the account and the name: repeating it with the same amount has no
// further effect, with another it is ledger.ErrConflict. ledger.ErrInvalid for a day that is not
// paid, ledger.ErrNotFound for an account that was never opened.
func (db *DB) Compensate(ctx context.Context, c Compensation, reason string) (Outcome, error) {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return Outcome{}, err
	}
	if _, err := db.Account(ctx, c.Account); err != nil {
		return Outcome{}, err
	}
	asset, err := db.Asset(ctx, c.Asset)
	if err != nil {
		return Outcome{}, err
	}
	if err := db.checkPaid(ctx, c); err != nil {
		return Outcome{}, err
	}
	e := ledger.Entry{
		ID: ledger.CompensationID(c.Day.String(), c.Asset, c.Account, c.Name), Kind: ledger.Compensation,
		Moves: []ledger.Move{{From: ledger.Rewards, To: c.Account, Asset: c.Asset, Amount: c.Amount}},
	}
	detail := asset.Format(c.Amount) + " " + c.Asset + " as " + e.ID
	return db.postNoted(ctx, e, true, note{action: "compensate", subject: string(c.Account), detail: detail, reason: reason})
}

// checkPaid refuses a compensation for a day that is not paid yet: what is wrong with it
// can still be corrected, and it may still be paid.
func (db *DB) checkPaid(ctx context.Context, c Compensation) error {
	paid := int64(db.first) - 1
	err := db.engine.Read(ctx, func(t view) error {
		_, err := one(t, []*int64{&paid}, "SELECT paid_through FROM progress WHERE bucket = $1 AND asset = $2", int64(c.Account.Bucket()), c.Asset)
		return err
	})
	if err == nil && (c.Day < db.first || int64(c.Day) > paid) {
		err = ledger.ErrInvalid.In("", "%s of %s is not paid; a compensation is for a day that is", c.Day, c.Asset)
	}
	if err != nil {
		return fmt.Errorf("compensate %s: %w", c.Account, err)
	}
	return nil
}
