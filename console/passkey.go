package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// passkeysPath is the form that adds a passkey of the visitor's; the forms of one are below it.
const passkeysPath = Path + "/me/passkeys"

// who is the visitor, for what is written of a passkey.
func (v *visit) who() people.Visitor {
	return people.Visitor{Client: v.browser(), Address: v.address()}
}

// hasPasskeys reports whether the visitor logs in with passkeys, and so may have several: others log in at the
// provider, and the visitors of a demo without proof.
func (v *visit) hasPasskeys() (bool, error) {
	if slices.ContainsFunc(v.site.Visitors, func(of Visitor) bool { return of.Email == v.email() }) {
		return false, nil
	}
	person, err := v.Logins.StaffMember(v.context(), v.email())
	return person.Source == access.Local, err
}

// passkeyPage is the page on which the browser makes a passkey.
type passkeyPage struct {
	*view
	Label   string
	Proof   string // the step-up
	Options string // of navigator.credentials.create, as JSON
	Handle  string
}

// askForMine confirms with a passkey that the visitor adds another, and shows the page on which the browser makes it.
func (s *submission) askForMine() error {
	f := s.form()
	switch has, err := s.hasPasskeys(); {
	case err != nil:
		return err
	case !has:
		return ledger.ErrNotFound
	}
	label := typed(f, "label")
	if err := people.CheckPasskeyLabel(label); err != nil {
		return s.refuseMine(f, err, s.showMe)
	}
	proof, err := s.confirmed(access.AddFactorStepUp("passkey", label), Path+"/me")
	if err != nil {
		return s.refuseMine(f, err, s.showMe)
	}
	options, err := s.ceremony(s.actor.Subject(), s.sessionID()).AskPasskey(s.context(), s.email())
	if err != nil {
		return err
	}
	handle, err := handleOf(options)
	if err != nil {
		return err
	}
	return s.show("passkey-make", passkeyPage{s.view("me.passkey.make"), label, proof, string(options), handle})
}

// handleOf is the handle of the options by which a browser makes a passkey.
func handleOf(options []byte) (string, error) {
	var asked struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	err := json.Unmarshal(options, &asked)
	return asked.User.ID, err
}

// addMine adds the passkey that the browser has made.
func (s *submission) addMine() error {
	f := s.form()
	c := s.ceremony(s.actor.Subject(), s.sessionID())
	c.People = s.as(s.actor.With(f.Value("proof")))
	if _, err := c.AddPasskey(s.context(), typed(f, "label"), f.Value("handle"), f.Value("answer"), s.who()); err != nil {
		return s.refuseMine(f, err, s.showMe)
	}
	return s.see(Path+"/me", "done", "added")
}

// refuseMine shows the page of a form again with the reason why nothing was done.
func (s *submission) refuseMine(f *ui.Form, err error, show func(status int, f *ui.Form) error) error {
	f.Values.Del("answer")
	if errors.Is(err, access.ErrUnknown) || ledger.ReasonOf(err) == access.ReasonStepUp {
		f.SetFault("", s.locale.T("me.unconfirmed"))
		return show(http.StatusForbidden, f)
	}
	if s.fault(f, err) {
		return show(http.StatusUnprocessableEntity, f)
	}
	return err
}

// ownPasskeyPage is a passkey of the visitor's, with the forms that rename and remove it.
type ownPasskeyPage struct {
	*view
	F    *ui.Form
	K    factor.Passkey
	Last bool // it is the only one
}

func (v *visit) myPasskey() error { return v.showPasskey(http.StatusOK, ui.EmptyForm()) }

func (v *visit) showPasskey(status int, f *ui.Form) error {
	has, err := v.Logins.Factors(v.context(), v.actor.Subject())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(has.Passkeys, func(k factor.Passkey) bool { return k.ID == v.r.PathValue("id") })
	if i < 0 {
		return ledger.ErrNotFound.In("", "a passkey")
	}
	if !f.Values.Has("label") {
		f.Values.Set("label", has.Passkeys[i].Label)
	}
	return v.showAs(status, "passkey", ownPasskeyPage{v.view("me.passkey"), f, has.Passkeys[i], len(has.Passkeys) == 1})
}

// changeMine renames a passkey of the visitor's or, where that is confirmed with a passkey, removes it.
func (s *submission) changeMine() error {
	f, id, done := s.form(), s.r.PathValue("id"), "renamed"
	var err error
	switch f.Value("do") {
	case "rename":
		err = s.Books.People().RenamePasskey(s.context(), s.actor.Subject(), id, typed(f, "label"), s.who())
	case "remove":
		done = "removed"
		var proof string
		if proof, err = s.confirmed(access.RemoveFactorStepUp("passkey", id), Path+"/me"); err == nil {
			err = s.as(s.actor.With(proof)).RemovePasskey(s.context(), s.actor.Subject(), id, s.who())
		}
	default:
		return ledger.ErrNotFound
	}
	if err != nil {
		return s.refuseMine(f, err, s.showPasskey)
	}
	return s.see(Path+"/me", "done", done)
}
