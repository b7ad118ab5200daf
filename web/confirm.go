package web

import (
	"errors"
	"net/http"

	"github.com/softstake/softstake/access"
)

// confirm checks the password of the person who has logged in again, before something
// that a browser left open must not do. Attempts are counted by the session alone:
// neither a stranger in the same network nor one with a stolen session can keep the
// owner from a new password. What is wrong stands at the field of the form, and the
// status says it as well.
func (v *visit) confirm(f *form, field string) (status int, err error) {
	if f.Value(field) == "" {
		f.fault(field, v.locale.T("confirm.none"))
		return http.StatusUnprocessableEntity, nil
	}
	counter := "confirm in " + v.session.ID
	wait, err := v.Books.People().CountAttempt(v.context(), counter, attemptsOfDevice, attemptsWindow)
	if err != nil {
		return 0, err
	}
	if wait > 0 {
		v.comeAgain(wait)
		f.fault(field, v.locale.N("confirm.wait", minutes(wait)))
		return http.StatusTooManyRequests, nil
	}
	login, err := v.findLogin(v.session.Email)
	if err != nil {
		return 0, err
	}
	err = v.trustedHashing.inTurn(v.context(), v.session.Email,
		func() error { return access.CheckPassword(login.Password, f.Value(field)) })
	switch {
	case errors.Is(err, access.ErrUnknown):
		f.fault(field, v.locale.T("confirm.wrong"))
		return http.StatusUnprocessableEntity, v.recordEvent("password refused", "")
	case errors.Is(err, errBusy):
		if err := v.Books.People().UncountAttempts(v.context(), counter); err != nil {
			return 0, err
		}
		v.refuseBusy()
		return 0, errAnswered
	case err != nil:
		return 0, err
	}
	return http.StatusOK, v.Books.People().ResetAttempts(v.context(), counter)
}
