package reports

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/staking"
	"github.com/softstake/softstake/store"
)

// compensationsFor are those of one reward, in the order of their posting. Their entries
// are found by what their IDs begin with, in every bucket by key.
func compensationsFor(t db.View, id ledger.Account, d staking.Day, asset string) ([]store.Compensation, error) {
	prefix := ledger.CompensationsOf(d.String(), asset, id)
	high := strings.TrimSuffix(prefix, "/") + "0" // "0" follows "/"
	found, err := db.AllOf(t, func(r db.Row) (store.Compensation, error) {
		entry := r.Text(0)
		return store.Compensation{Entry: entry, Name: strings.TrimPrefix(entry, prefix), Account: id, Asset: asset, Day: d,
			At: db.TimeOf(r.Int(1))}, nil
	}, "SELECT e.entry, e.at FROM {rows} JOIN entries e ON e.bucket = r.bucket AND e.entry >= r.low AND e.entry < r.high",
		append(store.EveryBucket(d), inEach("low", prefix), inEach("high", high)))
	if err != nil {
		return nil, fmt.Errorf("look compensations up: %w", err)
	}
	kept := found[:0]
	for _, c := range found {
		var amount int64
		// Callers could use such IDs before they were ours: the kind decides.
		is, err := db.One(t, []*int64{&amount}, `SELECT amount FROM postings
		     WHERE bucket = $1 AND day = $2 AND at = $3 AND entry = $4 AND move = 0 AND side = 1 AND kind = $5`,
			int64(id.Bucket()), int64(staking.DayOf(c.At)), c.At.UnixMilli(), c.Entry, string(ledger.Compensation))
		if err != nil {
			return nil, fmt.Errorf("look compensations up: %w", err)
		}
		if c.Amount = ledger.Amount(amount); is {
			kept = append(kept, c)
		}
	}
	slices.SortFunc(kept, func(a, b store.Compensation) int {
		return strings.Compare(a.At.String()+a.Entry, b.At.String()+b.Entry)
	})
	return kept, nil
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
// of its own, before the end of the day, and changes the account's free balance of the token.
// Nothing is written, and whether the balances would have allowed the entries is not looked at. What the entries
// would have changed on other days is not part of it: ask for each of those.
// Its errors are those of Explain, and ledger.ErrInvalid for the entries.
func (rs *Reports) Propose(ctx context.Context, id ledger.Account, d staking.Day, symbol string,
	entries []ledger.Entry) (Proposal, error) {
	e, err := rs.Explain(ctx, id, d, symbol)
	if err != nil {
		return Proposal{}, err
	}
	p := Proposal{Was: e}
	var changes []staking.Change
	for _, entry := range entries {
		if err := rs.checkProposed(ctx, entry, e, id, symbol); err != nil {
			return Proposal{}, err
		}
		for _, m := range entry.Moves {
			since := entry.At.UnixMilli() - d.Millis()
			if m.Asset == symbol && m.From == id {
				changes = append(changes, staking.Change{Millis: since, Amount: -m.Amount})
			}
			if m.Asset == symbol && m.To == id {
				changes = append(changes, staking.Change{Millis: since, Amount: m.Amount})
			}
		}
	}
	p.With, p.Earned = e.withChanges(changes)
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
func (rs *Reports) checkProposed(ctx context.Context, entry ledger.Entry, e Explanation, id ledger.Account,
	symbol string) error {
	assets, err := rs.AssetsOf(ctx, symbol)
	if err == nil {
		err = entry.Check(assets)
	}
	touches := slices.ContainsFunc(entry.Moves, func(m ledger.Move) bool {
		return m.Asset == symbol && (m.From == id || m.To == id)
	})
	switch end := e.Measured.Day + 1; {
	case err != nil:
		return err
	case entry.At.IsZero():
		return ledger.ErrInvalid.In("", "entry %s: give it the time at which it happened", entry.ID)
	case entry.At.UnixMilli() >= end.Millis() || !touches:
		return ledger.ErrInvalid.In("", "entry %s does not change what %s has free of %s by the end of %s", entry.ID, id,
			symbol, e.Measured.Day)
	}
	if _, _, err := rs.Entry(ctx, entry.ID); err == nil {
		return ledger.ErrInvalid.In("", "entry %s is posted, and so part of the day or of a later one; give a name "+
			"that is not used", entry.ID)
	} else if !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	return nil
}

// withChanges is what the explained day comes to with further changes of the free balance, and whether it earns. What
// changes before the day changes all of it.
func (e Explanation) withChanges(changes []staking.Change) (a staking.Accrual, earns bool) {
	d, h := e.Measured.Day, e.holding()
	for _, c := range changes {
		h.Change(c.Amount, c.Millis)
	}
	if e.Terms.Measure == staking.Lowest {
		h.MeasureLowest(append(e.changesOf(d), changes...))
	}
	a, earns = comesTo(d, e.Terms, h)
	return a, earns && (e.Measures() || e.shared() != (staking.Exact{}))
}

// holding is what the day was measured from.
func (e Explanation) holding() staking.Holding {
	if !e.Stored {
		return e.measured
	}
	m := e.Measured
	integral := staking.IntegralOf(m.Average, staking.DayMillis).Add(staking.IntegralOf(1, m.Rest))
	return staking.Holding{Account: m.Account, Asset: m.Asset, Opening: m.Opening, Integral: integral, Carry: m.Before,
		Shared: e.shared(), Absent: !e.Measures()}
}
