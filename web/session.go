package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

const (
	// usualIdle is how long a session lives without being used, and usualLife how long it
	// lives at all, where Options do not set them.
	usualIdle = time.Hour
	usualLife = 24 * time.Hour
	// touchEvery is how often the use of a session is written down.
	touchEvery = 5 * time.Minute
)

// home is the first page.
func (v *visit) home() error {
	if v.account() == "" {
		return v.see("/login")
	}
	return v.see("/spot")
}

// SessionCookie is the name of the cookie that a session's text is kept in.
func SessionCookie(secure bool) string { return ui.CookieName("session", secure) }

func (v *visit) sessionCookie() string { return SessionCookie(v.caller.Secure) }

// setSession gives the browser a session's text, or takes it away: "".
func (v *visit) setSession(text string) {
	v.setCookie(v.sessionCookie(), text, v.SessionLife, http.SameSiteLaxMode)
}

// setCookie gives the browser a cookie that no script sees, or takes it away: "".
func (v *visit) setCookie(name, value string, life time.Duration, site http.SameSite) {
	ui.SetCookie(v.w, v.caller.Secure, name, value, life, site)
}

// cookie is the value of a cookie, or "".
func (v *visit) cookie(name string) string { return ui.Cookie(v.r, name) }

// readSession reads the visitor's session: access.ErrUnknown if there is none.
func (v *visit) readSession() error {
	text := v.cookie(v.sessionCookie())
	s, err := v.findSession(text)
	if err != nil {
		return err
	}
	v.session, v.text = s, text
	now := v.Books.Now()
	if now.Sub(s.Seen) < touchEvery || v.r.URL.Path == LivePath {
		return nil // an open page does not use the session
	}
	if err := v.keeper.TouchSession(v.context(), s.ID, v.sessionEnd(s.Created, now)); err != nil {
		v.Log.Warn("it could not be kept that a session is used; it is used all the same", "request",
			v.caller.Request, "error", err)
	}
	return nil
}

// findSession is the session of a text: access.ErrUnknown if there is none, or it has ended.
func (v *visit) findSession(text string) (access.Session, error) {
	id, is := access.SessionID(text)
	if !is {
		return access.Session{}, access.ErrUnknown
	}
	s, err := v.People.Session(v.context(), id)
	if errors.Is(err, ledger.ErrNotFound) {
		return access.Session{}, access.ErrUnknown
	}
	if err != nil {
		return access.Session{}, err
	}
	return s, s.Check(text, v.Books.Now())
}

// sessionEnd is until when a session lives that is used now.
func (v *visit) sessionEnd(created, now time.Time) time.Time {
	idle, life := now.Add(v.SessionIdle), created.Add(v.SessionLife)
	if idle.Before(life) {
		return idle
	}
	return life
}

// askToLogIn answers a request that needs a session and has none. What was typed
// comes back after the log-in.
func (v *visit) askToLogIn() error {
	v.keepForm()
	next, why := v.comeBack(), ""
	if v.cookie(v.sessionCookie()) != "" {
		why = "ended"
	}
	switch {
	case v.fromHTMX(): // the whole page goes to the log-in
		if v.r.Method != http.MethodPost {
			next = v.pageOfPart()
		}
		v.w.Header().Set("HX-Redirect", ui.Address("/login", "next", next, "why", why))
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	case v.r.Method == http.MethodPost:
		return v.showLogin(http.StatusUnauthorized, loginPage{F: ui.EmptyForm(), Next: next, Why: "kept"})
	}
	return v.see("/login", "next", next, "why", why)
}

// pageOfPart is the page on which a part is asked for, as htmx sends it.
func (v *visit) pageOfPart() string {
	at, err := url.Parse(v.r.Header.Get("HX-Current-URL"))
	if err != nil || at.Host != v.r.Host || !ui.IsPath(at.RequestURI()) {
		return "/spot"
	}
	return at.RequestURI()
}

// logOut ends the browser's session.
func (s *submission) logOut() error {
	if s.account() != "" {
		if err := s.endOwnSession(s.session); err != nil {
			return err
		}
		if err := s.recordEvent("log-out", s.session.Email); err != nil {
			return err
		}
	}
	s.setSession("")
	return s.see("/login", "why", "out")
}

// endOwnSession ends a session of the browser's. It is idempotent.
func (s *submission) endOwnSession(of access.Session) error {
	err := s.Books.People().EndSession(s.context(), of.Account, of.ID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	return err
}

// logOutEverywhere ends all sessions of the account, this one too.
func (s *submission) logOutEverywhere() error {
	if err := s.Books.People().EndSessions(s.context(), s.account(), ""); err != nil {
		return err
	}
	if err := s.recordEvent("log-out everywhere", s.session.Email); err != nil {
		return err
	}
	s.setSession("")
	return s.see("/login", "why", "everywhere")
}

// recordEvent writes a security event of the visitor, for the account's activity.
func (s *submission) recordEvent(action, detail string) error {
	return s.recordEventOf(s.account(), action, detail)
}

func (s *submission) recordEventOf(id ledger.Account, action, detail string) error {
	return s.Books.People().AddSecurityEvent(s.context(), id,
		people.SecurityEvent{Action: action, Detail: detail, Client: s.browser(), Address: s.address()})
}

// browser is the visitor's User-Agent, or the app and its version.
func (v *visit) browser() string { return ui.Client(v.r, v.caller) }

// address is where the visitor comes from: "192.0.2.7 DE".
func (v *visit) address() string { return ui.Origin(v.caller) }

// deviceLife is how long a device is known that nobody logs in with.
const deviceLife = 180 * 24 * time.Hour

// deviceCookie is the cookie of the devices that a browser is known as.
func (v *visit) deviceCookie() string { return ui.CookieName("device", v.caller.Secure) }

// devices sign the cookies of devices: with a secret that is derived from the key
// outside of the books or, where there is none, with one that the books keep.
func (s *submission) devices() (access.DeviceSigner, error) {
	secret, err := s.Books.People().DerivedSecret(s.context(), s.Sealer, "device cookies", s.Random)
	return access.NewDeviceSigner(secret), err
}

// findDevice is the browser as a device of a login, or false. It does the same for an
// address that nobody logs in with, so that the time does not show who is known here.
func (s *submission) findDevice(email string, l people.Login) (d access.Device, known bool, err error) {
	sent := s.cookie(s.deviceCookie())
	if sent == "" {
		return d, false, nil
	}
	signer, err := s.devices()
	if err != nil {
		return d, false, err
	}
	d, known = signer.Find(sent, email, l.Changed, s.Books.Now())
	return d, known && l.Email != "", nil
}

// setDevice makes the browser a device of a login whose password was given in it, or
// prolongs the device that it is.
func (s *submission) setDevice(d access.Device, l people.Login) (err error) {
	if d.ID == "" {
		if d, err = access.NewDevice(s.Random); err != nil {
			return err
		}
	}
	signer, err := s.devices()
	if err != nil {
		return err
	}
	d.Email, d.PasswordSet, d.Expires = l.Email, l.Changed, s.Books.Now().Add(deviceLife)
	s.setCookie(s.deviceCookie(), signer.Add(s.cookie(s.deviceCookie()), d), deviceLife, http.SameSiteLaxMode)
	return nil
}
