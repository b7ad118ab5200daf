package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/ceremony"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
	"github.com/softstake/softstake/ui"
)

// The fields of a form that is confirmed with a factor.
const (
	askField    = "ask"    // the script asks for a challenge
	answerField = "answer" // of a passkey, as JSON
	codeField   = "code"   // of an authenticator app, or a recovery code
	proofField  = "proof"  // the ID of a step-up that was made a page before
)

// passkeySite is the site that passkeys are of: the one that the browser is on.
func (v *visit) passkeySite() factor.Site {
	scheme := "http://"
	if v.caller.Secure {
		scheme = "https://"
	}
	return factor.Site{Origin: scheme + v.r.Host, Name: v.locale.T("product")}
}

// passkeysHere reports whether a passkey can be of the site.
func (v *visit) passkeysHere() bool { return v.passkeySite().Named() }

// subject is the visitor as the owner of factors.
func (v *visit) subject() string { return v.session.Actor().Subject() }

// factors are the visitor's.
func (v *visit) factors() (people.Factors, error) { return v.People.Factors(v.context(), v.subject()) }

// needsFactor reports whether the visitor withdraws nothing without a second factor, and has none.
func (v *visit) needsFactor() (bool, error) {
	has, err := v.factors()
	if err != nil || has.Any() {
		return false, err
	}
	return v.Reports.NeedsFactor(v.context())
}

// unfinished is where the withdrawal is that the visitor has begun in this session and not confirmed, or "".
func (v *visit) unfinished() (string, error) {
	d, err := v.People.LastDraft(v.context(), v.account(), v.session.ID, "/"+withdrawalKind.name)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil
	}
	return ui.Address(d.Path, draftField, d.ID), err
}

// who is the visitor, for security events.
func (v *visit) who() people.Visitor {
	return people.Visitor{Client: v.browser(), Address: v.address()}
}

// ceremony is how a subject confirms something; session binds it to a session or a log-in.
func (s *submission) ceremony(subject, session string) ceremony.Ceremony {
	return ceremony.Ceremony{People: s.Books.People(), Sealer: s.Sealer, Random: s.Random, Site: s.passkeySite(),
		Now: s.Books.Now(), Subject: subject, Session: session}
}

// ownCeremony is the visitor's.
func (s *submission) ownCeremony() ceremony.Ceremony { return s.ceremony(s.subject(), s.session.ID) }

// carry makes the actor carry a step-up.
func (s *submission) carry(proof string) {
	s.proof = proof
	s.Books = s.Books.As(s.session.Actor().In(s.caller.Request).With(proof))
}

// stepUp confirms a form with one of the visitor's factors, and reports whether there is any. digest is access.StepUp
// of what it asks for. Where it is not confirmed, show shows the form with the fault, and the error is errAnswered.
func (s *submission) stepUp(f *ui.Form, digest string, show func(status int, f *ui.Form) error) (has bool, err error) {
	factors, err := s.factors()
	if err != nil || !factors.Any() {
		return false, err
	}
	proof, _, err := s.prove(s.ownCeremony(), f, digest, show)
	if err == nil {
		s.carry(proof)
	}
	return true, err
}

// prove makes a step-up of what a form has: the answer of a passkey, or a code. It answers the script that asks for a
// challenge. Codes are counted as passwords are, by the subject: six digits are few.
func (s *submission) prove(c ceremony.Ceremony, f *ui.Form, digest string, show func(status int, f *ui.Form) error) (
	proof, subject string, err error) {
	answer, code := f.Value(answerField), f.Value(codeField)
	f.Values.Del(answerField)
	f.Values.Del(codeField)
	subject = c.Subject
	refuse := func(status int, sentence string) error {
		f.SetFault(codeField, sentence)
		return answered(show(status, f))
	}
	switch {
	case s.value(askField) != "" && !s.passkeysHere():
		return "", "", refuse(http.StatusUnprocessableEntity, s.locale.T("factor.no-passkey"))
	case s.value(askField) != "":
		options, err := c.Ask(s.context(), digest)
		if ledger.ReasonOf(err) == access.ReasonFactor {
			return "", "", refuse(http.StatusUnprocessableEntity, s.locale.T("factor.no-passkey"))
		}
		if err != nil {
			return "", "", err
		}
		ui.Send(s.w, "application/json", options)
		return "", "", errAnswered
	case answer != "":
		proof, subject, err = c.Confirm(s.context(), digest, answer)
	case code != "" && subject != "":
		counter := "code of " + subject
		wait, err := s.Books.People().CountAttempt(s.context(), counter, attemptsOfDevice, attemptsWindow)
		if err != nil {
			return "", "", err
		}
		if wait > 0 {
			s.comeAgain(wait)
			return "", "", refuse(http.StatusTooManyRequests, s.locale.N("factor.wait", ui.WholeMinutes(wait)))
		}
		if proof, err = c.ConfirmCode(s.context(), digest, code); err == nil {
			return proof, subject, s.Books.People().ResetAttempts(s.context(), counter)
		}
		return "", "", s.refuseFactor(subject, err, refuse)
	default:
		return "", "", refuse(http.StatusUnprocessableEntity, s.locale.T("factor.needed"))
	}
	if err != nil {
		return "", "", s.refuseFactor(subject, err, refuse)
	}
	return proof, subject, nil
}

// refuseFactor answers what does not confirm, and records it for the account.
func (s *submission) refuseFactor(subject string, err error, refuse func(status int, sentence string) error) error {
	if !errors.Is(err, access.ErrUnknown) {
		return err
	}
	reason := ledger.ReasonOf(err)
	s.Log.Warn("a factor was refused", "request", s.caller.Request, "error", err)
	login, found := strings.CutPrefix(subject, access.LoginSubject(""))
	if found {
		l, err := s.findLogin(login)
		if err != nil {
			return err
		}
		if l.Account != "" {
			if err := s.recordEventOf(l.Account, "factor refused", reason); err != nil {
				return err
			}
		}
	}
	sentence := s.locale.T("factor.wrong")
	switch reason {
	case factor.ReasonCloned:
		sentence = s.locale.T("factor.cloned")
	case factor.ReasonUsed:
		sentence = s.locale.T("factor.used")
	}
	return refuse(http.StatusUnprocessableEntity, sentence)
}

// confirmPerson confirms a form with a factor or, of a person who has none, with the password. It always makes a
// step-up.
func (s *submission) confirmPerson(f *ui.Form, digest string, show func(status int, f *ui.Form) error) error {
	has, err := s.stepUp(f, digest, show)
	if err != nil || has {
		return err
	}
	if err := s.confirm(f, "password", show); err != nil {
		return err
	}
	proof, err := s.Books.People().ConfirmPassword(s.context(), s.subject(), digest)
	if err == nil {
		s.carry(proof)
	}
	return err
}
