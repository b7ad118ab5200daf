package people

import (
	"context"
	"fmt"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// PasswordChange is a new password of a login, and what ends with the old one.
type PasswordChange struct {
	Hash        string // as access.HashPassword makes it
	KeepSession string // the ID of the one session of the login that goes on, or ""
	RevokeKeys  bool   // revokes all API keys of the account
	Client      string // who changes it, for the security events
	Address     string
}

func (c PasswordChange) event(action, detail string) SecurityEvent {
	return SecurityEvent{Action: action, Detail: detail, Client: c.Client, Address: c.Address}
}

// SetPassword sets a login's password, and ends the login's sessions except one. With
// RevokeKeys it also revokes all API keys of the login's account, and returns how many. All
// of it, the log and the security events are one transaction. ErrNotFound if there is no
// such login, ErrInvalid for an invalid hash, access.ErrForbidden for a person with a factor who has not confirmed it
// (access.PasswordStepUp). Repeating it sets the password again, and
// finds no key to revoke.
func (p *People) SetPassword(ctx context.Context, email string, c PasswordChange) (revoked int, err error) {
	err = checkHash(c.Hash)
	if err == nil {
		err = c.event("password", "").check()
	}
	if err != nil {
		return 0, fmt.Errorf("set a password: %w", err)
	}
	l, err := p.Login(ctx, email)
	if err != nil {
		return 0, err
	}
	at, nonce := p.stamps.Next(p.now())
	err = p.db.Write(ctx, func(t db.Tx) error {
		revoked = 0
		if _, err := p.books.LockAccount(t, l.Account); err != nil {
			return err
		}
		if err := p.confirm(t, access.PasswordStepUp(l.Email)); err != nil {
			return err
		}
		if err := p.permitStaff(t, control.SetPassword, NewPassword{l.Email, c}, l.Account,
			"another password for one of its logins"); err != nil {
			return err
		}
		if err := p.updatePassword(t, l, c); err != nil {
			return err
		}
		if err := insertSecurityEvent(t, l.Account, c.event("password", l.Email), at, nonce); err != nil || !c.RevokeKeys {
			return err
		}
		revoked, err = p.revokeKeys(t, l.Account, c)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("set the password of %s: %w", l.Email, err)
	}
	return revoked, nil
}

// NewPassword is what a proposal of a password was made with.
type NewPassword struct {
	Email string
	PasswordChange
}

// updatePassword sets the password, and ends the sessions. The account is locked.
func (p *People) updatePassword(t db.Tx, l Login, c PasswordChange) error {
	n := int64(0)
	err := p.guard.Change(t, integrity.LoginRows, func() (err error) {
		n, err = t.Exec("UPDATE logins SET password = $1, changed = $2 WHERE bucket = $3 AND email = $4 AND account = $5",
			c.Hash, p.now(), keyBucket(l.Email), l.Email, string(l.Account))
		return err
	}, ofEmail, keyBucket(l.Email), l.Email)
	if err == nil && n == 0 {
		err = noLogin(l.Email)
	}
	if err == nil {
		err = p.wrote(t, integrity.Logins, string(l.Account))
	}
	if err == nil {
		_, err = endSessions(t, l.Account, "account = $1 AND email = $2 AND id <> $3",
			string(l.Account), l.Email, c.KeepSession)
	}
	if err != nil {
		return err
	}
	if err := p.delayWithdrawals(t, l.Account); err != nil {
		return err
	}
	if err := p.NotifyAll(t, []ledger.Account{l.Account}, NoticePassword, l.Email); err != nil {
		return err
	}
	reference, err := referenceOf(t, l.Email)
	if err != nil {
		return err
	}
	return p.books.Log(t, "login password", string(l.Account), loginPrefix+reference)
}

// revokeKeys revokes an account's API keys, each with its line of the log and its
// security event. The account is locked, so that no key is added at the same time.
func (p *People) revokeKeys(t db.Tx, id ledger.Account, c PasswordChange) (revoked int, err error) {
	keys, err := db.All(t, scanKey, keyColumns+"WHERE account = $1 AND revoked = 0 ORDER BY created, key", string(id))
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		n, err := t.Exec("UPDATE keys SET revoked = $1 WHERE bucket = $2 AND key = $3 AND revoked = 0",
			p.now(), keyBucket(k.Key), k.Key)
		if err != nil {
			return revoked, err
		}
		if n == 0 {
			continue // another has revoked it in between
		}
		if err := p.guard.Sign(t, integrity.Keys, ofKey, keyBucket(k.Key), k.Key); err != nil {
			return revoked, err
		}
		if err := p.books.Log(t, "key revoke", string(id), k.Short()); err != nil {
			return revoked, err
		}
		at, nonce := p.stamps.Next(p.now())
		if err := insertSecurityEvent(t, id, c.event("key revoke", k.Named()), at, nonce); err != nil {
			return revoked, err
		}
		revoked++
	}
	return revoked, nil
}

// RehashPassword replaces the hash of a login's password by another hash of the same
// password. Sessions stay. changed is false if the hash is no longer the one that was
// verified: the password was set or rehashed at the same time. ErrInvalid for an invalid
// hash.
func (p *People) RehashPassword(ctx context.Context, l Login, hash string) (changed bool, err error) {
	if err := checkHash(hash); err != nil {
		return false, fmt.Errorf("hash a password again: %w", err)
	}
	err = p.db.Write(ctx, func(t db.Tx) error {
		if _, err := p.books.LockAccount(t, l.Account); err != nil {
			return err
		}
		return p.guard.Change(t, integrity.LoginRows, func() error {
			n, err := t.Exec("UPDATE logins SET password = $1 "+
				"WHERE bucket = $2 AND email = $3 AND account = $4 AND password = $5",
				hash, keyBucket(l.Email), l.Email, string(l.Account), l.Password)
			if changed = n > 0; err == nil && changed {
				err = p.wrote(t, integrity.Logins, string(l.Account))
			}
			return err
		}, ofEmail, keyBucket(l.Email), l.Email)
	})
	if err != nil {
		return false, fmt.Errorf("hash the password of %s again: %w", l.Email, err)
	}
	return changed, nil
}
