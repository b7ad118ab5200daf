package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ceremony"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/openid"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// staffSessions are those of the books and, of a demo, those of its visitors.
type staffSessions struct {
	*visitorSessions
	now func() time.Time
	log *slog.Logger
}

// entrance is what a form needs to let somebody in.
type entrance struct {
	sessions *staffSessions
	random   io.Reader
	sealer   *access.Sealer   // may be nil
	provider *openid.Provider // may be nil
}

// touchEvery is how often the use of a session is written down.
const touchEvery = time.Minute

// Find implements sessionReader.
func (s *staffSessions) Find(ctx context.Context, text, client string, use bool) (access.Actor, error) {
	if by, err := s.visitorSessions.find(text); err == nil {
		return by, nil
	}
	id, is := access.SessionID(text)
	if !is {
		return access.Actor{}, access.ErrUnknown
	}
	session, person, err := s.people.StaffSession(ctx, id)
	now := s.now()
	if err == nil {
		err = session.Check(text, client, now)
	}
	if err != nil {
		return access.Actor{}, err
	}
	if use && now.Sub(session.Seen) >= touchEvery {
		if err := s.people.TouchStaffSession(ctx, id, session.End(now)); err != nil {
			s.log.Warn("it could not be kept that a session of staff is used; it is used all the same", "error", err)
		}
	}
	return person.Actor(), nil
}

// sessionID is the ID of the browser's session, which may be shown.
func (v *visit) sessionID() string {
	id, _ := access.SessionID(v.text)
	return id
}

// browser is the visitor's User-Agent.
func (v *visit) browser() string { return ui.Client(v.r, v.caller) }

// address is where the visitor comes from: "192.0.2.7 DE".
func (v *visit) address() string { return ui.Origin(v.caller) }

// How many attempts are allowed within attemptsWindow.
const (
	refusedFrom    = 30  // from a network, or of a person: beyond it one that is refused is not logged
	begunFrom      = 300 // log-ins at the provider that nobody has come back from, of a network
	begunOf        = 30  // step-ups at the provider, of a person
	attemptsWindow = 15 * time.Minute
)

// countRefused counts an attempt that was refused, of its network and of the person whom it named; email may be "".
// tooMany: there were too many of one of them. Where there were too many of the network, no counter is written for the
// e-mail: a form can name any number of them. Nothing of it can be guessed, neither an answer of a passkey nor a code
// of 256 bits: whoever has it is let in, whatever others of the network have tried.
func (s *submission) countRefused(email string) (tooMany bool, err error) {
	counters := []string{"staff refused from " + s.network()}
	if email != "" {
		counters = append(counters, refusedCounter(email))
	}
	for _, counter := range counters {
		wait, err := s.Books.People().CountAttempt(s.context(), counter, refusedFrom, attemptsWindow)
		if err != nil || wait > 0 {
			return wait > 0, err
		}
	}
	return false, nil
}

// refusedCounter counts what is refused of a person, from all networks.
func refusedCounter(email string) string { return "staff refused " + email }

func (s *submission) network() string { return access.Network(s.caller.Address).String() }

// begunCounter counts what is begun at the provider: log-ins by network and, with an e-mail, the step-ups of a person
// who has logged in, which nobody else uses up.
func (s *submission) begunCounter(email string) (counter string, most int) {
	if email != "" {
		return "staff at the provider " + email, begunOf
	}
	return "staff at the provider from " + s.network(), begunFrom
}

// refuseLogIn shows the page to log in on with a fault. The error is errAnswered.
func (s *submission) refuseLogIn(status int, key string) error {
	f := ui.EmptyForm()
	f.SetFault("", s.locale.T(key))
	if err := s.showLogin(status, f); err != nil {
		return err
	}
	return errAnswered
}

// begin gives the browser a new session, which add adds, and ends the one that it had.
func (s *submission) beginSession(email string, add func(session access.StaffSession) error) error {
	session, text, err := access.NewStaffSession(s.random)
	if err != nil {
		return err
	}
	session.Email, session.Client, session.Address = email, s.browser(), s.address()
	if err := add(session); err != nil {
		return err
	}
	if s.signedIn() {
		if err := s.endSession(); err != nil {
			return err
		}
	}
	s.setCookie(SessionCookie(s.caller.Secure), text, sessionLife)
	return nil
}

// endSession ends the browser's session.
func (s *submission) endSession() error {
	s.sessions.End(s.text)
	return s.Books.People().EndStaffSession(s.context(), s.email(), s.sessionID())
}

// as is the people of the books as a member of staff.
func (s *submission) as(by access.Actor) *people.People {
	return s.Books.As(by.In(s.caller.Request)).People()
}

// leavePage leads to the provider. It is a page and no redirect, which a browser does not follow from a form to
// another site under our content policy.
type leavePage struct {
	*view
	To, Name string
}

// browserCookie binds a log-in at the provider to the browser that has begun it.
func (v *visit) browserCookie() string {
	if v.caller.Secure {
		return "__Host-staff-log-in"
	}
	return "staff-log-in"
}

// toProvider begins a log-in at the provider: anybody's, or a step-up of a person for what a digest is of.
func (s *submission) toProvider(email, digest, next string) error {
	if s.provider == nil {
		return ledger.ErrNotFound
	}
	counter, most := s.begunCounter(email)
	wait, err := s.Books.People().CountAttempt(s.context(), counter, most, attemptsWindow)
	if err != nil {
		return err
	}
	if wait > 0 {
		return s.refuseLogIn(http.StatusTooManyRequests, "login.wait")
	}
	r := openid.Request{State: openid.NewVerifier(), Nonce: openid.NewVerifier(), Verifier: openid.NewVerifier(),
		Email: email}
	to, err := s.provider.Address(s.context(), r)
	if err != nil {
		s.Log.Error("the OpenID provider cannot be asked", "request", s.caller.Request, "error", err)
		return s.refuseLogIn(http.StatusBadGateway, "login.provider.away")
	}
	browser := openid.NewVerifier()
	err = s.Books.People().BeginStaffLogIn(s.context(), people.StaffLogIn{State: r.State,
		Browser: sha256.Sum256([]byte(browser)), Nonce: r.Nonce, Verifier: r.Verifier, Email: email, Digest: digest,
		Next: next})
	if err != nil {
		return err
	}
	s.setCookie(s.browserCookie(), browser, people.StaffLogInLife)
	return s.show("leave", leavePage{s.view("leave.title"), to, s.provider.Name()})
}

// uncountBegun takes back that something was begun at the provider: somebody has come back.
func (s *submission) uncountBegun(email string) error {
	counter, _ := s.begunCounter(email)
	return s.Books.People().UncountAttempts(s.context(), counter)
}

func (s *submission) logInAtProvider() error { return s.toProvider("", "", s.ownPath("next", Path)) }

// deniedByProvider is the error with which a provider sends back whom it does not let in, or who has cancelled (RFC
// 6749, 4.1.2.1). A session that the browser has ends: it must not outlive what the provider allows.
const deniedByProvider = "access_denied"

// comeFromProvider is where the provider sends the browser back to. It is a GET that changes something: the state is
// used once, and only by the browser that has begun.
func (s *submission) comeFromProvider() error {
	if s.provider == nil {
		return ledger.ErrNotFound
	}
	begun, err := s.Books.People().TakeStaffLogIn(s.context(), s.value("state"))
	if errors.Is(err, access.ErrUnknown) {
		return s.refuseLogIn(http.StatusForbidden, "login.provider.refused")
	}
	if err != nil {
		return err
	}
	browser := sha256.Sum256([]byte(s.cookie(s.browserCookie())))
	s.setCookie(s.browserCookie(), "", 0)
	own := subtle.ConstantTimeCompare(browser[:], begun.Browser[:]) == 1
	if own && s.value("error") == deniedByProvider && s.signedIn() {
		if err := s.endSession(); err != nil {
			return err
		}
	}
	if !own || s.value("error") != "" {
		return s.refuseLogIn(http.StatusForbidden, "login.provider.refused")
	}
	person, err := s.provider.Redeem(s.context(), openid.Request{State: begun.State, Nonce: begun.Nonce,
		Verifier: begun.Verifier, Email: begun.Email}, s.value("code"), s.value("iss"), s.Books.Now().Sub(begun.Made))
	if err == nil && begun.Digest != "" {
		return s.stepUpAtProvider(begun, person)
	}
	if err == nil {
		err = s.beginSession(person.Email, func(session access.StaffSession) error {
			return s.as(person.Actor()).AddProvidedSession(s.context(), person, session, "provider "+s.provider.Name())
		})
	}
	if err == nil {
		err = s.uncountBegun("")
	}
	if errors.Is(err, access.ErrUnknown) || errors.Is(err, access.ErrForbidden) {
		return s.refuseProvided(person, err)
	}
	if err != nil {
		return err
	}
	return s.see(begun.Next)
}

// refuseProvided refuses whom the provider has named, or has not; the log has why.
func (s *submission) refuseProvided(person access.Staff, why error) error {
	s.Log.Warn("a log-in at the OpenID provider was refused", "request", s.caller.Request, "error", why)
	key := "login.provider.refused"
	if ledger.ReasonOf(why) == openid.ReasonNoGroup {
		key = "login.provider.no-group"
	}
	door, text := s.as(access.Process("console")), ledger.Clip(why.Error())
	switch {
	case person.Email == "":
	case ledger.ReasonOf(why) == openid.ReasonNoGroup:
		if err := door.RefuseProvided(s.context(), person, text); err != nil {
			return err
		}
	default:
		if err := door.RefuseStaff(s.context(), person.Email, text); err != nil {
			return err
		}
	}
	return s.refuseLogIn(http.StatusForbidden, key)
}

// stepUpAtProvider keeps that the person has logged in afresh for one digest. Who comes back must be who has left, in
// the session they have, with the role that their groups still give.
func (s *submission) stepUpAtProvider(begun people.StaffLogIn, person access.Staff) error {
	if person.Email != begun.Email || person.Actor() != s.actor {
		return s.refuseProvided(person, access.ErrForbidden.In("", "%s has come back for %s", person.Email, begun.Email))
	}
	proof, err := s.Books.People().ConfirmProvided(s.context(), begun.Email, begun.Digest)
	if err == nil {
		err = s.uncountBegun(begun.Email)
	}
	if err != nil {
		return err
	}
	s.setCookie(s.proofCookie(), proof, access.StepUpLife)
	return s.see(begun.Next)
}

// proofCookie has the step-up of a person who was at the provider, until it is used.
func (v *visit) proofCookie() string {
	if v.caller.Secure {
		return "__Host-staff-proof"
	}
	return "staff-proof"
}

// confirmed is a step-up of the visitor for a digest: made by a passkey's answer to the form, or at the provider
// before. Where there is none it asks for one, and the error is errAnswered.
func (s *submission) confirmed(digest, next string) (proof string, err error) {
	if proof, err = s.sessions.Confirm(s.context(), s.actor, digest); err == nil {
		return proof, nil
	}
	if proof := s.cookie(s.proofCookie()); proof != "" {
		s.setCookie(s.proofCookie(), "", 0)
		return proof, nil
	}
	provided, err := s.isProvided()
	if err != nil {
		return "", err
	}
	if provided {
		if err := s.toProvider(s.email(), digest, next); err != nil {
			return "", err
		}
		return "", errAnswered
	}
	proof, _, err = s.prove(s.ceremony(s.actor.Subject(), s.sessionID()), digest)
	return proof, err
}

// ceremony is how a subject confirms something with a passkey; session binds it to a session or a log-in.
func (s *submission) ceremony(subject, session string) ceremony.Ceremony {
	return ceremony.Ceremony{People: s.Books.People(), Sealer: s.sealer, Random: s.random, Site: s.passkeySite(),
		Now: s.Books.Now(), Subject: subject, Session: session}
}

// passkeySite is the site that passkeys are of: the one that the browser is on.
func (v *visit) passkeySite() factor.Site {
	scheme := "http://"
	if v.caller.Secure {
		scheme = "https://"
	}
	return factor.Site{Origin: scheme + v.r.Host, Name: v.locale.T("product")}
}

// prove makes a step-up of a passkey's answer that the form has, or answers the script that asks for a challenge.
// access.ErrUnknown for an answer that does not confirm it, or none.
func (s *submission) prove(c ceremony.Ceremony, digest string) (proof, subject string, err error) {
	if s.value("ask") == "" {
		return c.Confirm(s.context(), digest, s.value("answer"))
	}
	options, err := c.Ask(s.context(), digest)
	if ledger.ReasonOf(err) == access.ReasonFactor {
		return "", "", access.ErrUnknown.In("", "%s has no passkey", c.Subject)
	}
	if err != nil {
		return "", "", err
	}
	ui.Send(s.w, "application/json", options)
	return "", "", errAnswered
}

// logInByPasskey logs a local person in with a passkey alone: it says whose it is.
func (s *submission) logInByPasskey() error {
	if !s.passkeySite().Named() {
		return s.refuseLogIn(http.StatusUnprocessableEntity, "login.passkey.address")
	}
	_, subject, err := s.prove(s.ceremony("", ""), access.LogIn)
	email, staff := strings.CutPrefix(subject, access.StaffSubject(""))
	if err == nil && !staff {
		err = access.ErrUnknown.In("", "%s is no member of staff", subject)
	}
	if err == nil {
		var person access.Staff
		if person, err = s.Books.People().StaffMember(s.context(), email); err == nil {
			err = s.beginSession(email, func(session access.StaffSession) error {
				return s.as(person.Actor()).AddStaffSession(s.context(), session, "passkey")
			})
		}
	}
	if errors.Is(err, access.ErrUnknown) || errors.Is(err, ledger.ErrNotFound) || errors.Is(err, ledger.ErrInvalid) {
		return s.refusePasskey(email, staff, err)
	}
	if err != nil {
		return err
	}
	return s.see(s.ownPath("next", Path))
}

// refusePasskey refuses a log-in with a passkey which, where staff is set, says that it is the person's of the e-mail.
func (s *submission) refusePasskey(email string, staff bool, why error) error {
	if !staff {
		email = ""
	}
	tooMany, err := s.countRefused(email)
	if err != nil {
		return err
	}
	if tooMany {
		return s.refuseLogIn(http.StatusTooManyRequests, "login.wait")
	}
	s.Log.Warn("a passkey was refused", "request", s.caller.Request, "error", why)
	if staff {
		if err := s.as(access.Process("console")).RefuseStaff(s.context(), email, "passkey"); err != nil {
			return err
		}
	}
	return s.refuseLogIn(http.StatusForbidden, "login.passkey.refused")
}

// isProvided reports whether the visitor is a person of the provider.
func (s *submission) isProvided() (bool, error) {
	if !s.signedIn() {
		return false, nil
	}
	person, err := s.Books.People().StaffMember(s.context(), s.email())
	if errors.Is(err, ledger.ErrNotFound) { // a visitor of a demo
		return false, nil
	}
	return person.Source == access.Provider, err
}
