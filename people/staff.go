package people

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// StaffChange is the content of a proposal that makes a member of staff, or changes one.
type StaffChange struct {
	Email string
	Role  access.Role `json:",omitempty"` // "": it stays
	Hash  []byte      `json:",omitempty"` // of the code of an invitation
}

// Invitation is the code's, whose time begins when the change takes effect.
func (c StaffChange) Invitation() (e access.Invitation) {
	copy(e.Hash[:], c.Hash)
	return e
}

// AddStaff makes a person, with the role, who may register a first passkey with the code of an invitation for
// access.InvitationLife from then on. Repeating it has no further effect, and leaves the code. ErrConflict for a person
// who is disabled, or has another role or source; ErrInvalid for an invalid address or role.
func (p *People) AddStaff(ctx context.Context, email string, role access.Role, e access.Invitation) error {
	s := access.Staff{Email: email, Role: role, Source: access.Local}
	if err := s.Valid(); err != nil {
		return fmt.Errorf("add staff: %w", err)
	}
	return p.write(ctx, "add the member of staff "+email, func(t db.Tx) error {
		there, err := lockStaff(t, p.guard, email)
		switch {
		case err == nil && (there.Role != role || there.Source != s.Source || there.Live() != nil):
			return ledger.ErrConflict.In("email", "%s is a member of staff already: %s", email, describe(there))
		case err == nil || !errors.Is(err, ledger.ErrNotFound):
			return err
		}
		if err := p.insertStaff(t, s, e); err != nil {
			return err
		}
		change := StaffChange{Email: email, Role: role, Hash: e.Hash[:]}
		if err := p.books.Permit(t, true, control.AddStaff, change, email, describe(s)); err != nil {
			return err
		}
		return p.books.Log(t, string(control.AddStaff), email, describe(s))
	})
}

// insertStaff writes a person who is not there, now.
func (p *People) insertStaff(t db.Tx, s access.Staff, e access.Invitation) error {
	hash, until := e.Hash[:], p.clock().Add(access.InvitationLife).UnixMilli()
	if e.Hash == [32]byte{} {
		hash, until = []byte{}, 0
	}
	_, err := t.Exec(`INSERT INTO staff (bucket, email, role, source, subject, made, made_by, disabled, invite_hash,
		  invite_until) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)`, keyBucket(s.Email), s.Email, string(s.Role),
		string(s.Source), s.Subject, p.now(), p.books.Actor().Credential, hash, until)
	if err == nil {
		err = p.guard.Sign(t, integrity.StaffRows, ofEmail, keyBucket(s.Email), s.Email)
	}
	if err == nil {
		err = p.wrote(t, integrity.Staff, s.Email)
	}
	return err
}

// updateStaff sets columns of a person, whose values are the parameters from $3 on.
func (p *People) updateStaff(t db.Tx, email, set string, values ...any) error {
	return p.guard.Change(t, integrity.StaffRows, func() error {
		_, err := t.Exec("UPDATE staff SET "+set+" WHERE "+ofEmail, append([]any{keyBucket(email), email}, values...)...)
		return err
	}, ofEmail, keyBucket(email), email)
}

// describe is a person in the log: "operator, local".
func describe(s access.Staff) string {
	text := fmt.Sprintf("%s, %s", s.Role, s.Source)
	if !s.Disabled.IsZero() {
		text += ", disabled"
	}
	return text
}

var staffColumns = integrity.StaffRows.Select()

func scanStaff(r db.Row) (access.Staff, error) {
	s := access.Staff{
		Email: r.Text(0), Role: access.Role(r.Text(1)), Source: access.Source(r.Text(2)), Subject: r.Text(3),
		Made: db.TimeOf(r.Int(4)), MadeBy: r.Text(5), Disabled: db.TimeOrZero(r.Int(6)),
		Invitation: access.Invitation{Until: db.TimeOrZero(r.Int(8))},
	}
	if n := copy(s.Invitation.Hash[:], r.Bytes(7)); n != len(s.Invitation.Hash) && n != 0 {
		return s, fmt.Errorf("the code of %s in the books has a hash of %d bytes", s.Email, n)
	}
	return s, nil
}

// findStaff reads a person; ErrNotFound if there is none.
func findStaff(t db.View, g *integrity.Guard, email string) (access.Staff, error) {
	s, found, err := db.First(t, checked(g, integrity.StaffRows, scanStaff), staffColumns+"WHERE "+ofEmail,
		keyBucket(email), email)
	if err == nil && !found {
		err = ledger.ErrNotFound.In("", "member of staff %q", ledger.Clip(email)).Because(ReasonUnknownStaff)
	}
	return s, err
}

// lockStaff is findStaff; the person does not change until the transaction ends.
func lockStaff(t db.Tx, g *integrity.Guard, email string) (access.Staff, error) {
	if _, err := t.Exec("UPDATE staff SET role = role WHERE bucket = $1 AND email = $2", keyBucket(email),
		email); err != nil {
		return access.Staff{}, err
	}
	return findStaff(t, g, email)
}

// StaffMember is the person of an e-mail address, in capitals or not, also a disabled one; ErrNotFound if there is
// none, and for what is no address.
func (r Reader) StaffMember(ctx context.Context, email string) (access.Staff, error) {
	email, err := access.ParseEmail(email)
	if err != nil {
		return access.Staff{}, ledger.ErrNotFound.In("", "a member of staff: %w", err).Because(ReasonUnknownStaff)
	}
	return look(ctx, r, "member of staff", func(t db.View) (access.Staff, error) { return findStaff(t, r.guard, email) })
}

// Staff are all, also those who are disabled, by address.
func (r Reader) Staff(ctx context.Context) ([]access.Staff, error) {
	return list(ctx, r, "staff", "", scanStaff, staffColumns+"ORDER BY email")
}

// changeStaff changes a person, and ends the sessions, in one transaction. A change that has no effect is made by set,
// which returns what it does for the log, or "".
func (p *People) changeStaff(ctx context.Context, op control.Operation, email string,
	set func(t db.Tx, s access.Staff) (effect string, err error)) error {
	return p.write(ctx, string(op)+" "+ledger.Clip(email), func(t db.Tx) error {
		s, err := lockStaff(t, p.guard, email)
		if err != nil {
			return err
		}
		effect, err := set(t, s)
		if err != nil || effect == "" {
			return err
		}
		if _, err := t.Exec("DELETE FROM staff_sessions WHERE email = $1", email); err != nil {
			return err
		}
		if err := p.wrote(t, integrity.Staff, email); err != nil {
			return err
		}
		return p.books.Log(t, string(op), email, effect)
	})
}

// SetStaffRole gives a local person another role, and ends the sessions. Idempotent. ErrInvalid for a role that is none
// of staff, and for a person of a provider, whose groups give the role; ErrNotFound where there is no such person.
func (p *People) SetStaffRole(ctx context.Context, email string, role access.Role) error {
	return p.changeStaff(ctx, control.SetStaffRole, email, func(t db.Tx, s access.Staff) (string, error) {
		if s.Role == role {
			return "", nil
		}
		if s.Source == access.Provider {
			return "", ledger.ErrInvalid.In("role", "the role of %s is that of the groups of the provider", email)
		}
		effect := fmt.Sprintf("%s, before %s", role, s.Role)
		s.Role = role
		if err := s.Valid(); err != nil {
			return "", err
		}
		err := p.updateStaff(t, email, "role = $3", string(role))
		if err == nil {
			err = p.books.Permit(t, true, control.SetStaffRole, StaffChange{Email: email, Role: role}, email, effect)
		}
		return effect, err
	})
}

// InviteStaff lets a local person register a passkey again, with the code of an invitation: the factors from before are
// removed, the sessions end, and one who was disabled is no more. Repeating it with the same code has no further
// effect. ErrInvalid for a person of a provider, ErrNotFound where there is no such person.
func (p *People) InviteStaff(ctx context.Context, email string, e access.Invitation) error {
	return p.changeStaff(ctx, control.InviteStaff, email, func(t db.Tx, s access.Staff) (string, error) {
		if s.Source != access.Local {
			return "", ledger.ErrInvalid.In("email", "%s logs in at the provider, and registers nothing here to log in",
				email)
		}
		if s.Invitation.Hash == e.Hash {
			return "", nil
		}
		effect := describe(s) + ": registers a passkey again"
		err := p.updateStaff(t, email, "disabled = 0, factors = 0, invite_hash = $3, invite_until = $4",
			e.Hash[:], p.clock().Add(access.InvitationLife).UnixMilli())
		if err == nil {
			err = removeFactors(t, access.StaffSubject(email))
		}
		if err == nil {
			err = p.books.Permit(t, true, control.InviteStaff, StaffChange{Email: email, Hash: e.Hash[:]}, email, effect)
		}
		return effect, err
	})
}

// DisableStaff refuses a person from now on, in every process, and ends the sessions. Idempotent; ErrNotFound where
// there is no such person.
func (p *People) DisableStaff(ctx context.Context, email string) error {
	return p.changeStaff(ctx, control.DisableStaff, email, func(t db.Tx, s access.Staff) (string, error) {
		if s.Live() != nil {
			return "", nil
		}
		return describe(s), p.updateStaff(t, email, "disabled = $3, invite_hash = $4, invite_until = 0", p.now(), []byte{})
	})
}

// ConfirmInvitation makes a step-up of a local person who has the code of an invitation, and returns its ID. It counts
// only while the person has no factor; the code is over with the first log-in. access.ErrUnknown for another code, and
// where the person is unknown or disabled. The caller counts attempts.
func (p *People) ConfirmInvitation(ctx context.Context, email, code, digest string) (id string, err error) {
	if id, err = access.NewStepUpID(rand.Reader); err != nil {
		return "", err
	}
	return id, p.write(ctx, "accept an invitation", func(t db.Tx) error {
		s, err := lockStaff(t, p.guard, email)
		if errors.Is(err, ledger.ErrNotFound) || err == nil && s.Live() != nil {
			err = access.ErrUnknown.In("", "%s is not invited", ledger.Clip(email))
		}
		if err == nil {
			err = s.Invitation.Check(code, p.clock())
		}
		if err != nil {
			return err
		}
		return addStepUp(t, p.guard, p.now(), access.StaffSubject(email), id, digest, access.ByPassword)
	})
}
