// Package ceremony is how a person proves who it is with a factor: what a browser is asked, how its answer is checked,
// and the step-up that comes of it. The pages of holders and of staff use it alike. It knows no HTML and no SQL.
package ceremony

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/softstake/softstake/access"
	"github.com/softstake/softstake/factor"
	"github.com/softstake/softstake/ledger"
	"github.com/softstake/softstake/people"
)

// Ceremony is one request of a person's. What it writes is done as the actor of People, who carries no step-up yet.
type Ceremony struct {
	People *people.People
	Sealer *access.Sealer // nil: no authenticator app can be set up
	Random io.Reader
	Site   factor.Site
	Now    time.Time

	// Subject is whose factors these are, as access.Actor.Subject has it; "": a log-in with a passkey alone, which says
	// whose it is.
	Subject string
	// Session binds challenges to a session's ID or, before there is one, to what a log-in has shown; "": to nothing.
	Session string
}

// purpose is what the secret of challenges is for.
const purpose = "passkey challenges"

// challenger signs challenges with a secret that is derived from the key outside of the books or, where there is none,
// with one that the books keep.
func (c Ceremony) challenger(ctx context.Context) (factor.Challenger, error) {
	var secret access.Hidden
	var err error
	if c.Sealer != nil {
		secret, err = c.Sealer.Derive(purpose)
	} else {
		secret, err = c.People.Secret(ctx, purpose, c.Random)
	}
	return factor.NewChallenger(secret), err
}

// about is what a challenge is about: an answer to it confirms one digest, for one subject in one session.
func (c Ceremony) about(what, digest string) string {
	return access.StepUp("challenge", what, c.Subject, c.Session, c.Site.Origin, digest)
}

// Ask is what a browser makes an assertion by, as JSON: navigator.credentials.get. The answer confirms what has the
// digest (access.StepUp). access.ErrForbidden because of access.ReasonFactor if the subject has no passkey.
func (c Ceremony) Ask(ctx context.Context, digest string) (options []byte, err error) {
	var passkeys []factor.Passkey
	if c.Subject != "" {
		f, err := c.People.Factors(ctx, c.Subject)
		if err != nil {
			return nil, err
		}
		if passkeys = f.Passkeys; len(passkeys) == 0 {
			return nil, access.ErrForbidden.In("", "%s has no passkey", c.Subject).Because(access.ReasonFactor)
		}
	}
	challenger, err := c.challenger(ctx)
	if err != nil {
		return nil, err
	}
	challenge, err := challenger.New(c.Random, c.Now, c.about("get", digest))
	if err != nil {
		return nil, err
	}
	return c.Site.RequestOptions(challenge, passkeys)
}

// Confirm checks what a browser has answered to Ask, and makes a step-up of it: proof is its ID, of the subject that
// the passkey belongs to. access.ErrUnknown if it is not the answer of one of the subject's passkeys to a challenge of
// this digest; because of factor.ReasonCloned and factor.ReasonUsed as people.Confirm has them.
func (c Ceremony) Confirm(ctx context.Context, digest, answer string) (proof, subject string, err error) {
	a, err := factor.ParseAssertion([]byte(answer))
	if err != nil {
		return "", "", err
	}
	challenger, err := c.challenger(ctx)
	if err != nil {
		return "", "", err
	}
	over, err := challenger.Check(a.Challenge, c.Now, c.about("get", digest))
	if err != nil {
		return "", "", err
	}
	subject = c.Subject
	if subject == "" {
		subject, err = c.People.PasskeyOwner(ctx, a.ID, a.Handle)
		if errors.Is(err, ledger.ErrNotFound) {
			err = access.ErrUnknown.In("", "nobody has this passkey here")
		}
	}
	var k factor.Passkey
	if err == nil {
		k, err = c.passkey(ctx, subject, a.ID)
	}
	if err != nil {
		return "", "", err
	}
	count, err := c.Site.Verify(a, k)
	if err != nil {
		return "", subject, err
	}
	proof, err = c.People.Confirm(ctx, subject, digest,
		people.Confirmation{Passkey: k.ID, Count: count, Challenge: a.Challenge, Over: over})
	return proof, subject, err
}

// passkey is a subject's passkey; access.ErrUnknown if it has none of the ID.
func (c Ceremony) passkey(ctx context.Context, subject, id string) (factor.Passkey, error) {
	f, err := c.People.Factors(ctx, subject)
	if err != nil {
		return factor.Passkey{}, err
	}
	for _, k := range f.Passkeys {
		if k.ID == id {
			return k, nil
		}
	}
	return factor.Passkey{}, access.ErrUnknown.In("", "%s does not have this passkey", subject)
}

// ConfirmCode makes a step-up of a code of the subject's authenticator app, or of one of its recovery codes.
// access.ErrUnknown for another code, because of factor.ReasonUsed for one that was used. The caller counts attempts.
func (c Ceremony) ConfirmCode(ctx context.Context, digest, code string) (proof string, err error) {
	if !factor.IsTOTP(code) {
		hash := factor.HashRecoveryCode(c.Subject, code)
		return c.People.Confirm(ctx, c.Subject, digest, people.Confirmation{Code: &hash})
	}
	f, err := c.People.Factors(ctx, c.Subject)
	if err != nil {
		return "", err
	}
	if !f.HasTOTP() {
		return "", access.ErrUnknown.In("", "%s has no authenticator app", c.Subject)
	}
	secret, err := c.Sealer.Open(f.TOTP.Sealed, c.sealedFor())
	if err != nil {
		return "", fmt.Errorf("read the secret of the authenticator app of %s: %w", c.Subject, err)
	}
	step, err := factor.CheckTOTP(string(secret), code, c.Now, f.TOTP.Step)
	if err != nil {
		return "", err
	}
	return c.People.Confirm(ctx, c.Subject, digest, people.Confirmation{Step: step})
}

// sealedFor is the name that the secret of the subject's authenticator app is sealed with.
func (c Ceremony) sealedFor() string { return access.AppSecret(c.Subject) }

// AskPasskey is what a browser makes a passkey by, as JSON: navigator.credentials.create. name is shown beside it.
func (c Ceremony) AskPasskey(ctx context.Context, name string) (options []byte, err error) {
	f, err := c.People.Factors(ctx, c.Subject)
	if err != nil {
		return nil, err
	}
	challenger, err := c.challenger(ctx)
	if err != nil {
		return nil, err
	}
	handle := make([]byte, factor.HandleLength)
	if len(f.Passkeys) > 0 {
		handle = f.Passkeys[0].Handle
	} else if _, err := io.ReadFull(c.Random, handle); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	challenge, err := challenger.New(c.Random, c.Now, c.about("create", string(handle)))
	if err != nil {
		return nil, err
	}
	return c.Site.CreationOptions(challenge, handle, name, f.Passkeys)
}

// AddPasskey checks the passkey that a browser has made by AskPasskey, and adds it. handle is the one that it was asked
// for, in base64url, as the options have it. The actor of People carries the step-up, and errors are those of
// people.AddPasskey, or access.ErrUnknown. codes are the recovery codes that come with a first factor, to be shown
// once; else none.
func (c Ceremony) AddPasskey(ctx context.Context, label, handle, answer string, v people.Visitor) (codes []string,
	err error) {
	r, err := factor.ParseRegistration([]byte(answer))
	if err != nil {
		return nil, err
	}
	owner, err := base64.RawURLEncoding.DecodeString(handle)
	if err != nil || len(owner) != factor.HandleLength {
		return nil, access.ErrUnknown.In("", "the handle of a passkey is %d bytes in base64url", factor.HandleLength)
	}
	challenger, err := c.challenger(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := challenger.Check(r.Challenge, c.Now, c.about("create", string(owner))); err != nil {
		return nil, err
	}
	k, err := c.Site.Register(r, owner)
	if err != nil {
		return nil, err
	}
	k.Label = label
	return c.withCodes(ctx, func(hashes [][32]byte) error {
		return c.People.AddPasskey(ctx, c.Subject, k, hashes, v)
	})
}

// Ticket is a text for a cookie that shows later, for factor.ChallengeLife, what was shown now: that a password was
// right. It can be shown more than once.
func (c Ceremony) Ticket(ctx context.Context, about string) (string, error) {
	challenger, err := c.challenger(ctx)
	if err != nil {
		return "", err
	}
	ticket, err := challenger.New(c.Random, c.Now, access.StepUp("ticket", about))
	return base64.RawURLEncoding.EncodeToString(ticket), err
}

// CheckTicket is access.ErrUnknown unless the text is a Ticket about the same that is not over.
func (c Ceremony) CheckTicket(ctx context.Context, text, about string) error {
	ticket, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return access.ErrUnknown.In("", "it is no ticket")
	}
	challenger, err := c.challenger(ctx)
	if err == nil {
		_, err = challenger.Check(ticket, c.Now, access.StepUp("ticket", about))
	}
	return err
}

// withCodes calls what adds a factor with recovery codes, and returns them if it is the first.
func (c Ceremony) withCodes(ctx context.Context, add func(hashes [][32]byte) error) ([]string, error) {
	had, err := c.People.Factors(ctx, c.Subject)
	if err != nil {
		return nil, err
	}
	codes, hashes, err := c.newCodes()
	if err == nil {
		err = add(hashes)
	}
	if err != nil || had.Any() {
		return nil, err
	}
	return codes, nil
}

func (c Ceremony) newCodes() (codes []string, hashes [][32]byte, err error) {
	for range factor.RecoveryCodes {
		code, err := factor.NewRecoveryCode(c.Random)
		if err != nil {
			return nil, nil, err
		}
		codes, hashes = append(codes, code), append(hashes, factor.HashRecoveryCode(c.Subject, code))
	}
	return codes, hashes, nil
}

// ReplaceCodes makes new recovery codes, to be shown once, in the place of the former ones. The actor of People carries
// the step-up; errors are those of people.SetRecoveryCodes.
func (c Ceremony) ReplaceCodes(ctx context.Context, v people.Visitor) ([]string, error) {
	codes, hashes, err := c.newCodes()
	if err == nil {
		err = c.People.SetRecoveryCodes(ctx, c.Subject, hashes, v)
	}
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// App is an authenticator app that is being set up. Nothing of it is kept: the form has it, sealed.
type App struct {
	factor.TOTP
	Sealed string // for AddApp
}

// NewApp makes the secret of an authenticator app. name is shown beside its codes. There must be a Sealer.
func (c Ceremony) NewApp(name string) (a App, err error) {
	if a.TOTP, err = factor.NewTOTP(c.Random, c.Site.Name, name); err != nil {
		return a, err
	}
	text := strconv.FormatInt(c.Now.Add(factor.ChallengeLife).Unix(), 10) + " " + a.URI
	sealed, err := c.Sealer.Seal([]byte(text), c.setupFor())
	a.Sealed = base64.RawURLEncoding.EncodeToString(sealed)
	return a, err
}

// setupFor binds an app that is being set up to its subject and session.
func (c Ceremony) setupFor() string { return "setup of the " + c.sealedFor() + " in " + c.Session }

// ReadApp reads an app that NewApp has sealed; access.ErrUnknown if it was not sealed for this session, or too long
// ago.
func (c Ceremony) ReadApp(sealed string) (a App, err error) {
	unknown := access.ErrUnknown.In("", "it is no authenticator app that is being set up")
	if c.Sealer == nil {
		return a, unknown
	}
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return a, unknown
	}
	text, err := c.Sealer.Open(b, c.setupFor())
	if err != nil {
		return a, unknown
	}
	over, uri, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseInt(over, 10, 64)
	if err != nil || seconds <= c.Now.Unix() {
		return a, unknown
	}
	a.Sealed = sealed
	a.TOTP, err = factor.ParseTOTP(uri)
	return a, err
}

// AddApp adds the authenticator app that a form has, once a code shows that it is set up. The actor of People carries
// the step-up; errors are those of people.SetTOTP, or access.ErrUnknown for another code. codes are those of
// AddPasskey.
func (c Ceremony) AddApp(ctx context.Context, a App, code string, v people.Visitor) (codes []string, err error) {
	step, err := factor.CheckTOTP(a.Secret, code, c.Now, 0)
	if err != nil {
		return nil, err
	}
	sealed, err := c.Sealer.Seal([]byte(a.Secret), c.sealedFor())
	if err != nil {
		return nil, err
	}
	return c.withCodes(ctx, func(hashes [][32]byte) error {
		return c.People.SetTOTP(ctx, c.Subject, sealed, step, hashes, v)
	})
}
