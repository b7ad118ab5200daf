package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Fund moves an amount of an asset into @rewards, from which rewards are paid, or
// takes it out again. The ID is the caller's, and the entry's is "fund/" and it:
// the same twice is once.
func (db *DB) Fund(ctx context.Context, id, asset string, amount ledger.Amount, withdraw bool) (Outcome, error) {
	if err := ledger.CheckID("fund", id); err != nil {
		return Outcome{}, ledger.At("id", err)
	}
	a, err := db.Asset(ctx, asset)
	if err != nil {
		return Outcome{}, err
	}
	move := ledger.Move{From: ledger.Custody, To: ledger.Rewards, Asset: asset, Amount: amount}
	action := "fund"
	if withdraw {
		move.From, move.To = move.To, move.From
		action = "fund withdraw"
	}
	e := ledger.Entry{ID: "fund/" + id, Kind: ledger.Fund, Moves: []ledger.Move{move}}
	o, err := db.postNoted(ctx, e, true, note{action: action, subject: asset, detail: a.Format(amount) + " as " + e.ID})
	if err != nil {
		return o, fmt.Errorf("%s %s: %w", action, asset, err)
	}
	return o, nil
}

// Adjust posts a correction, dated now, and keeps in the log who made it and why.
// The same twice is once, whatever the reason said.
func (db *DB) Adjust(ctx context.Context, e ledger.Entry, reason string) (Outcome, error) {
	if err := checkAdjustment(e, reason); err != nil {
		return Outcome{}, err
	}
	return db.postNoted(ctx, e, false, note{action: "adjust", reason: reason})
}

// ReasonedEntry is a correction and why it is made.
type ReasonedEntry struct {
	ledger.Entry
	Reason string
}

// AdjustAll posts corrections as Adjust does, in their order and in one transaction: each
// by itself or, where they are atomic, all or none; then the error is the first refusal.
// Repeating them has no further effect. The error is otherwise the database's.
func (db *DB) AdjustAll(ctx context.Context, corrections []ReasonedEntry, atomic bool) ([]Outcome, error) {
	outcomes := make([]Outcome, len(corrections))
	c := &call{whole: atomic}
	var at []int
	for i, r := range corrections {
		if err := checkAdjustment(r.Entry, r.Reason); err != nil {
			outcomes[i].Err = err
			if atomic {
				return outcomes, err
			}
			continue
		}
		c.entries, c.notes, at = append(c.entries, r.Entry), append(c.notes, note{action: "adjust", reason: r.Reason}), append(at, i)
	}
	posted, err := db.post(ctx, c)
	for i, o := range posted {
		outcomes[at[i]] = o
		if atomic && err == nil && o.Err != nil && !errors.Is(o.Err, errNotPosted) {
			err = o.Err
		}
	}
	return outcomes, err
}

// checkAdjustment refuses what is no correction. Its errors are ErrInvalid.
func checkAdjustment(e ledger.Entry, reason string) error {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return err
	}
	if e.Kind != ledger.Adjustment || !e.At.IsZero() {
		return ledger.ErrInvalid.In("", "entry %s: a correction is of the kind %q and dated now; it is %q at %q",
			ledger.Clip(e.ID), ledger.Adjustment, e.Kind, e.At.Format(time.RFC3339))
	}
	return nil
}

// postNoted posts an entry and, with it, a line of the log.
func (db *DB) postNoted(ctx context.Context, e ledger.Entry, own bool, n note) (Outcome, error) {
	outcomes, err := db.post(ctx, &call{entries: []ledger.Entry{e}, own: own, note: n})
	if err != nil {
		return Outcome{}, err
	}
	if own {
		return ofMove(outcomes[0])
	}
	return outcomes[0], outcomes[0].Err
}
