package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// seeLogin leads from the address of a form to the page that has it.
func (v *visit) seeLogin() error { return v.see("/login", "next", v.next()) }

// logInByPasskey logs in with a passkey alone: it says whose it is.
func (s *submission) logInByPasskey() error {
	f := s.form()
	show := func(status int, f *ui.Form) error {
		f.SetFault("", f.Fault(codeField))
		return s.showLogin(status, loginPage{F: f})
	}
	if s.value(askField) == "" { // a challenge costs nothing and is kept nowhere; an answer is checked
		from := "log in from " + access.Network(s.caller.Address).String()
		wait, err := s.Books.People().CountAttempt(s.context(), from, attemptsFrom, attemptsWindow)
		if err != nil {
			return err
		}
		if wait > 0 {
			return s.refuseToLogIn(f, wait)
		}
	}
	proof, subject, err := s.prove(s.ceremony("", ""), f, access.LogIn, show)
	if err != nil {
		return err
	}
	email, is := strings.CutPrefix(subject, access.LoginSubject(""))
	if !is {
		f.SetFault("", s.locale.T("factor.wrong")) // staff's
		return s.showLogin(http.StatusUnprocessableEntity, loginPage{F: f})
	}
	a, err := s.loginAttempt(email)
	if err != nil {
		return err
	}
	return a.finish("", proof)
}

// finish adds the session that a factor has confirmed, and leads on.
func (a *loginAttempt) finish(password, proof string) error {
	a.Books = a.Books.As(access.Process("pages").In(a.caller.Request).With(proof))
	if err := a.newSession(password); err != nil {
		return err
	}
	a.Books = a.Books.As(a.session.Actor().In(a.caller.Request))
	if err := a.loggedIn(); err != nil {
		return err
	}
	return a.seeNext()
}

// secondCookie is where a browser keeps that its password was right, until the second step.
func (v *visit) secondCookie() string { return ui.CookieName("second", v.caller.Secure) }

// aboutSecond is what the ticket of the cookie is about: it is over when the password changes.
func aboutSecond(l people.Login) string { return access.StepUp("second", l.Email, l.Password) }

// askSecond asks for a factor after the password was right. There is no session yet.
func (a *loginAttempt) askSecond() error {
	ticket, err := a.ceremony("", "").Ticket(a.context(), aboutSecond(a.login))
	if err != nil {
		return err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(a.login.Email)) + "." + ticket
	a.setCookie(a.secondCookie(), text, factor.ChallengeLife/time.Second*time.Second, http.SameSiteStrictMode)
	if err := a.succeed(); err != nil { // of guessing passwords
		return err
	}
	return a.see("/login/second", "next", a.next())
}

// secondPage asks for a factor. It does not say which ones the login has: who has a password learns no more.
type secondPage struct {
	*view
	F    *ui.Form
	Next string
	Has  people.Factors
}

func (v *visit) showSecond(status int, f *ui.Form) error {
	asked := people.Factors{Passkeys: []factor.Passkey{{}}}
	return v.showAs(status, "login-second", secondPage{v.view("login.second.title"), f, v.next(), asked})
}

func (v *visit) secondForm() error {
	switch {
	case v.account() != "":
		return v.seeNext()
	case v.cookie(v.secondCookie()) == "":
		return v.see("/login", "next", v.next(), "why", "ended")
	}
	return v.showSecond(http.StatusOK, ui.EmptyForm())
}

// logInSecond logs in where a password was right a moment ago, and a factor confirms it.
func (s *submission) logInSecond() error {
	text, ticket, _ := strings.Cut(s.cookie(s.secondCookie()), ".")
	email, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return s.see("/login", "why", "ended")
	}
	a, err := s.loginAttempt(string(email))
	if err != nil {
		return err
	}
	err = s.ceremony("", "").CheckTicket(s.context(), ticket, aboutSecond(a.login))
	if errors.Is(err, access.ErrUnknown) || err == nil && a.login.Email == "" {
		s.setCookie(s.secondCookie(), "", 0, http.SameSiteStrictMode)
		return s.see("/login", "next", s.next(), "why", "ended")
	}
	if err != nil {
		return err
	}
	proof, _, err := s.prove(s.ceremony(access.LoginSubject(a.login.Email), ticket), s.form(), access.LogIn, s.showSecond)
	if err != nil {
		return err
	}
	s.setCookie(s.secondCookie(), "", 0, http.SameSiteStrictMode)
	return a.finish(a.login.Password, proof)
}
