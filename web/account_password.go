package web

import (
	"errors"
	"net/http"
	"net/url"

	"softstake/access"
	"softstake/ledger"
)

// passwordPage is the form that sets a password.
type passwordPage struct {
	*view
	F *form
}

func (v *visit) showPassword(status int, f *form) error {
	return v.showAs(status, "account-password", passwordPage{v.view("account.password.title"), f})
}

func (s *server) passwordForm(v *visit) error {
	return v.showPassword(http.StatusOK, emptyForm())
}

// setPassword sets the person's password, and ends their other sessions.
func (s *server) setPassword(v *visit) error {
	f := v.form()
	switch {
	case f.Value("new") == "":
		f.fault("new", v.locale.T("account.fault.new"))
	case f.Value("new") == f.Value("current"):
		f.fault("new", v.locale.T("account.fault.same"))
	case f.Value("new") != f.Value("again"):
		f.fault("again", v.locale.T("account.fault.again"))
	}
	if f.Faulty() {
		return v.showPassword(http.StatusUnprocessableEntity, f)
	}
	status, err := v.confirm(f, "current")
	if err != nil {
		return err
	}
	if f.Faulty() {
		return v.showPassword(status, f)
	}
	var hash string
	err = v.hashInTurn(v.context(), func() (err error) {
		hash, err = access.HashPassword(s.Random, f.Value("new"))
		return err
	})
	switch {
	case errors.Is(err, ledger.ErrInvalid):
		f.fault("new", v.locale.T("account.fault.new"))
		return v.showPassword(http.StatusUnprocessableEntity, f)
	case errors.Is(err, errBusy):
		v.refuseBusy()
		return nil
	case err != nil:
		return err
	}
	if err := v.Books.SetPassword(v.context(), v.session.Email, hash, v.session.ID); err != nil {
		return err
	}
	if err := v.act("password", ""); err != nil {
		return err
	}
	return v.see("/account", url.Values{"done": {"password"}})
}
