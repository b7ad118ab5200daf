package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/control"
	"github.com/softstake/softstake/db"
	"github.com/softstake/softstake/integrity"
	"github.com/softstake/softstake/ledger"
)

// The log's names of what staff do at the door of the console.
const (
	staffLogIn   = "staff log-in"
	staffRefused = "staff log-in refused"
	staffLogOut  = "staff log-out"
)

// MaxStaffSessions is the largest number of live sessions of a person.
const MaxStaffSessions = 5

// AddStaffSession lets a local person in who has proved who they are: how says by what, for the log. The session's
// Created, Seen and Expires are set. A person with MaxStaffSessions loses the least recently used one.
// access.ErrUnknown where the person is unknown, disabled or of a provider.
func (p *People) AddStaffSession(ctx context.Context, s access.StaffSession, how string) error {
	return p.write(ctx, "add a session of staff", func(t db.Tx) error {
		person, err := lockStaff(t, p.guard, s.Email)
		if errors.Is(err, ledger.ErrNotFound) || err == nil && (person.Live() != nil || person.Source != access.Local) {
			return access.ErrUnknown.In("", "%s is no local member of staff", s.Email)
		}
		if err != nil {
			return err
		}
		if err := p.updateStaff(t, s.Email, "invite_hash = $3, invite_until = 0", []byte{}); err != nil {
			return err
		}
		return p.insertStaffSession(t, person, s, how)
	})
}

// AddProvidedSession lets a person in whom the OpenID provider has named: with the role of their groups, which may be
// another than before, and ends the sessions with the former. A person who was never here is made. access.ErrForbidden
// where the address is that of a local person, or was that of another subject; access.ErrUnknown for a person who is
// disabled here.
func (p *People) AddProvidedSession(ctx context.Context, person access.Staff, s access.StaffSession,
	how string) error {
	if err := person.Valid(); err != nil {
		return fmt.Errorf("add a session of staff: %w", err)
	}
	return p.write(ctx, "add a session of staff", func(t db.Tx) error {
		there, err := lockStaff(t, p.guard, person.Email)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			err = p.insertStaff(t, person, access.Invitation{})
		case err != nil:
		case there.Live() != nil:
			err = access.ErrUnknown.In("", "%s is disabled", person.Email)
		case there.Source != access.Provider || there.Subject != person.Subject:
			err = access.ErrForbidden.In("", "%s is another person's address here", person.Email).Because(ReasonOtherStaff)
		case there.Role != person.Role:
			if err = p.updateStaff(t, person.Email, "role = $3", string(person.Role)); err == nil {
				_, err = t.Exec("DELETE FROM staff_sessions WHERE email = $1", person.Email)
			}
			if err == nil {
				err = p.wrote(t, integrity.Staff, person.Email)
			}
			how += ", before " + string(there.Role)
		}
		if err != nil {
			return err
		}
		return p.insertStaffSession(t, person, s, how)
	})
}

// insertStaffSession writes a session, now, its line of the log, and removes the oldest above MaxStaffSessions. The
// person is locked.
func (p *People) insertStaffSession(t db.Tx, person access.Staff, s access.StaffSession, how string) error {
	now := p.now()
	s.Created = db.TimeOf(now)
	_, err := t.Exec(`INSERT INTO staff_sessions (bucket, id, hash, email, client, address, created, seen, expires)
	                  VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`, keyBucket(s.ID), s.ID, s.Hash[:], person.Email, s.Client,
		s.Address, now, s.End(s.Created).UnixMilli())
	if err == nil {
		err = p.guard.Sign(t, integrity.StaffSessions, ofID, keyBucket(s.ID), s.ID)
	}
	if err != nil {
		return err
	}
	others, err := db.All(t, db.TextOf,
		"SELECT id FROM staff_sessions WHERE email = $1 AND id <> $2 ORDER BY seen DESC, id", person.Email, s.ID)
	if err != nil {
		return err
	}
	for _, id := range others[min(len(others), MaxStaffSessions-1):] {
		if _, err := t.Exec("DELETE FROM staff_sessions WHERE bucket = $1 AND id = $2", keyBucket(id), id); err != nil {
			return err
		}
	}
	return p.books.Log(t, staffLogIn, person.Email, ledger.Clip(fmt.Sprintf("%s, %s, session %s from %s", person.Role, how,
		s.ID, s.Address)))
}

// RefuseStaff writes into the log that somebody was refused at the console, who named a person or was named by the
// provider; why is a short reason. Callers limit how often.
func (p *People) RefuseStaff(ctx context.Context, email, why string) error {
	return p.write(ctx, "keep that staff was refused", func(t db.Tx) error {
		return p.books.Log(t, staffRefused, email, why)
	})
}

// RefuseProvided is RefuseStaff for a person whom the OpenID provider has named and who is in no group with a role any
// more: it ends all sessions of the person in the same transaction. Who has the address and is another subject there,
// or is local here, keeps theirs.
func (p *People) RefuseProvided(ctx context.Context, person access.Staff, why string) error {
	return p.write(ctx, "keep that staff was refused", func(t db.Tx) error {
		if err := p.books.Log(t, staffRefused, person.Email, why); err != nil {
			return err
		}
		n, err := t.Exec("DELETE FROM staff_sessions WHERE email = $1 AND EXISTS (SELECT 1 FROM staff s "+
			"WHERE s.bucket = $2 AND s.email = $1 AND s.source = $3 AND s.subject = $4)", person.Email,
			keyBucket(person.Email), string(access.Provider), person.Subject)
		if err != nil || n == 0 {
			return err
		}
		return p.books.Log(t, staffLogOut, person.Email, "all sessions: "+why)
	})
}

var staffSessionColumns = "SELECT " + integrity.StaffSessions.Columns("") + ", seen FROM staff_sessions "

func scanStaffSession(r db.Row) (access.StaffSession, error) {
	s := access.StaffSession{ID: r.Text(0), Email: r.Text(2), Client: r.Text(3), Address: r.Text(4),
		Created: db.TimeOf(r.Int(5)), Expires: db.TimeOf(r.Int(6)),
		Seen: db.TimeOf(r.Int(8))}
	if n := copy(s.Hash[:], r.Bytes(1)); n != len(s.Hash) {
		return s, fmt.Errorf("the books' session %s of staff has a hash of %d bytes", s.ID, n)
	}
	return s, nil
}

// StaffSession is the session with an ID, and the person as they are now; access.ErrUnknown if there is none, it has
// ended, or the person is disabled. Both rows are read each time: what another process has ended holds at once.
func (r Reader) StaffSession(ctx context.Context, id string) (s access.StaffSession, person access.Staff, err error) {
	if !access.IsTokenID(id) {
		return s, person, access.ErrUnknown
	}
	s, err = look(ctx, r, "session of staff", func(t db.View) (s access.StaffSession, err error) {
		found := false
		s, found, err = db.First(t, checked(r.guard, integrity.StaffSessions, scanStaffSession),
			staffSessionColumns+"WHERE bucket = $1 AND id = $2 AND expires > $3", keyBucket(id), id, r.now())
		if err == nil && !found {
			return s, access.ErrUnknown
		}
		if err == nil {
			person, err = findStaff(t, r.guard, s.Email)
		}
		if errors.Is(err, ledger.ErrNotFound) || err == nil && person.Live() != nil {
			err = access.ErrUnknown
		}
		return s, err
	})
	return s, person, err
}

// StaffSessions are the live sessions of a person, the last used first.
func (r Reader) StaffSessions(ctx context.Context, email string) ([]access.StaffSession, error) {
	return list(ctx, r, "sessions of staff", "", scanStaffSession,
		staffSessionColumns+"WHERE email = $1 AND expires > $2 ORDER BY seen DESC, id", email, r.now())
}

// AllStaffSessions are the live sessions of everybody, by e-mail address, the last used first.
func (r Reader) AllStaffSessions(ctx context.Context) ([]access.StaffSession, error) {
	return list(ctx, r, "sessions of staff", "", scanStaffSession,
		staffSessionColumns+"WHERE expires > $1 ORDER BY email, seen DESC, id", r.now())
}

// TouchStaffSession sets the last use of a session to now, and its expiry. For a session that has ended it does
// nothing, without an error.
func (p *People) TouchStaffSession(ctx context.Context, id string, until time.Time) error {
	return p.write(ctx, "set when a session of staff was last used", func(t db.Tx) error {
		return p.guard.Change(t, integrity.StaffSessions, func() error {
			_, err := t.Exec(`UPDATE staff_sessions SET seen = CASE WHEN seen > $1 THEN seen ELSE $1 END, expires = $2
			                   WHERE bucket = $3 AND id = $4 AND expires > $1`, p.now(), until.UnixMilli(), keyBucket(id), id)
			return err
		}, ofID, keyBucket(id), id)
	})
}

// EndStaffSession ends a person's session, at once and in every process. Idempotent. access.ErrForbidden for another
// person who may not disable staff.
func (p *People) EndStaffSession(ctx context.Context, email, id string) error {
	return p.endStaffSessions(ctx, email, "session "+id, "bucket = $1 AND id = $2 AND email = $3", keyBucket(id), id,
		email)
}

// EndStaffSessions ends all sessions of a person except one; "": all. Idempotent. access.ErrForbidden for another
// person who may not disable staff.
func (p *People) EndStaffSessions(ctx context.Context, email, except string) error {
	return p.endStaffSessions(ctx, email, "other sessions", "email = $1 AND id <> $2", email, except)
}

func (p *People) endStaffSessions(ctx context.Context, email, which, where string, args ...any) error {
	if by := p.books.Actor(); by.Subject() != access.StaffSubject(email) {
		if err := control.Check(control.DisableStaff, by); err != nil {
			return err
		}
	}
	return p.write(ctx, "end sessions of staff", func(t db.Tx) error {
		n, err := t.Exec("DELETE FROM staff_sessions WHERE "+where, args...)
		if err != nil || n == 0 {
			return err
		}
		return p.books.Log(t, staffLogOut, email, which)
	})
}
