package store

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/outbox"
	"github.com/softstake/softstake/people"
)

// People are those who may use the books. What is changed there is in the log as the
// actor's of these books.
func (db *DB) People() *people.People {
	return people.New(db.engine, accounts{db}, db.actor, db.clock, &db.stamps)
}

// Requests are the requests with an idempotency key.
func (db *DB) Requests() *idempotency.Requests { return idempotency.New(db.engine, db.clock) }

// Outbox is what the transactions of these books did, for those who publish it.
func (db *DB) Outbox() *outbox.Outbox { return outbox.New(db.engine, db.clock, &db.stamps) }

// Prune removes what is kept for a time only, and is over: responses, outbox events,
// sessions, drafts and attempt counters. It works in small transactions. Repeating it has
// no further effect, and several processes may call it at the same time.
func (db *DB) Prune(ctx context.Context) error {
	return errors.Join(db.Requests().Prune(ctx), db.People().Prune(ctx), db.Outbox().Prune(ctx))
}

// records are the accepted entries for the outbox, in the order in which they were
// decided: from what the balances were before them, forward entry by entry.
func (p *posting) records() (records outbox.Records) {
	for _, b := range p.sorted {
		b.now -= b.kept
	}
	for _, it := range p.items {
		if !it.isNew() {
			continue
		}
		e := outbox.PostedEntry{ID: it.ID, Kind: it.Kind, At: timeOf(it.at)}
		for _, c := range it.changes {
			c.balance.now += c.net
			if c.net != 0 && !c.account.IsHouse() {
				e.Balances = append(e.Balances, outbox.PostedBalance{Account: c.account, Asset: c.asset, Change: c.net,
					Balance: c.now})
			}
		}
		if e.Balances != nil {
			records.Entry(e)
		}
	}
	return records
}

// accounts is what people need of the books.
type accounts struct{ books *DB }

func (a accounts) CheckAccount(t view, id ledger.Account) error {
	_, err := FindAccount(t, id)
	return err
}

func (a accounts) LockAccount(t tx, id ledger.Account) (closed time.Time, err error) {
	there, err := lockAccount(t, id)
	return there.Closed, err
}

func (a accounts) Log(t tx, action, subject, detail string) error {
	return a.books.logLine(t, action, subject, detail)
}
