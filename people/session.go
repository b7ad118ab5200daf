package people

import (
	"context"
	"fmt"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// MaxSessions is the largest number of live sessions of an account.
const MaxSessions = 50

// AddSession adds a session of a login; its Created and Seen are now. password is the hash
// that the person's password was checked against: if it has changed since, or the login was
// removed, the error is ErrNotFound. "" is of a person who has logged in with a passkey alone. A
// login with a factor is to be confirmed beside its password: access.ErrForbidden
// unless the actor carries the step-up access.LogIn. An account with MaxSessions loses the least recently
// used one. Of a browser that was not known the account is notified. Repeating it has no further effect; different
// content is ErrConflict.
func (p *People) AddSession(ctx context.Context, s access.Session, password string) error {
	if err := checkSession(s, db.TimeOf(p.now())); err != nil {
		return fmt.Errorf("add a session: %w", err)
	}
	return p.write(ctx, "add a session", func(t db.Tx) error {
		// Setting a password and closing the account take the same lock, and end all sessions.
		if _, err := p.books.LockAccount(t, s.Account); err != nil {
			return err
		}
		l, err := findLogin(t, p.guard, s.Email)
		if err != nil {
			return err
		}
		if l.Account != s.Account || password != "" && l.Password != password {
			return ledger.ErrNotFound.In("", "login %s of %s with that password", s.Email, s.Account)
		}
		now := p.now()
		if added, err := insertSession(t, p.guard, s, now); err != nil || !added {
			return err
		}
		if err := p.confirmLogIn(t, now, s, password == ""); err != nil || !s.Stranger {
			return err
		}
		return p.NotifyAll(t, []ledger.Account{s.Account}, NoticeDevice, s.Client, s.Address)
	})
}

// confirmLogIn uses the step-up of a log-in: of a login with a factor, or of one without its password, which is a
// passkey's. The actor is not the person yet. After a recovery code, which is used where a factor is lost, the account,
// which is locked, withdraws nothing for a time.
func (p *People) confirmLogIn(t db.Tx, now int64, s access.Session, alone bool) error {
	subject, proof := access.LoginSubject(s.Email), p.books.Actor().Proof
	if !alone {
		method, err := useStepUp(t, p.guard, now, subject, proof, access.LogIn)
		if err == nil && method == access.ByRecovery {
			err = p.delayWithdrawals(t, s.Account)
		}
		return err
	}
	method, used, err := takeStepUp(t, p.guard, now, subject, proof, access.LogIn)
	if err == nil && (!used || method != access.ByPasskey) {
		err = needsStepUp(subject)
	}
	return err
}

func checkSession(s access.Session, now time.Time) error {
	if !access.IsTokenID(s.ID) || s.Hash == [32]byte{} {
		return ledger.ErrInvalid.In("", "a session has an ID of 12 characters of A-Z a-z 0-9, and a hash")
	}
	if !s.Expires.After(now) {
		return ledger.ErrInvalid.In("", "it expires at %s, which does not lie ahead; it is %s",
			ledger.FormatTime(s.Expires), ledger.FormatTime(now))
	}
	if err := ledger.CheckText("the client", s.Client); err != nil {
		return err
	}
	return ledger.CheckText("the address", s.Address)
}

// insertSession writes a session, and removes the oldest above MaxSessions. added is false if it is there already.
func insertSession(t db.Tx, g *integrity.Guard, s access.Session, now int64) (added bool, err error) {
	n, err := t.Exec(`INSERT INTO sessions (bucket, id, hash, email, account, client, address, created, seen, expires)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) ON CONFLICT DO NOTHING`,
		keyBucket(s.ID), s.ID, s.Hash[:], s.Email, string(s.Account), s.Client, s.Address, now, s.Expires.UnixMilli())
	if err != nil {
		return false, err
	}
	if n == 0 {
		there, err := findSession(t, g, s.ID, now)
		if err == nil && (there.Hash != s.Hash || there.Email != s.Email || there.Account != s.Account) {
			err = ledger.ErrConflict.In("", "session %s", s.ID)
		}
		return false, err
	}
	if err := g.Sign(t, integrity.Sessions, ofID, keyBucket(s.ID), s.ID); err != nil {
		return false, err
	}
	others, err := db.All(t, db.TextOf,
		"SELECT id FROM sessions WHERE account = $1 AND id <> $2 AND expires > $3 ORDER BY seen DESC, id",
		string(s.Account), s.ID, now)
	if err != nil {
		return false, err
	}
	for _, id := range others[min(len(others), MaxSessions-1):] {
		if _, err := t.Exec("DELETE FROM sessions WHERE bucket = $1 AND id = $2", keyBucket(id), id); err != nil {
			return false, err
		}
	}
	return true, nil
}

var sessionColumns = "SELECT " + integrity.Sessions.Columns("") + ", seen, client, address FROM sessions "

func scanSession(r db.Row) (access.Session, error) {
	s := access.Session{
		ID: r.Text(0), Email: r.Text(2), Account: ledger.Account(r.Text(3)), Created: db.TimeOf(r.Int(4)),
		Expires: db.TimeOf(r.Int(5)), Seen: db.TimeOf(r.Int(7)), Client: r.Text(8), Address: r.Text(9),
	}
	if n := copy(s.Hash[:], r.Bytes(1)); n != len(s.Hash) {
		return s, fmt.Errorf("the books' session %s has a hash of %d bytes", s.ID, n)
	}
	return s, nil
}

// findSession reads a live session by its ID; ErrNotFound if there is none.
func findSession(t db.View, g *integrity.Guard, id string, now int64) (access.Session, error) {
	s, found, err := db.First(t, checked(g, integrity.Sessions, scanSession),
		sessionColumns+"WHERE bucket = $1 AND id = $2 AND expires > $3", keyBucket(id), id, now)
	if err == nil && !found {
		err = noSession(id)
	}
	return s, err
}

func noSession(id string) error {
	return ledger.ErrNotFound.In("", "session %.12q", id) // and not what follows an ID in a whole text
}

// Session is the session with an ID; ErrNotFound if there is none, or it has ended.
func (r Reader) Session(ctx context.Context, id string) (access.Session, error) {
	if !access.IsTokenID(id) {
		return access.Session{}, noSession(id)
	}
	return look(ctx, r, "session", func(t db.View) (access.Session, error) {
		return findSession(t, r.guard, id, r.now())
	})
}

// Sessions are the live sessions of an account, the last used first; ErrNotFound if the
// account was never opened.
func (r Reader) Sessions(ctx context.Context, id ledger.Account) ([]access.Session, error) {
	return ofAccount(ctx, r, "sessions of "+string(id), id, scanSession,
		sessionColumns+"WHERE account = $1 AND expires > $2 ORDER BY seen DESC, id", string(id), r.now())
}

// TouchSession sets the last use of a session to now, and its expiry. For a session that
// has ended it does nothing, without an error.
func (p *People) TouchSession(ctx context.Context, id string, until time.Time) error {
	if !access.IsTokenID(id) {
		return nil
	}
	return p.write(ctx, "set when a session was last used", func(t db.Tx) error {
		return p.guard.Change(t, integrity.Sessions, func() error {
			_, err := t.Exec(`UPDATE sessions SET seen = CASE WHEN seen > $1 THEN seen ELSE $1 END, expires = $2
			                   WHERE bucket = $3 AND id = $4 AND expires > $1`, p.now(), until.UnixMilli(), keyBucket(id), id)
			return err
		}, ofID, keyBucket(id), id)
	})
}

// EndSession ends an account's session, immediately and in every process; ErrNotFound
// if the account has none of that ID.
func (p *People) EndSession(ctx context.Context, account ledger.Account, id string) error {
	if !access.IsTokenID(id) {
		return noSession(id)
	}
	return p.write(ctx, "end a session of "+ledger.Clip(string(account)), func(t db.Tx) error {
		if err := p.books.Actor().CheckOwns(account); err != nil {
			return err
		}
		n, err := endSessions(t, account, "bucket = $1 AND id = $2 AND account = $3",
			keyBucket(id), id, string(account))
		if err == nil && n == 0 {
			err = noSession(id)
		}
		return err
	})
}

// EndSessions ends all sessions of an account except one; "": all. Repeating it has no
// further effect.
func (p *People) EndSessions(ctx context.Context, account ledger.Account, except string) error {
	return p.write(ctx, "end the sessions of "+ledger.Clip(string(account)), func(t db.Tx) error {
		if err := p.books.Actor().CheckOwns(account); err != nil {
			return err
		}
		_, err := endSessions(t, account, "account = $1 AND id <> $2", string(account), except)
		return err
	})
}
