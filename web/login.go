package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// refusedAfter is how long a refusal takes at least: that more is done for an
// address that is known does not show.
const refusedAfter = 200 * time.Millisecond

// loginPage is the page to log in on.
type loginPage struct {
	*view
	F        *form
	Next     string    // where it leads, or ""
	Why      string    // why one is here: "ended", "kept", "out", "everywhere" or ""
	Visitors []Visitor // of books that are made up
}

// showLogin shows the page to log in on; the view and the visitors come here.
func (v *visit) showLogin(status int, p loginPage) error {
	p.view = v.view("login.title")
	if v.Play != nil {
		p.Visitors = v.Play.Visitors()
	}
	return v.showAs(status, "login", p)
}

// whys are the reasons for being asked to log in that an address may give.
var whys = map[string]bool{"ended": true, "out": true, "everywhere": true}

func (s *server) loginForm(v *visit) error {
	if v.account() != "" {
		return v.seeNext() // another tab has logged in
	}
	p := loginPage{F: emptyForm(), Next: v.next()}
	if why := v.value("why"); whys[why] {
		p.Why = why
	}
	return v.showLogin(http.StatusOK, p)
}

// next is where the visitor goes after logging in, or "".
func (v *visit) next() string {
	if next := v.value("next"); ours(next) {
		return next
	}
	return ""
}

func (s *server) logIn(v *visit) error {
	f := v.form()
	email, err := access.ParseEmail(f.Value("email"))
	if err != nil {
		f.fault("email", v.locale.T("login.no-email"))
	}
	if f.Value("password") == "" {
		f.fault("password", v.locale.T("login.no-password"))
	}
	if f.Faulty() {
		return v.showLogin(http.StatusUnprocessableEntity, loginPage{F: f, Next: v.next()})
	}
	slow := time.NewTimer(refusedAfter)
	defer slow.Stop()
	a, err := v.loginAttempt(email)
	if err != nil {
		return err
	}
	wait, err := a.begin()
	if err != nil {
		return err
	}
	if wait > 0 {
		return v.tooManyAttempts(f, wait)
	}
	err = a.logIn(f.Value("password"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		select {
		case <-slow.C:
		case <-v.context().Done():
		}
		f.fault("", v.locale.T("login.wrong"))
		return v.showLogin(http.StatusUnprocessableEntity, loginPage{F: f, Next: v.next()})
	case errors.Is(err, errBusy):
		if err := a.takeBack(); err != nil {
			return err
		}
		v.refuseBusy()
		return nil
	case err != nil:
		return err
	}
	return v.seeNext()
}

// tooManyAttempts says when to try again.
func (v *visit) tooManyAttempts(f *form, wait time.Duration) error {
	v.comeAgain(wait)
	f.fault("", v.locale.N("login.wait", minutes(wait)))
	return v.showLogin(http.StatusTooManyRequests, loginPage{F: f, Next: v.next()})
}

// logIn checks the password and begins a session. access.ErrUnknown if there is no such
// login, or the password is another.
func (a *loginAttempt) logIn(password string) error {
	err := a.checkAndBegin(password)
	if errors.Is(err, errHashReplaced) {
		if a.login, err = a.findLogin(a.email); err == nil {
			err = a.checkAndBegin(password)
		}
	}
	if errors.Is(err, errHashReplaced) {
		return access.ErrUnknown
	}
	if err != nil {
		return err
	}
	a.rehash(password)
	if err := a.recordEventOf(a.login.Account, "log-in", a.login.Email); err != nil {
		return err
	}
	return errors.Join(a.succeed(), a.setDevice(a.device, a.login))
}

// errHashReplaced means that a login's hash was replaced after it was read: another
// password was set, or another log-in has hashed the same password with today's parameters.
var errHashReplaced = errors.New("the hash of the password was replaced")

// checkAndBegin checks the password against the login as it was read, and begins a
// session, a new one at each log-in; the browser's former one ends.
func (a *loginAttempt) checkAndBegin(password string) error {
	err := a.hashing().inTurn(a.context(), a.hasher(),
		func() error { return access.CheckPassword(a.login.Password, password) })
	if errors.Is(err, access.ErrUnknown) && a.login.Account != "" && !a.slowed {
		// Of those beyond the threshold no events are kept: a stranger must not fill the list.
		if err := a.recordEventOf(a.login.Account, "log-in refused", a.login.Email); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	s, text, err := access.NewSession(a.Random)
	if err != nil {
		return err
	}
	now := a.Books.Now()
	s.Email, s.Account, s.Client, s.Address, s.Expires = a.login.Email, a.login.Account, a.browser(), a.address(),
		a.sessionEnd(now, now)
	if err := a.Books.People().AddSession(a.context(), s, a.login.Password); err != nil {
		if errors.Is(err, ledger.ErrNotFound) {
			return errHashReplaced
		}
		return err
	}
	if former := a.session; former.ID != "" {
		if err := a.Books.People().EndSession(a.context(), former.Account, former.ID); err != nil &&
			!errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	a.setSession(text)
	a.session = s
	return nil
}

// findLogin is the login of an address; the zero Login, whose password is nobody's, if
// there is none.
func (v *visit) findLogin(email string) (people.Login, error) {
	login, err := v.Books.People().Login(v.context(), email)
	if errors.Is(err, ledger.ErrNotFound) {
		return people.Login{}, nil
	}
	return login, err
}

// rehash replaces a hash that was made with other parameters than today's. A person
// who has logged in is not refused where that fails.
func (a *loginAttempt) rehash(password string) {
	if !access.IsOutdated(a.login.Password) {
		return
	}
	err := a.hashing().inTurn(a.context(), a.hasher(), func() error {
		hash, err := access.RehashPassword(a.Random, password)
		if err == nil {
			_, err = a.Books.People().RehashPassword(a.context(), a.login, hash)
		}
		return err
	})
	if err != nil {
		a.Log.Warn("a password could not be hashed with today's parameters; the next log-in tries again", "request",
			a.caller.Request, "error", err)
	}
}
