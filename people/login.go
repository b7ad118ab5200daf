package people

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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
	Password string // its hash, as access.HashPassword makes it; "": none is chosen
	Created  time.Time
	Changed  time.Time // when the password was set, or taken away

	Invitation access.Invitation // zero: none is open
}

// String names the login in logs and messages, where the hash is never shown.
func (l Login) String() string { return fmt.Sprintf("login %s of %s", l.Email, l.Account) }

// LogValue is the login in a log.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// LoginChange is the content of a proposal that invites a person to choose the password of a login.
type LoginChange struct {
	Email      string
	Account    ledger.Account `json:",omitempty"` // of a login that is added
	Hash       []byte         // of the code of the invitation
	RevokeKeys bool           `json:",omitempty"`
}

// Invitation is the code's, whose time begins when the change takes effect.
func (c LoginChange) Invitation() (e access.Invitation) {
	copy(e.Hash[:], c.Hash)
	return e
}

// AddLogin adds a login to an account, which may have several. Its person chooses the password with the code of the
// login's invitation, for access.InvitationLife from then on. Without one it has the login's password: only a process
// of the books adds such a login, since staff choose nobody's password. Adding the same address to the same account
// again has no further effect, and leaves password and code; an address of another account is ErrConflict. ErrNotFound
// if the account was never opened; ErrInvalid if it is closed, for an invalid address or hash, and where there is
// neither code nor password, or both; access.ErrForbidden for a password from somebody else.
func (p *People) AddLogin(ctx context.Context, l Login) error {
	email, err := access.ParseEmail(l.Email)
	err = ledger.At("email", err)
	if err == nil {
		err = ledger.At("account", l.Account.CheckHolder())
	}
	if err == nil {
		err = p.checkWayIn(l)
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

// checkWayIn refuses a login that nobody could log in with, or whose password staff have chosen.
func (p *People) checkWayIn(l Login) error {
	switch invited := l.Invitation.Hash != [32]byte{}; {
	case invited && l.Password == "":
		return nil
	case invited:
		return ledger.ErrInvalid.In("password", "who is invited chooses the password")
	case l.Password == "":
		return ledger.ErrInvalid.In("password", "who has neither a code nor a password does not log in")
	}
	if err := checkHash(l.Password); err != nil {
		return err
	}
	return p.checkHolds()
}

// checkHolds is access.ErrForbidden where a password is set by another than its holder, or a process of the books.
func (p *People) checkHolds() error {
	if by := p.books.Actor(); by.Role != access.Holder && by.Role != access.System {
		return access.ErrForbidden.In("password", "a password is chosen by its holder alone, with the code of an invitation")
	}
	return nil
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
	hash, until := p.invitation(l.Invitation)
	n, err := t.Exec("INSERT INTO logins (bucket, email, account, password, created, changed, reference, invitation, "+
		"invited_until) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
		keyBucket(email), email, string(l.Account), l.Password, p.now(), reference, hash, until)
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
	content := LoginChange{Email: email, Account: l.Account, Hash: l.Invitation.Hash[:]}
	if err := p.books.Permit(t, true, control.AddLogin, content, string(l.Account), "a login opens it"); err != nil {
		return false, err
	}
	if l.Password == "" {
		at, nonce := p.stamps.Next(p.now())
		added := SecurityEvent{Action: string(control.AddLogin), Detail: email, Client: byOperator}
		if err := insertSecurityEvent(t, l.Account, added, at, nonce); err != nil {
			return false, err
		}
	}
	return true, p.books.Log(t, "login add", string(l.Account), loginPrefix+reference)
}

var loginColumns = integrity.LoginRows.Select()

// ofEmail is the condition of the row of an address, which lies in its bucket.
const ofEmail = "bucket = $1 AND email = $2"

func scanLogin(r db.Row) (Login, error) {
	l := Login{
		Email: r.Text(0), Account: ledger.Account(r.Text(1)), Password: r.Text(2), Created: db.TimeOf(r.Int(3)),
		Changed: db.TimeOf(r.Int(4)), Invitation: access.Invitation{Until: db.TimeOrZero(r.Int(8))},
	}
	hash, err := hex.DecodeString(r.Text(7))
	if n := copy(l.Invitation.Hash[:], hash); err != nil || n != len(l.Invitation.Hash) && n != 0 {
		return l, fmt.Errorf("the code of %s in the books has no hash of %d bytes", l.Email, len(l.Invitation.Hash))
	}
	return l, nil
}

// invitation is an invitation from now on, as its columns have it.
func (p *People) invitation(e access.Invitation) (hash string, until int64) {
	if e.Hash == [32]byte{} {
		return "", 0
	}
	return hex.EncodeToString(e.Hash[:]), p.clock().Add(access.InvitationLife).UnixMilli()
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
