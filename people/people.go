// Package people stores what belongs to those who use the books: credentials (API keys, bearer tokens,
// logins, sessions), their security events and notices, and deposit addresses. It knows accounts only by their IDs.
package people

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// Books are what people need of the books: the accounts, the assets and the log. What gets a
// transaction runs in it.
type Books interface {
	// CheckAccount is ErrNotFound if the account was never opened.
	CheckAccount(t db.View, id ledger.Account) error
	// LockAccount locks an account until the transaction ends, and returns when it was
	// closed, or the zero time. ErrNotFound if it was never opened.
	LockAccount(t db.Tx, id ledger.Account) (closed time.Time, err error)
	// LockOpenAccount is LockAccount, and ErrInvalid if the account is closed.
	LockOpenAccount(t db.Tx, id ledger.Account) error
	// Asset is ErrNotFound if the books do not keep the asset.
	Asset(ctx context.Context, symbol string) (ledger.Asset, error)
	// Permit is nil where an operation needs no approval or is approved: it is asked in the transaction of the operation,
	// which is refused with its error. content is what it was called with, and effect what it does.
	Permit(t db.Tx, needed bool, op control.Operation, content any, subject, effect string) error
	// NeedsFactor reports whether holders withdraw with a second factor only.
	NeedsFactor(t db.View) (bool, error)
	// Log writes a line of the log.
	Log(t db.Tx, action, subject, detail string) error
	// Actor is who makes the change.
	Actor() access.Actor
}

// Reader reads the credentials of the books, and has no way to write them. All methods are
// safe for concurrent use. Times are in UTC, cut to milliseconds.
type Reader struct {
	reads reads
	books Books
	clock func() time.Time
	guard *integrity.Guard
}

// reads is a database that is only read.
type reads interface {
	Read(ctx context.Context, fn func(db.View) error) error
	Look(ctx context.Context, fn func(db.View) error) error
}

// People are the credentials of the books, to be read and changed.
type People struct {
	Reader
	db     *db.DB
	stamps *db.Stamps
}

// New returns the people of books. The guard checks each row that gives a right where it is used.
func New(d *db.DB, books Books, clock func() time.Time, stamps *db.Stamps, guard *integrity.Guard) *People {
	return &People{Reader{d, books, clock, guard}, d, stamps}
}

// unguarded reads rows that may be forged: to list them, and to take away the right that they give.
var unguarded *integrity.Guard

// checked is scan for rows of Columns of a kind, each of which must have its MAC: integrity.ErrForged.
func checked[T any](g *integrity.Guard, k integrity.Guarded, scan func(db.Row) (T, error)) func(db.Row) (T, error) {
	return func(r db.Row) (found T, err error) {
		if err := g.Check(k, r, 0); err != nil {
			return found, err
		}
		return scan(r)
	}
}

// now is the clock's time in milliseconds since 1970.
func (r Reader) now() int64 { return r.clock().UnixMilli() }

// write runs fn in a transaction that writes. what says what it does, for its error.
func (p *People) write(ctx context.Context, what string, fn func(db.Tx) error) error {
	if err := p.db.Write(ctx, fn); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// wrote keeps the versions of rows that a transaction has replaced; see integrity.Wrote.
func (p *People) wrote(t db.Tx, k integrity.Kind, names ...string) error {
	return integrity.Wrote(t, p.clock(), k, names...)
}

// look finds one row.
func look[T any](ctx context.Context, r Reader, what string, find func(db.View) (T, error)) (found T, err error) {
	err = r.reads.Look(ctx, func(t db.View) (err error) {
		found, err = find(t)
		return err
	})
	if err != nil {
		var none T
		return none, fmt.Errorf("look a %s up: %w", what, err)
	}
	return found, nil
}

// list reads rows in one snapshot: of an account, which is ErrNotFound if it was never
// opened, or for "" of all.
func list[T any](
	ctx context.Context, r Reader, what string, of ledger.Account,
	scan func(db.Row) (T, error), sql string, args ...any,
) (rows []T, err error) {
	err = r.reads.Read(ctx, func(t db.View) (err error) {
		if of != "" {
			err = r.books.CheckAccount(t, of)
		}
		if err == nil {
			rows, err = db.All(t, scan, sql, args...)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	return rows, nil
}

// ofAccount is the list of an account.
func ofAccount[T any](
	ctx context.Context, r Reader, what string, id ledger.Account,
	scan func(db.Row) (T, error), sql string, args ...any,
) ([]T, error) {
	if err := id.CheckHolder(); err != nil {
		return nil, err
	}
	return list(ctx, r, what, id, scan, sql, args...)
}

// The reasons of a ledger.Error for which an API has a hint.
const (
	ReasonUnknownKey   = "unknown-key"   // ledger.ErrNotFound
	ReasonUnknownLogin = "unknown-login" // ledger.ErrNotFound
	ReasonUnknownToken = "unknown-token" // ledger.ErrNotFound: a bearer token
	ReasonTooManyKeys  = "too-many-keys" // ledger.ErrInvalid
	ReasonDeadKey      = "dead-key"      // ledger.ErrInvalid: revoked or expired
	ReasonUnknownStaff = "unknown-staff" // ledger.ErrNotFound
	ReasonOtherStaff   = "other-staff"   // access.ErrForbidden: the address is another person's

	ReasonAnothersToken = "anothers-token" // access.ErrForbidden: a token of staff is asked for by its person
)

// named is a row that is kept for a time only.
type named struct {
	bucket, time int64
	name         string
}

// Prune removes sessions, drafts, step-ups, challenges, mails and attempt counters whose time is over, in small
// transactions. Repeating it has no further effect, and several processes may call it at
// the same time.
func (p *People) Prune(ctx context.Context) error {
	now := p.now()
	for _, old := range []struct {
		what, find, remove string
		until              int64
	}{
		{"sessions", "SELECT bucket, id, expires FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM sessions WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"sessions of staff", "SELECT bucket, id, expires FROM staff_sessions WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM staff_sessions WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"log-ins of staff", "SELECT bucket, state, expires FROM staff_log_ins WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM staff_log_ins WHERE bucket = $1 AND state = $2 AND expires = $3", now},
		{"drafts", "SELECT bucket, id, expires FROM drafts WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM drafts WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"step-ups", "SELECT bucket, id, expires FROM step_ups WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM step_ups WHERE bucket = $1 AND id = $2 AND expires = $3", now},
		{"challenges", "SELECT bucket, challenge, expires FROM challenges WHERE expires <= $1 ORDER BY expires LIMIT $2",
			"DELETE FROM challenges WHERE bucket = $1 AND challenge = $2 AND expires = $3", now},
		{"attempts", "SELECT bucket, counter, since FROM attempts WHERE since <= $1 ORDER BY since LIMIT $2",
			"DELETE FROM attempts WHERE bucket = $1 AND counter = $2 AND since = $3", now - AttemptsKept.Milliseconds()},
		{"mails", "SELECT bucket, nonce, at FROM mails WHERE at <= $1 ORDER BY at LIMIT $2",
			"DELETE FROM mails WHERE bucket = $1 AND nonce = $2 AND at = $3", now - MailsKept.Milliseconds()},
	} {
		if err := p.prune(ctx, old.find, old.remove, old.until); err != nil {
			return fmt.Errorf("remove old %s: %w", old.what, err)
		}
	}
	return nil
}
