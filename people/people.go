// Package people stores the credentials of those who use the books: API keys, bearer tokens,
// logins, sessions, and their security events. It knows accounts only by their IDs.
package people

import (
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Books are what people need of the books: the accounts and the log. Each method runs in the
// given transaction.
type Books interface {
	// CheckAccount is ErrNotFound if the account was never opened.
	CheckAccount(t db.View, id ledger.Account) error
	// LockAccount locks an account until the transaction ends, and returns when it was
	// closed, or the zero time. ErrNotFound if it was never opened.
	LockAccount(t db.Tx, id ledger.Account) (closed time.Time, err error)
	// Log writes a line of the log.
	Log(t db.Tx, action, subject, detail string) error
}

// People are the credentials of the books. All methods are safe for concurrent use. Times
// are in UTC, cut to milliseconds.
type People struct {
	db     *db.DB
	books  Books
	actor  access.Actor
	clock  func() time.Time
	stamps *db.Stamps
}

// New returns the people of books. actor is the actor of all changes.
func New(d *db.DB, books Books, actor access.Actor, clock func() time.Time, stamps *db.Stamps) *People {
	return &People{d, books, actor, clock, stamps}
}

// now is the clock's time in milliseconds since 1970.
func (p *People) now() int64 { return p.clock().UnixMilli() }
