package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ceremony"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// securityPage is the visitor's factors.
type securityPage struct {
	*view
	Has  people.Factors
	App  bool   // an authenticator app can be set up here
	Can  bool   // a passkey can be added here
	Done string // one of securityDone, or ""
	Back string // where the withdrawal is that waits for a factor, or ""
}

// securityDone are the changes that lead to the page: security.done.NAME in the catalogue.
var securityDone = []string{"passkey", "app", "renamed", "removed"}

func (v *visit) security() error {
	has, err := v.factors()
	if err != nil {
		return err
	}
	back, err := v.unfinished()
	if err != nil {
		return err
	}
	return v.show("security", securityPage{v.view("security.title"), has, v.Sealer != nil, v.passkeysHere(),
		v.choice("done", securityDone), back})
}

// factorForm is a form that changes factors, and which the person confirms: security.KIND.title and others in the
// catalogue.
type factorForm struct {
	*view
	F     *ui.Form
	Has   people.Factors
	Kind  string
	Path  string // where it is posted to
	Label string // of the passkey that it is about
}

// showFactorForm returns what shows the form of a kind.
func (v *visit) showFactorForm(kind, path, label string) func(status int, f *ui.Form) error {
	return func(status int, f *ui.Form) error {
		has, err := v.factors()
		if err != nil {
			return err
		}
		return v.showAs(status, "factor-form",
			factorForm{v.view("security." + kind + ".title"), f, has, kind, path, label})
	}
}

// maxPasskeyLabel is how many characters a passkey's name may have.
const maxPasskeyLabel = 60

func (v *visit) newPasskey() error {
	if !v.passkeysHere() {
		return v.see("/account/security")
	}
	return v.showFactorForm("passkey-new", "/account/passkeys/new", "")(http.StatusOK, ui.EmptyForm())
}

// readLabel reads the name of a passkey, and sets its fault.
func (v *visit) readLabel(f *ui.Form) string {
	label := strings.TrimSpace(f.Value("label"))
	if n := utf8.RuneCountInString(label); n == 0 || n > maxPasskeyLabel || !ledger.IsLine(label) {
		f.SetFault("label", v.locale.T("security.fault.label", "most", maxPasskeyLabel))
	}
	return label
}

// passkeyPage makes a passkey in the browser.
type passkeyPage struct {
	*view
	F       *ui.Form
	Label   string
	Proof   string // the step-up
	Options string // of navigator.credentials.create, as JSON
	Handle  string
}

// askPasskey confirms that the person adds a passkey, and shows the page that makes it.
func (s *submission) askPasskey() error {
	if !s.passkeysHere() {
		return s.see("/account/security")
	}
	f := s.form()
	show := s.showFactorForm("passkey-new", "/account/passkeys/new", "")
	label := s.readLabel(f)
	if f.Faulty() {
		return show(http.StatusUnprocessableEntity, f)
	}
	if err := s.confirmPerson(f, access.AddFactorStepUp("passkey", label), show); err != nil {
		return err
	}
	return s.showPasskey(http.StatusOK, f, label, s.proof)
}

func (s *submission) showPasskey(status int, f *ui.Form, label, proof string) error {
	options, err := s.ownCeremony().AskPasskey(s.context(), s.session.Email)
	if err != nil {
		return err
	}
	var of struct {
		User struct{ ID string }
	}
	if err := json.Unmarshal(options, &of); err != nil {
		return err
	}
	return s.showAs(status, "passkey-make",
		passkeyPage{s.view("security.passkey-new.title"), f, label, proof, string(options), of.User.ID})
}

// addPasskey adds the passkey that the browser has made.
func (s *submission) addPasskey() error {
	f := s.form()
	label := s.readLabel(f)
	s.carry(f.Value(proofField))
	codes, err := s.ownCeremony().AddPasskey(s.context(), label, f.Value("handle"), f.Value(answerField), s.who())
	if errors.Is(err, access.ErrUnknown) {
		s.Log.Warn("a passkey was refused", "request", s.caller.Request, "error", err)
		f.SetFault("", s.locale.T("security.passkey-new.failed"))
		return s.showPasskey(http.StatusUnprocessableEntity, f, label, f.Value(proofField))
	}
	return s.added(err, codes, "passkey", s.showFactorForm("passkey-new", "/account/passkeys/new", ""))
}

// added leads on after a factor was added: with the recovery codes that came with the first, or to the list. show shows
// the form again where the step-up is over, or something is against it.
func (s *submission) added(err error, codes []string, done string, show func(int, *ui.Form) error) error {
	f := s.form()
	f.Values.Del(answerField)
	switch {
	case errors.Is(err, ledger.ErrConflict):
		return s.see("/account/security")
	case ledger.ReasonOf(err) == access.ReasonStepUp:
		f.SetFault("", s.locale.T("security.fault.over"))
		return show(http.StatusUnprocessableEntity, f)
	case ledger.ReasonOf(err) == people.ReasonTooManyPasskeys:
		f.SetFault("", s.locale.T("security.fault.full", "most", people.MaxPasskeys))
		return show(http.StatusUnprocessableEntity, f)
	case err != nil:
		return err
	case codes != nil:
		return s.showCodes(codes)
	}
	return s.see("/account/security", "done", done)
}

// codesPage shows recovery codes, once.
type codesPage struct {
	*view
	Codes []string
	Back  string // where the withdrawal is that has waited for a factor, or ""
}

func (s *submission) showCodes(codes []string) error {
	back, err := s.unfinished()
	if err != nil {
		return err
	}
	return s.show("recovery-codes", codesPage{s.view("security.codes.title"), codes, back})
}

func (v *visit) newCodes() error {
	return v.showFactorForm("codes-new", "/account/codes/new", "")(http.StatusOK, ui.EmptyForm())
}

// makeCodes replaces the recovery codes.
func (s *submission) makeCodes() error {
	show := s.showFactorForm("codes-new", "/account/codes/new", "")
	has, err := s.stepUp(s.form(), access.CodesStepUp, show)
	if err != nil {
		return err
	}
	if !has {
		return s.see("/account/security")
	}
	codes, err := s.ownCeremony().ReplaceCodes(s.context(), s.who())
	if err != nil {
		return err
	}
	return s.showCodes(codes)
}

// ownPasskey is the visitor's passkey that the address names; ledger.ErrNotFound if there is none.
func (v *visit) ownPasskey() (k factor.Passkey, err error) {
	has, err := v.factors()
	if err != nil {
		return k, err
	}
	for _, k := range has.Passkeys {
		if k.ID == v.r.PathValue("id") {
			return k, nil
		}
	}
	return k, ledger.ErrNotFound.In("", "a passkey")
}

// renaming is the form that renames a passkey, which needs no confirmation.
type renaming struct {
	*view
	F *ui.Form
	K factor.Passkey
}

func (v *visit) showRenaming(status int, f *ui.Form) error {
	k, err := v.ownPasskey()
	if err != nil {
		return err
	}
	if !f.Values.Has("label") {
		f.Values.Set("label", k.Label)
	}
	return v.showAs(status, "passkey", renaming{v.view("security.passkey.title"), f, k})
}

func (v *visit) passkey() error { return v.showRenaming(http.StatusOK, ui.EmptyForm()) }

func (s *submission) renamePasskey() error {
	f := s.form()
	label := s.readLabel(f)
	if f.Faulty() {
		return s.showRenaming(http.StatusUnprocessableEntity, f)
	}
	err := s.Books.People().RenamePasskey(s.context(), s.subject(), s.r.PathValue("id"), label, s.who())
	if err != nil {
		return err
	}
	return s.see("/account/security", "done", "renamed")
}

// removing is what shows the form that removes the passkey of the address.
func (v *visit) removing() (k factor.Passkey, show func(int, *ui.Form) error, err error) {
	k, err = v.ownPasskey()
	return k, v.showFactorForm("passkey-remove", "/account/passkeys/"+k.ID+"/remove", k.Label), err
}

func (v *visit) passkeyToRemove() error {
	_, show, err := v.removing()
	if err != nil {
		return err
	}
	return show(http.StatusOK, ui.EmptyForm())
}

func (s *submission) removePasskey() error {
	k, show, err := s.removing()
	if err != nil {
		return err
	}
	if _, err := s.stepUp(s.form(), access.RemoveFactorStepUp("passkey", k.ID), show); err != nil {
		return err
	}
	if err := s.Books.People().RemovePasskey(s.context(), s.subject(), k.ID, s.who()); err != nil {
		return err
	}
	return s.see("/account/security", "done", "removed")
}

func (v *visit) newApp() error {
	if v.Sealer == nil {
		return v.see("/account/security")
	}
	return v.showFactorForm("app-new", "/account/app/new", "")(http.StatusOK, ui.EmptyForm())
}

// appPage sets an authenticator app up.
type appPage struct {
	*view
	F     *ui.Form
	App   ceremony.App
	Proof string // the step-up
	QR    string // the path of an SVG
	Size  int    // its width in modules
}

func (s *submission) showApp(status int, f *ui.Form, app ceremony.App, proof string) error {
	path, size, err := factor.QR(app.URI)
	if err != nil {
		return err
	}
	return s.showAs(status, "app-make", appPage{s.view("security.app-new.title"), f, app, proof, path, size})
}

// askApp confirms that the person sets an authenticator app up, and shows its secret.
func (s *submission) askApp() error {
	if s.Sealer == nil {
		return s.see("/account/security")
	}
	f := s.form()
	if err := s.confirmPerson(f, access.AddFactorStepUp("totp", ""),
		s.showFactorForm("app-new", "/account/app/new", "")); err != nil {
		return err
	}
	app, err := s.ownCeremony().NewApp(s.session.Email)
	if err != nil {
		return err
	}
	return s.showApp(http.StatusOK, f, app, s.proof)
}

// addApp adds the authenticator app, once it shows a code.
func (s *submission) addApp() error {
	f := s.form()
	show := s.showFactorForm("app-new", "/account/app/new", "")
	app, err := s.ownCeremony().ReadApp(f.Value("app"))
	if errors.Is(err, access.ErrUnknown) {
		f.SetFault("", s.locale.T("security.fault.over"))
		return show(http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	s.carry(f.Value(proofField))
	codes, err := s.ownCeremony().AddApp(s.context(), app, f.Value(codeField), s.who())
	if errors.Is(err, access.ErrUnknown) {
		f.SetFault(codeField, s.locale.T("security.fault.code"))
		return s.showApp(http.StatusUnprocessableEntity, f, app, f.Value(proofField))
	}
	return s.added(err, codes, "app", show)
}

func (v *visit) appToRemove() error {
	return v.showFactorForm("app-remove", "/account/app/remove", "")(http.StatusOK, ui.EmptyForm())
}

func (s *submission) removeApp() error {
	if _, err := s.stepUp(s.form(), access.RemoveFactorStepUp("totp", ""),
		s.showFactorForm("app-remove", "/account/app/remove", "")); err != nil {
		return err
	}
	err := s.Books.People().RemoveTOTP(s.context(), s.subject(), s.who())
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	return s.see("/account/security", "done", "removed")
}
