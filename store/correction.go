package store

import (
	"cmp"
	"context"
	"time"

	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
)

// fundID is the ID of the entry that moves something into or out of @rewards.
func fundID(id string) string { return "fund/" + id }

// Fund moves an amount of an asset into @rewards, from which rewards are paid, or
// takes it out again. Idempotent by the ID: the entry's is "fund/" and the caller's. More than may be brought in on a
// day needs approval or, without four eyes, is access.ErrCeiling.
func (b *DB) Fund(ctx context.Context, id, asset string, amount ledger.Amount, withdraw bool) (Outcome, error) {
	move := ledger.Move{From: ledger.Custody, To: ledger.Rewards, Asset: asset, Amount: amount}
	if !withdraw {
		return b.moveOwn(ctx, ledger.Fund, id, fundID(id), move, control.Fund, ownMove{id, asset, amount})
	}
	move.From, move.To = move.To, move.From
	return b.moveOwn(ctx, ledger.Fund, id, fundID(id), move, control.WithdrawFunds, ownMove{id, asset, amount})
}

// Adjust posts a correction, dated now, and keeps in the log who made it and why.
// Idempotent by the entry's ID, whatever the reason says.
func (b *DB) Adjust(ctx context.Context, e ledger.Entry, reason string) (Outcome, error) {
	outcomes, err := b.AdjustAll(ctx, []ReasonedEntry{{e, reason}}, true)
	return outcomes[0], err
}

// ReasonedEntry is a correction and why it is made.
type ReasonedEntry struct {
	ledger.Entry
	Reason string
}

// AdjustAll posts corrections as Adjust does, in their order and in one transaction: each
// by itself or, where they are atomic, all or none; then the error is the first refusal.
// Repeating them has no further effect. The error is otherwise the database's.
func (b *DB) AdjustAll(ctx context.Context, corrections []ReasonedEntry, atomic bool) ([]Outcome, error) {
	outcomes := make([]Outcome, len(corrections))
	c := &call{atomic: atomic, op: control.Adjust, content: adjustments{corrections, atomic}}
	var at []int
	for i, r := range corrections {
		if err := checkAdjustment(r.Entry, r.Reason); err != nil {
			outcomes[i].Err = err
			if atomic {
				return outcomes, err
			}
			continue
		}
		c.entries, c.logs, at = append(c.entries, r.Entry), append(c.logs, logFields{action: "adjust", reason: r.Reason}),
			append(at, i)
	}
	posted, err := b.post(ctx, c)
	for i, o := range posted {
		outcomes[at[i]] = o
	}
	if c.denied != nil { // all of them together
		return outcomes, c.denied
	}
	if atomic {
		err = cmp.Or(err, firstRefusal(posted))
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
// go below zero: ledger.ErrInsufficient. Entry and At are ignored. The entry's ID names
// the day, the token, the account and the name: repeating it with the same amount has no
// further effect, with another it is ledger.ErrConflict. ledger.ErrInvalid for a day that is not
// paid, ledger.ErrNotFound for an account that was never opened.
func (b *DB) Compensate(ctx context.Context, c Compensation, reason string) (Outcome, error) {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return Outcome{}, err
	}
	if _, err := b.Account(ctx, c.Account); err != nil {
		return Outcome{}, err
	}
	asset, err := b.Asset(ctx, c.Asset)
	if err != nil {
		return Outcome{}, err
	}
	if err := b.checkPaid(ctx, c); err != nil {
		return Outcome{}, err
	}
	e := ledger.Entry{
		ID: ledger.CompensationID(c.Day.String(), c.Asset, c.Account, c.Name), Kind: ledger.Compensation,
		Moves: []ledger.Move{{From: ledger.Rewards, To: c.Account, Asset: c.Asset, Amount: c.Amount}},
	}
	detail := asset.Format(c.Amount) + " " + c.Asset + " as " + e.ID
	return b.postMove(ctx, e, call{system: true, op: control.Compensate, content: compensation{c, reason},
		log: logFields{action: "compensate", subject: string(c.Account), detail: detail, reason: reason}})
}

// checkPaid refuses a compensation for a day that is not paid yet: what is wrong with it
// can still be corrected, and it may still be paid.
func (b *DB) checkPaid(ctx context.Context, c Compensation) error {
	paid, err := read(ctx, b, func(t db.View) (int64, error) {
		return db.Count(t, "SELECT count(*) FROM progress WHERE bucket = $1 AND asset = $2 AND paid_through >= $3",
			int64(c.Account.Bucket()), c.Asset, int64(c.Day))
	})
	if err == nil && (c.Day < b.first || paid == 0) {
		err = ledger.ErrInvalid.In("", "%s of %s is not paid; a compensation is for a day that is", c.Day, c.Asset)
	}
	return annotate(err, "compensate %s", c.Account)
}

// overdraft is a time in which a balance is below zero because of an authoritative entry.
type overdraft struct {
	key
	until  int64 // the first moment at which it is not below zero any more
	lowest ledger.Amount
}

// flagged is an overdraft of an accepted entry.
type flagged struct {
	overdraft
	it *item
}

func (g *groupCommit) writeReconciliations() error {
	var all []flagged
	for _, it := range g.accepted {
		for _, d := range it.overdrafts {
			all = append(all, flagged{d, it})
		}
	}
	return g.insertNew("reconciliations", db.SetOf(all, keyFields(func(f flagged) *key { return &f.key },
		db.Text("entry", func(f flagged) string { return f.it.ID }),
		db.Int("at", func(f flagged) int64 { return f.it.at }),
		db.Int("until", func(f flagged) int64 { return f.until }),
		db.Int("lowest", func(f flagged) int64 { return int64(f.lowest) }),
		db.Int("flagged", func(flagged) int64 { return g.now }),
		db.Int("resolved", func(flagged) int64 { return 0 }),
		db.Text("reason", func(flagged) string { return "" }))...))
}

// Resolve records that an entry's balances were reconciled, and why that is so; the reason
// is kept and logged. The balances stay as they are: what was wrong is corrected by an
// adjustment. Repeating has no further effect. ErrNotFound if the entry was not flagged.
func (b *DB) Resolve(ctx context.Context, entry, reason string) (repeated bool, err error) {
	if err := ledger.At("reason", CheckReason(reason)); err != nil {
		return false, err
	}
	err = b.engine.Write(ctx, func(t db.Tx) error {
		n, err := t.Exec("UPDATE reconciliations SET resolved = $1, reason = $2 WHERE entry = $3 AND resolved = 0", b.now(),
			reason, entry)
		if err != nil {
			return err
		}
		if repeated = n == 0; !repeated {
			return b.logLine(t, "reconciliation resolve", entry, reason)
		}
		flagged, err := db.Count(t, "SELECT count(*) FROM reconciliations WHERE entry = $1", entry)
		if err == nil && flagged == 0 {
			err = ledger.ErrNotFound.In("", "entry %q is not to be reconciled", ledger.Clip(entry))
		}
		return err
	})
	return repeated, annotate(err, "resolve a reconciliation")
}
