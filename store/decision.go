package store

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// decide accepts or refuses each entry, in order, as if they came one by one. The error is the database's.
func (g *groupCommit) decide() error {
	n := 0
	for _, c := range g.calls {
		items := g.items[n : n+len(c.entries)]
		n += len(c.entries)
		for _, it := range items {
			g.decideItem(it)
		}
		if i := slices.IndexFunc(items, func(it *item) bool { return it.out.Err != nil }); c.atomic && i >= 0 {
			g.undo(items, errors.Join(errNotPosted, items[i].out.Err))
		}
		if c.denied = g.permit(c, items); c.denied != nil { // what may need approval only: approval.go
			g.undo(items, c.denied)
			continue
		}
		err := g.confirm(c, items) // what a person has to confirm only: step_up.go
		if errors.Is(err, access.ErrForbidden) {
			g.undo(items, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (g *groupCommit) decideItem(it *item) {
	if it.done {
		return
	}
	// One that was refused left no trace, so that this one is decided as if it had come alone.
	if first := g.acceptedBefore(it); first != nil {
		it.repeats = first
		it.answer(first.at, g.now, ledger.DigestVersion, first.digest)
		return
	}
	it.at = g.entryTime(it)
	if err := g.checkItem(it); err != nil {
		it.refuse(fmt.Errorf("entry %s: %w", it.ID, err))
		return
	}
	g.count(it, 1)
	it.done, it.digest = true, it.digestAt(it.at)
	*it.out = Outcome{At: db.TimeOf(it.at), PostedAt: db.TimeOf(g.now)}
}

// count adds what an accepted item does to what the entries after it find or, with the sign
// -1, takes it back.
func (g *groupCommit) count(it *item, sign int64) {
	for _, c := range it.changes {
		c.balance.amount += c.net * ledger.Amount(sign)
		c.accepted += c.net * ledger.Amount(sign)
		if l := (later{it.at, c.net, it.Kind.OfWithdrawal()}); sign > 0 {
			c.balance.later = append(c.later, l)
		} else {
			i := slices.Index(c.later, l)
			c.balance.later = slices.Delete(c.later, i, i+1)
		}
	}
	g.follow(it, ledger.Amount(sign)) // requests and ends of withdrawals only: withdrawal.go
	g.countIncome(it, sign)           // staking income only: reserve.go
	g.countSpending(it, sign)         // what holders withdraw or send: daily_outflow.go
	for _, u := range it.uses {
		u.fresh += u.amount * ledger.Amount(sign)
	}
	g.limits.count(it, sign) // conversions, and what changes @desk while they are checked: conversion.go
}

// isNew reports whether the item is accepted, and was not in the books before.
func (it *item) isNew() bool { return it.done && it.out.Err == nil && !it.out.Repeated }

// acceptedBefore is the item with this one's ID that was accepted before it, or nil.
func (g *groupCommit) acceptedBefore(it *item) *item {
	for _, other := range g.named[it.ID] {
		if other == it {
			break
		}
		if other.isNew() {
			return other
		}
	}
	return nil
}

// entryTime stamps an item that has no time of its own, under the locks: not before the later
// changes of its balances that are known here, nor past the day that is locked. Known are the
// entries accepted before it in this group commit and, of balances that it debits and that must not
// go below zero, the postings that readLater has read.
func (g *groupCommit) entryTime(it *item) int64 {
	if it.at != 0 {
		return it.at
	}
	at := max(g.now, g.books.now())
	for _, c := range it.changes {
		for _, l := range c.later {
			at = max(at, l.at)
		}
	}
	return min(at, (g.day(it)+1).Millis()-1)
}

// checkItem says why the item cannot be accepted, or nil.
func (g *groupCommit) checkItem(it *item) error {
	for _, check := range []func(*item) error{
		g.checkFreeze,      // what takes from a holder's account only: freeze.go
		g.checkEnding,      // what ends a withdrawal only: withdrawal.go
		g.checkConversion,  // conversions only: conversion.go
		g.checkIncome,      // staking income only: income.go
		g.checkCeiling,     // what is posted with a token that has ceilings only: usage.go
		g.checkDestination, // withdrawals that their holders request only: destination.go
		g.checkOutflow,     // what takes tokens out only: outflow.go
		g.checkInflow,      // what brings tokens in only: inflow.go
		g.checkSpending,    // what holders withdraw or send: daily_outflow.go
		g.checkAlone,       // what may need approval only: approval.go
	} {
		if err := check(it); err != nil {
			return err
		}
	}
	it.overdrafts = nil
	for _, c := range it.changes {
		if err := c.check(it, g.assets[c.asset]); err != nil {
			return err
		}
	}
	return nil
}

// check says why an item cannot make the change, or nil. What a pending withdrawal
// holds is taken by the entry that ends it, and by no other. An authoritative entry must
// leave what there is now, and not what there was at each moment since its own time.
func (c change) check(it *item, asset ledger.Asset) error {
	after, err := c.amount.Add(c.net)
	if err != nil || after > asset.MaxSupply || after < -asset.MaxSupply {
		return ledger.ErrInvalid.In("", "%s would have more %s than there can be (%s)", c.account, asset.Symbol,
			asset.Format(asset.MaxSupply))
	}
	if c.net > 0 || c.account.Overdraws() { // @custody and @desk may go below zero
		return nil
	}
	available, reserves := c.amount, c.account.IsHeld() && !it.Kind.OfWithdrawal()
	reserved := c.reserved
	if it.shares() {
		reserved = it.owed
	}
	if c.account == ledger.Rewards { // a loss of income takes nothing from campaigns
		reserved = max(reserved, 0) + c.campaigns
	}
	pool := c.account == ledger.Rewards && reserved > 0
	if reserves || pool {
		available -= reserved
	}
	least, until := c.least(it.at, available, -c.net, reserves)
	switch {
	case least >= 0 && least+c.net >= 0:
		return nil
	case it.Authoritative && available >= 0 && available+c.net >= 0:
		it.overdrafts = append(it.overdrafts, overdraft{c.key, until, least + c.net})
		return nil
	}
	when, what := "", ""
	if least < available {
		when = fmt.Sprintf(" at some moment since %s", ledger.FormatTime(db.TimeOf(it.at)))
	}
	if reserves && c.reserved > 0 {
		what = fmt.Sprintf(" beside the %s that pending withdrawals hold", asset.Format(c.reserved))
		when += "; cancel a withdrawal first"
	}
	if pool {
		what = fmt.Sprintf(" beside the %s that is %s", asset.Format(reserved), reservedFor)
	}
	return ledger.ErrInsufficient.In("", "%s has %s %s%s, and %s is needed%s",
		c.account, asset.Format(max(least, 0)), asset.Symbol, what, asset.Format(-c.net), when)
}

// least is the lowest balance at any moment from at on, counted back from what it is
// now, and until when it was below what is needed. Changes of one moment count together.
// Without the withdrawals' changes it is what their requests leave to other entries: a
// request and its ending change the balance by as much as they change what is reserved.
func (b *balance) least(at int64, now, needed ledger.Amount, withoutWithdrawals bool) (least ledger.Amount,
	until int64) {
	slices.SortStableFunc(b.later, func(x, y later) int { return int(min(max(y.at-x.at, math.MinInt32), math.MaxInt32)) })
	least = now
	running := now
	for i, l := range b.later {
		if l.at <= at {
			break
		}
		if !withoutWithdrawals || !l.withdrawal {
			running -= l.amount
		}
		if i+1 == len(b.later) || b.later[i+1].at != l.at {
			least = min(least, running)
			if until == 0 && running < needed {
				until = l.at
			}
		}
	}
	return least, until
}

// undo takes back what was accepted of a call, and refuses it: of an atomic call of which an entry is refused, and of
// one
// that needs approval.
func (g *groupCommit) undo(items []*item, why error) {
	for _, it := range items {
		repeatsOther := it.out.Repeated && (it.repeats == nil || it.repeats.call != it.call)
		if it.out.Err != nil || repeatsOther {
			continue
		}
		if it.isNew() {
			g.count(it, -1)
		}
		*it.out = Outcome{Err: why}
	}
}

// errNotPosted is why the other entries of that call are not posted.
var errNotPosted = errors.New("not posted, because another entry of the same call was refused")
