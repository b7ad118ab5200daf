package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// compensationsFor are those of one reward, in the order of their posting. Their entries
// are found by what their IDs begin with, in every bucket by key.
func compensationsFor(t view, id ledger.Account, d staking.Day, asset string) (found []Compensation, err error) {
	prefix := ledger.CompensationsOf(d.String(), asset, id)
	buckets := everyBucket(d)
	n := buckets.Len()
	err = t.QuerySet(func(r row) error {
		c := Compensation{Entry: r.Text(0), Account: id, Asset: asset, Day: d, At: timeOf(r.Int(1))}
		c.Name = strings.TrimPrefix(c.Entry, prefix)
		found = append(found, c)
		return nil
	}, "SELECT e.entry, e.at FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry >= r.low AND e.entry < r.high",
		append(buckets, texts("low", repeat(prefix, n)), texts("high", repeat(strings.TrimSuffix(prefix, "/")+"0", n)))) // "0" follows "/"
	if err != nil {
		return nil, fmt.Errorf("look compensations up: %w", err)
	}
	kept := found[:0]
	for _, c := range found {
		var amount int64
		// Callers could use such IDs before they were ours: the kind decides.
		is, err := one(t, []*int64{&amount}, "SELECT amount FROM postings WHERE bucket = $1 AND day = $2 AND at = $3 AND entry = $4 AND move = 0 AND side = 1 AND kind = $5",
			int64(id.Bucket()), int64(staking.DayOf(c.At)), c.At.UnixMilli(), c.Entry, string(ledger.Compensation))
		if err != nil {
			return nil, fmt.Errorf("look compensations up: %w", err)
		}
		if c.Amount = ledger.Amount(amount); is {
			kept = append(kept, c)
		}
	}
	found = kept
	slices.SortFunc(found, func(a, b Compensation) int { return strings.Compare(a.At.String()+a.Entry, b.At.String()+b.Entry) })
	return found, nil
}

// Proposal says what a day would have earned with entries that the books do not have.
type Proposal struct {
	Was         Explanation     // the day as it is
	With        staking.Accrual // the figures with the entries
	Earned      bool            // with the entries it earns
	Difference  ledger.Amount   // With's reward less the day's; may be below zero
	Compensated ledger.Amount   // what compensations have made good already
}

// Missing is what is still to be compensated: zero or more.
func (p Proposal) Missing() ledger.Amount { return max(p.Difference-p.Compensated, 0) }

// Propose says what an account's day would have earned if entries had been posted in time,
// by the day's own terms and by the fraction that was carried to it. Each entry has a time
// of its own, before the end of the day, and changes the account's free balance of the token. Nothing is written, and
// whether the balances would have allowed the entries is not looked at. What the entries
// would have changed on other days is not part of it: ask for each of those.
// Its errors are those of Explain, and ledger.ErrInvalid for the entries.
func (db *DB) Propose(ctx context.Context, id ledger.Account, d staking.Day, symbol string, entries []ledger.Entry) (Proposal, error) {
	e, err := db.Explain(ctx, id, d, symbol)
	if err != nil {
		return Proposal{}, err
	}
	p, h := Proposal{Was: e}, e.holding()
	for _, entry := range entries {
		if err := db.checkProposed(ctx, entry, e, id, symbol); err != nil {
			return Proposal{}, err
		}
		for _, m := range entry.Moves {
			since := entry.At.UnixMilli() - d.Millis()
			if m.Asset == symbol && m.From == id {
				h.Change(-m.Amount, since)
			}
			if m.Asset == symbol && m.To == id {
				h.Change(m.Amount, since)
			}
		}
	}
	p.With, p.Earned = comesTo(d, e.Terms, h)
	p.Earned = p.Earned && e.TermsKnown && e.Enrolled
	if p.Earned {
		p.Difference = p.With.Reward
	}
	if e.Earned {
		p.Difference -= e.Measured.Reward
	}
	for _, c := range e.Compensations {
		p.Compensated += c.Amount
	}
	return p, nil
}

// checkProposed refuses an entry that says nothing about the day.
func (db *DB) checkProposed(ctx context.Context, entry ledger.Entry, e Explanation, id ledger.Account, symbol string) error {
	assets, err := db.assets(ctx, symbol)
	if err == nil {
		err = entry.Check(assets)
	}
	touches := slices.ContainsFunc(entry.Moves, func(m ledger.Move) bool { return m.Asset == symbol && (m.From == id || m.To == id) })
	switch end := e.Measured.Day + 1; {
	case err != nil:
		return err
	case entry.At.IsZero():
		return ledger.ErrInvalid.In("", "entry %s: give it the time at which it happened", entry.ID)
	case entry.At.UnixMilli() >= end.Millis() || !touches:
		return ledger.ErrInvalid.In("", "entry %s does not change what %s has free of %s by the end of %s", entry.ID, id, symbol, e.Measured.Day)
	}
	if _, _, err := db.Entry(ctx, entry.ID); err == nil {
		return ledger.ErrInvalid.In("", "entry %s is posted, and so part of the day or of a later one; give a name that is not used", entry.ID)
	} else if !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	return nil
}

// holding is what the day was measured from.
func (e Explanation) holding() staking.Holding {
	if !e.Stored {
		return e.measured
	}
	m := e.Measured
	integral := staking.Over(m.Average, staking.DayMillis).Add(staking.Over(1, m.Rest))
	return staking.Holding{Account: m.Account, Asset: m.Asset, Opening: m.Opening, Integral: integral, Carry: m.Before}
}
