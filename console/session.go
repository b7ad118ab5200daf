package console

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// sessionReader finds who has logged in.
type sessionReader interface {
	// Find is the actor of a session's text, as a browser has it: access.ErrUnknown if there is none, or it has
	// ended. use: it goes on living.
	Find(ctx context.Context, text, client string, use bool) (access.Actor, error)
}

// Visitor is a member of staff of a demo, as whom one may log in.
type Visitor struct {
	Email string
	Role  access.Role
}

// visitorSessions are those of a demo's visitors: they are gone with the process.
type visitorSessions struct {
	visitors []Visitor
	random   io.Reader
	people   *people.People

	mu    sync.Mutex
	found map[string]Visitor // by the ID of the session
}

func newVisitorSessions(o Options) *visitorSessions {
	return &visitorSessions{visitors: o.Visitors, random: o.Random, people: o.Books.People(), found: map[string]Visitor{}}
}

// Begin logs a visitor in, and returns the session's text: access.ErrUnknown if there is no such visitor.
func (s *visitorSessions) Begin(email string) (text string, err error) {
	for _, v := range s.visitors {
		if v.Email != email {
			continue
		}
		_, text, err := access.NewSession(s.random)
		if err == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.found[text] = v
		}
		return text, err
	}
	return "", access.ErrUnknown
}

// find is the actor of a visitor's session: access.ErrUnknown if there is none.
func (s *visitorSessions) find(text string) (access.Actor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, there := s.found[text]
	if !there {
		return access.Actor{}, access.ErrUnknown
	}
	return access.Actor{Role: v.Role, Credential: access.StaffSubject(v.Email), Person: access.PersonOf(v.Email)}, nil
}

// Confirm makes a step-up of somebody who has logged in, for what a digest is of, and returns its ID: a visitor of a
// demo is taken at their word, there as at the log-in.
func (s *visitorSessions) Confirm(ctx context.Context, by access.Actor, digest string) (proof string, err error) {
	for _, v := range s.visitors {
		if access.StaffSubject(v.Email) == by.Subject() {
			return s.people.ConfirmProvided(ctx, v.Email, digest)
		}
	}
	return "", access.ErrForbidden.In("", "%s is no visitor", by)
}

// End ends a session. Idempotent.
func (s *visitorSessions) End(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.found, text)
}

// SessionCookie is the name of the cookie that a session's text is kept in.
func SessionCookie(secure bool) string { return ui.CookieName("staff", secure) }

// sessionLife is how long a browser keeps the cookie: a session ends before by itself.
const sessionLife = 12 * time.Hour

// setCookie gives the browser a cookie that no script sees, or takes it away: "".
func (v *visit) setCookie(name, value string, life time.Duration) {
	ui.SetCookie(v.w, v.caller.Secure, name, value, life, http.SameSiteLaxMode)
}

// cookie is the value of a cookie, or "".
func (v *visit) cookie(name string) string { return ui.Cookie(v.r, name) }

// readSession reads the visitor's session: access.ErrUnknown if there is none.
func (v *visit) readSession() (err error) {
	v.text = v.cookie(SessionCookie(v.caller.Secure))
	v.actor, err = v.Sessions.Find(v.context(), v.text, v.browser(), v.r.URL.Path != LivePath)
	return err
}

// loginPage is the page to log in on.
type loginPage struct {
	*view
	F        *ui.Form
	Next     string // the page that it leads to
	Visitors []Visitor
	Provider string // the host of the OpenID provider, or ""
}

func (v *visit) loginForm() error {
	if v.signedIn() {
		return v.see(v.ownPath("next", Path))
	}
	return v.showLogin(http.StatusOK, ui.EmptyForm())
}

func (v *visit) showLogin(status int, f *ui.Form) error {
	return v.showAs(status, "login", loginPage{v.view("login.title"), f, v.ownPath("next", Path), v.site.Visitors,
		v.site.Provider})
}

// logIn logs a visitor of a demo in.
func (s *submission) logIn() error {
	text, err := s.sessions.Begin(s.value("email"))
	if err != nil {
		f := s.form()
		f.SetFault("", s.locale.T("login.unknown"))
		return s.showLogin(http.StatusUnprocessableEntity, f)
	}
	s.setCookie(SessionCookie(s.caller.Secure), text, sessionLife)
	return s.see(s.ownPath("next", Path))
}

// logOut ends the browser's session.
func (s *submission) logOut() error {
	provided, err := s.isProvided()
	if err != nil {
		return err
	}
	if s.signedIn() {
		if err := s.endSession(); err != nil {
			return err
		}
	}
	s.setCookie(SessionCookie(s.caller.Secure), "", 0)
	if s.provider != nil && provided {
		if to := s.provider.LogOut(s.context()); to != "" {
			return s.show("leave", leavePage{s.view("leave.out"), to, s.provider.Name()})
		}
	}
	return s.see(Path + "/login")
}
