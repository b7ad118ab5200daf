package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
)

// passwordPage is the form that sets a password.
type passwordPage struct {
	*view
	F    *form
	Keys int // API keys of the account that can be used, which may be revoked with it
}

func (v *visit) showPassword(status int, f *form) error {
	keys, err := v.keysPage()
	if err != nil {
		return err
	}
	return v.showAs(status, "account-password", passwordPage{v.view("account.password.title"), f, len(keys.Usable)})
}

func (s *server) passwordForm(v *visit) error {
	return v.showPassword(http.StatusOK, emptyForm())
}

// passwordFaults are why a new password is refused, and the keys of the sentences that say so.
var passwordFaults = []struct {
	err error
	key string
}{
	{access.ErrPasswordLength, "account.fault.new"},
	{access.ErrPasswordCommon, "account.fault.common"},
	{access.ErrPasswordEmail, "account.fault.email"},
	{access.ErrPasswordProduct, "account.fault.product"},
}

// readPassword reads the form, and sets its errors.
func (v *visit) readPassword(f *form) {
	switch {
	case f.Value("new") == f.Value("current") && f.Value("new") != "":
		f.fault("new", v.locale.T("account.fault.same"))
		return
	case f.Value("new") != f.Value("again"):
		f.fault("again", v.locale.T("account.fault.again"))
	}
	err := access.CheckNewPassword(v.session.Email, f.Value("new"))
	for _, fault := range passwordFaults {
		if errors.Is(err, fault.err) {
			f.fault("new", v.locale.T(fault.key))
		}
	}
}

// setPassword sets the person's password, ends their other sessions and, where it is
// asked for, revokes the account's API keys.
func (s *server) setPassword(v *visit) error {
	f := v.form()
	if v.readPassword(f); f.Faulty() {
		return v.showPassword(http.StatusUnprocessableEntity, f)
	}
	status, err := v.confirm(f, "current")
	if err != nil {
		return err
	}
	if f.Faulty() {
		return v.showPassword(status, f)
	}
	change := people.PasswordChange{
		KeepSession: v.session.ID, RevokeKeys: f.Value("revoke") != "", Client: v.browser(), Address: v.address(),
	}
	err = s.trustedHashing.inTurn(v.context(), v.session.Email, func() (err error) {
		change.Hash, err = access.HashPassword(s.Random, f.Value("new"))
		return err
	})
	if errors.Is(err, errBusy) {
		v.refuseBusy()
		return nil
	}
	if err != nil {
		return err
	}
	revoked, err := v.Books.People().SetPassword(v.context(), v.session.Email, change)
	if err != nil {
		return err
	}
	login, err := v.findLogin(v.session.Email)
	if err != nil {
		return err
	}
	// The browser was known by the password that is gone.
	if err := v.setDevice(access.Device{}, login); err != nil {
		return err
	}
	done := "password"
	if revoked > 0 {
		done = "password-keys"
	}
	return v.see("/account", url.Values{"done": {done}})
}
