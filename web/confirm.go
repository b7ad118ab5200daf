package web

import (
	"errors"
	"net/http"

	"softstake/access"
	"softstake/ledger"
)

// confirm checks the password of the person who has logged in once more, before
// something that a browser left open must not do. Attempts are counted apart from those
// to log in: a stranger who knows the address cannot keep its owner from a new password.
// What is wrong stands at the field of the form, and the status says it as well.
func (v *visit) confirm(f *form, field string) (status int, err error) {
	if f.Value(field) == "" {
		f.fault(field, v.locale.T("confirm.none"))
		return http.StatusUnprocessableEntity, nil
	}
	who := "confirm " + v.session.Email
	wait, err := v.countAttempt(who)
	if err != nil {
		return 0, err
	}
	if wait > 0 {
		v.comeAgain(wait)
		f.fault(field, v.locale.N("confirm.wait", minutes(wait)))
		return http.StatusTooManyRequests, nil
	}
	login, err := v.Books.Login(v.context(), v.session.Email)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return 0, err
	}
	err = v.checkPassword(v.context(), login.Password, f.Value(field))
	switch {
	case errors.Is(err, access.ErrUnknown):
		f.fault(field, v.locale.T("confirm.wrong"))
		return http.StatusUnprocessableEntity, v.act("password refused", "")
	case errors.Is(err, errBusy):
		v.refuseBusy()
		return 0, errAnswered
	case err != nil:
		return 0, err
	}
	return http.StatusOK, v.Books.Forgive(v.context(), who)
}
