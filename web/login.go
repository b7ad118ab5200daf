package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"softstake/access"
	"softstake/ledger"
)

const (
	// attemptsWindow is how long attempts to log in are counted, by address of mail and of network.
	attemptsWindow = 15 * time.Minute
	attemptsOfMail = 10
	attemptsFrom   = 100
	hashesAtOnce   = 2               // each takes 19 MiB and a core
	hashPatience   = 3 * time.Second // how long one waits for one's turn
	againIfBusy    = 5 * time.Second // after which one may come again who has waited in vain
	// refusedAfter is how long a refusal takes at least: that more is done for an
	// address that is known does not show.
	refusedAfter = 200 * time.Millisecond
)

// errBusy says that too many log in at once.
var errBusy = errors.New("too many passwords are checked at once")

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
		return v.see(cmp.Or(v.next(), "/spot"), nil)
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
	wait, err := v.countAttempt(mailbox(email))
	if err != nil {
		return err
	}
	if wait > 0 {
		return v.tooManyAttempts(f, wait)
	}
	err = v.beginSession(email, f.Value("password"))
	switch {
	case errors.Is(err, access.ErrUnknown):
		select {
		case <-slow.C:
		case <-v.context().Done():
		}
		f.fault("", v.locale.T("login.wrong"))
		return v.showLogin(http.StatusUnprocessableEntity, loginPage{F: f, Next: v.next()})
	case errors.Is(err, errBusy):
		v.refuseBusy()
		return nil
	case err != nil:
		return err
	}
	return v.see(cmp.Or(v.next(), "/spot"), nil)
}

// countAttempt counts an attempt before anything else is done for it, and returns how
// long to wait where there were too many.
func (v *visit) countAttempt(who string) (time.Duration, error) {
	wait, err := v.Books.Attempt(v.context(), "from "+network(v.caller.Address), attemptsFrom, attemptsWindow)
	if err != nil || wait > 0 {
		return wait, err
	}
	return v.Books.Attempt(v.context(), who, attemptsOfMail, attemptsWindow)
}

// mailbox is what an address's attempts are counted under.
func mailbox(email string) string { return "log in " + email }

// network is the part of an address that one subscriber has: all of an IPv4 address,
// and 64 bits of an IPv6 address.
func network(a netip.Addr) string {
	if !a.Is6() || a.Is4In6() {
		return a.Unmap().String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// tooManyAttempts says when to try again.
func (v *visit) tooManyAttempts(f *form, wait time.Duration) error {
	v.comeAgain(wait)
	f.fault("", v.locale.N("login.wait", minutes(wait)))
	return v.showLogin(http.StatusTooManyRequests, loginPage{F: f, Next: v.next()})
}

// beginSession begins a session, a new one at each log-in, and ends the browser's
// former one. access.ErrUnknown if there is no such login, or the password is another.
func (v *visit) beginSession(email, password string) error {
	ctx := v.context()
	login, err := v.Books.Login(ctx, email)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	if err := v.checkPassword(ctx, login.Password, password); err != nil {
		if errors.Is(err, access.ErrUnknown) && login.Account != "" {
			if err := v.actOf(login.Account, "log-in refused", login.Email); err != nil {
				return err
			}
		}
		return err
	}
	s, text, err := access.NewSession(v.Random)
	if err != nil {
		return err
	}
	now := v.Books.Now()
	s.Email, s.Account, s.Client, s.Address, s.Expires = login.Email, login.Account, v.browser(), v.address(), v.sessionEnd(now, now)
	if err := v.Books.AddSession(ctx, s, login.Password); err != nil {
		if errors.Is(err, ledger.ErrNotFound) { // another password was set meanwhile
			return access.ErrUnknown
		}
		return err
	}
	if former := v.session; former.ID != "" {
		if err := v.Books.EndSession(ctx, former.Account, former.ID); err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	if err := errors.Join(v.actOf(login.Account, "log-in", login.Email), v.Books.Forgive(ctx, mailbox(login.Email))); err != nil {
		return err
	}
	v.setSession(text)
	return nil
}

// checkPassword checks a password against its hash, "" for somebody who does not
// exist, when it is its turn. errBusy if that does not come in time.
func (v *visit) checkPassword(ctx context.Context, hash, password string) error {
	return v.hashInTurn(ctx, func() error { return access.CheckPassword(hash, password) })
}

// hashInTurn does what hashes a password when it is its turn. errBusy if that does
// not come in time.
func (v *visit) hashInTurn(ctx context.Context, do func() error) error {
	patience := time.NewTimer(hashPatience)
	defer patience.Stop()
	select {
	case v.hashing <- struct{}{}:
		defer func() { <-v.hashing }()
		return do()
	case <-patience.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}
