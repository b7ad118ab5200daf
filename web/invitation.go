package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// invitationPage is where a person chooses a password with the code of an invitation. The code is typed, and in no
// address: an address is kept by browsers, proxies and logs.
type invitationPage struct {
	*view
	F *ui.Form
}

func (v *visit) showInvitation(status int, f *ui.Form) error {
	return v.showAs(status, "invitation", invitationPage{v.view("invitation.title"), f})
}

func (v *visit) invitation() error { return v.showInvitation(http.StatusOK, ui.EmptyForm()) }

// choosePassword sets the password of who has a code. Wrong codes are counted as wrong passwords are, and an address
// that nobody logs in with, or that is not invited, is answered as a wrong code is, after the same time. It logs nobody
// in: a person with a factor still confirms with it. Whether a password has become public is asked only of an attempt
// that is counted, and stays so: others could have the list searched without end.
func (s *submission) choosePassword() error {
	f := s.form()
	email, err := access.ParseEmail(f.Value("email"))
	if err != nil {
		f.SetFault("email", s.locale.T("login.no-email"))
	}
	if f.Value("code") == "" {
		f.SetFault("code", s.locale.T("invitation.no-code"))
	}
	if err := s.readPassword(f, email); err != nil {
		return err
	}
	if f.Faulty() {
		return s.showInvitation(http.StatusUnprocessableEntity, f)
	}
	slow := time.NewTimer(refusedAfter)
	defer slow.Stop()
	a, err := s.loginAttempt(email)
	if err != nil {
		return err
	}
	wait, err := a.begin()
	if err != nil {
		return err
	}
	if wait > 0 {
		s.comeAgain(wait)
		f.SetFault("", s.locale.N("login.wait", ui.WholeMinutes(wait)))
		return s.showInvitation(http.StatusTooManyRequests, f)
	}
	if err := s.checkBreached(f); err != nil {
		return err
	}
	if f.Faulty() {
		return s.showInvitation(http.StatusUnprocessableEntity, f)
	}
	err = a.choose(f.Value("code"), f.Value("new"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		select {
		case <-slow.C:
		case <-s.context().Done():
		}
		f.SetFault("", s.locale.T("invitation.wrong"))
		return s.showInvitation(http.StatusUnprocessableEntity, f)
	case errors.Is(err, errBusy):
		if err := a.uncount(); err != nil {
			return err
		}
		return s.refuseBusy()
	case err != nil:
		return err
	}
	if err := a.succeed(); err != nil {
		return err
	}
	return s.see("/login", "why", "chosen")
}

// choose sets the password where the code is the login's. The code is checked before the password is hashed, which
// costs much, and again in the transaction that uses it up.
func (a *loginAttempt) choose(code, password string) error {
	if err := a.login.Invitation.Check(code, a.Books.Now()); err != nil {
		return err
	}
	change := people.PasswordChange{Client: a.browser(), Address: a.address()}
	err := a.hash(func() (err error) {
		change.Hash, err = access.HashPassword(a.Random, password)
		return err
	})
	if err != nil {
		return err
	}
	person := access.Session{Email: a.login.Email, Account: a.login.Account}
	books := a.Books.As(person.Actor().In(a.caller.Request))
	return books.People().ChoosePassword(a.context(), a.login.Email, code, change)
}
