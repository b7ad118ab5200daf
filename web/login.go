package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/softstake/softstake/ui"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// refusedAfter is how long a refusal takes at least: the time does not show that more is
// done for an address that is known.
const refusedAfter = 200 * time.Millisecond

// loginPage is the page to log in on.
type loginPage struct {
	*view
	F        *ui.Form
	Next     string    // the page that it leads to, or ""
	Why      string    // the reason to log in: "ended", "kept", "out", "everywhere", "chosen" or ""
	Visitors []Visitor // of a demo
}

// showLogin shows the page to log in on, and fills in what each such page has.
func (v *visit) showLogin(status int, p loginPage) error {
	p.view = v.view("login.title")
	if p.Next == "" {
		p.Next = v.next()
	}
	if v.Play != nil {
		p.Visitors = v.Play.Visitors()
	}
	return v.showAs(status, "login", p)
}

// whys are the reasons to log in that an address may give.
var whys = []string{"ended", "out", "everywhere", "chosen"}

func (v *visit) loginForm() error {
	if v.account() != "" {
		return v.seeNext() // another tab has logged in
	}
	return v.showLogin(http.StatusOK, loginPage{F: ui.EmptyForm(), Why: v.choice("why", whys)})
}

// next is the page to show after the log-in, or "".
func (v *visit) next() string { return v.ownPath("next", "") }

func (s *submission) logIn() error {
	f := s.form()
	email, err := access.ParseEmail(f.Value("email"))
	if err != nil {
		f.SetFault("email", s.locale.T("login.no-email"))
	}
	if f.Value("password") == "" {
		f.SetFault("password", s.locale.T("login.no-password"))
	}
	if f.Faulty() {
		return s.showLogin(http.StatusUnprocessableEntity, loginPage{F: f})
	}
	slow := time.NewTimer(refusedAfter)
	defer slow.Stop()
	a, err := s.loginAttempt(email)
	if err != nil {
		return err
	}
	wait, err := a.begin()
	if err != nil {
		return err
	}
	if wait > 0 {
		return s.refuseToLogIn(f, wait)
	}
	err = a.logIn(f.Value("password"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		select {
		case <-slow.C:
		case <-s.context().Done():
		}
		f.SetFault("", s.locale.T("login.wrong"))
		return s.showLogin(http.StatusUnprocessableEntity, loginPage{F: f})
	case errors.Is(err, errBusy):
		if err := a.uncount(); err != nil {
			return err
		}
		return s.refuseBusy()
	case ledger.ReasonOf(err) == access.ReasonStepUp:
		return a.askSecond()
	case err != nil:
		return err
	}
	return s.seeNext()
}

// refuseToLogIn says when attempts to log in are taken again.
func (s *submission) refuseToLogIn(f *ui.Form, wait time.Duration) error {
	s.comeAgain(wait)
	f.SetFault("", s.locale.N("login.wait", ui.WholeMinutes(wait)))
	return s.showLogin(http.StatusTooManyRequests, loginPage{F: f})
}

// logIn checks the password and adds a session. access.ErrUnknown if there is no such
// login, or the password is wrong.
func (a *loginAttempt) logIn(password string) error {
	err := a.addSession(password)
	if errors.Is(err, errHashReplaced) {
		if a.login, err = a.findLogin(a.email); err == nil {
			err = a.addSession(password)
		}
	}
	if errors.Is(err, errHashReplaced) {
		return access.ErrUnknown
	}
	if err != nil {
		return err
	}
	a.rehash(password)
	return a.loggedIn()
}

// loggedIn ends an attempt that has added a session.
func (a *loginAttempt) loggedIn() error {
	if err := a.recordEventOf(a.login.Account, "log-in", a.login.Email); err != nil {
		return err
	}
	return errors.Join(a.succeed(), a.setDevice(a.device, a.login), a.rememberLanguage(a.login.Email))
}

// errHashReplaced means that a login's hash was replaced after it was read: another
// password was set, or another log-in has hashed the same password with today's parameters.
var errHashReplaced = errors.New("the hash of the password was replaced")

// addSession checks the password against the login as it was read, and adds a new session;
// the browser's former session ends.
func (a *loginAttempt) addSession(password string) error {
	err := a.hash(func() error { return access.CheckPassword(a.login.Password, password) })
	if errors.Is(err, access.ErrUnknown) && a.login.Account != "" && !a.slowed {
		// Attempts beyond the threshold make no events: a stranger must not fill the list.
		if err := a.recordEventOf(a.login.Account, "log-in refused", a.login.Email); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return a.newSession(a.login.Password)
}

// newSession adds a session of the login, whose password is the hash that was checked, or "" with a passkey alone.
func (a *loginAttempt) newSession(password string) error {
	s, text, err := access.NewSession(a.Random)
	if err != nil {
		return err
	}
	now := a.Books.Now()
	s.Email, s.Account, s.Client, s.Address, s.Expires = a.login.Email, a.login.Account, a.browser(), a.address(),
		a.sessionEnd(now, now)
	s.Stranger = a.device.ID == ""
	if err := a.Books.People().AddSession(a.context(), s, password); err != nil {
		if errors.Is(err, ledger.ErrNotFound) {
			return errHashReplaced
		}
		return err
	}
	if former := a.session; former.ID != "" {
		if err := a.endOwnSession(former); err != nil {
			return err
		}
	}
	a.setSession(text)
	a.session = s
	return nil
}

// findLogin is the login of an address of mail; the zero Login, whose password is nobody's,
// if there is none.
func (v *visit) findLogin(email string) (people.Login, error) {
	login, err := v.People.Login(v.context(), email)
	if errors.Is(err, ledger.ErrNotFound) {
		return people.Login{}, nil
	}
	return login, err
}

// rehash replaces a hash that was not made with today's parameters. A person who has
// logged in is not refused where that fails.
func (a *loginAttempt) rehash(password string) {
	if !access.IsOutdated(a.login.Password) {
		return
	}
	err := a.hash(func() error {
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

// attemptsWindow is how long attempts to log in are counted.
const attemptsWindow = 15 * time.Minute

// How many attempts are allowed in a window. Those of a device that has logged in
// before are counted by the device alone, so that no stranger can keep its owner out.
const (
	attemptsOfDevice = 10
	attemptsFrom     = 100 // from one network, for all addresses of mail
	attemptsOfMail   = 10  // for one address of mail, from one network
)

// The numbers of strangers' attempts beyond which responses slow down. They refuse nobody.
const (
	slowedOfMail = 30     // for one address of mail, from all networks
	slowedInAll  = 10_000 // for all
)

// slowdown delays attempts beyond the thresholds.
type slowdown struct {
	inAll   int
	by      time.Duration
	waiting *access.Limiter[string] // by address of mail
}

const (
	// slowedBy is the delay of an attempt, and slowedAgain the Retry-After where too many
	// are delayed already.
	slowedBy    = 2 * time.Second
	slowedAgain = 5 * time.Second
	// How many are delayed at the same time, in all and for one address of mail: each holds a connection.
	mostSlowed   = 64
	mostSlowedOf = 8
)

// loginAttempt is one attempt to log in.
type loginAttempt struct {
	*submission
	email   string
	login   people.Login  // zero: there is none
	device  access.Device // zero: it has not logged in before
	trusted bool          // the device has logged in before, and has not guessed too often
	slowed  bool
	counted []string // the counters that have counted it
}

// loginAttempt reads what is known of an attempt.
func (s *submission) loginAttempt(email string) (a *loginAttempt, err error) {
	// Who asks is not known yet, also where somebody is logged in: it may be another person's browser.
	asked := *s
	asked.Books = s.Books.As(access.Process("pages").In(s.caller.Request).With(s.proof))
	a = &loginAttempt{submission: &asked, email: email}
	if a.login, err = s.findLogin(email); err != nil {
		return nil, err
	}
	a.device, a.trusted, err = s.findDevice(email, a.login)
	return a, err
}

// begin counts the attempt before anything else is done for it, and delays it where
// responses are slow. wait is how long until the next is allowed, where this one is not.
func (a *loginAttempt) begin() (wait time.Duration, err error) {
	if a.trusted {
		wait, err = a.count("device "+a.device.ID, attemptsOfDevice)
		if err != nil || wait == 0 {
			return 0, err
		}
		a.trusted = false // whoever has its cookie has guessed often enough, and is now a stranger
	}
	from, all, mail := "log in from "+access.Network(a.caller.Address).String(), "log in", "log in "+a.email
	if wait, err = a.count(from, attemptsFrom); err != nil || wait > 0 {
		return wait, err
	}
	if err = a.slowBeyond(all, a.slow.inAll); err != nil {
		return 0, err
	}
	if wait, err = a.count(a.ofMail(), attemptsOfMail); err != nil || wait > 0 {
		return wait, err
	}
	if err = a.slowBeyond(mail, slowedOfMail); err != nil || !a.slowed {
		return 0, err
	}
	return a.waitSlowed()
}

// ofMail is the counter of an address of mail from one network.
func (a *loginAttempt) ofMail() string {
	return "log in " + a.email + " from " + access.Network(a.caller.Address).String()
}

// count adds the attempt to a counter, where it is allowed.
func (a *loginAttempt) count(counter string, most int) (wait time.Duration, err error) {
	wait, err = a.Books.People().CountAttempt(a.context(), counter, most, attemptsWindow)
	if err == nil && wait == 0 {
		a.counted = append(a.counted, counter)
	}
	return wait, err
}

// slowBeyond slows the attempt down where the counter has reached most.
func (a *loginAttempt) slowBeyond(counter string, most int) error {
	wait, err := a.count(counter, most)
	a.slowed = a.slowed || wait > 0
	return err
}

// waitSlowed delays the attempt before the password is checked: whoever does not wait
// learns nothing. Where too many wait already the attempt is not made.
func (a *loginAttempt) waitSlowed() (wait time.Duration, err error) {
	if !a.slow.waiting.Acquire(a.email) {
		return slowedAgain, a.uncount()
	}
	defer a.slow.waiting.Release(a.email)
	delay := time.NewTimer(a.slow.by)
	defer delay.Stop()
	select {
	case <-delay.C:
		return 0, nil
	case <-a.context().Done():
		return 0, a.context().Err()
	}
}

// uncount uncounts an attempt that was not made.
func (a *loginAttempt) uncount() error {
	return a.Books.People().UncountAttempts(a.context(), a.counted...)
}

// succeed uncounts an attempt that succeeded: its network and its address of mail have
// not guessed. A device stays counted, or one that logs in in a loop would take the
// processor from other people's devices.
func (a *loginAttempt) succeed() error {
	if a.trusted {
		return nil
	}
	return errors.Join(a.uncount(), a.Books.People().ResetAttempts(a.context(), a.ofMail()))
}

// hash calls what hashes a password in turn. Strangers, by network, and devices that have
// logged in before, by address of mail, do not wait for each other.
func (a *loginAttempt) hash(do func() error) error {
	if a.trusted {
		return a.trustedHashing.inTurn(a.context(), a.email, do)
	}
	return a.strangersHashing.inTurn(a.context(), access.Network(a.caller.Address).String(), do)
}

const (
	hashesAtOnce    = 2               // of strangers, and as many of others; each takes 19 MiB and a core
	hashPatience    = 3 * time.Second // how long one waits for a turn
	againIfBusy     = 5 * time.Second // the Retry-After of those who have waited in vain
	mostHashing     = 100             // who hash, or wait for a turn
	mostHashingFrom = 8               // of one network
	mostHashingOf   = 3               // of one person
)

// errBusy is returned if too many passwords are hashed at the same time.
var errBusy = errors.New("too many passwords are checked at the same time")

// turns limit how many passwords are hashed at the same time. No single client can make all
// others wait.
type turns struct {
	running chan struct{} // holds one for each that is hashed
	waiting *access.Limiter[string]
}

// newTurns lets so many of one wait at the same time.
func newTurns(each int) *turns {
	return &turns{running: make(chan struct{}, hashesAtOnce), waiting: access.NewLimiter[string](mostHashing, each)}
}

// inTurn calls what hashes a password when it is the caller's turn. errBusy if that
// does not come in time, or if too many wait already.
func (t *turns) inTurn(ctx context.Context, caller string, do func() error) error {
	if !t.waiting.Acquire(caller) {
		return errBusy
	}
	defer t.waiting.Release(caller)
	patience := time.NewTimer(hashPatience)
	defer patience.Stop()
	select {
	case t.running <- struct{}{}:
		defer func() { <-t.running }()
		return do()
	case <-patience.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// confirm checks the password of the person who has logged in again, before something
// that an open browser must not do. Attempts are counted by the session alone: neither a
// stranger in the same network nor one with a stolen session can keep the owner from a new
// password. Where it is wrong, show shows the form with the fault at the field, and the
// error is errAnswered.
func (s *submission) confirm(f *ui.Form, field string, show func(status int, f *ui.Form) error) error {
	refuse := func(status int, sentence string) error {
		f.SetFault(field, sentence)
		return answered(show(status, f))
	}
	if f.Value(field) == "" {
		return refuse(http.StatusUnprocessableEntity, s.locale.T("confirm.none"))
	}
	counter := "confirm in " + s.session.ID
	wait, err := s.Books.People().CountAttempt(s.context(), counter, attemptsOfDevice, attemptsWindow)
	if err != nil {
		return err
	}
	if wait > 0 {
		s.comeAgain(wait)
		return refuse(http.StatusTooManyRequests, s.locale.N("confirm.wait", ui.WholeMinutes(wait)))
	}
	login, err := s.findLogin(s.session.Email)
	if err != nil {
		return err
	}
	err = s.trustedHashing.inTurn(s.context(), s.session.Email,
		func() error { return access.CheckPassword(login.Password, f.Value(field)) })
	switch {
	case errors.Is(err, access.ErrUnknown):
		if err := s.recordEvent("password refused", ""); err != nil {
			return err
		}
		return refuse(http.StatusUnprocessableEntity, s.locale.T("confirm.wrong"))
	case errors.Is(err, errBusy):
		if err := s.Books.People().UncountAttempts(s.context(), counter); err != nil {
			return err
		}
		return s.refuseBusy()
	case err != nil:
		return err
	}
	return s.Books.People().ResetAttempts(s.context(), counter)
}
