package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/staking"
)

// apply adds all changes to the balances before it is decided which are accepted: the UPDATE locks
// the rows and returns what they are. PostgreSQL runs it as one statement, SQLite row by row. Nobody
// else sees the amounts before the commit, and correct takes back the changes of refused entries.
func (g *groupCommit) apply() error {
	return g.update(g.sorted, func(b *balance) ledger.Amount { return b.applied }, func(b *balance, amount ledger.Amount) {
		b.exists = true
		b.amount = amount - b.applied
	})
}

// update adds an amount to each of some balances that exist, in the one order of locks.
func (g *groupCommit) update(balances []*balance, amount func(*balance) ledger.Amount,
	seen func(*balance, ledger.Amount)) error {
	_, err := g.t.Set(func(r db.Row) error {
		b := g.balances[readKey(r)]
		b.closed, b.frozen = r.Int(4) != 0, r.Int(5) != 0
		seen(b, ledger.Amount(r.Int(3)))
		return nil
	}, `UPDATE balances SET balance = balances.balance + r.amount FROM {rows}
	     WHERE balances.bucket = r.bucket AND balances.account = r.account AND balances.asset = r.asset
	 RETURNING balances.bucket, balances.account, balances.asset, balances.balance, balances.closed, balances.frozen`,
		db.SetOf(balances, keyFields(balanceKey,
			db.Int("amount", func(b *balance) int64 { return int64(amount(b)) }))...))
	return annotate(err, "update balances")
}

func readKey(r db.Row) key { return key{int(r.Int(0)), ledger.Account(r.Text(1)), r.Text(2)} }

// write brings the accepted entries into the books.
func (g *groupCommit) write() error {
	for _, it := range g.items {
		if it.isNew() {
			g.accepted = append(g.accepted, it)
			for _, c := range it.changes {
				c.touched = true
			}
		}
	}
	slices.SortFunc(g.accepted, func(a, b *item) int { return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.ID, b.ID)) })
	return inOrder(g.correct, g.insertBalances, g.writeEntries, g.writePostings,
		g.writeWithdrawals,     // requests and ends of withdrawals only: withdrawal.go
		g.writeConversions,     // conversions only: conversion.go
		g.writeIncomes,         // staking income only: income.go
		g.writeCampaigns,       // entries that fund campaigns only: campaign.go
		g.writeDecisions,       // proposals that are executed only: approval.go
		g.writePayouts,         // compensations only: payout.go
		g.writeReconciliations, // authoritative entries that left a balance below zero only: correction.go
		g.writeSpendings,       // withdrawals and transfers only: daily_outflow.go
		g.writeUsage)           // what was posted with a token that has ceilings only: usage.go
}

// correct takes back from the balances what apply added to them for refused entries.
func (g *groupCommit) correct() error {
	var wrong []*balance
	for _, b := range g.sorted {
		if b.exists && b.accepted != b.applied {
			wrong = append(wrong, b)
		}
	}
	return g.update(wrong, func(b *balance) ledger.Amount { return b.accepted - b.applied },
		func(*balance, ledger.Amount) {})
}

// insertBalances makes the rows of balances that were not there before.
func (g *groupCommit) insertBalances() error {
	var fresh []*balance
	for _, b := range g.sorted {
		if !b.exists && b.touched {
			fresh = append(fresh, b)
		}
	}
	zero := func(*balance) int64 { return 0 }
	return g.insertNew("balances", db.SetOf(fresh, keyFields(balanceKey,
		db.Int("balance", func(b *balance) int64 { return int64(b.accepted) }),
		db.Int("carry", zero),
		db.Int("earned", zero),
		db.Int("frozen", func(b *balance) int64 { return db.Flag(b.frozen) }))...))
}

func (g *groupCommit) writeEntries() error {
	credentials := make(map[string]bool, 1)
	for _, it := range g.accepted {
		credentials[it.call.actor.Credential] = true
	}
	written, err := people.Refer(g.t, g.now, credentials)
	if err != nil {
		return err
	}
	return g.insertNew("entries", db.SetOf(g.accepted,
		db.Int("bucket", itemBucket),
		db.Text("entry", itemID),
		db.Int("at", itemAt),
		db.Int("posted_at", func(*item) int64 { return g.now }),
		db.Blob("digest", func(it *item) []byte { return it.digest }),
		db.Int("digest_version", func(*item) int64 { return ledger.DigestVersion }),
		db.Blob("leaves", func(it *item) []byte { return it.leaves }),
		db.Blob("destination", func(it *item) []byte { return it.destination }),
		db.Text("credential", func(it *item) string { return written[it.call.actor.Credential] }),
		db.Text("role", func(it *item) string { return string(it.call.actor.Role) }),
		db.Text("request", func(it *item) string { return it.call.actor.Request })))
}

// insertNew writes rows that nobody else may have written in the meantime; where another transaction
// has, this one is run again (db.ErrRetry) and sees them.
func (g *groupCommit) insertNew(table string, rows db.Set) error {
	if rows.Len() == 0 {
		return nil
	}
	n, err := insert(g.t, table, rows)
	if err == nil && n != int64(rows.Len()) {
		err = db.ErrRetry
	}
	return annotate(err, "write %s", table)
}

// insert writes the rows whose keys are not there yet, and returns how many these are.
func insert(t db.Tx, table string, rows db.Set) (int64, error) {
	return t.Set(nil, fmt.Sprintf("INSERT INTO %s (%s) SELECT r.%s FROM {rows} WHERE true ON CONFLICT DO NOTHING",
		table, strings.Join(rows.Names(), ", "), strings.Join(rows.Names(), ", r.")), rows)
}

// side is one posting on its way: one side of a move.
type side struct {
	key
	it     *item
	day    staking.Day
	move   int
	side   int
	amount ledger.Amount
	other  ledger.Account
}

func (g *groupCommit) writePostings() error {
	var sides []*side
	for _, it := range g.accepted {
		day := staking.DayOf(db.TimeOf(it.at))
		for i, m := range it.Moves {
			from, to := m.Sides()
			sides = append(sides,
				&side{key{from, m.From, m.Asset}, it, day, i, 0, -m.Amount, m.To},
				&side{key{to, m.To, m.Asset}, it, day, i, 1, m.Amount, m.From})
		}
	}
	slices.SortFunc(sides, func(a, b *side) int {
		return cmp.Or(a.bucket-b.bucket, cmp.Compare(a.day, b.day),
			cmp.Compare(a.it.at, b.it.at), cmp.Compare(a.it.ID, b.it.ID), a.move-b.move, a.side-b.side)
	})
	return g.insertNew("postings", db.SetOf(sides, keyFields(func(s *side) *key { return &s.key },
		db.Int("day", func(s *side) int64 { return int64(s.day) }),
		db.Int("at", func(s *side) int64 { return s.it.at }),
		db.Text("entry", func(s *side) string { return s.it.ID }),
		db.Int("move", func(s *side) int64 { return int64(s.move) }),
		db.Int("side", func(s *side) int64 { return int64(s.side) }),
		db.Int("amount", func(s *side) int64 { return int64(s.amount) }),
		db.Text("other", func(s *side) string { return string(s.other) }),
		db.Text("kind", func(s *side) string { return string(s.it.Kind) }))...))
}

// records are the accepted entries for the outbox, in the order in which they were decided, with the
// balances of holders as each left them: from what these were before, forward entry by entry. They
// are encoded in one event, or in several above 1 MiB; commit writes them.
func (g *groupCommit) records() (records outbox.Records) {
	for _, b := range g.sorted {
		b.amount -= b.accepted
	}
	for _, it := range g.items {
		if !it.isNew() {
			continue
		}
		e := outbox.PostedEntry{ID: it.ID, Kind: it.Kind, At: db.TimeOf(it.at)}
		for _, c := range it.changes {
			c.balance.amount += c.net
			if c.net != 0 && !c.account.IsHouse() {
				e.Balances = append(e.Balances, outbox.PostedBalance{Account: c.account, Asset: c.asset, Change: c.net,
					Balance: c.amount})
			}
		}
		if e.Balances != nil {
			records.Entry(e)
		}
	}
	return records
}
