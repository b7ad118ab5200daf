package people

import (
	"context"
	"errors"
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
// (access.PasswordStepUp), and for staff, who invite the holder to choose one. Repeating it sets the
// password again, and finds no key to revoke.
func (p *People) SetPassword(ctx context.Context, email string, c PasswordChange) (revoked int, err error) {
	if err := p.checkHolds(); err != nil {
		return 0, err
	}
	if err := checkHash(c.Hash); err != nil {
		return 0, passwordSet.failed(email, err)
	}
	return p.changePassword(ctx, email, passwordSet, c, func(t db.Tx, l Login) error {
		if err := p.confirm(t, access.PasswordStepUp(l.Email)); err != nil {
			return err
		}
		return p.updatePassword(t, control.SetPassword, l, c.Hash, c.KeepSession, access.Invitation{})
	})
}

// ChoosePassword is SetPassword for who has the code of the login's invitation, which is used up, and needs no other
// proof: a person with a factor still logs in with it. access.ErrUnknown for another code, for one that was used or is
// over, and where there is no such login. The caller counts attempts.
func (p *People) ChoosePassword(ctx context.Context, email, code string, c PasswordChange) error {
	if err := p.checkHolds(); err != nil {
		return err
	}
	if err := checkHash(c.Hash); err != nil {
		return passwordSet.failed(email, err)
	}
	_, err := p.changePassword(ctx, email, passwordSet, c, func(t db.Tx, l Login) error {
		if err := l.Invitation.Check(code, p.clock()); err != nil {
			return err
		}
		return p.updatePassword(t, control.SetPassword, l, c.Hash, "", access.Invitation{})
	})
	if errors.Is(err, ledger.ErrNotFound) {
		err = access.ErrUnknown.In("", "%s is not invited", ledger.Clip(email))
	}
	return err
}

// InviteLogin takes a login's password away, ends its sessions, and lets its person choose another with the code of an
// invitation, for access.InvitationLife. With RevokeKeys it also revokes all API keys of the account, and returns how
// many. Factors stay, and nothing is withdrawn for ResetWait. Repeating it with the same code has no further effect.
// ErrNotFound if there is no such login, ErrInvalid without a code.
func (p *People) InviteLogin(ctx context.Context, email string, e access.Invitation, revokeKeys bool) (revoked int,
	err error) {
	if e.Hash == [32]byte{} {
		return 0, ledger.ErrInvalid.In("code", "an invitation has a code")
	}
	c := PasswordChange{RevokeKeys: revokeKeys, Client: byOperator}
	return p.changePassword(ctx, email, loginInvited, c, func(t db.Tx, l Login) error {
		if l.Invitation.Hash == e.Hash {
			return errNothingNew
		}
		content := LoginChange{Email: l.Email, Hash: e.Hash[:], RevokeKeys: revokeKeys}
		if err := p.books.Permit(t, true, control.InviteLogin, content, string(l.Account),
			"one of its logins gets another password, which its person chooses"); err != nil {
			return err
		}
		return p.updatePassword(t, control.InviteLogin, l, "", "", e)
	})
}

// errNothingNew ends a transaction in which nothing is to be changed.
var errNothingNew = errors.New("it is so already")

// passwordAction is what is done to how a login logs in.
type passwordAction struct {
	event string // what the security events call it
	verb  string // of the errors, before the e-mail
}

var (
	passwordSet  = passwordAction{"password", "set the password of"}
	loginInvited = passwordAction{string(control.InviteLogin), "invite"}
)

func (a passwordAction) failed(email string, err error) error {
	return fmt.Errorf("%s %s: %w", a.verb, ledger.Clip(email), err)
}

// changePassword changes how a login logs in: change is called with its row, the account is locked. Then the security
// event is written, and keys are revoked where c says so.
func (p *People) changePassword(ctx context.Context, email string, action passwordAction, c PasswordChange,
	change func(db.Tx, Login) error) (revoked int, err error) {
	if err := c.event(action.event, "").check(); err != nil {
		return 0, action.failed(email, err)
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
		l, err := findLogin(t, p.guard, l.Email)
		if err != nil {
			return err
		}
		if err := change(t, l); err != nil {
			return err
		}
		if err := insertSecurityEvent(t, l.Account, c.event(action.event, l.Email), at, nonce); err != nil || !c.RevokeKeys {
			return err
		}
		revoked, err = p.revokeKeys(t, l.Account, c)
		return err
	})
	if errors.Is(err, errNothingNew) {
		return 0, nil
	}
	if err != nil {
		return 0, action.failed(l.Email, err)
	}
	return revoked, nil
}

// updatePassword sets the password, or "" and the code to choose one with, and ends the sessions except one. op is what
// the log calls it. The account is locked.
func (p *People) updatePassword(t db.Tx, op control.Operation, l Login, password, keep string,
	e access.Invitation) error {
	n := int64(0)
	hash, until := p.invitation(e)
	err := p.guard.Change(t, integrity.LoginRows, func() (err error) {
		n, err = t.Exec("UPDATE logins SET password = $1, changed = $2, invitation = $3, invited_until = $4 "+
			"WHERE bucket = $5 AND email = $6 AND account = $7",
			password, p.now(), hash, until, keyBucket(l.Email), l.Email, string(l.Account))
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
			string(l.Account), l.Email, keep)
	}
	if err != nil {
		return err
	}
	if err := p.delayWithdrawals(t, l.Account); err != nil {
		return err
	}
	notice := NoticePassword
	if password == "" {
		notice = NoticeInvitation
	}
	if err := p.NotifyAll(t, []ledger.Account{l.Account}, notice, l.Email); err != nil {
		return err
	}
	reference, err := referenceOf(t, l.Email)
	if err != nil {
		return err
	}
	return p.books.Log(t, string(op), string(l.Account), loginPrefix+reference)
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
