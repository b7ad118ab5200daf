package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/ui"
)

// mePage is what a member of staff has here: sessions and passkeys.
type mePage struct {
	*view
	F        *ui.Form
	Own      string // the ID of this session
	Sessions []access.StaffSession
	Passkeys []factor.Passkey
	May      bool // the visitor may have passkeys
	Done     string
}

// meDone are what may have been done to a passkey: me.done.NAME.
var meDone = []string{"added", "renamed", "removed"}

// email is the visitor's address.
func (v *visit) email() string { return strings.TrimPrefix(v.actor.Subject(), access.StaffSubject("")) }

func (v *visit) me() error { return v.showMe(http.StatusOK, ui.EmptyForm()) }

// seeMe leads to the page from the paths of forms that are posted on it or on the way back to it.
func (v *visit) seeMe() error { return v.see(Path + "/me") }

func (v *visit) showMe(status int, f *ui.Form) error {
	p := mePage{view: v.view("me.title"), F: f, Own: v.sessionID(), Done: v.choice("done", meDone)}
	var err error
	if p.Sessions, err = v.Logins.StaffSessions(v.context(), v.email()); err != nil {
		return err
	}
	if p.May, err = v.hasPasskeys(); err != nil {
		return err
	}
	has, err := v.Logins.Factors(v.context(), v.actor.Subject())
	if err != nil {
		return err
	}
	p.Passkeys = has.Passkeys
	return v.showAs(status, "me", p)
}

// endMine ends one of the visitor's sessions or, without an ID, all but this one.
func (s *submission) endMine() (err error) {
	if id := s.value("id"); id != "" {
		err = s.Books.People().EndStaffSession(s.context(), s.email(), id)
	} else {
		err = s.Books.People().EndStaffSessions(s.context(), s.email(), s.sessionID())
	}
	if err != nil {
		return err
	}
	return s.see(Path + "/me")
}

// invitationPage is the form of the code of an invitation and, once that is right, of the first passkey.
type invitationPage struct {
	*view
	F       *ui.Form
	Options string // by which the browser makes a passkey, as JSON; "": the code is asked for
	Handle  string // of the passkey
}

func (v *visit) invitation() error {
	return v.show("invitation", invitationPage{view: v.view("invitation.title"), F: ui.EmptyForm()})
}

// passkeyLabel is the label of a first passkey.
const passkeyLabel = "first"

// acceptInvitation registers the first passkey of a person who has the code, and lets them in.
func (s *submission) acceptInvitation() error {
	f := s.form()
	if !s.passkeySite().Named() {
		return s.showInvitation(http.StatusUnprocessableEntity, f, "login.passkey.address")
	}
	email, err := access.ParseEmail(f.Value("email"))
	if err != nil {
		return s.refuseInvitation(f, email)
	}
	digest := access.AddFactorStepUp("passkey", passkeyLabel)
	proof, err := s.Books.People().ConfirmInvitation(s.context(), email, f.Value("code"), digest)
	if errors.Is(err, access.ErrUnknown) {
		return s.refuseInvitation(f, email)
	}
	if err != nil {
		return err
	}
	person, err := s.Books.People().StaffMember(s.context(), email)
	if err != nil {
		return err
	}
	c := s.ceremony(access.StaffSubject(email), "")
	if f.Value("answer") == "" {
		return s.askForPasskey(c.AskPasskey(s.context(), email))
	}
	c.People = s.as(person.Actor().With(proof))
	_, err = c.AddPasskey(s.context(), passkeyLabel, f.Value("handle"), f.Value("answer"),
		s.who())
	if errors.Is(err, access.ErrUnknown) || errors.Is(err, ledger.ErrInvalid) || errors.Is(err, access.ErrForbidden) {
		return s.refuseInvitation(f, email)
	}
	if err == nil {
		err = s.beginSession(email, func(session access.StaffSession) error {
			return s.as(person.Actor()).AddStaffSession(s.context(), session, "invitation")
		})
	}
	if err != nil {
		return err
	}
	return s.see(Path)
}

// askForPasskey shows the page on which the browser makes a passkey.
func (s *submission) askForPasskey(options []byte, err error) error {
	var handle string
	if err == nil {
		handle, err = handleOf(options)
	}
	if err != nil {
		return err
	}
	return s.show("invitation", invitationPage{s.view("invitation.title"), s.form(), string(options), handle})
}

// refuseInvitation refuses what was said of an invitation of the e-mail; "": of nobody's.
func (s *submission) refuseInvitation(f *ui.Form, email string) error {
	tooMany, err := s.countRefused(email)
	if err != nil {
		return err
	}
	if tooMany {
		return s.showInvitation(http.StatusTooManyRequests, f, "login.wait")
	}
	return s.showInvitation(http.StatusForbidden, f, "invitation.wrong")
}

// showInvitation shows the form of an invitation with a fault.
func (s *submission) showInvitation(status int, f *ui.Form, fault string) error {
	f.Values.Del("code")
	f.Values.Del("answer")
	f.SetFault("", s.locale.T(fault))
	return s.showAs(status, "invitation", invitationPage{view: s.view("invitation.title"), F: f})
}
