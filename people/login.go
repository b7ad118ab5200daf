package people

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// Login is an e-mail address that opens an account.
type Login struct {
	Email    string // as access.ParseEmail writes it
	Account  ledger.Account
	Password string // its hash, as access.HashPassword makes it
	Created  time.Time
	Changed  time.Time // when the password was set
}

// String names the login in logs and messages, where the hash is never shown.
func (l Login) String() string { return fmt.Sprintf("login %s of %s", l.Email, l.Account) }

// LogValue is the login in a log.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// AddLogin adds a login to an account, which may have several. Adding the same address to
// the same account again has no further effect, and leaves the password; an address of
// another account is ErrConflict. ErrNotFound if the account was never opened; ErrInvalid
// if it is closed, and for an invalid address or hash.
func (p *People) AddLogin(ctx context.Context, l Login) error {
	email, err := access.ParseEmail(l.Email)
	err = ledger.At("email", err)
	if err == nil {
		err = ledger.At("account", l.Account.CheckHolder())
	}
	if err == nil {
		err = checkHash(l.Password)
	}
	if err != nil {
		return fmt.Errorf("add a login: %w", err)
	}
	return p.write(ctx, "add the login "+email, func(t db.Tx) error {
		if err := p.lockOpenAccount(t, l.Account); err != nil {
			return err
		}
		if added, err := p.insertLogin(t, email, l); err != nil || added {
			return err
		}
		there, err := findLogin(t, p.guard, email)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			return fmt.Errorf("%w: it was removed at the same time", db.ErrRetry)
		case err == nil && there.Account != l.Account:
			return ledger.ErrConflict.In("", "it opens account %s", there.Account)
		}
		return err
	})
}

// checkHash refuses to store a password itself.
func checkHash(hash string) error {
	if !access.IsPasswordHash(hash) {
		return ledger.ErrInvalid.In("password", "of a password only the hash is kept, and this is none")
	}
	return nil
}

// insertLogin writes a login, and reports whether it is new.
func (p *People) insertLogin(t db.Tx, email string, l Login) (added bool, err error) {
	reference := rand.Text()
	n, err := t.Exec("INSERT INTO logins (bucket, email, account, password, created, changed, reference) "+
		"VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT DO NOTHING",
		keyBucket(email), email, string(l.Account), l.Password, p.now(), reference)
	if err != nil || n == 0 {
		return false, err
	}
	if err := p.guard.Sign(t, integrity.LoginRows, ofEmail, keyBucket(email), email); err != nil {
		return false, err
	}
	if err := addEmail(t, reference, email, l.Account, 0); err != nil {
		return false, err
	}
	if err := p.wrote(t, integrity.Logins, string(l.Account)); err != nil {
		return false, err
	}
	// What it opens it with is in the content alone: a line of the log keeps no e-mail address.
	l.Email = email
	if err := p.books.Permit(t, true, control.AddLogin, l, string(l.Account), "a login opens it"); err != nil {
		return false, err
	}
	return true, p.books.Log(t, "login add", string(l.Account), loginPrefix+reference)
}

var loginColumns = integrity.LoginRows.Select()

// ofEmail is the condition of the row of an address, which lies in its bucket.
const ofEmail = "bucket = $1 AND email = $2"

func scanLogin(r db.Row) (Login, error) {
	return Login{
		Email: r.Text(0), Account: ledger.Account(r.Text(1)), Password: r.Text(2), Created: db.TimeOf(r.Int(3)),
		Changed: db.TimeOf(r.Int(4)),
	}, nil
}

// findLogin reads the login of an address; ErrNotFound if there is none.
func findLogin(t db.View, g *integrity.Guard, email string) (Login, error) {
	l, found, err := db.First(t, checked(g, integrity.LoginRows, scanLogin), loginColumns+"WHERE "+ofEmail,
		keyBucket(email), email)
	if err == nil && !found {
		err = noLogin(email)
	}
	return l, err
}

func noLogin(email string) error {
	return ledger.ErrNotFound.In("", "login %q", ledger.Clip(email)).Because(ReasonUnknownLogin)
}

// Login is the login of an e-mail address, in capitals or not; ErrNotFound if there
// is none, and for what is no address.
func (r Reader) Login(ctx context.Context, email string) (Login, error) {
	email, err := access.ParseEmail(email)
	if err != nil {
		return Login{}, ledger.ErrNotFound.In("", "a login: %w", err)
	}
	return look(ctx, r, "login", func(t db.View) (Login, error) { return findLogin(t, r.guard, email) })
}

// Logins are an account's, by address, or those of all accounts for "".
func (r Reader) Logins(ctx context.Context, id ledger.Account) ([]Login, error) {
	if id == "" {
		return list(ctx, r, "logins", "", scanLogin, loginColumns+"ORDER BY email, account")
	}
	return ofAccount(ctx, r, "logins", id, scanLogin, loginColumns+"WHERE account = $1 ORDER BY email", string(id))
}

// RemoveLogin removes a login and its factors, and ends its sessions. Repeating it has no further effect.
func (p *People) RemoveLogin(ctx context.Context, email string) error {
	email, err := access.ParseEmail(email)
	if err != nil {
		return nil // there is no such login
	}
	l, err := look(ctx, p.Reader, "login", func(t db.View) (Login, error) { return findLogin(t, unguarded, email) })
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.write(ctx, "remove the login "+l.Email, func(t db.Tx) error {
		if _, err := p.books.LockAccount(t, l.Account); err != nil {
			return err
		}
		reference, err := referenceOf(t, l.Email)
		if err != nil {
			return err
		}
		n, err := t.Exec("DELETE FROM logins WHERE bucket = $1 AND email = $2 AND account = $3",
			keyBucket(l.Email), l.Email, string(l.Account))
		if err != nil || n == 0 {
			return err
		}
		if _, err := endSessions(t, l.Account, "account = $1 AND email = $2", string(l.Account), l.Email); err != nil {
			return err
		}
		if err := removeFactors(t, access.LoginSubject(l.Email)); err != nil {
			return err
		}
		if err := endMail(t, l.Email); err != nil {
			return err
		}
		if err := p.wrote(t, integrity.Logins, string(l.Account)); err != nil {
			return err
		}
		if err := endEmails(t, p.now(), "bucket = $1 AND reference = $2", keyBucket(reference), reference); err != nil {
			return err
		}
		return p.books.Log(t, "login remove", string(l.Account), loginPrefix+reference)
	})
}

// EndAll removes an account's logins, their factors, and sessions, in the transaction that closes it. The
// account is locked, so that none is added at the same time.
func EndAll(t db.Tx, id ledger.Account, now time.Time) error {
	emails, err := db.All(t, db.TextOf, "SELECT email FROM logins WHERE account = $1 ORDER BY bucket, email", string(id))
	for _, email := range emails {
		if err == nil {
			err = removeFactors(t, access.LoginSubject(email))
		}
		if err == nil {
			err = endMail(t, email)
		}
	}
	if err == nil {
		_, err = t.Exec("DELETE FROM logins WHERE account = $1", string(id))
	}
	if err == nil && len(emails) > 0 {
		err = integrity.Wrote(t, now, integrity.Logins, string(id))
	}
	if err == nil {
		_, err = endSessions(t, id, "account = $1", string(id))
	}
	if err == nil {
		err = endEmails(t, now.UnixMilli(), "account = $1", string(id))
	}
	if err != nil {
		return fmt.Errorf("end the logins of %s: %w", id, err)
	}
	return nil
}
