package store

import (
	"time"

	"github.com/softstake/softstake/idempotency"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// People are those who may use the books. What is changed there is in the log as the
// actor's of these books.
func (db *DB) People() *people.People {
	return people.New(db.engine, accounts{db}, db.actor, db.clock, &db.stamps)
}

// Requests are the requests with an idempotency key.
func (db *DB) Requests() *idempotency.Requests { return idempotency.New(db.engine, db.clock) }

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
