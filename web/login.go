package web

import (
	"context"
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

func (v *visit) loginForm() error {
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

func (s *submission) logIn() error {
	f := s.form()
	email, err := access.ParseEmail(f.Value("email"))
	if err != nil {
		f.fault("email", s.locale.T("login.no-email"))
	}
	if f.Value("password") == "" {
		f.fault("password", s.locale.T("login.no-password"))
	}
	if f.Faulty() {
		return s.showLogin(http.StatusUnprocessableEntity, loginPage{F: f, Next: s.next()})
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
		return s.tooManyAttempts(f, wait)
	}
	err = a.logIn(f.Value("password"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		select {
		case <-slow.C:
		case <-s.context().Done():
		}
		f.fault("", s.locale.T("login.wrong"))
		return s.showLogin(http.StatusUnprocessableEntity, loginPage{F: f, Next: s.next()})
	case errors.Is(err, errBusy):
		if err := a.takeBack(); err != nil {
			return err
		}
		s.refuseBusy()
		return nil
	case err != nil:
		return err
	}
	return s.seeNext()
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
	login, err := v.People.Login(v.context(), email)
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

// attemptsWindow is how long attempts to log in are counted.
const attemptsWindow = 15 * time.Minute

// How many attempts are allowed in a window. Those of a device that has logged in
// before are counted by the device alone, so that no stranger can keep its owner out.
const (
	attemptsOfDevice = 10
	attemptsFrom     = 100 // from one network, of all addresses of mail
	attemptsOfMail   = 10  // of one address of mail, from one network
)

// Beyond how many attempts of strangers answers slow down. Nobody is refused by these.
const (
	slowedOfMail = 30     // of one address of mail, from all networks
	slowedInAll  = 10_000 // of all
)

// slowing is what happens beyond the thresholds.
type slowing struct {
	inAll   int
	by      time.Duration
	waiting *access.Limiter[string] // by address of mail
}

const (
	// slowedBy is how long an attempt waits that is slowed down, and slowedAgain when
	// one may come again for whom there was no place to wait.
	slowedBy    = 2 * time.Second
	slowedAgain = 5 * time.Second
	// How many wait at the same time, in all and of one address of mail: each holds a connection.
	mostSlowed   = 64
	mostSlowedOf = 8
)

// loginAttempt is one attempt to log in.
type loginAttempt struct {
	*submission
	email   string
	login   people.Login  // zero: there is none
	device  access.Device // zero: it has not logged in before
	trusted bool          // it comes from a device that has logged in before, and has not guessed too often
	slowed  bool
	counted []string // the counters that it was counted by
}

// loginAttempt reads what is known of an attempt.
func (s *submission) loginAttempt(email string) (a *loginAttempt, err error) {
	a = &loginAttempt{submission: s, email: email}
	if a.login, err = s.findLogin(email); err != nil {
		return nil, err
	}
	a.device, a.trusted, err = s.findDevice(email, a.login)
	return a, err
}

// begin counts the attempt before anything else is done for it, and lets it wait where
// answers are slow. wait is how long until the next is allowed, where this one is not.
func (a *loginAttempt) begin() (wait time.Duration, err error) {
	if a.trusted {
		wait, err = a.count("device "+a.device.ID, attemptsOfDevice)
		if err != nil || wait == 0 {
			return 0, err
		}
		a.trusted = false // whoever has its cookie has guessed often enough: the rest as a stranger
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

// slowBeyond slows the attempt down where there were as many already.
func (a *loginAttempt) slowBeyond(counter string, most int) error {
	wait, err := a.count(counter, most)
	a.slowed = a.slowed || wait > 0
	return err
}

// waitSlowed waits, before the password is looked at: whoever does not wait for the
// answer gets none. Where too many wait already the attempt is not made.
func (a *loginAttempt) waitSlowed() (wait time.Duration, err error) {
	if !a.slow.waiting.Acquire(a.email) {
		return slowedAgain, a.takeBack()
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

// takeBack uncounts an attempt that was not made.
func (a *loginAttempt) takeBack() error {
	return a.Books.People().UncountAttempts(a.context(), a.counted...)
}

// succeed uncounts an attempt that succeeded: its network and its address of mail have
// not guessed. A device is counted all the same, or one that logs in in a loop would
// take the processor from other people's devices.
func (a *loginAttempt) succeed() error {
	if a.trusted {
		return nil
	}
	return errors.Join(a.takeBack(), a.Books.People().ResetAttempts(a.context(), a.ofMail()))
}

// hashing limits the checks of passwords, and hasher identifies the caller:
// strangers and devices that have logged in before do not wait for each other.
func (a *loginAttempt) hashing() *turns {
	if a.trusted {
		return a.trustedHashing
	}
	return a.strangersHashing
}

func (a *loginAttempt) hasher() string {
	if a.trusted {
		return a.email
	}
	return access.Network(a.caller.Address).String()
}

const (
	hashesAtOnce    = 2               // of strangers, and as many of others; each takes 19 MiB and a core
	hashPatience    = 3 * time.Second // how long one waits for one's turn
	againIfBusy     = 5 * time.Second // after which one may come again who has waited in vain
	mostHashing     = 100             // who hash, or wait for their turn
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
func (t *turns) inTurn(ctx context.Context, who string, do func() error) error {
	if !t.waiting.Acquire(who) {
		return errBusy
	}
	defer t.waiting.Release(who)
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
// that a browser left open must not do. Attempts are counted by the session alone:
// neither a stranger in the same network nor one with a stolen session can keep the
// owner from a new password. What is wrong stands at the field of the form, and the
// status says it as well.
func (s *submission) confirm(f *form, field string) (status int, err error) {
	if f.Value(field) == "" {
		f.fault(field, s.locale.T("confirm.none"))
		return http.StatusUnprocessableEntity, nil
	}
	counter := "confirm in " + s.session.ID
	wait, err := s.Books.People().CountAttempt(s.context(), counter, attemptsOfDevice, attemptsWindow)
	if err != nil {
		return 0, err
	}
	if wait > 0 {
		s.comeAgain(wait)
		f.fault(field, s.locale.N("confirm.wait", minutes(wait)))
		return http.StatusTooManyRequests, nil
	}
	login, err := s.findLogin(s.session.Email)
	if err != nil {
		return 0, err
	}
	err = s.trustedHashing.inTurn(s.context(), s.session.Email,
		func() error { return access.CheckPassword(login.Password, f.Value(field)) })
	switch {
	case errors.Is(err, access.ErrUnknown):
		f.fault(field, s.locale.T("confirm.wrong"))
		return http.StatusUnprocessableEntity, s.recordEvent("password refused", "")
	case errors.Is(err, errBusy):
		if err := s.Books.People().UncountAttempts(s.context(), counter); err != nil {
			return 0, err
		}
		s.refuseBusy()
		return 0, errAnswered
	case err != nil:
		return 0, err
	}
	return http.StatusOK, s.Books.People().ResetAttempts(s.context(), counter)
}
