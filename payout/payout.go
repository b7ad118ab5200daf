// Package payout is what another ledger is to credit, as it is handed over, and what a target is that payouts are
// delivered to. It knows no books, and no target of its own.
package payout

import (
	"context"
	"errors"
	"time"

	"github.com/softstake/softstake/ledger"
)

// Payout is a reward or a compensation to credit, with its amount in whole tokens.
type Payout struct {
	Number  int64
	ID      string // the key by which crediting it is idempotent
	Day     string // YYYY-MM-DD
	Asset   string
	Account ledger.Account
	Amount  string // exact, above zero
	Paid    time.Time
}

// JSON is a payout as messages have it: with the fields that GET /v1/payouts has.
type JSON struct {
	Number  int64          `json:"number"`
	ID      string         `json:"id"`
	Day     string         `json:"day"`
	Asset   string         `json:"asset"`
	Account ledger.Account `json:"account"`
	Amount  string         `json:"amount"`
	PaidAt  string         `json:"paidAt"`
}

// JSON is the payout as messages have it.
func (p Payout) JSON() JSON {
	return JSON{p.Number, p.ID, p.Day, p.Asset, p.Account, p.Amount, ledger.FormatTime(p.Paid)}
}

// Batch is payouts that were paid together.
type Batch struct {
	First int64  `json:"first"` // their numbers are dense
	Last  int64  `json:"last"`
	Day   string `json:"day"` // YYYY-MM-DD
	Asset string `json:"asset"`
	Total string `json:"total"` // the sum of their amounts
}

// Page is some payouts, by number, and the batches whose last payout is among them.
type Page struct {
	Payouts []Payout
	Batches []Batch
}

// Last is the number of the last payout.
func (p Page) Last() int64 { return p.Payouts[len(p.Payouts)-1].Number }

// Target is where payouts are delivered to.
type Target interface {
	// Address is the target as it is kept: it has no password.
	Address() string
	// Keeps reports whether it keeps by itself how far it is: its sessions are Tables.
	Keeps() bool
	// Open connects.
	Open(ctx context.Context) (Session, error)
}

// Session is a connection to a target. It is used by one goroutine.
type Session interface {
	// Deliver hands over a page, which follows the payout of a number: when it returns nil the target has all of it. One
	// that failed may have any part of it, of a Table none. Repeating it is safe: readers go by the ID.
	Deliver(ctx context.Context, after int64, page Page) error
	Close() error
}

// Table is a session of a target that keeps what it has by itself, and by what it is acknowledged.
type Table interface {
	Session
	// Position is the last payout that it has.
	Position(ctx context.Context) (Last, error)
	// Reset sets it, so that the ones after it are delivered again.
	Reset(ctx context.Context, last Last) error
	// Answers are some that were not taken yet, at most this many; none if there are no more now.
	Answers(ctx context.Context, most int) ([]Answer, error)
	// Take keeps that answers are taken, and what is wrong with them; "": nothing. What was changed since they were read
	// is answered again.
	Take(ctx context.Context, answers []Answer, problems []string) error
}

// Last is the last payout that a table has. Its ID shows whether the number is of the same payout in the books: books
// that were recovered to a moment give numbers again.
type Last struct {
	Number int64  // 0: it has none
	ID     string // "": not known
}

// Answer is what another ledger says of a payout.
type Answer struct {
	Payout      string // its ID
	Transaction string // that credited it; "": none did
	Refused     string // why it is not credited; "": it is
	State       string // all that was said, as the table has it
}

// ErrMoved is of a page that does not follow what the target has: another process delivers to it too.
var ErrMoved = errors.New("the target has moved on")
