package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/softstake/softstake/conversion"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/pricing"
	"github.com/softstake/softstake/staking"
)

// Quote is what a conversion of an account would give now, for an amount above zero.
// Where the rules do not allow it the error is a *conversion.Error, and the quote still
// has the figures. Nothing is reserved: Convert checks the rules again.
func (b *DB) Quote(ctx context.Context, account ledger.Account, from, into string, amount ledger.Amount,
	rules conversion.Rules) (q conversion.Quote, err error) {
	assets, err := b.conversionAssets(ctx, account, from, into, amount, rules)
	if err != nil {
		return q, err
	}
	err = b.engine.Read(ctx, func(t db.View) error {
		now := b.Now()
		newest, err := pricing.Newest(t, now)
		if err != nil {
			return err
		}
		if q, err = rules.Quote(assets[0], assets[1], amount, newest, now); err != nil {
			return err
		}
		used, err := db.Count(t, "SELECT worth FROM conversions WHERE bucket = $1 AND account = $2 AND day = $3",
			int64(account.Bucket()), string(account), int64(staking.DayOf(now)))
		if err != nil {
			return err
		}
		desk, err := deskBalance(t, into)
		if err != nil {
			return err
		}
		return rules.Allow(q, ledger.Amount(used), desk)
	})
	return q, err
}

// conversionAssets are both assets of a conversion that can be.
func (b *DB) conversionAssets(ctx context.Context, account ledger.Account, from, into string, amount ledger.Amount,
	rules conversion.Rules) (both [2]ledger.Asset, err error) {
	if err := rules.Check(); err != nil {
		return both, err
	}
	if err := account.CheckHolder(); err != nil {
		return both, err
	}
	if from == into || amount <= 0 {
		return both, ledger.ErrInvalid.In("amount", "a conversion is of an amount above zero into another asset")
	}
	for i, symbol := range []string{from, into} {
		if both[i], err = b.Asset(ctx, symbol); err != nil {
			return both, err
		}
	}
	return both, nil
}

// Convert posts a conversion as it was quoted: an entry of the kind trade, in which the
// holder gives Amount to @desk and gets Gives. The rules are checked in the transaction
// that posts it, so that conversions at the same time, in several processes too, do not go
// beyond them together. Where the books or the rules do not allow it any more, nothing is
// posted and the error is a *conversion.Error; its other errors are those of Post's
// outcomes. Idempotent by the ID, whatever the rules are by then; the same ID with another
// quote is ErrConflict. Safe for concurrent use.
func (b *DB) Convert(ctx context.Context, id string, account ledger.Account, q conversion.Quote,
	rules conversion.Rules) (Outcome, error) {
	if _, err := b.conversionAssets(ctx, account, q.From.Symbol, q.Into.Symbol, q.Amount, rules); err != nil {
		return Outcome{}, err
	}
	e := ledger.Entry{ID: id, Kind: ledger.Trade, Moves: []ledger.Move{
		{From: account, To: ledger.Desk, Asset: q.From.Symbol, Amount: q.Amount},
		{From: ledger.Desk, To: account, Asset: q.Into.Symbol, Amount: q.Gives},
	}}
	return b.postOne(ctx, &call{entries: []ledger.Entry{e}, converts: &quoted{account, q, rules}})
}

// quoted is what a call of Convert asks for.
type quoted struct {
	account ledger.Account
	quote   conversion.Quote
	rules   conversion.Rules
}

// limits is what the conversions of a group commit are checked against, under its locks. The
// locks come after those of the days and before those of the balances: an asset's row in
// desk, so that conversions into it come one by one, then the account's row of the day.
// Only conversions take them, and in one order.
type limits struct {
	prices map[string]conversion.Price
	used   map[accountDay]ledger.Amount // what accounts have converted on a day, in USDT and in 1e-8
	desks  map[string]*big.Int          // what @desk has in all buckets, of the assets it pays out
}

// accountDay is an account's row of a day in conversions.
type accountDay struct {
	account ledger.Account
	day     staking.Day
}

// readLimits takes the locks of the conversions among the entries, and reads what they
// are checked against.
func (g *groupCommit) readLimits() (err error) {
	g.limits = limits{used: map[accountDay]ledger.Amount{}, desks: map[string]*big.Int{}}
	for it := range g.undecided {
		if c := it.call.converts; c != nil {
			g.limits.desks[c.quote.Into.Symbol] = nil
			g.limits.used[accountDay{c.account, g.day(it)}] = 0
		}
	}
	if len(g.limits.desks) == 0 {
		return nil
	}
	paid := slices.Sorted(maps.Keys(g.limits.desks))
	if _, err := g.t.Set(nil, `INSERT INTO desk (asset) SELECT r.asset FROM {rows} WHERE true
	                           ON CONFLICT (asset) DO UPDATE SET asset = excluded.asset`,
		db.SetOf(paid, db.Text("asset", func(asset string) string { return asset }))); err != nil {
		return fmt.Errorf("lock @desk: %w", err)
	}
	if _, err := g.t.Set(func(r db.Row) error {
		g.limits.used[accountDay{ledger.Account(r.Text(0)), staking.Day(r.Int(1))}] = ledger.Amount(r.Int(2))
		return nil
	}, `INSERT INTO conversions (bucket, account, day, worth) SELECT r.bucket, r.account, r.day, r.worth FROM {rows} WHERE true
	    ON CONFLICT (bucket, account, day) DO UPDATE SET worth = conversions.worth RETURNING account, day, worth`,
		conversionRows(g.limits.used)); err != nil {
		return fmt.Errorf("read what was converted: %w", err)
	}
	if g.limits.prices, err = pricing.Newest(g.t, db.TimeOf(g.now)); err != nil {
		return err
	}
	for _, asset := range paid {
		if g.limits.desks[asset], err = deskBalance(g.t, asset); err != nil {
			return err
		}
	}
	return nil
}

// conversionRows are rows of conversions, in the one order of locks.
func conversionRows(worth map[accountDay]ledger.Amount) db.Set {
	keys := slices.SortedFunc(maps.Keys(worth), func(a, b accountDay) int {
		return cmp.Or(a.account.Bucket()-b.account.Bucket(), cmp.Compare(a.account, b.account), cmp.Compare(a.day, b.day))
	})
	return db.SetOf(keys,
		db.Int("bucket", func(k accountDay) int64 { return int64(k.account.Bucket()) }),
		db.Text("account", func(k accountDay) string { return string(k.account) }),
		db.Int("day", func(k accountDay) int64 { return int64(k.day) }),
		db.Int("worth", func(k accountDay) int64 { return int64(worth[k]) }))
}

// deskBalance is what @desk has of an asset, in all buckets together.
func deskBalance(t db.View, asset string) (*big.Int, error) {
	sum := new(big.Int)
	err := t.QuerySet(func(r db.Row) error { sum.Add(sum, big.NewInt(r.Int(0))); return nil },
		"SELECT b.balance FROM {rows} JOIN balances b ON b.bucket = r.bucket AND b.account = r.account AND b.asset = r.asset",
		everyBucket(sameText("account", string(ledger.Desk)), sameText("asset", asset)))
	if err != nil {
		return nil, fmt.Errorf("read what @desk has of %s: %w", asset, err)
	}
	return sum, nil
}

// checkConversion says why the item's conversion cannot be posted, or nil; nil too for an
// item that is none.
func (g *groupCommit) checkConversion(it *item) error {
	c := it.call.converts
	if c == nil {
		return nil
	}
	q, err := c.rules.Quote(c.quote.From, c.quote.Into, c.quote.Amount, g.limits.prices, db.TimeOf(g.now))
	if err != nil {
		return err
	}
	if !q.SamePrice(c.quote) {
		return &conversion.Error{Fault: conversion.QuoteChanged}
	}
	c.quote.Worth = q.Worth // what counts is what the books say
	return c.rules.Allow(q, g.limits.used[accountDay{c.account, g.day(it)}], g.limits.desks[q.Into.Symbol])
}

// count keeps what an accepted item leaves of the limits for those that come after it,
// with the sign 1, or takes that back, with the sign -1.
func (l *limits) count(it *item, sign int64) {
	if c := it.call.converts; c != nil {
		l.used[accountDay{c.account, staking.DayOf(db.TimeOf(it.at))}] += c.quote.Worth * ledger.Amount(sign)
	}
	for _, change := range it.changes {
		if sum := l.desks[change.asset]; sum != nil && change.account == ledger.Desk {
			sum.Add(sum, big.NewInt(int64(change.net)*sign))
		}
	}
}

// writeConversions counts the accepted conversions against the limits of their day.
func (g *groupCommit) writeConversions() error {
	worth := map[accountDay]ledger.Amount{}
	for _, it := range g.accepted {
		if c := it.call.converts; c != nil {
			worth[accountDay{c.account, g.day(it)}] += c.quote.Worth
		}
	}
	if len(worth) == 0 {
		return nil
	}
	_, err := g.t.Set(nil, `UPDATE conversions SET worth = conversions.worth + r.worth FROM {rows}
	                         WHERE conversions.bucket = r.bucket AND conversions.account = r.account AND conversions.day = r.day`, conversionRows(worth))
	if err != nil {
		return fmt.Errorf("count conversions: %w", err)
	}
	return nil
}
