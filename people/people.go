// Package people keeps who may use the books: API keys and bearer tokens, logins, sessions, and what happened to them. It knows accounts by their names alone.
package people

import (
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/ledger"
)

// Books is what people need of the books: whether an account is there, and the log. Each
// method works in the transaction that it is given.
type Books interface {
	// CheckAccount is ErrNotFound if the account was never opened.
	CheckAccount(t db.View, id ledger.Account) error
	// LockAccount locks an account until the transaction ends, and returns when it was
	// closed, or the zero time. ErrNotFound if it was never opened.
	LockAccount(t db.Tx, id ledger.Account) (closed time.Time, err error)
	// Log writes a line of the log.
	Log(t db.Tx, action, subject, detail string) error
}

// People are those who may use the books. All methods may be called from several
// goroutines at the same time. Times are kept in UTC, cut to milliseconds.
type People struct {
	db     *db.DB
	books  Books
	actor  access.Actor
	clock  func() time.Time
	stamps *db.Stamps
}

// New is the people of books. actor makes the changes.
func New(d *db.DB, books Books, actor access.Actor, clock func() time.Time, stamps *db.Stamps) *People {
	return &People{d, books, actor, clock, stamps}
}

// now is the clock's time in milliseconds since 1970.
func (p *People) now() int64 { return p.clock().UnixMilli() }
